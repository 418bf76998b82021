/**
 * How likely a busy representative is to be free some seconds from now: talk so far and wrap-up to
 * come, from their survival curves (field practice: f(h) = 1 − S(e + h + w) / S(e)).
 */
import type { DurationSurvival } from './duration-survival.ts';

export interface FreeForecastInput {
  readonly talk: DurationSurvival;
  readonly wrapUp: DurationSurvival;
  /** Share of talks after which there is wrap-up at all. */
  readonly wrapUpShare: number;
  readonly horizonS: number;
  /** What an answered person may wait for a representative, ms. */
  readonly patienceMs: number;
}

/** P(free within k seconds plus the patience | in this phase for so long), for whole k. */
export interface FreeForecast {
  readonly talking: FreeTable;
  readonly wrappingUp: FreeTable;
}

export interface FreeTable {
  readonly columns: number;
  readonly within: Float64Array;
}

const BUCKET_RATIO = 1.2;
export const BUCKETS = 48;

/** Elapsed time that a row of a table stands for, ms. */
function elapsedOf(bucket: number): number {
  return bucket === 0 ? 0 : 500 * (BUCKET_RATIO ** bucket - 1) * 4;
}

/** Row of a table for an elapsed time: the nearest below, in steps of a fifth. */
export function bucketOf(elapsedMs: number): number {
  const bucket = Math.log1p(Math.max(0, elapsedMs) / 2_000) / Math.log(BUCKET_RATIO);
  return Math.min(BUCKETS - 1, Math.round(bucket));
}

/** O(buckets × horizon²) with wrap-up, O(buckets × horizon) without: for some seconds, not a tick. */
export function freeForecast(input: FreeForecastInput): FreeForecast {
  const { talk, wrapUp, wrapUpShare, horizonS, patienceMs } = input;
  const columns = horizonS + 1;
  const talking = { columns, within: new Float64Array(BUCKETS * columns) };
  const wrappingUp = { columns, within: new Float64Array(BUCKETS * columns) };
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    const elapsedMs = elapsedOf(bucket);
    for (let k = 0; k < columns; k += 1) {
      const withinMs = k * 1_000 + patienceMs;
      const at = bucket * columns + k;
      wrappingUp.within[at] = wrapUp.endsWithin(elapsedMs, withinMs);
      talking.within[at] = talk.endsWithin(elapsedMs, withinMs) * (1 - wrapUpShare);
    }
  }
  if (wrapUpShare > 0.001) addThroughWrapUp(input, talking);
  return { talking, wrappingUp };
}

/** Talk ends in second s, and the wrap-up within the rest: a convolution on whole seconds. */
function addThroughWrapUp(input: FreeForecastInput, talking: FreeTable): void {
  const { talk, wrapUp, wrapUpShare, horizonS, patienceMs } = input;
  const patienceS = Math.floor(patienceMs / 1_000);
  const seconds = horizonS + patienceS;
  // Half a second less: on average talk ends in the middle of its second.
  const wraps = Float64Array.from({ length: seconds + 1 }, (_, s) =>
    wrapUp.endsWithin(0, Math.max(0, s * 1_000 + (patienceMs % 1_000) - 500)),
  );
  const ends = new Float64Array(seconds + 1);
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    const elapsedMs = elapsedOf(bucket);
    for (let s = 0; s <= seconds; s += 1) ends[s] = talk.endsWithin(elapsedMs, s * 1_000);
    for (let k = 0; k < talking.columns; k += 1) {
      const limit = k + patienceS;
      let sum = 0;
      for (let s = 0; s < limit; s += 1) {
        sum += ((ends[s + 1] ?? 0) - (ends[s] ?? 0)) * (wraps[limit - s] ?? 0);
      }
      const at = bucket * talking.columns + k;
      talking.within[at] = (talking.within[at] ?? 0) + wrapUpShare * sum;
    }
  }
}
