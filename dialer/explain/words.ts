/** Times, pauses and closed lists, as people read them. */
import type { FinishReason, PostponeReason } from '../eligibility/eligibility.ts';
import type { CallOrder } from '../engagements/engagement-config.schema.ts';
import type { Result, SubReason } from '../../machines/result.ts';

/** `2026-03-02 15:00:00.250 UTC`; with a zone, its wall clock beside it. */
export function timeInWords(atMs: number, timeZone: string | null = null): string {
  const utc = `${new Date(atMs).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
  const local = timeZone === null ? undefined : wallClock(atMs, timeZone);
  return local === undefined ? utc : `${utc} (${local} in ${timeZone ?? ''})`;
}

/** Undefined when the contact's zone is not one that can be computed with. */
function wallClock(atMs: number, timeZone: string): string | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-GB', {
      ...{ timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit' },
    });
    return format.format(atMs);
  } catch {
    return undefined;
  }
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** `4 hours`, `1 minute 30 seconds`, `250 ms`: two units at most. */
export function pauseInWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const parts: string[] = [];
  let left = ms;
  for (const [name, unitMs] of UNITS) {
    const count = Math.floor(left / unitMs);
    if (count === 0) continue;
    parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
    left -= count * unitMs;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

export const POSTPONED: Readonly<Record<PostponeReason, string>> = {
  engagement_suspended: 'the engagement was suspended',
  window_not_open: 'its window was not open yet',
  number_in_flight: 'the number was being called already, by this or another engagement',
  number_gap: 'the number had been called too short a time before',
  queue_closed: 'the queue was closed',
  reattempt_wait: 'the pause before the next number or loop was not over',
  no_capacity: 'there was no free place for a call',
};

export const FINISHED: Readonly<Record<FinishReason, string>> = {
  engagement_inactive: 'the engagement is inactive',
  cancelled: 'it was cancelled on request',
  quarantined: 'it was put in quarantine',
  window_over: 'its last window had passed',
  expires_before_next_start: 'its last window ends before the next call could start',
  number_invalid: 'its number is not valid',
  chain_exhausted: 'no number is left to be called',
  customer_reached: 'the call was answered',
  no_number: 'the contact has no number that this engagement may call',
};

export const ORDERS: Readonly<Record<CallOrder, string>> = {
  earliestScheduledDate: 'the task whose window ends first goes first',
  firstInFirstOut: 'the oldest task goes first',
  lastInFirstOut: 'the newest task goes first',
  customAscending: 'the task with the smallest priority value goes first',
  customDescending: 'the task with the largest priority value goes first',
};

export const RETRY_CLASSES_IN_WORDS = [
  'a retry, before new deliveries',
  'among new deliveries',
  'a retry, behind new deliveries',
] as const;

export const RESULT_MEANING: Readonly<Record<Result, string>> = {
  LiveAnswer: 'a person answered and was connected',
  AnsweringMachine: 'a machine answered, and the message was left',
  AnsweringMachineHangup: 'a machine answered; the call was ended without a message',
  Undetermined: 'the call was answered, and no conversation took place',
  NotAHandset: 'a fax or an announcement answered, no person and no machine',
  BotFailed: 'the call was answered, and the AI agent failed',
  CallEnded: 'the person’s phone was picked up',
  Busy: 'the line was busy, or the call was declined',
  NoAnswer: 'nobody answered',
  InvalidAddress: 'there is no such number',
  CallFailed: 'the call failed on the way',
  Terminated: 'no representative was available before the window ended',
  Unknown: 'a call may have been made, and nobody knows how it ended',
  Cancelled: 'it was withdrawn',
  Expired: 'it was too late',
  Error: 'it could not be carried out as it was set up',
};

export const SUB_REASON_MEANING: Readonly<Partial<Record<SubReason, string>>> = {
  abandoned_by_system: 'nobody was there for the person in time',
  abandoned_by_customer: 'they hung up before anybody spoke to them',
  declined: 'the call was declined',
  ring_timeout: 'it rang until our own time limit',
  unwanted: 'the called side reports the call as unwanted',
  blocked_by_analytics: 'a network’s call analytics blocked it',
  recovered: 'a process of ours died or the gateway was silent during the call',
  trunk_timeout: 'the trunk did not answer',
  trunk_down: 'the trunk was known to be down, and no call was tried',
  config: 'the configuration or the data do not allow it',
  too_late: 'it could not leave in time',
  shutdown: 'the service was being stopped',
  dialer_recall: 'it was taken back before it left',
};
