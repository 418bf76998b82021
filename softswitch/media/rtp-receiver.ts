/** The receiving half of a leg: from datagrams to frames and digits. */
import { DtmfReceiver } from './dtmf-receiver.ts';
import { g711ByPayloadType } from './g711.ts';
import {
  JitterBuffer,
  PACKET_SAMPLES_MAX,
  type JitterBufferOptions,
  type PlayoutKind,
} from './jitter-buffer.ts';
import { emptyRtpFields, readRtpPacket } from './rtp-packet.ts';
import { SequenceTracker, type SequenceVerdict } from './sequence-tracker.ts';

/** One octet a sample: longer than any packet time in use; more is taken for garbage. */
const PAYLOAD_BYTES_MAX = PACKET_SAMPLES_MAX;
/** Comfort noise (RFC 3389): its sender pauses, which is what the jitter buffer then plays. */
const COMFORT_NOISE_PAYLOAD_TYPE = 13;

export interface RtpReceiverCounters {
  packets: number;
  octets: number;
  duplicate: number;
  reordered: number;
  malformed: number;
  unknownPayload: number;
  ssrcChanges: number;
}

/** Of the packet being taken: one for all legs, since it is used up before the next packet. */
const decoded = new Int16Array(PAYLOAD_BYTES_MAX);

export class RtpReceiver {
  readonly counters: RtpReceiverCounters = {
    packets: 0,
    octets: 0,
    duplicate: 0,
    reordered: 0,
    malformed: 0,
    unknownPayload: 0,
    ssrcChanges: 0,
  };
  readonly dtmf: DtmfReceiver;
  readonly sequence = new SequenceTracker();
  telephoneEventPayloadType: number | undefined;
  /** The far end's SSRC, once a packet came. */
  ssrc: number | undefined;
  /** Whether audio was ever received. */
  hasAudio = false;
  readonly #fields = emptyRtpFields();
  readonly #jitterOptions: JitterBufferOptions;
  #jitter: JitterBuffer | undefined;
  /** Another SSRC that has sent one packet: a second in a row makes it the sender. */
  #candidateSsrc: number | undefined;
  #candidateSequence = 0;
  #lostBefore = 0;
  /** Of the newest audio packet by its sequence number. */
  #lastTimestamp: number | undefined;

  constructor(onDigit: (digit: string, durationMs: number) => void, jitter: JitterBufferOptions) {
    this.#jitterOptions = jitter;
    this.dtmf = new DtmfReceiver(onDigit);
  }

  /** Made with the first audio: a leg that is never answered would fill 13 KB with zeros for nothing. */
  get jitter(): JitterBuffer {
    return (this.#jitter ??= new JitterBuffer(this.#jitterOptions));
  }

  /** Audio in store, in ms. */
  get levelMs(): number {
    return this.#jitter?.levelMs ?? 0;
  }

  /** Packets lost since the leg was opened, over all SSRCs. */
  get lost(): number {
    return this.#lostBefore + this.sequence.lost;
  }

  /** Takes one datagram from the far end; anything at all may be in it. */
  take(bytes: Uint8Array, nowMs: number): void {
    const fields = this.#fields;
    if (!readRtpPacket(bytes, fields) || fields.payloadLength > PAYLOAD_BYTES_MAX) {
      this.counters.malformed += 1;
      return;
    }
    if (fields.ssrc !== this.ssrc && !this.#acceptSsrc(fields.ssrc, fields.sequence)) return;
    this.#candidateSsrc = undefined;
    const verdict = this.sequence.take(fields.sequence);
    if (verdict === 'invalid') {
      this.counters.malformed += 1;
      return;
    }
    if (verdict === 'duplicate') {
      this.counters.duplicate += 1;
      return;
    }
    if (verdict === 'reordered') this.counters.reordered += 1;
    this.counters.packets += 1;
    this.counters.octets += fields.payloadLength;
    this.#takePayload(bytes, verdict, nowMs);
  }

  /** The frame of this tick, and the end of events whose packets have stopped. */
  pull(into: Int16Array, nowMs: number): PlayoutKind {
    this.dtmf.tick(nowMs);
    return this.#jitter?.pull(into) ?? 'quiet';
  }

  /** Another far end: nothing heard so far says anything about it. */
  reset(): void {
    this.ssrc = undefined;
    this.#candidateSsrc = undefined;
    this.#forget();
  }

  #takePayload(bytes: Uint8Array, verdict: SequenceVerdict, nowMs: number): void {
    const { payloadType, payloadOffset, payloadLength, timestamp } = this.#fields;
    const codec = g711ByPayloadType(payloadType);
    if (codec !== undefined) {
      if (payloadLength === 0) return;
      codec.decode(bytes, payloadOffset, payloadLength, decoded);
      this.hasAudio = true;
      if (verdict !== 'reordered') this.#watchTime(timestamp);
      this.jitter.put(timestamp, decoded, payloadLength, nowMs);
    } else if (payloadType === this.telephoneEventPayloadType) {
      if (!this.dtmf.take(bytes, payloadOffset, payloadLength, timestamp, nowMs)) {
        this.counters.malformed += 1;
      }
    } else if (payloadType !== COMFORT_NOISE_PAYLOAD_TYPE) this.counters.unknownPayload += 1;
  }

  /**
   * RTP time never runs back in one stream, FreeSWITCH's does: it hands a bridge's times on, and has its
   * own when it plays something, both under one SSRC. Such audio is new, not late.
   */
  #watchTime(timestamp: number): void {
    const last = this.#lastTimestamp;
    if (last !== undefined && ((timestamp - last) | 0) < 0) this.jitter.rebase(timestamp);
    this.#lastTimestamp = timestamp;
  }

  /**
   * The first SSRC is taken at once. A later one takes over with its second packet in a row, so
   * that neither a stray packet nor two streams at the same time make the audio jump about.
   */
  #acceptSsrc(ssrc: number, sequence: number): boolean {
    if (this.ssrc !== undefined) {
      const second =
        ssrc === this.#candidateSsrc && sequence === ((this.#candidateSequence + 1) & 0xffff);
      this.#candidateSsrc = ssrc;
      this.#candidateSequence = sequence;
      if (!second) return false;
      this.counters.ssrcChanges += 1;
      this.#forget();
    }
    this.ssrc = ssrc;
    return true;
  }

  #forget(): void {
    this.#lostBefore += this.sequence.lost;
    this.sequence.reset();
    this.#lastTimestamp = undefined;
    this.#jitter?.reset();
    this.dtmf.reset();
  }
}
