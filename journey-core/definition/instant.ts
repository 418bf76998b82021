/** Dates as people write them, in ISO 8601. The zone decides where the text names none. */
import { DateTime, IANAZone } from 'luxon';

/** `2026-12-24`, `2026-12-24T09:00`, `2026-12-24T09:00:00+01:00`. */
export const INSTANT_PATTERN =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$';
const INSTANT = new RegExp(INSTANT_PATTERN);

/** Epoch ms, or undefined when the text is no date. A day alone begins at its midnight in the zone. */
export function instantMs(text: string, zone: string): number | undefined {
  if (!INSTANT.test(text)) return undefined;
  const read = DateTime.fromISO(text, { zone });
  return read.isValid ? read.toMillis() : undefined;
}

/** The calendar day of an instant, `YYYY-MM-DD`. */
export function dayOf(atMs: number, zone: string): string {
  return DateTime.fromMillis(atMs, { zone }).toISODate() ?? '';
}

export function isTimeZone(zone: string): boolean {
  return IANAZone.isValidZone(zone);
}

/** `2026-12-24T09:00:00+01:00`: for people and reports. */
export function instantText(atMs: number, zone: string): string {
  const at = DateTime.fromMillis(atMs, { zone });
  return at.toISO({ suppressMilliseconds: true }) ?? new Date(atMs).toISOString();
}
