/** How long the switch has run, in the words of `status` and HEARTBEAT. */

const UNITS: readonly [name: string, ms: number][] = [
  ['year', 365 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
  ['millisecond', 1],
];

/** `0 years, 0 days, 0 hours, 1 minute, 2 seconds, 3 milliseconds, 0 microseconds` */
export function upTime(ms: number): string {
  let left = Math.max(0, Math.floor(ms));
  const parts = UNITS.map(([name, unitMs]) => {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    return `${count} ${name}${count === 1 ? '' : 's'}`;
  });
  return [...parts, '0 microseconds'].join(', ');
}
