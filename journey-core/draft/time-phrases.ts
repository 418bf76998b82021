/** Durations, dates and times of day in plain English. */
import { DateTime } from 'luxon';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../definition/duration.ts';
import { WEEKDAYS, type Weekday } from '../definition/quiet-time.schema.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { NUMBER, numberOf } from './words.ts';

const UNITS: readonly (readonly [string, number])[] = [
  ['seconds?|secs?|s', 1_000],
  ['minutes?|mins?|m', MINUTE_MS],
  ['hours?|hrs?|h', HOUR_MS],
  ['days?|d', DAY_MS],
  ['weeks?|w', 7 * DAY_MS],
  // Months have no length of their own: docs/journeys/drafting.md says so.
  ['months?', 30 * DAY_MS],
];
const UNIT = UNITS.map(([words]) => words).join('|');

function unitMs(word: string): number {
  const found = UNITS.find(([words]) => new RegExp(`^(?:${words})$`).test(word));
  return found?.[1] ?? 0;
}

/** `two hours`, `1 day and 12 hours`, `half an hour`, `an hour and a half`, `90 min`, `1d12h`; ms. */
export function takeDuration(reader: PhraseReader): number | null {
  return reader.attempt(() => {
    const short = reader.take('((?:\\d{1,4}[wdhm]){1,4})');
    if (short !== null) {
      const parts = [...(short[1] ?? '').matchAll(/(\d+)([wdhm])/g)];
      return parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs(unit ?? ''), 0);
    }
    const half = reader.take('half an? (hour|day|week)');
    if (half !== null) return unitMs(half[1] ?? '') / 2;
    const first = takePart(reader);
    if (first === null) return null;
    if (reader.take('and a half') !== null) return first.ms + first.unitMs / 2;
    const second = reader.attempt(() => {
      reader.take('and|,');
      const part = takePart(reader);
      return part !== null && part.unitMs < first.unitMs ? part : null;
    });
    return first.ms + (second?.ms ?? 0);
  });
}

function takePart(reader: PhraseReader): { readonly ms: number; readonly unitMs: number } | null {
  const found = reader.take(`(${NUMBER})(?: and a (half))?(?: ?|-)(${UNIT})`);
  if (found === null) return null;
  const count = numberOf(found[1] ?? '');
  if (count === undefined) return null;
  const unit = unitMs(found[3] ?? '');
  return { ms: (count + (found[2] === undefined ? 0 : 0.5)) * unit, unitMs: unit };
}

export const WEEKDAY = '(monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?';
const MONTHS: readonly string[] = [
  ...['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september'],
  ...['october', 'november', 'december'],
];
const MONTH = `(${MONTHS.map((name) => `${name}|${name.slice(0, 3)}`).join('|')})`;

/** The clock by which `tomorrow` and `next Monday` are read. */
export interface TextClock {
  readonly nowMs: number;
  readonly timeZone: string;
}

/** Wall clock, minutes from midnight. `at 9`, `at 9:30 pm`, `at noon`, `14:00`, `9 o'clock`. */
export function takeTimeOfDay(reader: PhraseReader): number | null {
  return reader.attempt(() => {
    if (reader.take('at noon|at midday') !== null) return 12 * 60;
    if (reader.take('at midnight') !== null) return 0;
    const found =
      reader.take("at (\\d{1,2})(?:[:.](\\d{2}))? ?(a\\.?m\\.?|p\\.?m\\.?|o'clock|h)?") ??
      reader.take('at (\\d{1,2})(?:[:.](\\d{2}))?') ??
      reader.take('(\\d{1,2})[:.](\\d{2})(?: ?(a\\.?m\\.?|p\\.?m\\.?))?') ??
      reader.take('(\\d{1,2})()? ?(a\\.?m\\.?|p\\.?m\\.?)');
    if (found === null) return null;
    const half = (found[3] ?? '').charAt(0);
    const hour = Number(found[1]);
    const minute = Number(found[2] === undefined || found[2] === '' ? 0 : found[2]);
    const isHalfDay = half === 'a' || half === 'p';
    if (minute > 59 || hour > (isHalfDay ? 12 : 23) || (isHalfDay && hour === 0)) return null;
    const full = isHalfDay ? (hour % 12) + (half === 'p' ? 12 : 0) : hour;
    return full * 60 + minute;
  });
}

/** A day, and the minute of it when one is said: `24 December at 9`, `tomorrow`, `next Monday at noon`. */
export function takeDate(reader: PhraseReader, clock: TextClock): string | null {
  return reader.attempt(() => {
    const now = DateTime.fromMillis(clock.nowMs, { zone: clock.timeZone });
    const iso = reader.take("(?:on )?(\\d{4}-\\d{2}-\\d{2})(?:[t ](\\d{2}:\\d{2}))?(?: ?o'clock)?");
    if (iso !== null) {
      const day = DateTime.fromISO(iso[1] ?? '', { zone: clock.timeZone });
      if (!day.isValid) return null;
      if (iso[2] !== undefined) {
        const at = DateTime.fromISO(`${iso[1] ?? ''}T${iso[2]}`, { zone: clock.timeZone });
        return at.isValid ? `${iso[1] ?? ''}T${iso[2]}` : null;
      }
      return withTime(reader, day);
    }
    const day = takeDay(reader, now);
    return day === null ? null : withTime(reader, day);
  });
}

function withTime(reader: PhraseReader, day: DateTime): string {
  const minutes = takeTimeOfDay(reader);
  const date = day.toISODate() ?? '';
  if (minutes === null) return date;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date}T${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function takeDay(reader: PhraseReader, now: DateTime): DateTime | null {
  if (reader.take('today') !== null) return now.startOf('day');
  if (reader.take('tomorrow') !== null) return now.startOf('day').plus({ days: 1 });
  const weekday = reader.take(`(?:on |next |on next |this |the next )${WEEKDAY}`);
  if (weekday !== null) return nextWeekday(now, weekday[1] as Weekday);
  const found =
    reader.take(
      `(?:on )?(?:the )?(\\d{1,2})(?:st|nd|rd|th)?(?: of)? ${MONTH}\\.?(?:,? (\\d{4}))?`,
    ) ?? swapped(reader.take(`(?:on )?${MONTH}\\.? (\\d{1,2})(?:st|nd|rd|th)?(?:,? (\\d{4}))?`));
  if (found === null) return null;
  const month = MONTHS.findIndex((name) => name.startsWith((found[2] ?? '').slice(0, 3))) + 1;
  const at = (year: number): DateTime =>
    DateTime.fromObject({ year, month, day: Number(found[1]) }, { zone: now.zoneName ?? 'UTC' });
  if (found[3] !== undefined) return valid(at(Number(found[3])));
  const soon = at(now.year);
  return valid(soon.isValid && soon >= now.startOf('day') ? soon : at(now.year + 1));
}

function swapped(found: readonly (string | undefined)[] | null) {
  return found === null ? null : [found[0], found[2], found[1], found[3]];
}

function valid(day: DateTime): DateTime | null {
  return day.isValid ? day : null;
}

/** The first such day after today. */
export function nextWeekday(now: DateTime, weekday: Weekday): DateTime {
  const ahead = (WEEKDAYS.indexOf(weekday) + 1 - now.weekday + 7) % 7;
  return now.startOf('day').plus({ days: ahead === 0 ? 7 : ahead });
}

/** `on weekdays`, `from Monday to Friday`, `on Mondays and Thursdays`. */
export function takeWeekdays(reader: PhraseReader): Weekday[] | null {
  return reader.attempt(() => {
    reader.take(',');
    if (reader.take('(?:only )?(?:on )?(?:weekdays|working days|workdays)') !== null) {
      return WEEKDAYS.slice(0, 5);
    }
    if (reader.take('(?:only )?(?:on )?weekends') !== null) return WEEKDAYS.slice(5);
    const range = reader.take(
      `(?:only )?(?:from |on )?${WEEKDAY} (?:to|through|till|until) ${WEEKDAY}`,
    );
    if (range !== null) {
      const [from, to] = [range[1], range[2]].map((day) => WEEKDAYS.indexOf(day as Weekday));
      return from !== undefined && to !== undefined && from <= to
        ? WEEKDAYS.slice(from, to + 1)
        : null;
    }
    const first = reader.take(`(?:only )?(?:on )?${WEEKDAY}`);
    if (first === null) return null;
    const days = new Set([first[1] as Weekday]);
    for (;;) {
      const more =
        reader.take(`(?:, and|,|and|or) (?:on )?${WEEKDAY}`) ?? reader.take(`, ?${WEEKDAY}`);
      if (more === null) return [...days];
      days.add(more[1] as Weekday);
    }
  });
}
