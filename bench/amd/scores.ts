/** Scores over judged clips. A share of nothing is NaN, and is not reported. */
import type { AnswerVerdict } from '../../machines/telephony-events.ts';
import { percentile } from '../bench-report.ts';
import type { Judged } from './classify.ts';
import { LIMITS_MS, MAIN_LIMIT_MS, type Verdict } from './clip-run.ts';

/** A rule under test, reduced to what happens to the call. */
export type Treatment = 'person' | 'machine' | 'nobody';

export function treatmentOf(verdict: AnswerVerdict): Treatment {
  if (verdict === 'human' || verdict === 'unknown') return 'person';
  return verdict === 'silence' ? 'nobody' : 'machine';
}

export function verdictAt({ result }: Judged, limitMs: number = MAIN_LIMIT_MS): Verdict {
  const verdict = result.verdicts[LIMITS_MS.findIndex((limit) => limit === limitMs)];
  if (verdict === undefined) throw new Error(`not judged at ${limitMs} ms`);
  return verdict;
}

export const isPerson = ({ truth }: Judged): boolean => truth.class === 'human';
/** Machines, fax and announcements; silence is neither a person nor a machine. */
export const isMachine = ({ truth }: Judged): boolean =>
  truth.class === 'machine' || truth.class === 'fax' || truth.class === 'sit';

export function shareOf(judged: readonly Judged[], has: (one: Judged) => boolean): number {
  return judged.length === 0 ? Number.NaN : judged.filter(has).length / judged.length;
}

export type Rule = (one: Judged) => Treatment;

export const ourRule =
  (limitMs: number = MAIN_LIMIT_MS): Rule =>
  (one) =>
    treatmentOf(verdictAt(one, limitMs).verdict);

/** HUMAN and NOTSURE are connected, as its users do. */
export const asteriskRule: Rule = ({ result }) =>
  result.asterisk.status === 'MACHINE' ? 'machine' : 'person';

export const alwaysHumanRule: Rule = () => 'person';

/** Mean of the people treated as people and the machines treated as machines. */
export function balancedAccuracy(judged: readonly Judged[], rule: Rule): number {
  const people = shareOf(judged.filter(isPerson), (one) => rule(one) === 'person');
  const machines = shareOf(judged.filter(isMachine), (one) => rule(one) === 'machine');
  return (people + machines) / 2;
}

export function peopleCalledMachines(judged: readonly Judged[], rule: Rule): number {
  return shareOf(judged.filter(isPerson), (one) => rule(one) === 'machine');
}

/** Verdict on people who are treated as such, after the end of their greeting; before it is negative. */
export function delaysMs(
  judged: readonly Judged[],
  atMs: (one: Judged) => number,
  rule: Rule,
): number[] {
  return judged.flatMap((one) => {
    const { greetingEndMs } = one.truth;
    const counts = isPerson(one) && rule(one) === 'person' && greetingEndMs !== null;
    return counts ? [atMs(one) - greetingEndMs] : [];
  });
}

const BRIDGE_WITHIN_MS = 2_000; // 47 CFR §64.1200(a)(7)

/** Of all people, those whom somebody can still be connected to in time. */
export function bridgeableShare(
  judged: readonly Judged[],
  atMs: (one: Judged) => number,
  rule: Rule,
): number {
  return shareOf(judged.filter(isPerson), (one) => {
    const { greetingEndMs } = one.truth;
    return (
      rule(one) === 'person' &&
      greetingEndMs !== null &&
      atMs(one) <= greetingEndMs + BRIDGE_WITHIN_MS
    );
  });
}

const CALIBRATION_BINS = 10;

/** Expected calibration error of P(human): ten bins, each weighted by its clips. */
export function calibrationError(judged: readonly Judged[]): number {
  const bins = Array.from({ length: CALIBRATION_BINS }, () => ({ n: 0, said: 0, people: 0 }));
  for (const one of judged) {
    const { humanProbability } = verdictAt(one);
    const index = Math.min(CALIBRATION_BINS - 1, Math.floor(humanProbability * CALIBRATION_BINS));
    const bin = bins[index];
    if (bin === undefined) throw new Error(`P(human) of ${humanProbability}`);
    bin.n += 1;
    bin.said += humanProbability;
    bin.people += isPerson(one) ? 1 : 0;
  }
  return bins.reduce((sum, { said, people }) => sum + Math.abs(said - people), 0) / judged.length;
}

const BEEP_TOLERANCE_MS = 200;

export interface BeepScores {
  readonly clips: number;
  readonly missedShare: number;
  /** Reported less true onset. */
  readonly onsetErrorsMs: readonly number[];
  readonly falsePerHour: number;
}

export function beepScores(judged: readonly Judged[]): BeepScores {
  const near = (at: number | null) => (beep: { atMs: number }) =>
    at !== null && Math.abs(beep.atMs - at) <= BEEP_TOLERANCE_MS;
  const withBeep = judged.filter(({ truth }) => truth.beepMs !== null);
  const onsetErrorsMs = withBeep.flatMap(({ truth, result }) => {
    const found = result.beeps.find(near(truth.beepMs));
    return found === undefined || truth.beepMs === null ? [] : [found.atMs - truth.beepMs];
  });
  const hours = judged.reduce((sum, { truth }) => sum + truth.durationMs, 0) / 3_600_000;
  const falseOnes = judged.reduce((sum, { truth, result }) => {
    return sum + result.beeps.filter((beep) => !near(truth.beepMs)(beep)).length;
  }, 0);
  return {
    clips: withBeep.length,
    missedShare: 1 - onsetErrorsMs.length / withBeep.length,
    onsetErrorsMs,
    falsePerHour: falseOnes / hours,
  };
}

/** Reported less true end of the greeting; music has no end of that kind. */
export function greetingEndErrorsMs(judged: readonly Judged[]): {
  errorsMs: number[];
  missed: number;
} {
  const counted = judged.filter(({ truth }) => {
    return truth.greetingEndMs !== null && truth.stratum !== 'musicOnHold';
  });
  const errorsMs = counted.flatMap(({ truth, result }) => {
    return result.greetingEndMs === null || truth.greetingEndMs === null
      ? []
      : [result.greetingEndMs - truth.greetingEndMs];
  });
  return { errorsMs, missed: (counted.length - errorsMs.length) / counted.length };
}

export function spreadOf(samples: readonly number[]): { p50: number; p95: number; p99: number } {
  return {
    p50: percentile(samples, 0.5),
    p95: percentile(samples, 0.95),
    p99: percentile(samples, 0.99),
  };
}
