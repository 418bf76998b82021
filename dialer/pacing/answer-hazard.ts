/**
 * When ringing calls are answered: the hazard of an answer by ring age, in bins of one second.
 * Calls that are still ringing, were cancelled or failed count as exposure up to that age, so that
 * no-answers are right-censored and not mistaken for refusals; older evidence is forgotten. The
 * level of the curve (is today's answer rate the believed one?) is `AnswerLevel`'s, which is quick;
 * this is its shape, which is slow.
 */
import assert from 'node:assert/strict';
import { normalCdf } from './normal-distribution.ts';

export interface RingPrior {
  /** P(a call is answered by a person). */
  readonly answerProbability: number;
  readonly meanMs: number;
  readonly cv: number;
}

export interface AnswerHazardOptions {
  readonly prior: RingPrior;
  /** Calls that the prior counts for. */
  readonly priorWeight: number;
  /** Rings end here at the latest. */
  readonly ringTimeoutMs: number;
  /** Calls after which a sample counts for 1/e. */
  readonly memoryCount: number;
}

export const RING_BIN_MS = 1_000;
const RECENT_MS = 20_000;
/**
 * Calls believed to fail early, as a sum of hazards: three in ten. A trunk that loses every call is
 * no reason to start many more, for it will be back at once.
 */
const FAILURES_BELIEVED_MAX = 0.36;

export class AnswerHazard {
  /** Bins of one second up to the ring time-out; nothing is expected after it. */
  readonly bins: number;
  readonly #answers: Float64Array;
  readonly #failures: Float64Array;
  readonly #exposureS: Float64Array;
  /** Answers expected of each bin in the last seconds. */
  readonly #recent: Float64Array;
  readonly #memoryCount: number;

  constructor({ prior, priorWeight, ringTimeoutMs, memoryCount }: AnswerHazardOptions) {
    const { answerProbability: p, meanMs, cv } = prior;
    assert(p > 0 && p < 1, `answer probability outside (0, 1): ${p}`);
    this.bins = Math.max(1, Math.ceil(ringTimeoutMs / RING_BIN_MS));
    this.#memoryCount = memoryCount;
    this.#answers = new Float64Array(this.bins);
    this.#failures = new Float64Array(this.bins);
    this.#exposureS = new Float64Array(this.bins);
    this.#recent = new Float64Array(this.bins);
    const logVariance = Math.log(1 + cv ** 2);
    const logMean = Math.log(meanMs) - logVariance / 2;
    const answeredBy = (ms: number): number =>
      ms <= 0 ? 0 : normalCdf((Math.log(ms) - logMean) / Math.sqrt(logVariance));
    const total = answeredBy(ringTimeoutMs);
    for (let bin = 0; bin < this.bins; bin += 1) {
      const from = (p * answeredBy(bin * RING_BIN_MS)) / total;
      const to = (p * answeredBy(Math.min(ringTimeoutMs, (bin + 1) * RING_BIN_MS))) / total;
      this.#answers[bin] = priorWeight * (to - from) + 1e-5;
      this.#exposureS[bin] = priorWeight * (1 - (from + to) / 2);
    }
  }

  /** Takes over what another one knows of the seconds that both have. */
  learnFrom(other: AnswerHazard): void {
    const bins = Math.min(this.bins, other.bins);
    this.#answers.set(other.#answers.subarray(0, bins));
    this.#failures.set(other.#failures.subarray(0, bins));
    this.#exposureS.set(other.#exposureS.subarray(0, bins));
    this.#recent.set(other.#recent.subarray(0, bins));
  }

  /** A call rang for so many seconds of a bin. */
  exposed(bin: number, seconds: number): void {
    this.#recent[bin] = (this.#recent[bin] ?? 0) + seconds * this.hazard(bin);
    this.#exposureS[bin] = (this.#exposureS[bin] ?? 0) + seconds;
  }

  answered(bin: number): void {
    this.#forget();
    this.#answers[bin] = (this.#answers[bin] ?? 0) + 1;
  }

  /** Time has passed: what was recent is less so. */
  elapsed(ms: number): void {
    const keep = Math.exp(-ms / RECENT_MS);
    for (let bin = 0; bin < this.bins; bin += 1)
      this.#recent[bin] = (this.#recent[bin] ?? 0) * keep;
  }

  /** It ended unanswered: busy, refused, a machine, the time-out. */
  failed(bin: number): void {
    this.#forget();
    // The time-out itself is known; a hazard of failing there would be read as one of its bin.
    if (bin < this.bins - 1) this.#failures[bin] = (this.#failures[bin] ?? 0) + 1;
  }

  /** Answers per second of ringing at that age. */
  hazard(bin: number): number {
    return (this.#answers[bin] ?? 0) / (this.#exposureS[bin] ?? 1);
  }

  failureHazard(bin: number): number {
    return (this.#failures[bin] ?? 0) / (this.#exposureS[bin] ?? 1);
  }

  /**
   * How far that stretch of the curve may speak of the level, 0 to 1: little, where many calls of
   * one age meet a stretch that is hardly known. An unknown shape is not to be read as a jump.
   */
  trust(bin: number): number {
    const known = this.#answers[bin] ?? 0;
    return known / (known + (this.#recent[bin] ?? 0));
  }

  #forget(): void {
    const keep = Math.exp(-1 / this.#memoryCount);
    for (let bin = 0; bin < this.bins; bin += 1) {
      this.#answers[bin] = (this.#answers[bin] ?? 0) * keep;
      this.#failures[bin] = (this.#failures[bin] ?? 0) * keep;
      this.#exposureS[bin] = (this.#exposureS[bin] ?? 0) * keep;
    }
  }
}

/** P(answered within k seconds | still ringing at age a seconds), for whole a and k. */
export interface AnswerTable {
  readonly horizonS: number;
  readonly bins: number;
  /** Row a, column k: `[a * (horizonS + 1) + k]`. */
  readonly within: Float64Array;
}

/** The table at a level: a factor on the curve's hazard. O(bins × horizon). */
export function answerTable(hazard: AnswerHazard, level: number, horizonS: number): AnswerTable {
  const { bins } = hazard;
  const within = new Float64Array(bins * (horizonS + 1));
  for (let age = 0; age < bins; age += 1) {
    let alive = 1;
    let answered = 0;
    let failuresLeft = FAILURES_BELIEVED_MAX;
    const row = age * (horizonS + 1);
    for (let k = 1; k <= horizonS; k += 1) {
      const bin = age + k - 1;
      if (bin < bins) {
        const answer = level * hazard.hazard(bin);
        const failure = Math.min(hazard.failureHazard(bin), failuresLeft);
        failuresLeft -= failure;
        const either = answer + failure;
        if (either > 0) {
          const leaves = alive * -Math.expm1(-either);
          answered += (leaves * answer) / either;
          alive -= leaves;
        }
      } else alive = 0;
      within[row + k] = answered;
    }
  }
  return { horizonS, bins, within };
}
