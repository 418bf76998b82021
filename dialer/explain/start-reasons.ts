/** Why a call was allowed, and why at that moment: read from the entry that its claim wrote. */
import type { StartFacts } from '../tasks/claim-starts.ts';
import type { Reason } from './account.ts';
import type { History, LoggedEvent } from './read-history.ts';
import { ORDERS, pauseInWords, RETRY_CLASSES_IN_WORDS, timeInWords } from './words.ts';

/** As written by the claim. An entry of an earlier release may lack what came later. */
type ClaimedPayload = Partial<
  StartFacts & {
    readonly attemptId: string;
    readonly phoneType: string;
    readonly loop: number;
    readonly seqNo: number;
    readonly windowStartMs: number;
    readonly windowEndMs: number;
    readonly callOrder: keyof typeof ORDERS;
    readonly retryClass: number;
    readonly priority: number;
    readonly dialMode: string;
    readonly fence: number;
  }
>;

/** Who signs an account must see what it does not say. */
export const NOT_EXAMINED: readonly string[] = [
  'consent for a purpose, unless a journey asked for the call',
  'quiet times where the person is, other than by the windows of the request',
  'limits on how often a person is called, other than the pause above, unless a journey asked for the call',
];

export function claimOf({ taskEvents, attempt }: History): LoggedEvent | undefined {
  return taskEvents.find(
    ({ type, payload }) => type === 'attempt.claimed' && payload['attemptId'] === attempt?.id,
  );
}

export function startReasons(history: History, claim: LoggedEvent): Reason[] {
  const facts = claim.payload as ClaimedPayload;
  const { engagement, contact } = history;
  return [
    {
      rule: 'The engagement runs',
      fact: `“${engagement.name}” was running (${facts.dialMode ?? engagement.dial_mode} mode).`,
    },
    ...windowReason(facts, contact?.time_zone ?? null),
    ...queueReason(facts),
    ...listReason(facts),
    ...numberReasons(facts, claim.atMs),
    ...placeReason(facts),
    ...turnReason(facts),
  ];
}

function windowReason(
  { windowStartMs, windowEndMs }: ClaimedPayload,
  timeZone: string | null,
): Reason[] {
  if (windowStartMs === undefined || windowEndMs === undefined) return [];
  const fact = `Open from ${timeInWords(windowStartMs, timeZone)} to ${timeInWords(windowEndMs, timeZone)}.`;
  return [{ rule: 'Inside a window of the request', fact }];
}

const QUEUE_FACTS = {
  open: 'The queue was open.',
  ignored: 'The queue was closed, and this engagement is set to dial outside its hours.',
  closed: 'The queue was closed.',
} as const;

function queueReason({ queue }: ClaimedPayload): Reason[] {
  return queue === undefined ? [] : [{ rule: 'Queue hours', fact: QUEUE_FACTS[queue] }];
}

function listReason({ isOptedOut }: ClaimedPayload): Reason[] {
  if (isOptedOut === undefined) return [];
  const fact = 'The list was looked at in the same step, and the number was not on it.';
  return [{ rule: 'Not on the do-not-call list', fact }];
}

function numberReasons(facts: ClaimedPayload, atMs: number): Reason[] {
  const { previousAttemptAtMs, numberGapMinMs } = facts;
  if (previousAttemptAtMs === undefined || numberGapMinMs === undefined) return [];
  const gap = pauseInWords(numberGapMinMs);
  const last =
    previousAttemptAtMs === null
      ? 'No earlier call to it is on record.'
      : `It was last called ${pauseInWords(atMs - previousAttemptAtMs)} before, at ${timeInWords(previousAttemptAtMs)}.`;
  return [
    {
      rule: 'One call to a number at a time',
      fact: 'No call to this number was in flight from any engagement; it was taken for this call in the same step.',
    },
    { rule: `At least ${gap} between two calls to a number`, fact: last },
  ];
}

function placeReason({ inFlight, inFlightMax }: ClaimedPayload): Reason[] {
  if (inFlight === undefined || inFlightMax === undefined) return [];
  const fact = `${inFlight} of at most ${inFlightMax} calls of the engagement were in flight.`;
  return [{ rule: 'A free place', fact }];
}

function turnReason({ callOrder, retryClass, loop, seqNo, phoneType }: ClaimedPayload): Reason[] {
  if (callOrder === undefined || retryClass === undefined) return [];
  const number = phoneType === undefined ? '' : `, to the ${phoneType} number`;
  const which = `call ${seqNo ?? 1} of the task${number}, in loop ${loop ?? 1}`;
  const turn = RETRY_CLASSES_IN_WORDS[retryClass] ?? RETRY_CLASSES_IN_WORDS[1];
  return [{ rule: `Its turn: ${ORDERS[callOrder]}`, fact: `It was ${which}: ${turn}.` }];
}
