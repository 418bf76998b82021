import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';

export type CallEndCause =
  | 'byeReceived'
  | 'byeSent'
  | 'cancelled' // CANCEL received or sent before the answer
  | 'rejected' // non-2xx final response, sent or received
  | 'ackTimeout' // our 2xx was never acknowledged: BYE was sent
  | 'peerLost'; // an in-dialog request got 408 or 481, or the transport failed

export interface InDialogReply {
  statusCode: number;
  reason?: string;
  headers?: readonly SipHeaderField[];
  body?: Buffer | string;
  contentType?: string;
}

export interface InDialogRequestOptions {
  headers?: readonly SipHeaderField[];
  sdp?: string;
  body?: Buffer | string;
  contentType?: string;
}

/** What an incoming and an outgoing call have in common once there is a dialog. */
export interface CallLeg {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | undefined;
  /**
   * In-dialog request: INVITE (re-INVITE, glare handled), UPDATE, INFO, BYE, OPTIONS ... Resolves with
   * the final response; one the stack made up (408, 503) resolves too. Rejects never.
   */
  sendRequest(method: string, options?: InDialogRequestOptions): Promise<SipResponse>;
  bye(headers?: readonly SipHeaderField[]): void;
  /** ACK to our 2xx, of INVITE and re-INVITE alike; `sdp` is the answer when our 2xx carried the offer. */
  onAck: (sdp: string | undefined) => void;
  onBye: (request: SipRequest) => void;
  onInfo: (request: SipRequest) => InDialogReply | undefined;
  /** Re-INVITE (and UPDATE with SDP): returns our SDP; a reply object to refuse, undefined = 488. */
  onReinvite: (sdp: string | undefined, request: SipRequest) => string | InDialogReply | undefined;
  /** Any other in-dialog method; default 405. */
  onOther: (request: SipRequest) => InDialogReply | undefined;
  /** Exactly once. */
  onEnded: (cause: CallEndCause) => void;
}
