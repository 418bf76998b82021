import type { SipRequest, SipResponse } from './message.ts';
import type { SipAddress } from './sip-address.ts';

export interface ServerTransaction {
  readonly id: string;
  readonly request: SipRequest;
  readonly source: SipAddress;
  /** The listening address it came in at. */
  readonly local: SipAddress;
  readonly state: string;
  /** The tag put on To of every response above 100 that has none (RFC 3261 §8.2.6.2). */
  readonly localTag: string;
  /** Sends and, where the RFC says so, repeats it. Returns the bytes sent; empty once a final one is out. */
  respond(response: SipResponse): Buffer;
  /** The stack has answered the CANCEL with 200. Without a handler it answers the INVITE with 487. */
  onCancel: ((cancel: SipRequest) => void) | undefined;
  /** ACK to a non-2xx final response; undefined where the transport makes waiting for it moot. */
  onAck: ((ack: SipRequest | undefined) => void) | undefined;
  /** Timer H: the final response was never acknowledged. */
  onTimeout: (() => void) | undefined;
}
