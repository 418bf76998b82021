/** How long to leave something alone that has failed. */
const FIRST_MS = 1_000;
const MAX_MS = 300_000;

/** Twice as long each time, and never at the same moment as others that failed with it. ms */
export function retryAfterMs(tries: number, random: () => number): number {
  const longest = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(tries, 20));
  return Math.round(longest / 2 + (random() * longest) / 2);
}
