/**
 * Operating hours of a queue: open, or when it opens next. Judged in the queue's own zone by the
 * wall clock; one of the few places that know time zones.
 */
import { DateTime, IANAZone } from 'luxon';
import { Type, type Static } from 'typebox';
import type { QueueFact } from './eligibility.ts';

const TIME = '^(?:[01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$';

const Span = Type.Object(
  {
    from: Type.String({ pattern: TIME, description: 'Wall clock, `HH:MM`.' }),
    to: Type.String({
      pattern: TIME,
      description: 'Wall clock, not included; `24:00` is midnight.',
    }),
  },
  { additionalProperties: false },
);

const Spans = Type.Array(Span, { maxItems: 12, default: [] });

/** Monday first, as ISO 8601 has it. A span that passes midnight is written as two. */
export const QueueHours = Type.Object(
  {
    monday: Spans,
    tuesday: Spans,
    wednesday: Spans,
    thursday: Spans,
    friday: Spans,
    saturday: Spans,
    sunday: Spans,
    closedOn: Type.Array(Type.String({ format: 'date' }), {
      description: 'Days on which it stays closed, `YYYY-MM-DD` in the queue’s zone.',
      maxItems: 366,
      default: [],
    }),
  },
  { additionalProperties: false },
);
export type QueueHours = Static<typeof QueueHours>;

const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;

/** No calendar closes for longer than a year without being closed for good. */
const DAYS_AHEAD_MAX = 400;

/** Where a span ends before it begins, as JSON pointers: it would never open. */
export function backwardSpans(hours: QueueHours): string[] {
  return WEEKDAYS.flatMap((day) =>
    hours[day].flatMap(({ from, to }, index) => (from < to ? [] : [`/${day}/${index}`])),
  );
}

/** `hours` null: never closed. Throws when `timeZone` is not in the IANA data base. */
export function queueFactAt(hours: QueueHours | null, timeZone: string, nowMs: number): QueueFact {
  if (hours === null) return { kind: 'open' };
  if (!IANAZone.isValidZone(timeZone)) throw new RangeError(`unknown time zone: ${timeZone}`);
  const now = DateTime.fromMillis(nowMs, { zone: timeZone });
  for (let ahead = 0; ahead <= DAYS_AHEAD_MAX; ahead += 1) {
    const day = now.startOf('day').plus({ days: ahead });
    let opensAtMs = Number.POSITIVE_INFINITY;
    for (const { startMs, endMs } of spansOf(hours, day)) {
      if (startMs <= nowMs && nowMs < endMs) return { kind: 'open' };
      if (startMs > nowMs) opensAtMs = Math.min(opensAtMs, startMs);
    }
    if (Number.isFinite(opensAtMs)) return { kind: 'closed', opensAtMs };
  }
  return { kind: 'closed', opensAtMs: null };
}

/**
 * The day's spans as instants. A start in the hour that a spring change skips is the next instant
 * that exists; where autumn repeats an hour, a span opens with its first pass and closes with the
 * last, since both passes read the same on the wall.
 */
function spansOf(hours: QueueHours, day: DateTime): { startMs: number; endMs: number }[] {
  if (hours.closedOn.includes(day.toISODate() ?? '')) return [];
  const weekday = WEEKDAYS[day.weekday - 1];
  if (weekday === undefined) return [];
  return hours[weekday].map(({ from, to }) => ({
    startMs: at(day, from).toMillis(),
    endMs: lastPass(at(day, to)).toMillis(),
  }));
}

function at(day: DateTime, time: string): DateTime {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  if (hour === 24) return day.plus({ days: 1 }).startOf('day');
  return day.set({ hour, minute, second: 0, millisecond: 0 });
}

function lastPass(time: DateTime): DateTime {
  return time.getPossibleOffsets().at(-1) ?? time;
}
