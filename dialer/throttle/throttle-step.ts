/**
 * How an AI-led engagement slows down and speeds up (spec B.7): once a minute, by one step. Pure.
 */
import type { ThrottleMetric, ThrottleSettings } from '../engagements/throttle.schema.ts';

export const THROTTLE_INTERVAL_MS = 60_000;

/** One rule's measure at this moment; null: there is nothing to measure yet. */
export interface ThrottleReading {
  readonly metric: ThrottleMetric;
  readonly threshold: number;
  readonly value: number | null;
}

export interface ThrottleStep {
  /** Share of the configured cap that may be used, above 0 and at most 1. */
  readonly factor: number;
  readonly direction: 'slower' | 'faster' | 'same';
  /** The rules that said so. */
  readonly by: readonly ThrottleMetric[];
}

/** Below this share no cap of 500 or less would be told from one call at a time. */
const FACTOR_MIN = 1 / 1_000;

/**
 * Slower when any rule is above its threshold; faster only when all are below theirs. At a threshold
 * nothing changes, and a rule without a reading holds nobody back.
 */
export function throttleStep(
  factor: number,
  readings: readonly ThrottleReading[],
  { adjustPercent }: Pick<ThrottleSettings, 'adjustPercent'>,
): ThrottleStep {
  const step = adjustPercent / 100;
  const above = readings.filter(({ value, threshold }) => value !== null && value > threshold);
  if (above.length > 0) {
    const slower = Math.max(FACTOR_MIN, factor * (1 - step));
    return { factor: slower, direction: 'slower', by: above.map(({ metric }) => metric) };
  }
  const isAllBelow = readings.every(({ value, threshold }) => value === null || value < threshold);
  if (!isAllBelow || factor >= 1) return { factor, direction: 'same', by: [] };
  const by = readings.map(({ metric }) => metric);
  return { factor: Math.min(1, factor * (1 + step)), direction: 'faster', by };
}

/** What is left of a cap; one call at a time always is. */
export function throttled(cap: number, factor: number): number {
  return Math.max(1, Math.floor(cap * factor + 1e-9));
}
