/** Times, pauses and closed lists, as people read them. */
import type { FinishReason, PostponeReason } from '../eligibility/eligibility.ts';
import type { CallOrder } from '../engagements/engagement-config.schema.ts';
import type { Warning } from '../../machines/attempt-result.ts';
import type { Advice } from '../../machines/outcome-rows.ts';
import type { Result, SubReason } from '../../machines/result.ts';
import type { CancelReason } from '../../machines/telephony-commands.ts';

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

/** `4 hours`, `1 minute 30 seconds`, `1.5 seconds`, `250 ms`: two units at most. */
export function pauseInWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) {
    const seconds = Math.floor(ms / 100) / 10;
    return `${seconds} second${seconds === 1 ? '' : 's'}`;
  }
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
  not_accepted: 'no representative to whom it was shown started the call',
  not_as_shown: 'the number that a representative was shown could not be called any more',
};

export const FINISHED: Readonly<Record<FinishReason, string>> = {
  engagement_inactive: 'the engagement is inactive',
  cancelled: 'it was cancelled on request',
  quarantined: 'it was put in quarantine',
  window_over: 'its last window had passed',
  expires_before_next_start: 'its last window ends before the next call could start',
  number_invalid: 'its number is not valid',
  opted_out: 'every number left has opted out',
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
  'ranked with new deliveries',
  'a retry, behind new deliveries',
] as const;

export const RESULT_MEANING: Readonly<Record<Result, string>> = {
  LiveAnswer: 'the call was answered, and connected to somebody who speaks',
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

/** Every reason has its words: none is told by its code alone. */
export const SUB_REASON_MEANING: Readonly<Record<SubReason, string>> = {
  cancelled: 'on request, before it had left',
  cancelled_ringing: 'on request, while the phone was ringing',
  dialer_recall: 'it was taken back before anybody answered',
  shutdown: 'the service was being stopped',
  ring_timeout: 'it rang until our own time limit',
  abandoned_by_system: 'nobody was there for the person in time',
  abandoned_by_customer: 'they hung up before anybody spoke to them',
  not_classified: 'who or what had answered was not found out',
  no_speech: 'nothing was heard that could be told apart',
  fax: 'a fax machine answered',
  sit: 'the network’s tones for an announcement were heard',
  agent_setup: 'the AI agent did not take the call',
  agent_media: 'the AI agent could not be heard',
  agent_protocol: 'the AI agent broke the rules of the connection',
  agent_lost: 'the AI agent broke off',
  em_busy: 'a busy tone was heard',
  em_sit: 'the network’s tones for an announcement were heard before any answer',
  em_vm: 'a mailbox’s greeting was heard before any answer',
  em_reorder: 'the network’s tone for a failed call was heard',
  no_response: 'the phone did not react',
  absent: 'the phone was switched off or out of reach',
  unallocated: 'the network says that the number is not in service',
  number_changed: 'the network says that the number has changed',
  incomplete: 'the number has too few or too many digits for the network',
  ambiguous: 'the network finds more than one called side',
  no_route: 'the network knows no way to the number',
  declined: 'the call was declined',
  unwanted: 'the called side reports the call as unwanted',
  blocked_by_analytics: 'a network’s call analytics blocked it',
  forbidden: 'the network does not permit it',
  trunk_auth: 'the trunk does not accept our credentials',
  media_incompatible: 'the two sides have no audio format in common',
  network: 'the network reports a fault of its own',
  congestion: 'the network, or our trunk, had no room for it',
  cleared: 'the network ended it without an answer',
  redirected: 'the network pointed elsewhere, and that is not followed',
  sip_4xx: 'the network refused it',
  sip_other: 'the network reports a failure',
  trunk_timeout: 'the trunk did not answer',
  trunk_down: 'the trunk was known to be down, and no call was tried',
  switch_lost: 'our own switch was lost during the call',
  lobby_gone: 'the representative had left before the call was placed',
  recovered: 'a process of ours died or the gateway was silent during the call',
  stale_fence: 'another process of ours had taken it over',
  too_late: 'it could not leave in time',
  config: 'the configuration or the data do not allow it',
  destination_refused: 'a rule forbids the number: emergency, premium, satellite or denied',
  opted_out: 'the person asked not to be called',
};

/** What people are to do about it. */
export const ADVICE_MEANING: Readonly<Record<Advice, string>> = {
  optOutReview:
    'find out whether this person wants no more calls, and treat it as an opt-out until then',
  otherCallerId: 'have the next call show another number',
  reputationAlert: 'clear the number shown, which call analytics block',
  suspendAfterFive:
    'check the trunk’s credentials and credit; after five in a row its engagements are to be suspended',
  permanentAfterTwo: 'take the number as one that cannot be reached, if it happens twice in a row',
};

/** What whoever relies on the Result should know. */
export const WARNING_MEANING: Readonly<Record<Warning, string>> = {
  answered_late: 'they picked up in the moment in which we gave up, and were hung up on',
  final_crossed_cancel:
    'the called side had answered with a failure in the moment in which we gave up',
  causes_disagree: 'the network gave several causes that do not agree',
  prompt_failed: 'a prompt was missing or could not be played',
  no_end_record: 'no account of the end reached us; the Result is what is certain without one',
};

/** Why we gave an unanswered call up. */
export const CANCEL_MEANING: Readonly<Record<CancelReason, string>> = {
  ring_timeout: 'it had rung until our own time limit',
  early_media: 'what was heard before the answer said that nobody would answer',
  setup_timeout: 'there was no sign of ringing in time',
  dialer_recall: 'it was taken back by pacing',
  cancelled: 'its cancellation was asked for',
  shutdown: 'the service was being stopped',
  in_doubt: 'the gateway had been silent for too long',
};

/** Who asked for a call. */
export const SOURCE_MEANING: Readonly<Record<string, string>> = {
  file: 'by a contact list',
  api: 'over the API',
  mcp: 'over MCP',
  journey: 'by a journey',
};
