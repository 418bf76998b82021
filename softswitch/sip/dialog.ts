import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';

/** RFC 3261 §12. */
export declare class Dialog {
  /** From our request and a 101..2xx response with a To tag. */
  static fromUac(request: SipRequest, response: SipResponse): Dialog;
  /** From the request received and the response we send (its To carries our tag). */
  static fromUas(request: SipRequest, response: SipResponse): Dialog;
  /** From a 2xx alone, for an answer whose request is forgotten: enough for ACK and BYE. */
  static fromStrayAnswer(response: SipResponse): Dialog;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From or To value as we write it, tag included. */
  readonly localParty: string;
  readonly remoteParty: string;
  readonly routeSet: readonly string[];
  /** URI of the peer's Contact; target refreshes (re-INVITE, UPDATE) change it. */
  remoteTarget: string;
  localCSeq: number;
  remoteCSeq: number | undefined;
  /** `callId;localTag;remoteTag` */
  readonly id: string;
  /** The key a received request belongs to: Call-ID, our tag in To, the peer's in From. */
  static idOfRequest(request: SipRequest): string | undefined;
  /** Next CSeq, Route set applied (§12.2.1.1). Contact is the caller's to add. */
  createRequest(
    method: string,
    options?: { headers?: readonly SipHeaderField[]; body?: Buffer | string; contentType?: string },
  ): SipRequest;
  /** ACK to a 2xx of the INVITE with that CSeq number. */
  createAck(
    inviteCSeq: number,
    options?: { headers?: readonly SipHeaderField[]; body?: Buffer | string; contentType?: string },
  ): SipRequest;
  /** False when the CSeq went backwards: answer 500 (§12.2.2). Records it otherwise. */
  acceptRemoteCSeq(request: SipRequest): boolean;
  /** Takes the Contact of a target refresh request or its 2xx. */
  refreshTarget(message: SipRequest | SipResponse): void;
}
