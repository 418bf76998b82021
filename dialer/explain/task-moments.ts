/** What happened to a task, entry by entry, in words. */
import type { FinishReason, PostponeReason } from '../eligibility/eligibility.ts';
import type { Moment } from './account.ts';
import type { LoggedEvent } from './read-history.ts';
import { FINISHED, POSTPONED, pauseInWords, SOURCE_MEANING, timeInWords } from './words.ts';

export function taskMoments(events: readonly LoggedEvent[]): Moment[] {
  return events.flatMap((event) => {
    const text = inWords(event);
    return text === undefined ? [] : [{ atMs: event.atMs, text }];
  });
}

/** When the engagement was suspended and resumed; and that it was suspended already, if it was. */
export function suspensionMoments(
  engagementEvents: readonly LoggedEvent[],
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Moment[] {
  const all = engagementEvents.filter(
    ({ type }) => type === 'engagement.suspended' || type === 'engagement.resumed',
  );
  const standing = all.findLast(({ atMs }) => atMs < fromMs);
  const during = all.filter(({ atMs }) => atMs >= fromMs && atMs <= untilMs);
  return [...(standing?.type === 'engagement.suspended' ? [standing] : []), ...during].map(
    ({ type, atMs, actor, payload }) => ({
      atMs,
      text:
        type === 'engagement.resumed'
          ? `The engagement was resumed by ${actor}.`
          : `The engagement was suspended by ${actor}${because(payload, 'reason')}. Nothing of it starts until it is resumed.`,
    }),
  );
}

type Payload = Readonly<Record<string, unknown>>;

/** Ids and numbers are read as what they are in any release; what is not there is left out. */
const text = (payload: Payload, key: string): string => {
  const value = payload[key];
  return typeof value === 'string' ? value : '';
};
const time = (payload: Payload, key: string): number => {
  const value = payload[key];
  return typeof value === 'number' ? value : 0;
};

function inWords({ type, payload, atMs, actor }: LoggedEvent): string | undefined {
  switch (type) {
    case 'task.created':
      return requested(payload);
    case 'task.postponed':
      return postponed(payload, atMs);
    case 'task.cancelRequested':
      return `Cancellation asked for by ${actor}${because(payload, 'reason')}.`;
    case 'attempt.claimed':
      return `Call ${time(payload, 'seqNo')} was started, to the ${text(payload, 'phoneType')} number, in loop ${time(payload, 'loop')}.`;
    case 'attempt.recorded':
      return recorded(payload, atMs);
    case 'contactPoint.optedOut':
      return `The person pressed ${text(payload, 'digit')} not to be called again: this task dials the number no more.`;
    case 'task.held':
      return 'Held, to be shown to a representative.';
    case 'task.released':
      return 'Put back among the ready tasks: the process that worked it stopped between two calls.';
    case 'task.recovered':
      return `The process that worked it had died (${time(payload, 'crashCount')} in a row); another took it over.`;
    case 'task.quarantined':
      return `Put in quarantine: ${text(payload, 'detail')}.`;
    case 'task.finished':
      return finished(payload);
    default:
      return undefined;
  }
}

function requested(payload: Payload): string {
  const source = text(payload, 'source');
  const batch = text(payload, 'batchId');
  const which = batch === '' ? '' : ` (batch ${batch})`;
  const untilMs = time(payload, 'expiresAtMs');
  return `Requested ${SOURCE_MEANING[source] ?? `by ${source}`}${which}; it may start until ${timeInWords(untilMs)}.`;
}

/** What whoever asked for it gave as reason. */
function because(payload: Payload, key: string): string {
  const reason = text(payload, key);
  return reason === '' ? '' : `: ${reason}`;
}

function postponed(payload: Payload, atMs: number): string {
  const reason = POSTPONED[text(payload, 'reason') as PostponeReason];
  const untilMs = time(payload, 'untilMs');
  if (untilMs <= atMs) return `Not started: ${reason}.`;
  return `Not started: ${reason}. Looked at again at ${timeInWords(untilMs)}.`;
}

function recorded(payload: Payload, atMs: number): string {
  const subReason = text(payload, 'subReason');
  const result = `${text(payload, 'result')}${subReason === '' ? '' : ` (${subReason})`}`;
  return `Result of the call: ${result}. ${nextStep(payload['next'] as Payload | undefined, atMs)}`;
}

function nextStep(next: Payload | undefined, atMs: number): string {
  switch (next?.['kind']) {
    case 'goOn':
      return 'The next number follows at once.';
    case 'wait': {
      const dueAtMs = time(next, 'dueAtMs');
      return `The next call is due after ${pauseInWords(dueAtMs - atMs)}, at ${timeInWords(dueAtMs)}.`;
    }
    default:
      return 'No further call follows.';
  }
}

function finished(payload: Payload): string {
  const reason = FINISHED[text(payload, 'reason') as FinishReason];
  return `The task ended with ${text(payload, 'result')}: ${reason}${because(payload, 'because')}.`;
}
