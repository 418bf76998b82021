/** May a call start now where the called person is? The edge at which wall clocks come in. */
import { DateTime, IANAZone } from 'luxon';

export interface CallingHours {
  /** `HH:MM` wall clock, included. */
  readonly from: string;
  /** `HH:MM` wall clock, not included. */
  readonly to: string;
}

export function isTimeZone(zone: string): boolean {
  return IANAZone.isValidZone(zone);
}

/** `zone` is an IANA zone; an unknown one counts as closed. */
export function isWithinCallingHours(hours: CallingHours, zone: string, nowMs: number): boolean {
  if (!isTimeZone(zone)) return false;
  const time = wallClock(zone, nowMs);
  return hours.from <= time && time < hours.to;
}

/**
 * The calling hours that are running in the zone, else those that ran last: what begins later is not
 * waited for. Undefined in an unknown zone.
 */
export function lastCallingHours(
  { from, to }: CallingHours,
  zone: string,
  nowMs: number,
): { readonly startMs: number; readonly endMs: number } | undefined {
  if (!isTimeZone(zone)) return undefined;
  const today = DateTime.fromMillis(nowMs, { zone });
  const day = wallClock(zone, nowMs) < from ? today.minus({ days: 1 }) : today;
  return { startMs: momentOf(day, from), endMs: momentOf(day, to) };
}

function momentOf(day: DateTime, time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return day.startOf('day').set({ hour, minute }).toMillis();
}

/** `HH:MM` on the wall in the zone. Fixed width, so that text order is time order. */
export function wallClock(zone: string, nowMs: number): string {
  return DateTime.fromMillis(nowMs, { zone }).toFormat('HH:mm');
}
