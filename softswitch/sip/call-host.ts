import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { CallLeg } from './call-leg.ts';
import type { SipHeaderField } from './message.ts';
import type { SessionTimerOptions } from './session-timer.ts';
import type { SipAddress } from './sip-address.ts';
import type { SipStack } from './sip-stack.ts';
import type { UnwantedAnswers } from './unwanted-answers.ts';

/** What a user agent offers its calls. */
export interface CallHost {
  readonly stack: SipStack;
  readonly timers: TimerWheel;
  readonly unwantedAnswers: UnwantedAnswers;
  /** Allow, and User-Agent when there is one; on requests. */
  readonly requestHeaders: readonly SipHeaderField[];
  /** Allow, and Server when there is a product name; on 2xx responses. */
  readonly responseHeaders: readonly SipHeaderField[];
  /** Option tags of extensions we understand. */
  readonly supported: readonly string[];
  /** Undefined: no session timers. */
  readonly sessionTimer: SessionTimerOptions | undefined;
  /** Our Contact as `peer` reaches it. */
  contactFor(peer: SipAddress): SipHeaderField;
  /** Requests with this dialog id go to the leg from now on. */
  dialogOpened(id: string, leg: CallLeg): void;
  /** The leg is over: its dialogs are forgotten. */
  legEnded(leg: CallLeg): void;
}
