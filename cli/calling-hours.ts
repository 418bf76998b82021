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

/** `HH:MM` on the wall in the zone. Fixed width, so that text order is time order. */
export function wallClock(zone: string, nowMs: number): string {
  return DateTime.fromMillis(nowMs, { zone }).toFormat('HH:mm');
}
