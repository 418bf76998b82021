/**
 * How long something lasts that may still be going on: talk, wrap-up. A piecewise constant hazard
 * on bins that widen with elapsed time: the actuarial (Kaplan-Meier) estimate with right-censoring,
 * since every second of an unfinished call counts as exposure, and with forgetting. It starts from
 * a log-normal, as if `priorWeight` durations of it had been seen, so that bins without data follow
 * a plausible shape. No shape is assumed after that: two humps or a heavy tail are learnt.
 */
import assert from 'node:assert/strict';
import { normalCdf } from './normal-distribution.ts';

export interface DurationPrior {
  readonly meanMs: number;
  /** Standard deviation over mean. */
  readonly cv: number;
}

export interface DurationSurvivalOptions {
  readonly prior: DurationPrior;
  /** Durations that the prior counts for. */
  readonly priorWeight: number;
  /** Completed durations after which a sample counts for 1/e. */
  readonly memoryCount: number;
}

const BIN_RATIO = 1.18;
const FIRST_EDGE_MS = 1_000;
const LAST_EDGE_MS = 4 * 3_600_000;

/** Upper edges of the bins, ms: 0 to 1 s, then 18 % wider each. */
const EDGES_MS: readonly number[] = (() => {
  const edges = [FIRST_EDGE_MS];
  for (let edge = FIRST_EDGE_MS; edge < LAST_EDGE_MS;) {
    edge = Math.max(edge + 1_000, edge * BIN_RATIO);
    edges.push(edge);
  }
  return edges;
})();

export class DurationSurvival {
  readonly #exposureMs = new Float64Array(EDGES_MS.length);
  readonly #ends = new Float64Array(EDGES_MS.length);
  /** Cumulative hazard at each bin's lower edge. */
  readonly #cumulative = new Float64Array(EDGES_MS.length + 1);
  readonly #memoryCount: number;
  #completions = 0;
  #stale = true;

  constructor({ prior, priorWeight, memoryCount }: DurationSurvivalOptions) {
    assert(prior.meanMs > 0 && prior.cv > 0, 'a duration lasts, and varies');
    this.#memoryCount = memoryCount;
    const logVariance = Math.log(1 + prior.cv ** 2);
    const logMean = Math.log(prior.meanMs) - logVariance / 2;
    const survival = (ms: number): number =>
      ms <= 0 ? 1 : 1 - normalCdf((Math.log(ms) - logMean) / Math.sqrt(logVariance));
    EDGES_MS.forEach((edgeMs, bin) => {
      const fromMs = EDGES_MS[bin - 1] ?? 0;
      const [before, after] = [survival(fromMs), survival(edgeMs)];
      // A floor keeps the hazard of bins that the prior never reaches finite and above 0.
      this.#ends[bin] = priorWeight * (before - after) + 1e-6;
      const exposureMs = ((before + after) / 2) * (edgeMs - fromMs);
      this.#exposureMs[bin] = priorWeight * exposureMs + (1e-6 * edgeMs) / 2;
    });
  }

  /** Durations completed since the start, not forgotten ones. */
  get completions(): number {
    return this.#completions;
  }

  /** It went on from one elapsed time to another; nothing ended. O(bins between). */
  exposed(fromMs: number, toMs: number): void {
    if (toMs <= fromMs) return;
    this.#stale = true;
    for (let bin = binOf(fromMs); bin < EDGES_MS.length; bin += 1) {
      const edgeMs = EDGES_MS[bin] ?? 0;
      const startMs = Math.max(fromMs, EDGES_MS[bin - 1] ?? 0);
      this.#exposureMs[bin] = (this.#exposureMs[bin] ?? 0) + Math.min(edgeMs, toMs) - startMs;
      if (edgeMs >= toMs) return;
    }
  }

  /** It ended at this elapsed time; its exposure has been told. */
  ended(atMs: number): void {
    const keep = Math.exp(-1 / this.#memoryCount);
    for (let bin = 0; bin < EDGES_MS.length; bin += 1) {
      this.#ends[bin] = (this.#ends[bin] ?? 0) * keep;
      this.#exposureMs[bin] = (this.#exposureMs[bin] ?? 0) * keep;
    }
    const bin = binOf(atMs);
    this.#ends[bin] = (this.#ends[bin] ?? 0) + 1;
    this.#completions += 1;
    this.#stale = true;
  }

  /** −ln S(elapsed). */
  cumulativeHazard(elapsedMs: number): number {
    if (this.#stale) this.#refresh();
    const bin = binOf(elapsedMs);
    const fromMs = EDGES_MS[bin - 1] ?? 0;
    return (this.#cumulative[bin] ?? 0) + Math.max(0, elapsedMs - fromMs) * this.#hazard(bin);
  }

  /** P(it has ended by elapsed + within | it has not by elapsed). */
  endsWithin(elapsedMs: number, withinMs: number): number {
    const risk = this.cumulativeHazard(elapsedMs + withinMs) - this.cumulativeHazard(elapsedMs);
    return -Math.expm1(-risk);
  }

  /** Mean of the distribution, ms. Its tail beyond 4 h is cut off. */
  meanMs(): number {
    if (this.#stale) this.#refresh();
    let sumMs = 0;
    for (let bin = 0; bin < EDGES_MS.length; bin += 1) {
      const hazard = this.#hazard(bin);
      const survival = Math.exp(-(this.#cumulative[bin] ?? 0));
      const widthMs = (EDGES_MS[bin] ?? 0) - (EDGES_MS[bin - 1] ?? 0);
      sumMs += (survival * -Math.expm1(-hazard * widthMs)) / hazard;
    }
    return sumMs;
  }

  #hazard(bin: number): number {
    return (this.#ends[bin] ?? 0) / (this.#exposureMs[bin] ?? 1);
  }

  #refresh(): void {
    let sum = 0;
    for (let bin = 0; bin < EDGES_MS.length; bin += 1) {
      this.#cumulative[bin] = sum;
      sum += this.#hazard(bin) * ((EDGES_MS[bin] ?? 0) - (EDGES_MS[bin - 1] ?? 0));
    }
    this.#cumulative[EDGES_MS.length] = sum;
    this.#stale = false;
  }
}

function binOf(elapsedMs: number): number {
  // Bins are found by bisection: their edges are rounded up to whole widths near the start.
  let low = 0;
  let high = EDGES_MS.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((EDGES_MS[middle] ?? 0) > elapsedMs) high = middle;
    else low = middle + 1;
  }
  return low;
}
