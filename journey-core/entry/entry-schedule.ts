/** When the members of a segment enter: rounds, and how many at a time. */
import { DateTime } from 'luxon';
import { DAY_MS, durationMs, HOUR_MS } from '../definition/duration.ts';
import { instantMs } from '../definition/instant.ts';
import type { EntryRate, Journey } from '../definition/journey.schema.ts';
import { WEEKDAYS } from '../definition/quiet-time.schema.ts';

export interface Rounds {
  /** Start of the round that runs now; null before the first. Epoch ms. */
  readonly currentAtMs: number | null;
  /** Null: there is none, or the end date is before it. */
  readonly nextAtMs: number | null;
}

/**
 * `publishedAtMs` is the start where the entry names none. One-time and ongoing segments have one
 * round. A repeating one has a round every so many hours of 60 minutes, whatever clocks do.
 */
export function roundsAt(
  { entry, timeZone }: Journey,
  publishedAtMs: number,
  nowMs: number,
): Rounds {
  const startAtMs =
    entry.opensAt === undefined ? publishedAtMs : (instantMs(entry.opensAt, timeZone) ?? nowMs);
  const endAtMs =
    entry.closesAt === undefined
      ? Number.POSITIVE_INFINITY
      : (instantMs(entry.closesAt, timeZone) ?? Number.POSITIVE_INFINITY);
  const bounded = (atMs: number): number | null => (atMs < endAtMs ? atMs : null);
  if (nowMs < startAtMs) return { currentAtMs: null, nextAtMs: bounded(startAtMs) };
  const everyMs =
    entry.kind === 'segment' && entry.every !== undefined ? durationMs(entry.every) : undefined;
  if (everyMs === undefined || everyMs <= 0) return { currentAtMs: startAtMs, nextAtMs: null };
  const rounds = Math.floor((nowMs - startAtMs) / everyMs);
  const currentAtMs = startAtMs + rounds * everyMs;
  return { currentAtMs, nextAtMs: bounded(currentAtMs + everyMs) };
}

export interface RoomToEnter {
  /** How many may enter now. */
  readonly count: number;
  /** When there is room again, where there is none now. Epoch ms. */
  readonly nextAtMs: number;
}

/** When the period of the rate began in which a moment is: hours or days from the start on. */
export function ratePeriodAtMs({ per }: EntryRate, startAtMs: number, nowMs: number): number {
  const lengthMs = per === 'hour' ? HOUR_MS : DAY_MS;
  return startAtMs + Math.floor((nowMs - startAtMs) / lengthMs) * lengthMs;
}

/**
 * The first batch enters at the start, and inside a period people are not spread out. `entered`: how
 * many have entered this journey since the period began.
 */
export function roomToEnter(
  rate: EntryRate,
  timeZone: string,
  startAtMs: number,
  entered: number,
  nowMs: number,
): RoomToEnter {
  const { count, per, weekdays } = rate;
  const lengthMs = per === 'hour' ? HOUR_MS : DAY_MS;
  if (nowMs < startAtMs) return { count: 0, nextAtMs: startAtMs };
  const openAtMs = nextWeekday(nowMs, weekdays, timeZone);
  if (openAtMs > nowMs) return { count: 0, nextAtMs: openAtMs };
  const periodAtMs = ratePeriodAtMs(rate, startAtMs, nowMs);
  const left = Math.max(0, count - entered);
  const nextAtMs = left > 0 ? nowMs : nextWeekday(periodAtMs + lengthMs, weekdays, timeZone);
  return { count: left, nextAtMs };
}

/** The moment itself on an allowed day, else the midnight with which the next one begins. */
function nextWeekday(atMs: number, weekdays: EntryRate['weekdays'], timeZone: string): number {
  const isAllowed = (day: DateTime): boolean =>
    weekdays === undefined || weekdays.some((name) => name === WEEKDAYS[day.weekday - 1]);
  const now = DateTime.fromMillis(atMs, { zone: timeZone });
  if (isAllowed(now)) return atMs;
  let day = now.startOf('day');
  do day = day.plus({ days: 1 }).startOf('day');
  while (!isAllowed(day) && day.toMillis() < atMs + 8 * DAY_MS);
  return day.toMillis();
}
