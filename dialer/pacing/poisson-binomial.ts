/**
 * How many of some independent yes-or-no events happen (Poisson binomial distribution). Exact by
 * convolution, for the calls and representatives of a small pool, where a normal approximation
 * misjudges the tail that abandonment lives in.
 */

/** P(count = i); the last place is P(count is that or more) once it has been reached. */
export interface CountDistribution {
  readonly masses: Float64Array;
  /** Places in use. */
  length: number;
}

/** Certainty of none. Counts from `countMax` on are not told apart. */
export function noneYet(countMax: number): CountDistribution {
  const masses = new Float64Array(countMax + 1);
  masses[0] = 1;
  return { masses, length: 1 };
}

/** One more event of probability `q`. O(length). */
export function addEvent(distribution: CountDistribution, q: number): void {
  const { masses, length } = distribution;
  const last = masses.length - 1;
  if (last === 0) return;
  const isFull = length > last;
  const below = masses[length - 1 - Number(isFull)] ?? 0;
  const top = isFull ? last : length;
  masses[top] = (isFull ? (masses[last] ?? 0) : 0) + below * q;
  for (let i = top - 1; i > 0; i -= 1) {
    masses[i] = (masses[i] ?? 0) * (1 - q) + (masses[i - 1] ?? 0) * q;
  }
  masses[0] = (masses[0] ?? 0) * (1 - q);
  distribution.length = top + 1;
}

/**
 * P(a − f >= threshold) of two independent counts: that the answers run ahead of those who became
 * free by at least so many. O(both lengths).
 */
export function probabilityAhead(
  a: CountDistribution,
  f: CountDistribution,
  threshold: number,
): number {
  // Walks the answers upwards while the sum of P(f <= i − threshold) is carried along.
  let free = 0;
  let freeAtMost = 0;
  let sum = 0;
  for (let i = Math.max(0, threshold); i < a.length; i += 1) {
    while (free < f.length && free <= i - threshold) {
      freeAtMost += f.masses[free] ?? 0;
      free += 1;
    }
    sum += (a.masses[i] ?? 0) * freeAtMost;
  }
  return Math.min(1, sum);
}
