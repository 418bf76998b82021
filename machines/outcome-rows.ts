/**
 * The rows that turn what happened to an attempt into its Result, as data. `row` is the row's
 * number in docs/outcomes.md, so that every outcome can be traced to the rule that gave it.
 */
import type { Result, RetryClass, SubReason } from './result.ts';

/** What somebody should do besides dialing again or not. */
export const ADVICE = [
  'optOutReview', // the called person's network reports an unwanted call: treat as a likely opt-out
  'otherCallerId', // the next attempt should show another number
  'reputationAlert', // the number shown is blocked by analytics
  'suspendAfterFive', // five in a row: stop the trunk's engagements, credentials or credit are wrong
  'permanentAfterTwo', // two in a row: treat the number as invalid
] as const;
export type Advice = (typeof ADVICE)[number];

export interface Outcome {
  readonly row: number;
  readonly result: Result;
  readonly subReason: SubReason | null;
  readonly retryClass: RetryClass;
  readonly advice: readonly Advice[];
}

function row(
  number: number,
  result: Result,
  subReason: SubReason | null,
  retryClass: RetryClass,
  ...advice: Advice[]
): Outcome {
  return Object.freeze({ row: number, result, subReason, retryClass, advice });
}

export const CANCELLED_BEFORE_INVITE = row(1, 'Cancelled', 'cancelled', 'none');
export const RECALLED_BEFORE_INVITE = row(1, 'Cancelled', 'dialer_recall', 'untried');
export const SHUT_DOWN_BEFORE_INVITE = row(1, 'Cancelled', 'shutdown', 'untried');
export const CANCELLED_RINGING = row(2, 'Cancelled', 'cancelled_ringing', 'none');
export const RECALLED_RINGING = row(3, 'NoAnswer', 'dialer_recall', 'noAnswer');
export const SHUT_DOWN_RINGING = row(3, 'NoAnswer', 'shutdown', 'noAnswer');
export const RING_TIMEOUT = row(4, 'NoAnswer', 'ring_timeout', 'noAnswer');

export const LIVE_ANSWER = row(5, 'LiveAnswer', null, 'connected');
export const PREVIEW_ANSWER = row(5, 'CallEnded', null, 'connected');
export const ABANDONED_BY_SYSTEM = row(6, 'LiveAnswer', 'abandoned_by_system', 'failed');
export const ABANDONED_BY_CUSTOMER = row(7, 'Undetermined', 'abandoned_by_customer', 'noAnswer');
export const MACHINE_MESSAGE = row(8, 'AnsweringMachine', null, 'answeringMachine');
export const MACHINE_HANGUP = row(9, 'AnsweringMachineHangup', null, 'answeringMachine');
export const FAX = row(10, 'NotAHandset', 'fax', 'permanent');
export const SIT = row(10, 'NotAHandset', 'sit', 'permanent');
export const NO_SPEECH = row(11, 'Undetermined', 'no_speech', 'noAnswer');
export const NOT_CLASSIFIED = row(11, 'Undetermined', 'not_classified', 'noAnswer');
export const AGENT_FAILED = {
  setup: row(12, 'BotFailed', 'agent_setup', 'failed'),
  media: row(12, 'BotFailed', 'agent_media', 'failed'),
  protocol: row(12, 'BotFailed', 'agent_protocol', 'failed'),
  lost: row(12, 'BotFailed', 'agent_lost', 'failed'),
} as const;

const EARLY_REORDER = row(16, 'CallFailed', 'em_reorder', 'failed');
export const EARLY_MEDIA_ROWS = {
  ringback: undefined,
  other: undefined,
  busy: row(13, 'Busy', 'em_busy', 'busy'),
  sit_vacant: row(14, 'InvalidAddress', 'em_sit', 'permanent'),
  voicemail: row(15, 'AnsweringMachine', 'em_vm', 'answeringMachine'),
  reorder: EARLY_REORDER,
  sit_no_circuit: EARLY_REORDER,
} as const;

const BUSY = row(17, 'Busy', null, 'busy');
export const NO_RESPONSE = row(18, 'NoAnswer', 'no_response', 'noAnswer');
const ABSENT = row(18, 'NoAnswer', 'absent', 'noAnswer');
const UNALLOCATED = row(19, 'InvalidAddress', 'unallocated', 'permanent');
const NUMBER_CHANGED = row(19, 'InvalidAddress', 'number_changed', 'permanent');
const INCOMPLETE = row(19, 'InvalidAddress', 'incomplete', 'permanent');
const AMBIGUOUS = row(19, 'InvalidAddress', 'ambiguous', 'permanent');
const NO_ROUTE = row(20, 'CallFailed', 'no_route', 'failed', 'permanentAfterTwo');
const DECLINED = row(21, 'Busy', 'declined', 'busy');
export const UNWANTED = row(22, 'CallFailed', 'unwanted', 'permanent', 'optOutReview');
export const BLOCKED_BY_ANALYTICS = row(
  23,
  'CallFailed',
  'blocked_by_analytics',
  'failed',
  'otherCallerId',
  'reputationAlert',
);
const FORBIDDEN = row(24, 'CallFailed', 'forbidden', 'none');
const TRUNK_AUTH = row(25, 'Error', 'trunk_auth', 'none', 'suspendAfterFive');
export const MEDIA_INCOMPATIBLE = row(26, 'CallFailed', 'media_incompatible', 'failed');
const NETWORK = row(27, 'CallFailed', 'network', 'failed');
const CONGESTION = row(27, 'CallFailed', 'congestion', 'failed');
const CLEARED = row(28, 'NoAnswer', 'cleared', 'noAnswer');
const REDIRECTED = row(29, 'InvalidAddress', 'redirected', 'permanent');
const SIP_4XX = row(30, 'CallFailed', 'sip_4xx', 'failed');
export const SIP_OTHER = row(31, 'CallFailed', 'sip_other', 'failed');
export const TRUNK_TIMEOUT = row(32, 'CallFailed', 'trunk_timeout', 'failed');
export const SWITCH_LOST = row(32, 'CallFailed', 'switch_lost', 'failed');
export const SWITCH_LOST_BEFORE_INVITE = row(32, 'CallFailed', 'switch_lost', 'untried');
export const SWITCH_LOST_RINGING = row(33, 'Unknown', 'switch_lost', 'failed');
export const RECOVERED = row(33, 'Unknown', 'recovered', 'failed');
export const STALE_FENCE = row(33, 'Unknown', 'stale_fence', 'none');
const CONFIG = row(34, 'Error', 'config', 'none');

/** A dial refused by the gateway: no INVITE left. */
export const REFUSAL_ROWS = {
  STALE_FENCE,
  UNKNOWN_ATTEMPT: CONFIG,
  UNKNOWN_TRUNK: CONFIG,
  TOO_LATE: row(34, 'Expired', 'too_late', 'untried'),
  WRONG_GATEWAY: CONFIG,
  TRUNK_CHANNELS_EXHAUSTED: row(27, 'CallFailed', 'congestion', 'untried'),
  TRUNK_RATE_LIMITED: row(27, 'CallFailed', 'congestion', 'untried'),
  TRUNK_DOWN: row(32, 'CallFailed', 'trunk_down', 'untried'),
  TRUNK_AUTH_FAILED: row(25, 'Error', 'trunk_auth', 'untried'),
  TRUNK_SUSPENDED: row(32, 'CallFailed', 'trunk_down', 'untried'),
  SWITCH_DOWN: SWITCH_LOST_BEFORE_INVITE,
  BAD_STATE: CONFIG,
  INVALID_DESTINATION: CONFIG,
  DESTINATION_REFUSED: row(34, 'Error', 'destination_refused', 'none'),
  // The representative left: nobody was rung, and the contact keeps its try.
  LOBBY_GONE: row(32, 'CallFailed', 'lobby_gone', 'untried'),
} as const;

/**
 * Q.850 causes that decide. A cause not listed (29 facility rejected, 95 invalid message …) names
 * neither the person, the number nor the network, and leaves the decision to the SIP code.
 * `congestion` is what is full now (34, 42, 44, 47), `network` what is broken (27, 38, 41).
 */
export const Q850_ROWS: ReadonlyMap<number, Outcome> = new Map([
  [1, UNALLOCATED],
  [2, NO_ROUTE],
  [3, NO_ROUTE],
  [16, CLEARED],
  [17, BUSY],
  [18, NO_RESPONSE],
  [19, NO_RESPONSE],
  [20, ABSENT],
  [21, DECLINED],
  [22, NUMBER_CHANGED],
  [27, NETWORK],
  [28, INCOMPLETE],
  [31, CLEARED],
  [34, CONGESTION],
  [38, NETWORK],
  [41, NETWORK],
  [42, CONGESTION],
  [44, CONGESTION],
  [47, CONGESTION],
  [57, FORBIDDEN],
  [65, MEDIA_INCOMPATIBLE],
  [79, MEDIA_INCOMPATIBLE],
  [87, FORBIDDEN],
  [88, MEDIA_INCOMPATIBLE],
  [102, SIP_OTHER],
  [111, SIP_OTHER],
  [127, SIP_OTHER],
]);

/** Causes that say no more than "it is over": interworking puts them beside any SIP code. */
export const GENERIC_CAUSES: ReadonlySet<number> = new Set([16, 31, 127]);

/** SIP codes that say more than a generic cause does, and keep their word against it. */
export const CODES_ABOVE_GENERIC_CAUSES: ReadonlySet<number> = new Set([
  404, 410, 484, 486, 600, 603, 604, 607, 608,
]);

export const SIP_ROWS: ReadonlyMap<number, Outcome> = new Map([
  [401, TRUNK_AUTH],
  [402, TRUNK_AUTH],
  [403, FORBIDDEN],
  [404, UNALLOCATED],
  [407, TRUNK_AUTH],
  [408, NO_RESPONSE],
  [410, NUMBER_CHANGED],
  [415, MEDIA_INCOMPATIBLE],
  [416, INCOMPLETE],
  [480, ABSENT],
  [484, INCOMPLETE],
  [485, AMBIGUOUS],
  [486, BUSY],
  [487, CLEARED],
  [488, MEDIA_INCOMPATIBLE],
  [500, NETWORK],
  [502, NETWORK],
  [503, CONGESTION],
  [504, NETWORK],
  [580, NETWORK],
  [600, BUSY],
  [603, DECLINED],
  [604, UNALLOCATED],
  [606, MEDIA_INCOMPATIBLE],
  [607, UNWANTED],
  [608, BLOCKED_BY_ANALYTICS],
]);

/** The row of a final response to an INVITE that was not answered, by its code alone. */
export function sipRowOf(statusCode: number): Outcome {
  const own = SIP_ROWS.get(statusCode);
  if (own !== undefined) return own;
  if (statusCode < 300) return MEDIA_INCOMPATIBLE; // picked up, but no audio could be agreed
  if (statusCode < 400) return REDIRECTED; // usable Contacts were followed by the gateway
  return statusCode < 500 ? SIP_4XX : SIP_OTHER;
}
