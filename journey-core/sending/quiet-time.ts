/**
 * Is it quiet, and until when? (spec G.7, A.14) Judged by the wall clock of a zone; one of the few
 * places that know time zones.
 *
 * Where spring skips an hour, a span that begins in it begins at the next moment that exists. Where
 * autumn repeats an hour, both passes read the same on the wall, and both are quiet.
 */
import { DateTime } from 'luxon';
import {
  WEEKDAYS,
  type PurposeType,
  type QuietEntry,
  type QuietTime,
} from '../definition/quiet-time.schema.ts';
import type { Channel } from '../definition/sending.schema.ts';

export interface QuietQuestion {
  readonly setting: QuietTime;
  readonly channel: Channel;
  readonly purposeType: PurposeType;
  /** What advanced rules ask; null is not known and fits none of them. */
  readonly place: Place;
  /** IANA; already chosen by the setting's rule. */
  readonly timeZone: string;
}

export interface Place {
  readonly country: string | null;
  readonly state: string | null;
  readonly phone: string | null;
}

export interface QuietVerdict {
  readonly isQuiet: boolean;
  /** The first moment that is not quiet; `nowMs` when it is not quiet now; null: none in sight. */
  readonly openAtMs: number | null;
  /** `general`, or the index of the advanced rule that fits. */
  readonly rule: 'general' | number;
  readonly timeZone: string;
}

export interface OpenSpan {
  readonly startMs: number;
  readonly endMs: number;
}

/** How far ahead an end of quiet is looked for. Nothing waits longer. */
const DAYS_AHEAD_MAX = 92;
const DAY_MS = 86_400_000;

export function quietAt(question: QuietQuestion, nowMs: number): QuietVerdict {
  const { rule, entries } = ruleFor(question);
  const { timeZone } = question;
  let openAtMs = nowMs;
  const latestMs = nowMs + DAYS_AHEAD_MAX * DAY_MS;
  // Each pass leaves one span; spans may touch, as a night does at midnight.
  for (;;) {
    const end = endOfQuiet(entries, openAtMs, timeZone);
    if (end === undefined) return { isQuiet: openAtMs > nowMs, openAtMs, rule, timeZone };
    if (end > latestMs) return { isQuiet: true, openAtMs: null, rule, timeZone };
    openAtMs = end;
  }
}

/** The spans between two moments that are not quiet, in order. Half open. */
export function openSpans(question: QuietQuestion, fromMs: number, untilMs: number): OpenSpan[] {
  const { entries } = ruleFor(question);
  const spans: OpenSpan[] = [];
  let startMs = fromMs;
  while (startMs < untilMs) {
    const end = endOfQuiet(entries, startMs, question.timeZone);
    if (end !== undefined) {
      startMs = end;
      continue;
    }
    const next = nextQuiet(entries, startMs, untilMs, question.timeZone);
    spans.push({ startMs, endMs: next });
    startMs = next;
  }
  return spans;
}

/** From the top; the first rule that fits replaces the general one (spec G.7). Case counts. */
function ruleFor({ setting, channel, purposeType, place }: QuietQuestion): {
  readonly rule: 'general' | number;
  readonly entries: readonly QuietEntry[];
} {
  const applies = ({ channels, purposes }: QuietEntry): boolean =>
    (channels?.includes(channel) ?? true) &&
    purposeType !== 'tracking' &&
    (purposes?.includes(purposeType) ?? true);
  const advanced = setting.advanced ?? [];
  const index = advanced.findIndex(({ where: { country, state, phone } }) => {
    const { phone: number } = place;
    return (
      (country === undefined || country.some((name) => name === place.country)) &&
      (state === undefined || state.some((name) => name === place.state)) &&
      (phone === undefined || phone.some((prefix) => number?.startsWith(prefix) ?? false))
    );
  });
  const entries = (advanced[index]?.quiet ?? setting.quiet).filter(applies);
  return { rule: index < 0 ? 'general' : index, entries };
}

/** When the quiet that holds at the moment ends; undefined when none holds. */
function endOfQuiet(
  entries: readonly QuietEntry[],
  atMs: number,
  timeZone: string,
): number | undefined {
  const day = DateTime.fromMillis(atMs, { zone: timeZone }).startOf('day');
  const ends = spansOfDay(entries, day).flatMap(({ startMs, endMs }) =>
    startMs <= atMs && atMs < endMs ? [endMs] : [],
  );
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function nextQuiet(
  entries: readonly QuietEntry[],
  atMs: number,
  untilMs: number,
  timeZone: string,
): number {
  let day = DateTime.fromMillis(atMs, { zone: timeZone }).startOf('day');
  while (day.toMillis() < untilMs) {
    const starts = spansOfDay(entries, day).flatMap(({ startMs }) =>
      startMs > atMs ? [startMs] : [],
    );
    if (starts.length > 0) return Math.min(untilMs, ...starts);
    day = day.plus({ days: 1 }).startOf('day');
  }
  return untilMs;
}

/** No span leaves its day: nights are written as two, and dates are taken day by day. */
function spansOfDay(entries: readonly QuietEntry[], day: DateTime): OpenSpan[] {
  const iso = day.toISODate() ?? '';
  const weekday = WEEKDAYS[day.weekday - 1];
  return entries.flatMap((entry) => {
    if ('firstDay' in entry) {
      if (iso < entry.firstDay || iso > entry.lastDay) return [];
      return [{ startMs: at(day, '00:00').toMillis(), endMs: at(day, '24:00').toMillis() }];
    }
    if (weekday === undefined || !entry.days.includes(weekday)) return [];
    const startMs = at(day, entry.from).toMillis();
    const endMs = lastPass(at(day, entry.to)).toMillis();
    return startMs < endMs ? [{ startMs, endMs }] : [];
  });
}

function at(day: DateTime, time: string): DateTime {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  if (hour === 24) return day.plus({ days: 1 }).startOf('day');
  if (hour === 0 && minute === 0) return day;
  return firstPass(day.set({ hour, minute, second: 0, millisecond: 0 }));
}

function firstPass(time: DateTime): DateTime {
  return time.getPossibleOffsets()[0] ?? time;
}

function lastPass(time: DateTime): DateTime {
  return time.getPossibleOffsets().at(-1) ?? time;
}
