/** The system's outcome of a delivery: closed lists, as data. The names are stored verbatim. */

export const RESULTS = [
  'LiveAnswer', // answered, and interacted with the AI agent or was bridged to a representative
  'AnsweringMachine', // machine; the message was left
  'AnsweringMachineHangup', // machine; hung up without a message
  'Undetermined', // answered, but no interaction took place
  'NotAHandset', // fax or SIT: neither person nor machine
  'BotFailed', // the AI agent failed to start or broke during the call
  'CallEnded', // preview mode: the customer's phone went off-hook
  'Busy',
  'NoAnswer',
  'InvalidAddress', // no such number
  'CallFailed', // failed for another reason, or without any diagnostics
  'Terminated', // preview mode: no representative accepted before the window ended
  'Unknown', // tried, but too little is known because of an error
  'Cancelled', // not attempted, or withdrawn, on request
  'Expired', // not attempted: too late
  'Error', // not attempted: bad configuration or data
] as const;
export type Result = (typeof RESULTS)[number];

/** Finer than the Result; for people and reports. No rule but those here may depend on one. */
export const SUB_REASONS = [
  'cancelled', // no INVITE had left
  'cancelled_ringing', // after the INVITE
  'dialer_recall', // pacing withdrew it
  'shutdown', // withdrawn because a process was stopping
  'ring_timeout', // rang until our timer
  'abandoned_by_system', // a person answered, and nobody was there in time
  'abandoned_by_customer', // hung up before anything engaged them
  'not_classified', // answered, no verdict, not hung up by the customer
  'no_speech', // answered; silence, or nothing that could be told apart
  'fax',
  'sit',
  'agent_setup',
  'agent_media',
  'agent_protocol',
  'agent_lost',
  'em_busy', // em_: heard before the answer, in early media
  'em_sit',
  'em_vm',
  'em_reorder',
  'no_response', // nobody reacted: Q.850 18, 19, or 408
  'absent', // not registered or switched off: Q.850 20, or 480
  'unallocated',
  'number_changed',
  'incomplete', // too short, too long or malformed for the network
  'ambiguous',
  'no_route',
  'declined',
  'unwanted',
  'blocked_by_analytics',
  'forbidden',
  'trunk_auth',
  'media_incompatible',
  'network',
  'congestion',
  'cleared', // cleared without an answer and not by us
  'redirected',
  'sip_4xx',
  'sip_other',
  'trunk_timeout', // no SIP response, or no transport
  'trunk_down', // known to be down: no INVITE was tried
  'switch_lost', // our own drachtio or FreeSWITCH went away
  'lobby_gone', // the representative's leg ended before the INVITE
  'recovered', // after a crash or silence: an INVITE may have left, no record of the end
  'stale_fence', // another owner works this attempt
  'too_late', // notAfterMs had passed
  'config',
  'destination_refused', // a rule forbids the number: no INVITE was tried
  'opted_out', // the person asked not to be called: no INVITE was tried
] as const;
export type SubReason = (typeof SUB_REASONS)[number];

/** What the outcome means for dialing again. Whether it is done is the engagement's choice. */
export const RETRY_CLASSES = [
  'connected', // reached: only a disposition code can ask for more
  'noAnswer', // the four that an engagement can select as reasons for a reattempt
  'busy',
  'failed',
  'answeringMachine',
  'permanent', // never dial this number again
  'none', // not again for this task
  'untried', // no INVITE left: due again at once, no attempt is used up
] as const;
export type RetryClass = (typeof RETRY_CLASSES)[number];

export const REPORT_CATEGORIES = [
  'Connected',
  'Connected, no engagement',
  'Abandoned',
  'Answering machine',
  'Busy',
  'No answer',
  'Failed',
  'Failed (config)',
  'Invalid number',
  'Expired',
  'Cancelled',
] as const;
export type ReportCategory = (typeof REPORT_CATEGORIES)[number];

const CATEGORY_OF: Readonly<Record<Result, ReportCategory>> = {
  LiveAnswer: 'Connected',
  CallEnded: 'Connected',
  Undetermined: 'Connected, no engagement',
  AnsweringMachine: 'Answering machine',
  AnsweringMachineHangup: 'Answering machine',
  Busy: 'Busy',
  NoAnswer: 'No answer',
  CallFailed: 'Failed',
  BotFailed: 'Failed',
  Unknown: 'Failed',
  InvalidAddress: 'Invalid number',
  NotAHandset: 'Invalid number',
  Terminated: 'Expired',
  Expired: 'Expired',
  Cancelled: 'Cancelled',
  Error: 'Failed (config)',
};

/** The line of a report on which an outcome is counted. Abandoned: by either side. */
export function reportCategoryOf(result: Result, subReason: SubReason | null): ReportCategory {
  const abandoned = subReason === 'abandoned_by_system' || subReason === 'abandoned_by_customer';
  return abandoned ? 'Abandoned' : CATEGORY_OF[result];
}

/** Results of an attempt that was answered: the called side went off-hook. */
export const OFF_HOOK_RESULTS: ReadonlySet<Result> = new Set<Result>([
  'LiveAnswer',
  'AnsweringMachine',
  'AnsweringMachineHangup',
  'Undetermined',
  'NotAHandset',
  'BotFailed',
  'CallEnded',
]);

/** Results that preview dialing never gives: a person dials and listens, so nothing is detected. */
export const NOT_IN_PREVIEW: ReadonlySet<Result> = new Set<Result>([
  'AnsweringMachine',
  'AnsweringMachineHangup',
  'NotAHandset',
]);
