/** The scores in the house's shape. Every unit says that the clips are synthetic. */
import {
  atLeast,
  atMost,
  benchHost,
  percentile,
  rounded,
  type BenchMetric,
  type BenchReport,
} from '../bench-report.ts';
import type { Judged, JudgedEarly } from './classify.ts';
import { LIMITS_MS } from './clip-run.ts';
import type { Corpus } from './corpus/corpus.ts';
import { CLIP_CLASSES } from './corpus/stage.ts';
import { exactInterval } from '../../dialer/amd-audit/exact-interval.ts';
import {
  alwaysHumanRule,
  asteriskRule,
  balancedAccuracy,
  beepScores,
  bridgeableShare,
  calibrationError,
  delaysMs,
  greetingEndErrorsMs,
  isMachine,
  isPerson,
  ourRule,
  peopleCalledMachines,
  shareOf,
  spreadOf,
  verdictAt,
  type Rule,
} from './scores.ts';
import { ANSWER_VERDICTS } from '../../machines/telephony-events.ts';

type Metrics = Record<string, BenchMetric>;

const SHARE = 'share, synthetic';
const OF_PEOPLE = 'share of synthetic people';
const MILLISECONDS = 'ms, synthetic';

/** Calls as most are; all others are cases that detectors are known to get wrong. */
const ORDINARY = new Set(['ordinary', 'business', 'voicemail', 'ivr', 'carrier', 'sit', 'fax']);
const isOrdinary = ({ truth }: Judged): boolean => ORDINARY.has(truth.stratum);

/** What is beside the conditions of a clip: one row of two figures for each. */
const CONDITIONS: Readonly<Record<string, (one: Judged) => string>> = {
  snr: ({ truth }) => (truth.snrDb === null ? 'none' : `${truth.snrDb}dB`),
  noise: ({ truth }) => truth.noise,
  codec: ({ truth }) => truth.codec,
  loss: ({ truth }) => `${truth.lossRatio * 100}%`,
  gaps: ({ truth }) => truth.gaps,
  clipped: ({ truth }) => String(truth.clipped),
  language: ({ truth }) => truth.language,
};

export function amdReport(
  corpus: Corpus,
  answers: readonly Judged[],
  early: readonly JudgedEarly[],
): BenchReport {
  const main = ourRule();
  const verdictAtMs = (one: Judged): number => verdictAt(one).atMs;
  const wrong = peopleCalledMachines(answers, main);
  const delays = spreadOf(delaysMs(answers, verdictAtMs, main));
  const humanDelays = delaysMs(answers, verdictAtMs, (one) =>
    verdictAt(one).verdict === 'human' ? 'person' : 'machine',
  );
  const atThree = LIMITS_MS.filter((limitMs) => limitMs >= 3_000).map((limitMs) =>
    balancedAccuracy(answers, ourRule(limitMs)),
  );
  const cpuMicros = cpuPerFrameMicros(answers);
  return {
    name: 'amd',
    host: benchHost(),
    metrics: measured({
      ...corpusMetrics(corpus, answers),
      ...verdictMetrics(answers),
      ...delayMetrics(answers),
      ...soundMetrics(answers, early),
      cpu_per_frame_mean: metric(cpuMicros, 'us of CPU per 20 ms frame'),
      ...baselineMetrics(answers),
      ...bothErrors('ordinary_calls', answers.filter(isOrdinary), main),
      ...bothErrors(
        'hard_cases',
        answers.filter((one) => !isOrdinary(one)),
        main,
      ),
      ...conditionMetrics(answers),
      ...stratumMetrics(answers),
    }),
    ratios: {
      synthetic_people_called_machines_of_asterisk: rounded(
        wrong / peopleCalledMachines(answers, asteriskRule),
      ),
      synthetic_errors_of_asterisk: rounded(
        (1 - balancedAccuracy(answers, main)) / (1 - balancedAccuracy(answers, asteriskRule)),
      ),
      synthetic_delay_p50_of_asterisk: rounded(
        delays.p50 /
          percentile(
            delaysMs(answers, ({ result }) => result.asterisk.atMs, asteriskRule),
            0.5,
          ),
      ),
    },
    targets: {
      'balanced accuracy at limits of 3, 5 and 7 s, the least (synthetic)': atLeast(
        Math.min(...atThree),
        0.96,
      ),
      'people called machines (synthetic)': atMost(wrong, 0.003),
      'human verdict after greeting end, p95, ms (synthetic)': atMost(
        percentile(humanDelays, 0.95),
        600,
      ),
      'CPU per 20 ms frame, us': atMost(cpuMicros, 12),
    },
  };
}

function corpusMetrics({ truth }: Corpus, answers: readonly Judged[]): Metrics {
  const hours = truth.test.reduce((sum, { durationMs }) => sum + durationMs, 0) / 3_600_000;
  return {
    clips_of_people: metric(answers.filter(isPerson).length, 'synthetic clips, test split'),
    clips_of_others: metric(
      answers.filter((one) => !isPerson(one)).length,
      'synthetic clips, test split',
    ),
    audio: metric(hours, 'h, synthetic'),
  };
}

function verdictMetrics(answers: readonly Judged[]): Metrics {
  const metrics: Metrics = {};
  const main = ourRule();
  for (const limitMs of LIMITS_MS) {
    const rule = ourRule(limitMs);
    metrics[`balanced_accuracy_at_${limitMs / 1_000}s`] = metric(
      balancedAccuracy(answers, rule),
      SHARE,
    );
    metrics[`people_called_machines_at_${limitMs / 1_000}s`] = metric(
      peopleCalledMachines(answers, rule),
      OF_PEOPLE,
    );
  }
  const people = answers.filter(isPerson);
  const wrong = people.filter((one) => main(one) === 'machine').length;
  const { low, high } = exactInterval(wrong, people.length);
  metrics['people_called_machines'] = metric(wrong / people.length, OF_PEOPLE);
  metrics['people_called_machines_95_low'] = metric(low, OF_PEOPLE);
  metrics['people_called_machines_95_high'] = metric(high, OF_PEOPLE);
  metrics['people_taken_for_silence'] = metric(
    shareOf(people, (one) => main(one) === 'nobody'),
    OF_PEOPLE,
  );
  const machines = answers.filter(isMachine);
  metrics['machines_taken_for_people'] = metric(
    shareOf(machines, (one) => main(one) === 'person'),
    'share of synthetic machines',
  );
  for (const truth of CLIP_CLASSES) {
    const clips = answers.filter((one) => one.truth.class === truth);
    for (const verdict of ANSWER_VERDICTS) {
      const count = clips.filter((one) => verdictAt(one).verdict === verdict).length;
      metrics[`confusion_${truth}_as_${verdict}`] = metric(
        count,
        `of ${clips.length} synthetic clips`,
      );
    }
  }
  metrics['calibration_error'] = metric(calibrationError(answers), SHARE);
  return metrics;
}

function delayMetrics(answers: readonly Judged[]): Metrics {
  const main = ourRule();
  const atMs = (one: Judged): number => verdictAt(one).atMs;
  return {
    ...spread('verdict_after_greeting_end', delaysMs(answers, atMs, main)),
    people_bridgeable_within_2s: metric(bridgeableShare(answers, atMs, main), OF_PEOPLE),
  };
}

function soundMetrics(answers: readonly Judged[], early: readonly JudgedEarly[]): Metrics {
  const beeps = beepScores(answers);
  const errors = beeps.onsetErrorsMs.map(Math.abs);
  const people = greetingEndErrorsMs(answers.filter(isPerson));
  const machines = greetingEndErrorsMs(answers.filter(isMachine));
  return {
    ...spread('beep_onset_error', errors),
    beeps_missed: metric(beeps.missedShare, `of ${beeps.clips} synthetic beeps`),
    false_beeps: metric(beeps.falsePerHour, 'per hour, synthetic'),
    ...spread('greeting_end_error_people', people.errorsMs.map(Math.abs)),
    ...spread('greeting_end_error_machines', machines.errorsMs.map(Math.abs)),
    greeting_end_missed: metric((people.missed + machines.missed) / 2, SHARE),
    early_media_recognised: metric(
      early.filter(({ truth, result }) => result.heard.at(-1) === truth.earlyMedia).length /
        Math.max(1, early.length),
      `of ${early.length} synthetic clips`,
    ),
  };
}

function baselineMetrics(answers: readonly Judged[]): Metrics {
  const atMs = ({ result }: Judged): number => result.asterisk.atMs;
  const people = answers.filter(isPerson);
  const wrong = people.filter((one) => asteriskRule(one) === 'machine').length;
  const { low, high } = exactInterval(wrong, people.length);
  return {
    asterisk_people_called_machines: metric(wrong / people.length, OF_PEOPLE),
    asterisk_people_called_machines_95_low: metric(low, OF_PEOPLE),
    asterisk_people_called_machines_95_high: metric(high, OF_PEOPLE),
    asterisk_balanced_accuracy: metric(balancedAccuracy(answers, asteriskRule), SHARE),
    ...spread('asterisk_verdict_after_greeting_end', delaysMs(answers, atMs, asteriskRule)),
    asterisk_people_bridgeable_within_2s: metric(
      bridgeableShare(answers, atMs, asteriskRule),
      OF_PEOPLE,
    ),
    always_human_balanced_accuracy: metric(balancedAccuracy(answers, alwaysHumanRule), SHARE),
  };
}

function conditionMetrics(answers: readonly Judged[]): Metrics {
  const metrics: Metrics = {};
  for (const [condition, valueOf] of Object.entries(CONDITIONS)) {
    for (const value of [...new Set(answers.map(valueOf))].sort()) {
      const these = answers.filter((one) => valueOf(one) === value);
      Object.assign(metrics, bothErrors(`${condition}_${value}`, these, ourRule()));
    }
  }
  return metrics;
}

function bothErrors(name: string, answers: readonly Judged[], rule: Rule): Metrics {
  return {
    [`people_called_machines_${name}`]: metric(peopleCalledMachines(answers, rule), OF_PEOPLE),
    [`balanced_accuracy_${name}`]: metric(balancedAccuracy(answers, rule), SHARE),
  };
}

/** Of each stratum the share that was treated rightly, and how many clips it has. */
function stratumMetrics(answers: readonly Judged[]): Metrics {
  const metrics: Metrics = {};
  const main = ourRule();
  for (const stratum of [...new Set(answers.map(({ truth }) => truth.stratum))].sort()) {
    const these = answers.filter(({ truth }) => truth.stratum === stratum);
    const right = shareOf(these, (one) => {
      if (isPerson(one)) return main(one) === 'person';
      return one.truth.class === 'silence' ? main(one) === 'nobody' : main(one) === 'machine';
    });
    metrics[`treated_rightly_${stratum}`] = metric(right, `of ${these.length} synthetic clips`);
  }
  return metrics;
}

function cpuPerFrameMicros(answers: readonly Judged[]): number {
  const frames = answers.reduce((sum, { result }) => sum + result.frames, 0);
  return (1_000 * answers.reduce((sum, { result }) => sum + result.cpuMs, 0)) / frames;
}

function spread(name: string, samplesMs: readonly number[]): Metrics {
  const { p50, p95, p99 } = spreadOf(samplesMs);
  return {
    [`${name}_p50`]: metric(p50, MILLISECONDS),
    [`${name}_p95`]: metric(p95, MILLISECONDS),
    [`${name}_p99`]: metric(p99, MILLISECONDS),
  };
}

/** Without shares of nothing, which are no numbers: a stratum may lie on one side alone. */
function measured(metrics: Metrics): Metrics {
  return Object.fromEntries(
    Object.entries(metrics).filter(([, { value }]) => !Number.isNaN(value)),
  );
}

function metric(value: number, unit: string): BenchMetric {
  return { value: rounded(value), unit };
}
