/** The sending half of a leg: one SSRC, one sequence, and a timestamp that never stands still. */
import { randomBytes } from 'node:crypto';
import { FRAME_SAMPLES } from './audio-format.ts';
import { DTMF_PAYLOAD_BYTES, writeDtmfPayload, type DtmfPayload } from './dtmf-event.ts';
import { mulaw, type G711 } from './g711.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from './rtp-packet.ts';

/** A send that the kernel cannot take at once keeps its buffer; it is written again 4 packets later. */
const BUFFERS = 4;

export class RtpSender {
  readonly ssrc: number;
  packets = 0;
  /** Payload octets, as sender reports count them. */
  octets = 0;
  #codec: G711 = mulaw;
  #payloadType = 0;
  #sequence: number;
  #timestamp: number;
  /** The next packet begins a talk spurt (RFC 3551 §4.1): nothing was sent in the tick before. */
  #spurtBegins = true;
  #turn = 0;
  readonly #send: (bytes: Uint8Array) => void;
  /** Made with the first packet of their kind: most legs of a dialer end before they send any. */
  #audio: readonly Buffer[] | undefined;
  #events: readonly Buffer[] | undefined;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
    const random = randomBytes(10);
    this.ssrc = random.readUInt32BE(0);
    this.#timestamp = random.readUInt32BE(4);
    this.#sequence = random.readUInt16BE(8);
  }

  /** RTP time of the frame of this tick. */
  get timestamp(): number {
    return this.#timestamp;
  }

  useCodec(codec: G711, payloadType: number): void {
    this.#codec = codec;
    this.#payloadType = payloadType;
  }

  /** Moves RTP time to the next frame, and past frames the clock gave up. Once per tick. */
  advance(skippedTicks: number): void {
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES * (1 + skippedTicks)) >>> 0;
  }

  sendAudio(pcm: Int16Array): void {
    const packet = this.#next((this.#audio ??= packetsFor(FRAME_SAMPLES)));
    writeRtpHeader(
      packet,
      this.#spurtBegins,
      this.#payloadType,
      this.#sequence,
      this.#timestamp,
      this.ssrc,
    );
    this.#codec.encode(pcm, packet, RTP_HEADER_BYTES);
    this.#spurtBegins = false;
    this.#sent(packet);
  }

  /** An event packet carries its event's beginning as timestamp (RFC 4733 §2.2.1). */
  sendEvent(payloadType: number, payload: DtmfPayload, marker: boolean, timestamp: number): void {
    const packet = this.#next((this.#events ??= packetsFor(DTMF_PAYLOAD_BYTES)));
    writeRtpHeader(packet, marker, payloadType, this.#sequence, timestamp, this.ssrc);
    writeDtmfPayload(packet, RTP_HEADER_BYTES, payload);
    this.#sent(packet);
  }

  /** Nothing is sent in this tick: what follows is a new talk spurt. */
  pause(): void {
    this.#spurtBegins = true;
  }

  #next(buffers: readonly Buffer[]): Buffer {
    this.#turn = (this.#turn + 1) % BUFFERS;
    return buffers[this.#turn] as Buffer;
  }

  #sent(packet: Buffer): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets += 1;
    this.octets += packet.length - RTP_HEADER_BYTES;
    this.#send(packet);
  }
}

function packetsFor(payloadBytes: number): Buffer[] {
  return Array.from({ length: BUFFERS }, () => Buffer.alloc(RTP_HEADER_BYTES + payloadBytes));
}
