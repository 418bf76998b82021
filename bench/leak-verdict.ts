/**
 * Does a number grow with time? Least squares over samples of a steady state: a leak is a slope that
 * is no accident and that adds up, over the samples, to more than what may come and go.
 */
export interface Sample {
  readonly atSeconds: number;
  readonly value: number;
}

export interface LeakVerdict {
  readonly mean: number;
  /** Per hour. */
  readonly slopePerHour: number;
  /** What the line rises by between the first and the last sample. */
  readonly growth: number;
  /** Growth up to which it is not called a leak. */
  readonly tolerance: number;
  /** Slope over its standard error: below 3 it may well be an accident. */
  readonly certainty: number;
  readonly leaks: boolean;
}

/** Fewer say nothing about a slope. */
export const SAMPLES_MIN = 8;
const CERTAINTY_MIN = 3;

export function leakVerdict(samples: readonly Sample[], tolerance: number): LeakVerdict {
  const count = samples.length;
  if (count < SAMPLES_MIN) throw new Error(`${count} samples say nothing: ${SAMPLES_MIN} or more`);
  const meanX = mean(samples.map(({ atSeconds }) => atSeconds));
  const meanY = mean(samples.map(({ value }) => value));
  let sxx = 0;
  let sxy = 0;
  for (const { atSeconds, value } of samples) {
    sxx += (atSeconds - meanX) ** 2;
    sxy += (atSeconds - meanX) * (value - meanY);
  }
  const slope = sxy / sxx;
  let residuals = 0;
  for (const { atSeconds, value } of samples) {
    residuals += (value - meanY - slope * (atSeconds - meanX)) ** 2;
  }
  const standardError = Math.sqrt(residuals / (count - 2) / sxx);
  const lengthSeconds = (samples.at(-1)?.atSeconds ?? 0) - (samples[0]?.atSeconds ?? 0);
  const growth = slope * lengthSeconds;
  const certainty = slope === 0 ? 0 : standardError === 0 ? Infinity : slope / standardError;
  return {
    ...{ mean: meanY, slopePerHour: slope * 3_600, growth, tolerance, certainty },
    leaks: growth > tolerance && certainty >= CERTAINTY_MIN,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
