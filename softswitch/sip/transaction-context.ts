import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { SipTimerSettings } from './sip-timers.ts';
import type { SipStackCounters } from './stack-counters.ts';

/** What every transaction gets from its stack. */
export interface TransactionContext {
  readonly timers: TimerWheel;
  readonly settings: SipTimerSettings;
  readonly counters: SipStackCounters;
}
