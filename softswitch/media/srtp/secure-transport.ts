/** RTP sockets whose packets are encrypted once keys were agreed; without keys they pass as they are. */
import type { DatagramHandler, RtpTransport } from '../rtp-transport.ts';
import type { CryptoSuite } from './crypto-attribute.ts';
import { SrtpStream } from './srtp-stream.ts';

export interface SrtpKey {
  readonly suite: CryptoSuite;
  /** 30 octets: master key and salt. */
  readonly master: Buffer;
}

/** Keys of both directions; each is used by who wrote it into his SDP. */
export interface SrtpKeys {
  /** Absent: we send in clear. */
  readonly send?: SrtpKey;
  readonly receive: SrtpKey;
}

interface Direction {
  readonly key: SrtpKey;
  readonly stream: SrtpStream;
}

export class SecureTransport implements RtpTransport {
  onRtp: DatagramHandler = () => undefined;
  onRtcp: DatagramHandler = () => undefined;
  readonly #inner: RtpTransport;
  #send: Direction | undefined;
  #receive: Direction | undefined;
  #refusedBefore = 0;

  constructor(inner: RtpTransport) {
    this.#inner = inner;
    inner.onRtp = (bytes, address, port) => {
      const plain = this.#receive === undefined ? bytes : this.#receive.stream.unprotect(bytes);
      if (plain !== undefined) this.onRtp(plain, address, port);
    };
    inner.onRtcp = (bytes, address, port) => {
      const plain = this.#receive === undefined ? bytes : this.#receive.stream.unprotectRtcp(bytes);
      if (plain !== undefined) this.onRtcp(plain, address, port);
    };
  }

  get localPort(): number {
    return this.#inner.localPort;
  }

  get errorCount(): number {
    return this.#inner.errorCount;
  }

  /** Packets that did not authenticate, or came twice. */
  get refusedPackets(): number {
    return this.#refusedBefore + (this.#receive?.stream.refused ?? 0);
  }

  /** Keys that stay the same keep their counters: a key stream must never be used twice. */
  secure(keys: SrtpKeys | undefined): void {
    this.#send = direction(this.#send, keys?.send);
    const receive = direction(this.#receive, keys?.receive);
    if (receive !== this.#receive) this.#refusedBefore = this.refusedPackets;
    this.#receive = receive;
  }

  sendRtp(bytes: Uint8Array, port: number, address: string): void {
    const sent = this.#send === undefined ? bytes : this.#send.stream.protect(bytes);
    this.#inner.sendRtp(sent, port, address);
  }

  sendRtcp(bytes: Uint8Array, port: number, address: string): void {
    const sent = this.#send === undefined ? bytes : this.#send.stream.protectRtcp(bytes);
    this.#inner.sendRtcp(sent, port, address);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function direction(now: Direction | undefined, key: SrtpKey | undefined): Direction | undefined {
  if (key === undefined) return undefined;
  if (now !== undefined && now.key.suite === key.suite && now.key.master.equals(key.master)) {
    return now;
  }
  return { key, stream: new SrtpStream(key.suite, key.master) };
}
