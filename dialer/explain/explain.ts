/**
 * Explains a delivery from what is stored, and from nothing else: why this person was called at this
 * moment, from this number, by which rule, what happened, and what came of it.
 */
import { maskNumber } from '../../machines/masked-number.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { ContactRow } from '../store/schema/contact-tables.ts';
import type { Account, Moment } from './account.ts';
import { outcomeAccount } from './outcome-account.ts';
import { readHistory, type History, type LoggedEvent } from './read-history.ts';
import { claimOf, NOT_EXAMINED, startReasons } from './start-reasons.ts';
import { suspensionMoments, taskMoments } from './task-moments.ts';
import { notSent, wireSteps } from './wire-steps.ts';

/**
 * `id` names a delivery; that of a task tells why no call was made, or sums its calls up. Undefined
 * when it is neither.
 */
export async function explain(
  database: Pick<OpenDatabase, 'db'>,
  id: string,
): Promise<Account | undefined> {
  const history = await readHistory(database, id);
  if (history === undefined) return undefined;
  const { task, delivery, attempt, engagement, taskEvents, attemptEvents } = history;
  const claim = claimOf(history);
  const { before, after } = split(history, claim);
  return {
    deliveryId: delivery?.id ?? null,
    taskId: task.id,
    attemptId: attempt?.id ?? null,
    person: personOf(history.contact, task.contact_id),
    call: callOf(history),
    engagement: {
      id: engagement.id,
      name: engagement.name,
      dialMode: delivery?.dial_mode ?? engagement.dial_mode,
      workstream: history.workstreamName,
    },
    reasons: claim === undefined ? [] : startReasons(history, claim),
    notExamined: claim === undefined ? [] : NOT_EXAMINED,
    before,
    onTheWire: [...wireSteps(attemptEvents), ...notSent(history, recordOf(history))],
    outcome: outcomeAccount(history),
    after,
    task: { status: task.status, attempts: task.attempt_count },
    attributes: { input: ofType(history, 'Input'), result: ofType(history, 'Result') },
    eventsRead: taskEvents.length + attemptEvents.length,
  };
}

function personOf(contact: ContactRow | undefined, contactId: string): Account['person'] {
  const names = [contact?.first_name, contact?.last_name].filter((name) => name != null);
  return {
    contactId,
    uniqueIdentifier: contact?.unique_identifier ?? null,
    name: names.length === 0 ? null : names.join(' '),
    timeZone: contact?.time_zone ?? null,
  };
}

function callOf(history: History): Account['call'] {
  const { delivery, attempt, number } = history;
  if (delivery === undefined) return null;
  const wasTried = recordOf(history)?.payload['wasTried'];
  return {
    atMs: delivery.start_at_ms ?? delivery.created_at_ms,
    number: maskNumber(number ?? ''),
    phoneType: delivery.phone_type,
    fromNumber: delivery.from_address,
    trunk: attempt?.trunk ?? null,
    gatewayId: attempt?.gateway_id ?? null,
    callId: delivery.call_id ?? attempt?.call_id ?? null,
    mayHaveLeft: typeof wasTried === 'boolean' ? wasTried : null,
    machines: attempt?.machine_version ?? null,
  };
}

/** What led to the call, and what followed it. Without a call all of it comes before. */
function split(
  history: History,
  claim: LoggedEvent | undefined,
): { readonly before: Moment[]; readonly after: Moment[] } {
  const { task, taskEvents, engagementEvents, delivery } = history;
  const createdAtMs = task.created_at_ms;
  const endedAtMs = task.state === 'final' ? (taskEvents.at(-1)?.atMs ?? createdAtMs) : Infinity;
  const moments = (events: readonly LoggedEvent[], fromMs: number, untilMs: number): Moment[] => {
    const suspensions = suspensionMoments(engagementEvents, { fromMs, untilMs });
    return [...taskMoments(events), ...suspensions].sort((a, b) => a.atMs - b.atMs);
  };
  if (delivery === undefined || claim === undefined) {
    return { before: moments(taskEvents, createdAtMs, endedAtMs), after: [] };
  }
  const at = taskEvents.indexOf(claim);
  return {
    before: moments(taskEvents.slice(0, at), createdAtMs, claim.atMs),
    after: moments(taskEvents.slice(at + 1), claim.atMs + 1, endedAtMs),
  };
}

function recordOf({ taskEvents, attempt }: History): LoggedEvent | undefined {
  return taskEvents.find(
    ({ type, payload }) => type === 'attempt.recorded' && payload['attemptId'] === attempt?.id,
  );
}

function ofType({ attributes }: History, type: 'Input' | 'Result'): Record<string, string> {
  const own = attributes.filter((attribute) => attribute.type === type);
  return Object.fromEntries(own.map(({ keyword, value }) => [keyword, value]));
}
