import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { DigestChallenge, DigestCredentials } from './digest.ts';
import type { IncomingCall } from './incoming-call.ts';
import type { SipHeaderField } from './message.ts';
import type { OutgoingCall } from './outgoing-call.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { SipAddress } from './sip-address.ts';
import type { SipStack } from './sip-stack.ts';

export interface UserAgentOptions {
  timers: TimerWheel;
  /** User part of our Contact. Default none. */
  contactUser?: string;
  /** User-Agent and Server header. */
  userAgent?: string;
  /** Methods offered in Allow and accepted in a dialog. */
  allow?: readonly string[];
  /** When set, INVITE and REGISTER outside a dialog must carry credentials. */
  digest?: DigestChallenge;
}

export interface InviteOptions {
  /** Request-URI; To as well. */
  to: string;
  from: string;
  destination?: SipAddress;
  headers?: readonly SipHeaderField[];
  sdp?: string;
  credentials?: DigestCredentials;
}

/** One SIP user agent over a stack: takes over the stack's callbacks. */
export declare class UserAgent {
  constructor(stack: SipStack, options: UserAgentOptions);
  onInvite: (call: IncomingCall) => void;
  /** Default: 200 with Allow, Accept and Supported. */
  onOptions: (transaction: ServerTransaction) => void;
  /** Default: 405. */
  onRegister: (transaction: ServerTransaction) => void;
  readonly calls: number;
  invite(options: InviteOptions): OutgoingCall;
}
