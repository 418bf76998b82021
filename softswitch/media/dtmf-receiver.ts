/** From event packets to digits, each reported once (RFC 4733 §2.5.2). */
import { SAMPLES_PER_MS } from './audio-format.ts';
import {
  DTMF_DURATION_UNITS_MAX,
  digitOfEvent,
  readDtmfPayload,
  type DtmfPayload,
} from './dtmf-event.ts';

/**
 * Without any packet for this long the event is over, its end packets lost: senders repeat at
 * least every 50 ms (RFC 4733 §2.5.1.2), so that two in a row may be lost before this.
 */
const SILENT_END_MS = 150;

/** A packet of an event this much older than the last was overtaken; older ones are a new time base. */
const OVERTAKEN_UNITS_MAX = 10_000 * SAMPLES_PER_MS;

/**
 * An event is known by its timestamp, which all its packets share. It is reported at its end: the
 * first packet with the E bit, or, when all of those are lost, the beginning of another event or
 * 150 ms without a packet. First packets may be lost too, since every packet carries all there is.
 */
export class DtmfReceiver {
  /** Events reported, and those that are no digit (fax tones and the like), which are only counted. */
  digitCount = 0;
  otherEventCount = 0;
  readonly #onDigit: (digit: string, durationMs: number) => void;
  readonly #payload: DtmfPayload = { event: 0, end: false, volume: 0, duration: 0 };
  #active = false;
  #event = 0;
  #timestamp = 0;
  /** Units of the event's earlier segments (§2.5.1.3): only events above 8.19 s have them. */
  #earlierUnits = 0;
  #durationUnits = 0;
  #lastPacketMs = 0;
  #endedSome = false;

  constructor(onDigit: (digit: string, durationMs: number) => void) {
    this.#onDigit = onDigit;
  }

  /** A packet of the event payload type. False when it was not one. */
  take(
    bytes: Uint8Array,
    offset: number,
    length: number,
    timestamp: number,
    nowMs: number,
  ): boolean {
    const payload = this.#payload;
    if (!readDtmfPayload(bytes, offset, length, payload)) return false;
    const ahead = (timestamp - this.#timestamp) | 0;
    const same = ahead === 0 && payload.event === this.#event;
    const overtaken = ahead < 0 && ahead > -OVERTAKEN_UNITS_MAX;
    if (overtaken && (this.#active || this.#endedSome)) return true;
    if (this.#active && same) {
      this.#durationUnits = Math.max(this.#durationUnits, payload.duration);
    } else if (this.#active && this.#isNextSegment(ahead, payload.event)) {
      this.#earlierUnits += DTMF_DURATION_UNITS_MAX;
      this.#timestamp = timestamp;
      this.#durationUnits = payload.duration;
    } else if (this.#endedSome && same) {
      return true; // a repeated end packet
    } else {
      this.#begin(timestamp);
    }
    this.#lastPacketMs = nowMs;
    if (payload.end) this.#end();
    return true;
  }

  /** To be called about once per frame: ends an event whose packets have stopped. */
  tick(nowMs: number): void {
    if (this.#active && nowMs - this.#lastPacketMs >= SILENT_END_MS) this.#end();
  }

  /** Another SSRC: timestamps start afresh. An event that is under way is reported first. */
  reset(): void {
    if (this.#active) this.#end();
    this.#endedSome = false;
  }

  #isNextSegment(ahead: number, event: number): boolean {
    return ahead === DTMF_DURATION_UNITS_MAX && event === this.#event;
  }

  #begin(timestamp: number): void {
    if (this.#active) this.#end();
    this.#active = true;
    this.#event = this.#payload.event;
    this.#timestamp = timestamp;
    this.#earlierUnits = 0;
    this.#durationUnits = this.#payload.duration;
  }

  #end(): void {
    this.#active = false;
    this.#endedSome = true;
    const digit = digitOfEvent(this.#event);
    if (digit === undefined) {
      this.otherEventCount += 1;
      return;
    }
    this.digitCount += 1;
    const units = this.#earlierUnits + this.#durationUnits;
    this.#onDigit(digit, Math.round(units / SAMPLES_PER_MS));
  }
}
