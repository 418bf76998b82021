import type { CallEndCause, CallLeg, InDialogReply, InDialogRequestOptions } from './call-leg.ts';
import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';

export type IncomingCallState = 'received' | 'alerting' | 'answered' | 'confirmed' | 'ended';

export declare class IncomingCall implements CallLeg {
  readonly request: SipRequest;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | undefined;
  readonly state: IncomingCallState;
  /** SDP of the INVITE. */
  readonly sdp: string | undefined;
  provisional(
    statusCode: 180 | 181 | 182 | 183,
    options?: { sdp?: string; headers?: readonly SipHeaderField[] },
  ): void;
  /** 200, repeated from T1 to T2 until the ACK; none within 64*T1 → BYE and onEnded('ackTimeout'). */
  answer(options: { sdp?: string; headers?: readonly SipHeaderField[] }): void;
  reject(statusCode: number, reason?: string, headers?: readonly SipHeaderField[]): void;
  sendRequest(method: string, options?: InDialogRequestOptions): Promise<SipResponse>;
  bye(headers?: readonly SipHeaderField[]): void;
  /** 487 is sent by the call itself after this returns; onEnded('cancelled') follows. */
  onCancel: (cancel: SipRequest) => void;
  onAck: (sdp: string | undefined) => void;
  onBye: (request: SipRequest) => void;
  onInfo: (request: SipRequest) => InDialogReply | undefined;
  onReinvite: (sdp: string | undefined, request: SipRequest) => string | InDialogReply | undefined;
  onOther: (request: SipRequest) => InDialogReply | undefined;
  onEnded: (cause: CallEndCause) => void;
}
