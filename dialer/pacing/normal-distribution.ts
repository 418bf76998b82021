/** The standard normal distribution, as far as pacing needs it. */

/** Density of the standard normal at `z`. */
export function normalDensity(z: number): number {
  return Math.exp(-0.5 * z * z) * 0.398_942_280_401_432_7;
}

/**
 * P(Z <= z) of a standard normal, absolute error below 7.5e-8.
 * Source: Abramowitz & Stegun 26.2.17.
 */
export function normalCdf(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(z));
  const polynomial =
    t *
    (0.319_381_53 +
      t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  const tail = normalDensity(z) * polynomial;
  return z >= 0 ? 1 - tail : tail;
}

/** E[max(X, 0)] of X ~ N(mean, deviation²). Exact in the limit of a deviation of 0. */
export function expectedExcess(mean: number, deviation: number): number {
  if (deviation <= 1e-9) return Math.max(0, mean);
  const z = mean / deviation;
  return Math.max(0, deviation * normalDensity(z) + mean * normalCdf(z));
}
