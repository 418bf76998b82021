import type { CallEndCause, CallLeg, InDialogReply, InDialogRequestOptions } from './call-leg.ts';
import type { ResponseOrigin } from './client-transaction.ts';
import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';

export type OutgoingCallState = 'calling' | 'alerting' | 'confirmed' | 'ended';

export declare class OutgoingCall implements CallLeg {
  /** The INVITE as last sent (digest retries have a higher CSeq). */
  readonly request: SipRequest;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | undefined;
  readonly state: OutgoingCallState;
  /** 101..199, with SDP when it has early media. */
  onProvisional: (response: SipResponse, sdp: string | undefined) => void;
  /** First 2xx. Returns the SDP answer for the ACK when the INVITE carried none. */
  onAnswer: (response: SipResponse, sdp: string | undefined) => string | undefined;
  /** Final failure, after digest retries; onEnded('rejected' or 'cancelled') follows. */
  onRejected: (response: SipResponse, from: ResponseOrigin) => void;
  cancel(headers?: readonly SipHeaderField[]): void;
  sendRequest(method: string, options?: InDialogRequestOptions): Promise<SipResponse>;
  bye(headers?: readonly SipHeaderField[]): void;
  onAck: (sdp: string | undefined) => void;
  onBye: (request: SipRequest) => void;
  onInfo: (request: SipRequest) => InDialogReply | undefined;
  onReinvite: (sdp: string | undefined, request: SipRequest) => string | InDialogReply | undefined;
  onOther: (request: SipRequest) => InDialogReply | undefined;
  onEnded: (cause: CallEndCause) => void;
}
