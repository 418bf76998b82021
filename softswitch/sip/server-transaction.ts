import { headerOf, setHeader, type SipRequest, type SipResponse } from './message.ts';
import { tagOf, withTag } from './name-addr.ts';
import type { SipAddress } from './sip-address.ts';
import { newTag } from './sip-ids.ts';

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

/**
 * Our tag in To: the request's own when it came inside a dialog, else that of the first response
 * that brings one, else a fresh one. All responses of a transaction share it (RFC 3261 §8.2.6.2).
 */
export class LocalTag {
  #value: string | undefined;

  constructor(request: SipRequest) {
    this.#value = tagOf(headerOf(request, 'To'));
  }

  get value(): string {
    this.#value ??= newTag();
    return this.#value;
  }

  stamp(response: SipResponse): void {
    const to = headerOf(response, 'To') ?? '';
    const tag = tagOf(to);
    if (tag === undefined) setHeader(response, 'To', withTag(to, this.value));
    else this.#value ??= tag;
  }
}
