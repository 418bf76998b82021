import type { SipAddress } from './sip-address.ts';

/** What a transport tells the stack. Called from socket events, never from inside `send`. */
export interface TransportEvents {
  /** One whole message: a datagram, or what a stream's framing cut out. */
  onMessage(bytes: Buffer, source: SipAddress, transport: SipTransport): void;
  /**
   * Something sent there earlier did not arrive: ICMP port unreachable, connection reset. Which
   * message it was is not known.
   */
  onUnreachable(destination: SipAddress, problem: string): void;
  /** A stream whose message borders are lost; it is closed once the answer has left. */
  onBrokenFrame(head: Buffer, source: SipAddress, problem: string, transport: SipTransport): void;
}

/** A listening socket and what belongs to it. Tests put an in-memory network behind it. */
export interface SipTransport {
  /** With the port really bound. */
  readonly local: SipAddress;
  /** No retransmissions needed: timers A, E, G stay off and D, I, J, K are zero (RFC 3261 §17). */
  readonly reliable: boolean;
  /**
   * Never throws. `onFailure` is called at most once and later, when this message cannot be sent.
   * `awaitsReply`: worth watching for ICMP errors, that is, a request.
   */
  send(
    bytes: Buffer,
    destination: SipAddress,
    awaitsReply: boolean,
    onFailure: (problem: string) => void,
  ): void;
  /** Whether a message can leave at once: datagrams always, streams when connected. */
  isConnected(destination: SipAddress): boolean;
  close(): Promise<void>;
}

export type OpenTransport = (address: SipAddress, events: TransportEvents) => Promise<SipTransport>;
