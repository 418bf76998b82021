/**
 * SRTP and SRTCP of one direction (RFC 3711): AES in counter mode, HMAC-SHA1, rollover counter, replay
 * list. What does not authenticate is dropped before anything of it is read.
 */
import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import {
  emptyRtpFields,
  readRtpPacket,
  RTP_HEADER_BYTES,
  uint16At,
  uint32At,
} from '../rtp-packet.ts';
import type { CryptoSuite } from './crypto-attribute.ts';
import { ReplayWindow } from './replay-window.ts';
import { sessionKeys, type SessionKeys } from './srtp-keys.ts';

const RTCP_HEADER_BYTES = 8;
const RTCP_INDEX_BYTES = 4;
/** SRTCP's tag is 80 bits long under either suite (RFC 3711 §5.2). */
const RTCP_TAG_BYTES = 10;
const RTP_TAG_BYTES: Readonly<Record<CryptoSuite, number>> = {
  AES_CM_128_HMAC_SHA1_80: 10,
  AES_CM_128_HMAC_SHA1_32: 4,
};
const SEQUENCES = 0x1_0000;
const ENCRYPTED_FLAG = 0x8000_0000;
const RTCP_INDEX_MAX = 0x7fff_ffff;
/** A sender has one stream, two after a change; what invents more is not one. */
const STREAMS_MAX = 4;

interface ReceivedStream {
  readonly replay: ReplayWindow;
  readonly rtcpReplay: ReplayWindow;
  rollover: number;
  highest: number | undefined;
}

export class SrtpStream {
  /** Packets dropped: tag wrong, seen before, or no SRTP at all. */
  refused = 0;
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  readonly #tagBytes: number;
  readonly #fields = emptyRtpFields();
  /** Of the sender: packets sent have one SSRC. */
  #rollover = 0;
  #lastSequence: number | undefined;
  #rtcpIndex = 0;
  readonly #received = new Map<number, ReceivedStream>();

  constructor(suite: CryptoSuite, master: Buffer) {
    this.#rtp = sessionKeys(master, 'rtp');
    this.#rtcp = sessionKeys(master, 'rtcp');
    this.#tagBytes = RTP_TAG_BYTES[suite];
  }

  /** A new buffer: header, encrypted payload, tag. Packets must come in their order. */
  protect(packet: Uint8Array): Buffer {
    const sequence = uint16At(packet, 2);
    if (this.#lastSequence !== undefined && sequence < this.#lastSequence) this.#rollover += 1;
    this.#lastSequence = sequence;
    readRtpPacket(packet, this.#fields);
    const { payloadOffset, ssrc } = this.#fields;
    const index = this.#rollover * SEQUENCES + sequence;
    const body = this.#crypt(this.#rtp, ssrc, index, packet.subarray(payloadOffset));
    const secured = Buffer.concat([packet.subarray(0, payloadOffset), body]);
    return Buffer.concat([secured, this.#rtpTag(secured, this.#rollover)]);
  }

  /** The packet as it was, or undefined. */
  unprotect(packet: Uint8Array): Buffer | undefined {
    const end = packet.length - this.#tagBytes;
    if (end < RTP_HEADER_BYTES || (packet[0] as number) >> 6 !== 2) return this.#refuse();
    const ssrc = uint32At(packet, 8);
    const sequence = uint16At(packet, 2);
    const stream = this.#received.get(ssrc) ?? newStream();
    const rollover = rolloverOf(stream, sequence);
    const index = rollover * SEQUENCES + sequence;
    const secured = packet.subarray(0, end);
    if (
      rollover < 0 ||
      !stream.replay.admits(index) ||
      !timingSafeEqual(this.#rtpTag(secured, rollover), packet.subarray(end))
    ) {
      return this.#refuse();
    }
    const payloadOffset = headerBytes(secured);
    if (payloadOffset === undefined) return this.#refuse();
    stream.replay.note(index);
    if (index > stream.rollover * SEQUENCES + (stream.highest ?? -1)) {
      stream.rollover = rollover;
      stream.highest = sequence;
    }
    this.#remember(ssrc, stream);
    const body = this.#crypt(this.#rtp, ssrc, index, secured.subarray(payloadOffset));
    return Buffer.concat([secured.subarray(0, payloadOffset), body]);
  }

  protectRtcp(packet: Uint8Array): Buffer {
    this.#rtcpIndex = (this.#rtcpIndex + 1) % (RTCP_INDEX_MAX + 1);
    const head = packet.subarray(0, RTCP_HEADER_BYTES);
    const body = packet.subarray(RTCP_HEADER_BYTES);
    const trailer = Buffer.alloc(RTCP_INDEX_BYTES);
    trailer.writeUInt32BE((ENCRYPTED_FLAG | this.#rtcpIndex) >>> 0);
    const ssrc = uint32At(packet, 4);
    const secured = Buffer.concat([
      head,
      this.#crypt(this.#rtcp, ssrc, this.#rtcpIndex, body),
      trailer,
    ]);
    return Buffer.concat([secured, tagOf(this.#rtcp, secured, RTCP_TAG_BYTES)]);
  }

  unprotectRtcp(packet: Uint8Array): Buffer | undefined {
    const end = packet.length - RTCP_TAG_BYTES;
    const bodyEnd = end - RTCP_INDEX_BYTES;
    if (bodyEnd < RTCP_HEADER_BYTES) return this.#refuse();
    const secured = packet.subarray(0, end);
    const trailer = uint32At(packet, bodyEnd);
    const index = trailer & RTCP_INDEX_MAX;
    const ssrc = uint32At(packet, 4);
    const stream = this.#received.get(ssrc) ?? newStream();
    if (
      !stream.rtcpReplay.admits(index) ||
      !timingSafeEqual(tagOf(this.#rtcp, secured, RTCP_TAG_BYTES), packet.subarray(end))
    ) {
      return this.#refuse();
    }
    stream.rtcpReplay.note(index);
    this.#remember(ssrc, stream);
    const head = packet.subarray(0, RTCP_HEADER_BYTES);
    const body = packet.subarray(RTCP_HEADER_BYTES, bodyEnd);
    const isEncrypted = trailer >>> 31 === 1;
    return Buffer.concat([head, isEncrypted ? this.#crypt(this.#rtcp, ssrc, index, body) : body]);
  }

  #refuse(): Buffer | undefined {
    this.refused += 1;
    return undefined;
  }

  #remember(ssrc: number, stream: ReceivedStream): void {
    if (this.#received.has(ssrc)) return;
    if (this.#received.size === STREAMS_MAX) {
      for (const oldest of this.#received.keys()) {
        this.#received.delete(oldest);
        break;
      }
    }
    this.#received.set(ssrc, stream);
  }

  #rtpTag(secured: Uint8Array, rollover: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(rollover >>> 0);
    return tagOf(this.#rtp, secured, this.#tagBytes, counter);
  }

  /** Encrypts and decrypts alike: counter = salt XOR SSRC XOR packet index (§4.1.1). */
  #crypt(keys: SessionKeys, ssrc: number, index: number, bytes: Uint8Array): Buffer {
    const counter = Buffer.alloc(16);
    keys.salt.copy(counter);
    counter.writeUInt32BE((counter.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    counter.writeUIntBE(counter.readUIntBE(8, 2) ^ Math.floor(index / 2 ** 32), 8, 2);
    counter.writeUInt32BE((counter.readUInt32BE(10) ^ (index % 2 ** 32)) >>> 0, 10);
    return createCipheriv('aes-128-ctr', keys.cipherKey, counter).update(bytes);
  }
}

function newStream(): ReceivedStream {
  const replay = new ReplayWindow();
  return { replay, rtcpReplay: new ReplayWindow(), rollover: 0, highest: undefined };
}

function tagOf(keys: SessionKeys, bytes: Uint8Array, length: number, more?: Buffer): Buffer {
  const mac = createHmac('sha1', keys.authKey).update(bytes);
  if (more !== undefined) mac.update(more);
  return mac.digest().subarray(0, length);
}

/** Guess of the sender's rollover counter from the distance to the highest sequence (§3.3.1). */
function rolloverOf({ rollover, highest }: ReceivedStream, sequence: number): number {
  if (highest === undefined) return rollover;
  const half = SEQUENCES / 2;
  if (highest < half) return sequence - highest > half ? rollover - 1 : rollover;
  return highest - half > sequence ? rollover + 1 : rollover;
}

/** Header, CSRC list and extension go in clear; undefined when they are longer than the packet. */
function headerBytes(packet: Uint8Array): number | undefined {
  const first = packet[0] as number;
  let bytes = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (bytes + 4 > packet.length) return undefined;
    bytes += 4 + uint16At(packet, bytes + 2) * 4;
  }
  return bytes > packet.length ? undefined : bytes;
}
