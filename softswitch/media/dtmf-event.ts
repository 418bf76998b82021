/** Telephone events on the wire (RFC 4733 §2.3): four bytes of payload. */
import { uint16At } from './rtp-packet.ts';

/** Digits by event code (RFC 4733 §3.2); code 16 is the hook flash, written F as FreeSWITCH does. */
const DIGITS = '0123456789*#ABCDF';
export const DTMF_PAYLOAD_BYTES = 4;
/** The duration field has 16 bits of timestamp units: 8.19 s. */
export const DTMF_DURATION_UNITS_MAX = 0xffff;

export interface DtmfPayload {
  event: number;
  end: boolean;
  /** Power level as -dBm0, 0 to 63. */
  volume: number;
  /** Since the event's beginning, in timestamp units. */
  duration: number;
}

export function digitOfEvent(event: number): string | undefined {
  return DIGITS[event];
}

export function eventOfDigit(digit: string): number | undefined {
  const event = digit.length === 1 ? DIGITS.indexOf(digit.toUpperCase()) : -1;
  return event < 0 ? undefined : event;
}

/** Only the first event of a payload is read; false when there is not even one. */
export function readDtmfPayload(
  bytes: Uint8Array,
  offset: number,
  length: number,
  into: DtmfPayload,
): boolean {
  if (length < DTMF_PAYLOAD_BYTES) return false;
  const flags = bytes[offset + 1] as number;
  into.event = bytes[offset] as number;
  into.end = (flags & 0x80) !== 0;
  into.volume = flags & 0x3f;
  into.duration = uint16At(bytes, offset + 2);
  return true;
}

export function writeDtmfPayload(bytes: Uint8Array, offset: number, payload: DtmfPayload): void {
  bytes[offset] = payload.event;
  bytes[offset + 1] = (payload.end ? 0x80 : 0) | (payload.volume & 0x3f);
  bytes[offset + 2] = payload.duration >> 8;
  bytes[offset + 3] = payload.duration & 0xff;
}
