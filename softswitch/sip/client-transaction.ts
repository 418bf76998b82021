import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';
import type { SipAddress } from './sip-address.ts';

export interface ResponseOrigin {
  /** 'stack': nobody sent it. 408 = timer B or F ran out, 503 = the transport failed (RFC 3261 §8.1.3.1). */
  readonly source: 'network' | 'stack';
  readonly address?: SipAddress;
  /** Of a 503 of the stack: `ECONNREFUSED`, `ENOTFOUND` ... */
  readonly problem?: string;
}

export interface ClientHandlers {
  /**
   * Every provisional (100 too) and final response, retransmissions left out; for an INVITE every
   * 2xx, repeated and forked ones included, because each wants an ACK (RFC 3261 §13.2.2.4).
   */
  onResponse(response: SipResponse, from: ResponseOrigin): void;
  onTerminated?(): void;
}

export interface ClientTransaction {
  /** The branch of our Via. */
  readonly id: string;
  readonly request: SipRequest;
  readonly destination: SipAddress;
  /** The request as it last left, or would have left. */
  readonly bytesSent: Buffer;
  readonly state: string;
  /**
   * INVITE only. CANCEL waits for a provisional response (RFC 3261 §9.1) and is dropped when a final
   * one comes first; its own response is swallowed; a 2xx that crosses it goes to onResponse.
   */
  cancel(headers?: readonly SipHeaderField[]): void;
}
