/** Durations as people write them: `90d`, `2h`, `1d12h`, `12w`, `45m`, `30s`. A day is 24 hours. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** The longest that a step may wait (spec G.1): 90 days. */
export const WAIT_MAX_MS = 90 * DAY_MS;

/** The largest unit first, each at most once. */
export const DURATION_PATTERN =
  '^(?=[0-9])(?:[0-9]{1,4}w)?(?:[0-9]{1,5}d)?(?:[0-9]{1,6}h)?(?:[0-9]{1,7}m)?(?:[0-9]{1,8}s)?$';
const DURATION =
  /^(?=[0-9])(?:(\d{1,4})w)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,8})s)?$/;

/** Milliseconds, or undefined when the text is no duration. */
export function durationMs(text: string): number | undefined {
  const read = DURATION.exec(text);
  if (read === null) return undefined;
  const [weeks, days, hours, minutes, seconds] = read.slice(1).map((part) => Number(part || 0));
  const wholeDays = 7 * (weeks ?? 0) + (days ?? 0);
  return (
    wholeDays * DAY_MS + (hours ?? 0) * HOUR_MS + (minutes ?? 0) * MINUTE_MS + (seconds ?? 0) * 1000
  );
}

/** The shortest text that reads back to the same: `5400000` → `1h30m`. */
export function durationText(ms: number): string {
  let left = Math.round(ms / 1000);
  const parts: string[] = [];
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(left / seconds);
    if (count > 0) parts.push(`${count}${unit}`);
    left -= count * seconds;
  }
  return parts.length === 0 ? '0s' : parts.join('');
}
