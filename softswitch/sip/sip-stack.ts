import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { ClientHandlers, ClientTransaction } from './client-transaction.ts';
import type { SipRequest, SipResponse } from './message.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { SipAddress } from './sip-address.ts';
import type { SipTimerSettings } from './sip-timers.ts';

export interface SipStackOptions {
  timers: TimerWheel;
  /** Addresses to listen on; port 0 = any free one. Listing UDP and TCP with port 0 gives both the same port. */
  listen: readonly SipAddress[];
  /** Host for Via and Contact when listening on a wildcard address. Default: the first outer address. */
  advertisedHost?: string;
  settings?: Partial<SipTimerSettings>;
  /** Requests longer than this go over TCP if the peer accepts a connection (RFC 3261 §18.1.1). Default 1300. */
  udpRequestBytesMax?: number;
  /** Sees every message as it comes and goes, for logs and tests. */
  trace?: (event: SipTraceEvent) => void;
}

export interface SipTraceEvent {
  readonly direction: 'received' | 'sent';
  readonly peer: SipAddress;
  readonly bytes: Buffer;
}

export interface SipStackCounters {
  requestsReceived: number;
  responsesReceived: number;
  requestsSent: number;
  responsesSent: number;
  retransmissionsReceived: number;
  retransmissionsSent: number;
  /** Messages that did not parse; those answered with 400 or 505 included. */
  malformed: number;
  strayResponses: number;
  timeouts: number;
  transportErrors: number;
}

/** Transports and transactions of RFC 3261 §17, §18 with RFC 6026 and RFC 3581. */
export declare class SipStack {
  static open(options: SipStackOptions): Promise<SipStack>;
  readonly listening: readonly SipAddress[];
  /** All new requests except ACK and CANCEL; an unmatched CANCEL is answered 481 by the stack. */
  onRequest: (transaction: ServerTransaction) => void;
  /** ACK to a 2xx. */
  onAck: (ack: SipRequest, source: SipAddress) => void;
  /** A response no transaction waits for, such as a 2xx after the transaction ended. */
  onStrayResponse: (response: SipResponse, source: SipAddress) => void;
  /**
   * Adds Via (with rport) and Max-Forwards, and starts the transaction. Next hop: `destination`,
   * else the first Route, else the Request-URI.
   */
  send(
    request: SipRequest,
    options: { destination?: SipAddress },
    handlers: ClientHandlers,
  ): ClientTransaction;
  /** ACK to a 2xx: outside any transaction, a branch of its own. Returns the bytes sent. */
  sendAck(ack: SipRequest, destination?: SipAddress): Buffer;
  /** Where a peer at `destination` reaches us over that protocol: for Contact. */
  contactAddress(destination: SipAddress): SipAddress;
  readonly counters: SipStackCounters;
  close(): Promise<void>;
}
