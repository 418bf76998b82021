/**
 * A leg's audio as bare datagrams (FreeSWITCH's `unicast`): 160 samples of L16 or, `native`, of the
 * leg's own G.711, 50 a second, without any header; what comes back is played to the far end.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { FRAME_SAMPLES } from './audio-format.ts';
import { FrameFifo } from './frame-fifo.ts';
import type { FrameTap } from './frame-taps.ts';
import type { G711 } from './g711.ts';
import type { MediaPeer } from './rtp-session.ts';

export interface UnicastAddress {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Send and take the leg's coded octets instead of samples. */
  readonly native: boolean;
}

const L16_BYTES = FRAME_SAMPLES * 2;
/** FreeSWITCH plays what comes at once; 100 ms in store evens out a sender that is not paced. */
const INCOMING_FRAMES_MAX = 5;
/** What FreeSWITCH sends where nothing came from the far end, `native` or not. */
const NOTHING_HEARD = Buffer.alloc(L16_BYTES, 255);

export class UnicastSocket implements FrameTap {
  /** The address cannot be bound or sent to: it is over. */
  onFailed: (() => void) | undefined;
  readonly #socket: Socket;
  readonly #address: UnicastAddress;
  readonly #codec: () => G711;
  readonly #incoming = new FrameFifo(INCOMING_FRAMES_MAX);
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  #bound = false;
  #closed = false;

  constructor(address: UnicastAddress, codec: () => G711) {
    this.#address = address;
    this.#codec = codec;
    this.#socket = createSocket(isIPv6(address.localAddress) ? 'udp6' : 'udp4');
    this.#socket.on('error', () => this.#fail());
    this.#socket.on('message', (bytes) => this.#received(bytes));
    this.#socket.bind(address.localPort, address.localAddress, () => (this.#bound = true));
  }

  /** A tap of both sides; only what the far end says leaves here. */
  frame(received: Int16Array, _sent: Int16Array, heard: boolean): void {
    if (!this.#bound || this.#closed) return;
    const bytes = heard ? this.#encoded(received) : NOTHING_HEARD;
    const { remotePort, remoteAddress } = this.#address;
    this.#socket.send(bytes, remotePort, remoteAddress, (error) => error && this.#fail());
  }

  /** What is played to the far end; digits are reported as events, never sent along. */
  get peer(): MediaPeer {
    return {
      frame: () => undefined,
      dtmf: () => undefined,
      read: (into) => this.#incoming.shift(into),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  #encoded(pcm: Int16Array): Buffer {
    if (!this.#address.native) {
      return Buffer.from(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength));
    }
    const bytes = Buffer.alloc(FRAME_SAMPLES);
    this.#codec().encode(pcm, bytes, 0);
    return bytes;
  }

  /** Datagrams of another length are taken apart into frames; a rest is filled up with silence. */
  #received(bytes: Buffer): void {
    const step = this.#address.native ? FRAME_SAMPLES : L16_BYTES;
    for (let at = 0; at < bytes.length; at += step) {
      const part = bytes.subarray(at, at + step);
      this.#frame.fill(0);
      if (this.#address.native) this.#codec().decode(part, 0, part.length, this.#frame);
      else {
        for (let i = 0; 2 * i + 1 < part.length; i += 1) this.#frame[i] = part.readInt16LE(2 * i);
      }
      this.#incoming.push(this.#frame);
    }
  }

  #fail(): void {
    if (this.#closed) return;
    this.close();
    this.onFailed?.();
  }
}
