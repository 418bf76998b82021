/** How far apart calls leave on a trunk that allows so many per second. */

/**
 * Carriers count by the second, at their end: between ours and theirs packets wait, some longer than
 * others. 30 calls take this much more than a second, so that the first of them being late does not
 * make it 31 in one. Costs 2 % of the rate.
 */
const JITTER_MS = 20;

/** Milliseconds; infinite for a trunk that is out of use. */
export function callSpacingMs(callsPerSecondMax: number): number {
  if (callsPerSecondMax <= 0) return Number.POSITIVE_INFINITY;
  return (1_000 + JITTER_MS) / callsPerSecondMax;
}
