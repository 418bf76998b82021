/** What the parts of the control server share: one of each per switch. */
import type { SipStack } from '../sip/sip-stack.ts';
import type { SipAddress } from '../sip/sip-address.ts';
import type { SipTimerSettings } from '../sip/sip-timers.ts';
import type { UnwantedAnswers } from '../sip/unwanted-answers.ts';
import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { CallRecords } from './call-records.ts';
import type { ClientRouter } from './client-router.ts';
import type { ControlSession } from './control-session.ts';
import type { DialogRecord, DialogTable } from './dialog-table.ts';

export interface SwitchContext {
  readonly stack: SipStack;
  readonly timers: TimerWheel;
  readonly timing: SipTimerSettings;
  readonly dialogs: DialogTable;
  readonly router: ClientRouter<ControlSession>;
  readonly records: CallRecords;
  /** Answers that must be acknowledged and hung up: other forks', and those nobody is left for. */
  readonly unwanted: UnwantedAnswers;
}

/** RFC 3261 table 4: timers B, F and H, and how long a 2xx may still be repeated. */
export function transactionTimeoutMs(timing: SipTimerSettings): number {
  return 64 * timing.t1Ms;
}

/** The client to tell about a dialog: its own while connected, else one sharing a tag, else nobody. */
export function clientOf(context: SwitchContext, dialog: DialogRecord): ControlSession | undefined {
  if (context.router.isConnected(dialog.client)) return dialog.client;
  const heir = context.router.successorOf(dialog.client);
  if (heir !== undefined) dialog.client = heir;
  return heir;
}

/** Options of `SipStack.send`: no destination means route set and Request-URI decide. */
export function hopOf(destination: SipAddress | undefined): { destination?: SipAddress } {
  return destination === undefined ? {} : { destination };
}
