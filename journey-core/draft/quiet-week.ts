/** A week of hours in which nothing leaves, by channel: added up, named, and put into the format. */
import type { MessageAsset } from '../definition/assets.schema.ts';
import { DAY_MS, durationText, MINUTE_MS } from '../definition/duration.ts';
import {
  QUIET_DAYS_MAX,
  WEEKDAYS,
  type QuietTime,
  type Weekday,
} from '../definition/quiet-time.schema.ts';
import { CHANNELS, SEND_WITHIN_DEFAULT_MS, type Channel } from '../definition/sending.schema.ts';

/** Wall clock, minutes from midnight; `to` is not included. */
export interface QuietHours {
  readonly channels: readonly Channel[];
  readonly days: readonly Weekday[];
  readonly from: number;
  readonly to: number;
}

export const DAY_MINUTES = 1_440;
const WEEK_MINUTES = 7 * DAY_MINUTES;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Of one channel and day: in order, apart from one another. */
function spansOf(hours: readonly QuietHours[], channel: Channel, day: Weekday): readonly Span[] {
  const spans: { from: number; to: number }[] = [];
  const own = hours.filter(
    ({ channels, days }) => channels.includes(channel) && days.includes(day),
  );
  for (const { from, to } of own.sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = spans.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else spans.push({ from, to });
  }
  return spans;
}

/** Minutes that it is quiet at a stretch; a whole week: always. */
export function longestQuiet(hours: readonly QuietHours[], channel: Channel): number {
  // Twice over: the longest stretch may go through Sunday night.
  let [longest, since, until] = [0, 0, -1];
  for (const [index, day] of [...WEEKDAYS, ...WEEKDAYS].entries()) {
    for (const { from, to } of spansOf(hours, channel, day)) {
      const [begins, ends] = [index * DAY_MINUTES + from, index * DAY_MINUTES + to];
      if (begins !== until) since = begins;
      until = ends;
      longest = Math.max(longest, until - since);
    }
  }
  return Math.min(longest, WEEK_MINUTES);
}

/** More whole days in a row than a quiet time may have. */
export function isTooLong(hours: readonly QuietHours[], channel: Channel): boolean {
  const isWhole = (day: Weekday): boolean =>
    spansOf(hours, channel, day).some(({ from, to }) => from === 0 && to === DAY_MINUTES);
  let run = 0;
  return [...WEEKDAYS, ...WEEKDAYS].some((day) => {
    run = isWhole(day) ? run + 1 : 0;
    return run > QUIET_DAYS_MAX;
  });
}

/** How long a sending has to be able to wait; undefined: no longer than it does by itself. */
export function waitOf(hours: readonly QuietHours[], channel: Channel): string | undefined {
  const ms = longestQuiet(hours, channel) * MINUTE_MS;
  if (ms < SEND_WITHIN_DEFAULT_MS) return undefined;
  return durationText((Math.floor(ms / DAY_MS) + 1) * DAY_MS);
}

export function channelOf(
  step: { readonly type: string; readonly message?: string },
  messages: ReadonlyMap<string, MessageAsset>,
): Channel {
  if (step.type === 'voice' || step.type === 'sms') return step.type;
  return messages.get(step.message ?? '')?.channel ?? 'custom';
}

/** Days and channels that have the same hours are one entry. */
export function quietOf(hours: readonly QuietHours[]): QuietTime['quiet'] {
  const byHours = new Map<string, { span: Span; cells: Map<Weekday, Channel[]> }>();
  for (const channel of CHANNELS) {
    for (const day of WEEKDAYS) {
      for (const span of spansOf(hours, channel, day)) {
        const key = `${span.from}-${span.to}`;
        const known = byHours.get(key) ?? { span, cells: new Map<Weekday, Channel[]>() };
        byHours.set(key, known);
        known.cells.set(day, [...(known.cells.get(day) ?? []), channel]);
      }
    }
  }
  return [...byHours.values()].flatMap(({ span, cells }) => {
    const byChannels = new Map<string, { channels: Channel[]; days: Weekday[] }>();
    for (const [day, channels] of cells) {
      const known = byChannels.get(channels.join()) ?? { channels, days: [] };
      byChannels.set(channels.join(), known);
      known.days.push(day);
    }
    return [...byChannels.values()].map(({ channels, days }) => ({
      ...(channels.length === CHANNELS.length ? {} : { channels }),
      ...{ days, from: clockText(span.from), to: clockText(span.to) },
    }));
  });
}

/** What a setting has that could have been made of such hours; null: it says more than they do. */
export function hoursOf(quiet: QuietTime['quiet']): readonly QuietHours[] | null {
  const hours: QuietHours[] = [];
  for (const entry of quiet) {
    if (!('days' in entry) || entry.purposes !== undefined) return null;
    const { channels = CHANNELS, days, from, to } = entry;
    hours.push({ channels, days, from: minutesOf(from), to: minutesOf(to) });
  }
  return hours;
}

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  return hours * 60 + minutes;
}

/** What it is called where nobody has given it a name: `Quiet 20:00-24:00`. */
export function quietName(hours: readonly QuietHours[]): string {
  const byChannels = new Map<string, string[]>();
  for (const entry of quietOf(hours)) {
    if (!('days' in entry)) continue;
    const { from, to, days, channels } = entry;
    const isWhole = from === '00:00' && to === '24:00';
    const on = daysText(days);
    const text = isWhole ? on : `${from}-${to}${on === '' ? '' : ` on ${on}`}`;
    const key = channels === undefined ? '' : ` for ${channels.join(' and ')}`;
    byChannels.set(key, [...(byChannels.get(key) ?? []), text]);
  }
  const parts = [...byChannels].map(([channels, texts]) => `${texts.join(', ')}${channels}`);
  return `Quiet ${parts.join('; ')}`;
}

function daysText(days: readonly Weekday[]): string {
  if (days.length === 7) return '';
  const at = days.map((day) => WEEKDAYS.indexOf(day));
  const [first, last] = [days[0] ?? '', days.at(-1) ?? ''];
  const isRange = (at.at(-1) ?? 0) - (at[0] ?? 0) === days.length - 1;
  if (isRange && first === 'monday' && last === 'friday') return 'weekdays';
  if (isRange && first === 'saturday' && last === 'sunday') return 'weekends';
  return isRange && days.length > 2 ? `${first} to ${last}` : days.join(' and ');
}

function clockText(minutes: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
