/**
 * What more calls would risk: at each second of the horizon, how likely it is that somebody who
 * answers then finds nobody free. Answers are those of the calls that ring already and of the new
 * ones; free are those who are idle now and those forecast to become free in time.
 *
 * Small pools are computed exactly (Poisson binomial), large ones by a normal approximation.
 * Pessimistic in one way: whoever was lost before is still counted as holding a place.
 */
import { normalCdf } from './normal-distribution.ts';
import { addEvent, noneYet, probabilityAhead, type CountDistribution } from './poisson-binomial.ts';

/** Several events of one probability at each horizon: `within[offset + k]`. */
export interface EventGroup {
  readonly count: number;
  readonly within: Float64Array;
  readonly offset: number;
}

export interface RiskInput {
  readonly horizonS: number;
  /** Representatives free now, less people who wait for one already. May be negative. */
  readonly spare: number;
  readonly ringing: readonly EventGroup[];
  readonly busy: readonly EventGroup[];
  /** A call started now. */
  readonly fresh: EventGroup;
  /** Standard deviation over mean of the error that all answer probabilities share. */
  readonly answersCv: number;
}

export interface CallRisk {
  readonly risk: number;
  /** The second at which it is worst. */
  readonly horizonS: number;
}

/** Up to so many representatives are computed exactly; on the bench, more makes no difference. */
const EXACT_REPRESENTATIVES_MAX = 24;
/** Seconds between two steps. */
const STEP_S = 2;

export class BlockingRisk {
  readonly #input: RiskInput;
  readonly #steps: number[] = [];
  readonly #answers: CountDistribution[] = [];
  readonly #frees: CountDistribution[] = [];
  /** Mean and variance of answers less frees at each step. */
  readonly #mean: number[] = [];
  readonly #variance: number[] = [];
  /** Answers expected at each step: their common error is added to the variance. */
  readonly #expected: number[] = [];

  constructor(input: RiskInput) {
    this.#input = input;
    const busy = input.busy.reduce((sum, { count }) => sum + count, 0);
    const isExact = busy + Math.max(0, input.spare) <= EXACT_REPRESENTATIVES_MAX;
    for (let k = 0; k < input.horizonS;) {
      k = Math.min(k + STEP_S, input.horizonS);
      this.#steps.push(k);
      if (isExact) {
        // More answers than this block everybody, however many become free.
        this.#answers.push(countOf(input.ringing, k, Math.max(0, input.spare + busy)));
        this.#frees.push(countOf(input.busy, k, busy));
      }
      this.#addMoments(k);
    }
  }

  /** Answers expected within the horizon of the calls considered so far. */
  expectedAnswers(): number {
    return this.#expected.at(-1) ?? 0;
  }

  /** One more new call. */
  add(): void {
    this.#steps.forEach((k, step) => {
      const q = at(this.#input.fresh, k);
      this.#mean[step] = (this.#mean[step] ?? 0) + q;
      this.#variance[step] = (this.#variance[step] ?? 0) + q * (1 - q);
      this.#expected[step] = (this.#expected[step] ?? 0) + q;
      const answers = this.#answers[step];
      if (answers !== undefined) addEvent(answers, q);
    });
  }

  /** `riskOf` a new call more than those considered so far. */
  ofOneMore(): CallRisk {
    return this.riskOf(this.#input.fresh);
  }

  /**
   * P(the call, if it is answered, costs somebody a representative within the horizon): blocked
   * at its own answer, or leaving a later one blocked. This is the rise of the expected
   * over-answers per expected answer that the call would bring.
   */
  riskOf(call: EventGroup): CallRisk {
    const total = at(call, this.#input.horizonS);
    if (total <= 0) return { risk: 0, horizonS: 0 };
    let worst = 0;
    let horizonS = 0;
    let sum = 0;
    for (let step = this.#steps.length - 1; step >= 0; step -= 1) {
      const blocked = this.#blocked(step);
      const k = this.#steps[step] ?? 0;
      if (blocked >= worst) {
        worst = blocked;
        horizonS = k;
      }
      sum += (at(call, k) - at(call, this.#steps[step - 1] ?? 0)) * worst;
    }
    return { risk: sum / total, horizonS };
  }

  /** Largest expected number of answers without a representative over the horizon's seconds. */
  expectedOver(): number {
    let worst = 0;
    this.#steps.forEach((_, step) => {
      const mean = (this.#mean[step] ?? 0) - this.#input.spare;
      const deviation = this.#deviation(step);
      const z = deviation > 1e-9 ? mean / deviation : mean > 0 ? 9 : -9;
      const density = Math.exp(-0.5 * z * z) * 0.398_942_280_4;
      worst = Math.max(worst, deviation * density + mean * normalCdf(z));
    });
    return worst;
  }

  /** P(nobody is free for one who answers at that step). */
  #blocked(step: number): number {
    const { spare } = this.#input;
    const answers = this.#answers[step];
    const frees = this.#frees[step];
    if (answers !== undefined && frees !== undefined) {
      return probabilityAhead(answers, frees, spare);
    }
    const mean = (this.#mean[step] ?? 0) - spare + 0.5;
    const deviation = this.#deviation(step);
    return deviation <= 1e-9 ? Number(mean > 0) : normalCdf(mean / deviation);
  }

  #deviation(step: number): number {
    const common = (this.#expected[step] ?? 0) * this.#input.answersCv;
    return Math.sqrt((this.#variance[step] ?? 0) + common * common);
  }

  #addMoments(k: number): void {
    let mean = 0;
    let variance = 0;
    for (const group of this.#input.ringing) {
      const q = at(group, k);
      mean += group.count * q;
      variance += group.count * q * (1 - q);
    }
    this.#expected.push(mean);
    for (const group of this.#input.busy) {
      const f = at(group, k);
      mean -= group.count * f;
      variance += group.count * f * (1 - f);
    }
    this.#mean.push(mean);
    this.#variance.push(variance);
  }
}

function at({ within, offset }: EventGroup, k: number): number {
  return within[offset + k] ?? 0;
}

function countOf(groups: readonly EventGroup[], k: number, countMax: number): CountDistribution {
  const distribution = noneYet(countMax);
  for (const group of groups) {
    const q = at(group, k);
    for (let i = 0; i < group.count; i += 1) addEvent(distribution, q);
  }
  return distribution;
}
