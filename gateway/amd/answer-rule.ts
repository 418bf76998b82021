/** From what has been heard so far to a verdict: thresholds, and what they are compared with. */

/** A moment after speech has begun, all but the probability in ms or dB. */
export interface Moment {
  readonly probability: number;
  /** First speech, from the first sample; and how long ago it was. */
  readonly onsetMs: number;
  readonly elapsedMs: number;
  readonly speechMs: number;
  readonly pauseMs: number;
  /** At the higher threshold (speech-listener.ts). */
  readonly strictPauseMs: number;
  /** Of a burst too short to be speech yet, at the higher threshold. */
  readonly strictBurstMs: number;
  /** From the noise floor to the peak. */
  readonly rangeDb: number;
}

export interface AnswerThresholds {
  /** A person waits this long for an answer; recorded text pauses for less more often than not. */
  readonly waitMs: number;
  readonly waitInNoiseMs: number;
  /** P(human) from which that is so. */
  readonly personLikely: number;
  /** After a word or two a shorter pause will do, at the strict threshold. */
  readonly waitWhenSureMs: number;
  readonly personSure: number;
  /** P(human) up to which one who is speaking at the limit is a machine. */
  readonly machineSure: number;
}

/** Chosen on the training split with bench/amd/operating-curve.ts (docs/amd.md). */
export const ANSWER_THRESHOLDS: AnswerThresholds = {
  waitMs: 540,
  waitInNoiseMs: 440,
  personLikely: 0.55,
  waitWhenSureMs: 400,
  personSure: 0.8,
  machineSure: 0.1,
};

/** Whatever has been said: nobody keeps silent for so long but to hear an answer. */
const ANY_PAUSE_MS = 1_000;
/** Below, a pause is heard late at one threshold and too early at the other: it is read between them. */
const NOISY_BELOW_DB = 22;
const STRICT_SHARE_IN_NOISE = 0.8;
/** A short sound with which the audio begins: more often a line that opens than the end of a word. */
const CUT_OFF_BEFORE_MS = 40;
const CUT_OFF_MOST_MS = 300;
/** Only one who is speaking is called a machine: most people who are left at the limit have just ended. */
const SPEAKING_PAUSE_MOST_MS = 200;
const SPEAKING_STRICT_PAUSE_MOST_MS = 400;
/** Before the limit a machine must be surer. */
const MACHINE_SURE_EARLY = 0.02;
const MACHINE_EARLY_FROM_MS = 2_600;

/** Undefined before the limit while nothing is clear; `unknown` when nothing is at the limit. */
export function verdictOn(
  moment: Moment,
  limitMs: number,
  thresholds: AnswerThresholds,
): 'human' | 'machine' | 'unknown' | undefined {
  if (isWaiting(moment, thresholds)) return 'human';
  if (isMachine(moment, limitMs, thresholds)) return 'machine';
  return moment.elapsedMs >= limitMs ? 'unknown' : undefined;
}

function isWaiting(moment: Moment, thresholds: AnswerThresholds): boolean {
  const { probability, strictPauseMs } = moment;
  const isNoisy = moment.rangeDb < NOISY_BELOW_DB;
  const isStrictKnown = moment.strictBurstMs === 0;
  let { pauseMs } = moment;
  if (isNoisy && isStrictKnown) pauseMs += STRICT_SHARE_IN_NOISE * (strictPauseMs - pauseMs);
  if (Math.max(pauseMs, moment.pauseMs) >= ANY_PAUSE_MS) return true;
  if (moment.onsetMs < CUT_OFF_BEFORE_MS && moment.speechMs <= CUT_OFF_MOST_MS) return false;
  if (isStrictKnown && strictPauseMs >= thresholds.waitWhenSureMs) {
    if (probability >= thresholds.personSure) return true;
  }
  const waitMs = isNoisy ? thresholds.waitInNoiseMs : thresholds.waitMs;
  return pauseMs >= waitMs && probability >= thresholds.personLikely;
}

function isMachine(moment: Moment, limitMs: number, { machineSure }: AnswerThresholds): boolean {
  if (moment.elapsedMs < Math.min(limitMs, MACHINE_EARLY_FROM_MS)) return false;
  if (moment.pauseMs > SPEAKING_PAUSE_MOST_MS) return false;
  if (moment.strictPauseMs > SPEAKING_STRICT_PAUSE_MOST_MS) return false;
  return moment.probability <= (moment.elapsedMs < limitMs ? MACHINE_SURE_EARLY : machineSure);
}
