/**
 * How the answers of late compare with the learnt curve: a factor on its hazard, known as a gamma
 * distribution (answers seen over answers expected), with forgetting. Every second of ringing is
 * evidence, so that the estimate does not wait for the no-answers' time-out. It is reckoned against
 * the curve of now: what the curve has absorbed is not counted twice.
 *
 * A two-sided CUSUM of the log-likelihood ratio notices a jump (Page 1954); after an alarm the slow
 * estimate is replaced by a fast one that runs beside it.
 */
import type { AnswerHazard } from './answer-hazard.ts';

export interface AnswerLevelOptions {
  readonly bins: number;
  /** Answers that the belief "as expected" counts for. */
  readonly priorAnswers: number;
  /** Answers after which evidence counts for 1/e: of the slow estimate, and of the fast one. */
  readonly memoryAnswers: number;
  readonly fastMemoryAnswers: number;
  /** Ratio of rates, and its inverse, that the detector is tuned for. */
  readonly jumpRatio: number;
  /** Log-likelihood ratio at which it raises an alarm. Higher is later, and rarer by mistake. */
  readonly alarmThreshold: number;
}

export type LevelAlarm = 'rise' | 'fall';

interface Evidence {
  readonly answers: Float64Array;
  readonly exposureS: Float64Array;
}

export class AnswerLevel {
  readonly #options: AnswerLevelOptions;
  readonly #slow: Evidence;
  readonly #fast: Evidence;
  readonly #both: readonly Evidence[];
  #shape = 0;
  #mean = 1;
  #riseScore = 0;
  #fallScore = 0;

  constructor(options: AnswerLevelOptions) {
    this.#options = options;
    const none = (): Evidence => ({
      answers: new Float64Array(options.bins),
      exposureS: new Float64Array(options.bins),
    });
    this.#slow = none();
    this.#fast = none();
    this.#both = [this.#slow, this.#fast];
    this.#shape = options.priorAnswers;
  }

  /** Takes over what another one knows, as far as both have bins. */
  learnFrom(other: AnswerLevel): void {
    this.#both.forEach((evidence, n) => {
      const known = other.#both[n];
      const bins = Math.min(evidence.answers.length, known?.answers.length ?? 0);
      if (known === undefined) return;
      evidence.answers.set(known.answers.subarray(0, bins));
      evidence.exposureS.set(known.exposureS.subarray(0, bins));
    });
    this.#shape = other.#shape;
    this.#mean = other.#mean;
    this.#riseScore = other.#riseScore;
    this.#fallScore = other.#fallScore;
  }

  /** Best estimate of the factor, as of the last `refresh`. */
  get mean(): number {
    return this.#mean;
  }

  /** Standard deviation over mean of what is known of it. */
  get cv(): number {
    return 1 / Math.sqrt(this.#shape);
  }

  /** Quantile of the factor `z` standard deviations up (Wilson & Hilferty 1931). */
  upper(z: number): number {
    const a = this.#shape;
    return this.#mean * (1 - 1 / (9 * a) + z / (3 * Math.sqrt(a))) ** 3;
  }

  exposed(bin: number, seconds: number): void {
    for (const { exposureS } of this.#both) exposureS[bin] = (exposureS[bin] ?? 0) + seconds;
  }

  answered(bin: number): void {
    const { memoryAnswers, fastMemoryAnswers } = this.#options;
    forget(this.#slow, Math.exp(-1 / memoryAnswers));
    forget(this.#fast, Math.exp(-1 / fastMemoryAnswers));
    for (const { answers } of this.#both) answers[bin] = (answers[bin] ?? 0) + 1;
  }

  /** Reckons the factor anew against the curve as it is now. O(bins). */
  refresh(hazard: AnswerHazard): void {
    const { priorAnswers } = this.#options;
    let seen = priorAnswers;
    let expected = priorAnswers;
    for (let bin = 0; bin < hazard.bins; bin += 1) {
      seen += this.#slow.answers[bin] ?? 0;
      expected += (this.#slow.exposureS[bin] ?? 0) * hazard.hazard(bin);
    }
    this.#shape = seen;
    this.#mean = seen / expected;
  }

  /** Lets the detector see answers where the curve, at this level, expected so many. */
  watch(answers: number, expectedByCurve: number): LevelAlarm | undefined {
    const { jumpRatio, alarmThreshold } = this.#options;
    const expected = expectedByCurve * this.#mean;
    const step = (ratio: number): number => answers * Math.log(ratio) - (ratio - 1) * expected;
    this.#riseScore = Math.max(0, this.#riseScore + step(jumpRatio));
    this.#fallScore = Math.max(0, this.#fallScore + step(1 / jumpRatio));
    if (this.#riseScore > alarmThreshold) return this.#restart('rise');
    // A fall costs idle minutes, not people: it may take longer to be sure.
    if (this.#fallScore > alarmThreshold + 1) return this.#restart('fall');
    return undefined;
  }

  #restart(alarm: LevelAlarm): LevelAlarm {
    this.#riseScore = 0;
    this.#fallScore = 0;
    this.#slow.answers.set(this.#fast.answers);
    this.#slow.exposureS.set(this.#fast.exposureS);
    return alarm;
  }
}

function forget({ answers, exposureS }: Evidence, keep: number): void {
  for (let bin = 0; bin < answers.length; bin += 1) {
    answers[bin] = (answers[bin] ?? 0) * keep;
    exposureS[bin] = (exposureS[bin] ?? 0) * keep;
  }
}
