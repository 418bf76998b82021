/** How a task of the own store stands for its journey: over only once everything has been said of it. */
import type { Transaction } from 'kysely';
import {
  CONVERSATION_RESULTS,
  type ConversationResult,
} from '../../../journey-core/interpreter/conversation-outcome.ts';
import type { Values } from '../../../journey-core/interpreter/json-value.ts';
import type { Database } from '../../store/schema/database.ts';
import type { DeliveryRow, TaskRow } from '../../store/schema/task-tables.ts';
import { lastDelivery, stillSaidUntil } from '../../tasks/still-said.ts';
import type { TaskStanding } from './journey-dialer.ts';

type Tx = Transaction<Database>;

/** The end of a task is heard; this is for what was missed. */
const OPEN_RECHECK_MS = 600_000;

export async function standingOfTask(tx: Tx, taskId: string, nowMs: number): Promise<TaskStanding> {
  const task = await tx.selectFrom('tasks').selectAll().where('id', '=', taskId).executeTakeFirst();
  if (task === undefined) return { is: 'gone' };
  if (task.state !== 'final') {
    return { is: 'open', askAgainAtMs: Math.max(nowMs, task.expires_at_ms) + OPEN_RECHECK_MS };
  }
  const last = await lastDelivery(tx, taskId);
  const untilMs = last === undefined ? null : await stillSaidUntil(tx, last, nowMs);
  if (untilMs !== null) return { is: 'open', askAgainAtMs: untilMs };
  return { is: 'ended', ended: await endOf(tx, task, last) };
}

type Ended = Extract<TaskStanding, { is: 'ended' }>['ended'];

async function endOf(tx: Tx, task: TaskRow, last: DeliveryRow | undefined): Promise<Ended> {
  const { last_result: lastResult, last_sub_reason: reason, attempt_count: attempts } = task;
  const end = { result: resultOf(lastResult), attempts, deliveryTaskId: task.id };
  const because = reason === null ? {} : { reason };
  if (last === undefined) return { ...end, ...because, dispositionCodes: [] };
  return {
    ...{ ...end, ...because, deliveryId: last.id },
    ...returnCodeOf(last),
    dispositionCodes: dispositionsOf(last.disposition_codes),
    attributes: await returnedBy(tx, last.id),
  };
}

/** A task that was ended without any was cancelled before one was known. */
export function resultOf(result: string | null): ConversationResult {
  return CONVERSATION_RESULTS.find((name) => name === result) ?? 'Cancelled';
}

/** As they are stored: each in quotes, with commas between. */
export function dispositionsOf(stored: string | null): readonly string[] {
  return stored === null ? [] : (JSON.parse(`[${stored}]`) as string[]);
}

/** What the network said in its own words: the SIP status code of the last attempt. */
export function returnCodeOf({
  sip_diagnostics: diagnostics,
}: Pick<DeliveryRow, 'sip_diagnostics'>): { readonly returnCode?: string } {
  if (diagnostics === null) return {};
  const { sipCode } = JSON.parse(diagnostics) as { readonly sipCode?: unknown };
  return typeof sipCode === 'number' ? { returnCode: String(sipCode) } : {};
}

async function returnedBy(tx: Tx, deliveryId: string): Promise<Values> {
  const rows = await tx
    .selectFrom('delivery_attributes')
    .select(['keyword', 'value'])
    .where('delivery_id', '=', deliveryId)
    .where('type', '=', 'Result')
    .execute();
  return Object.fromEntries(rows.map(({ keyword, value }) => [keyword, value]));
}
