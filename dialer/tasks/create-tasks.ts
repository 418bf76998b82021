/** Delivery tasks as they come in: from a file, the API or a journey, many in one transaction. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { defaultWindows, openOrComing, windowAt, type Window } from '../eligibility/window.ts';
import type { CallOrder } from '../engagements/engagement-config.schema.ts';
import { eventQueries, type NewEvent } from '../store/event-log.ts';
import { insertQueries } from '../store/insert-many.ts';
import { runTogether } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { NEW_DELIVERY_CLASS } from './after-attempt.ts';
import { FIRST_STEP } from './chain-walk.ts';
import { orderKeyOf } from './order-key.ts';
import { taskExpiryMs, windowsFor, type TaskWindows } from './task-windows.ts';

export interface TaskInput {
  /** One contact, or a chain of up to five in dial order. */
  readonly contactIds: readonly string[];
  readonly source: 'file' | 'api' | 'mcp' | 'journey';
  /** None: from now for a day (spec A.11). */
  readonly windows?: readonly Window[];
  /** A contact's own, which replace the request's. */
  readonly windowsByContact?: Readonly<Record<string, readonly Window[]>>;
  /** For the custom call orders. */
  readonly priorityValue?: string;
  readonly batchId?: string;
  readonly requestId?: string;
  /** Passed to the AI agent, and shown with the deliveries. */
  readonly inputAttributes?: Readonly<Record<string, string>>;
}

const CHAIN_MAX = 5;

/** Answers the ids in order. A task whose windows are all past is written as Expired. */
export async function createTasks(
  tx: Transaction<Database>,
  writer: Writer,
  engagement: Pick<EngagementRow, 'id' | 'call_order'>,
  inputs: readonly TaskInput[],
): Promise<readonly string[]> {
  if (inputs.length === 0) return [];
  const rows = inputs.map((input) => taskRow(writer, engagement, input));
  const countIn = (state: string): number => rows.filter((row) => row.state === state).length;
  const counts = tx
    .updateTable('engagements')
    .set((eb) => ({
      tasks_waiting: eb('tasks_waiting', '+', countIn('waiting')),
      tasks_ready: eb('tasks_ready', '+', countIn('ready')),
      tasks_final: eb('tasks_final', '+', countIn('final')),
    }))
    .where('id', '=', engagement.id);
  const { businessUnitId, nowMs, actor } = writer;
  const events = rows.flatMap((row) => eventsOf(row, actor));
  await runTogether(tx, [
    ...insertQueries(tx, 'tasks', rows),
    counts,
    ...eventQueries(tx, businessUnitId, nowMs, events),
  ]);
  return rows.map(({ id }) => id);
}

/** Waiting when its first window opens later, ready when one is open, final when all are past. */
function taskRow(
  { ids, nowMs, businessUnitId }: Writer,
  engagement: Pick<EngagementRow, 'id' | 'call_order'>,
  input: TaskInput,
): TaskRow {
  const contactId = checkChain(input);
  const windows = windowsOf(input, nowMs);
  const expiresAtMs = taskExpiryMs(windows, input.contactIds);
  const verdict = windowAt(windowsFor(windows, contactId), nowMs);
  const governing =
    verdict.kind === 'open' ? verdict.window : firstWindow(windows, contactId, nowMs);
  const createdSeq = ids.sequence();
  const { orderKey, isFallback } = orderKeyOf({
    callOrder: engagement.call_order as CallOrder,
    windowEndMs: governing?.endMs ?? expiresAtMs,
    createdSeq,
    priorityValue: input.priorityValue ?? null,
  });
  const isOver = expiresAtMs <= nowMs;
  const opensAtMs = verdict.kind === 'opensAt' ? verdict.atMs : nowMs;
  const state = opensAtMs > nowMs ? 'waiting' : 'ready';
  return {
    id: ids.id(),
    business_unit_id: businessUnitId,
    engagement_id: engagement.id,
    batch_id: input.batchId ?? null,
    request_id: input.requestId ?? null,
    source: input.source,
    state: isOver ? 'final' : state,
    status: isOver ? 'Expired' : 'Pending',
    due_at_ms: opensAtMs,
    retry_class: NEW_DELIVERY_CLASS,
    order_key: orderKey,
    order_key_other: null,
    priority_fallback: isFallback ? 1 : 0,
    priority_value: input.priorityValue ?? null,
    created_seq: createdSeq,
    contact_ids: JSON.stringify(input.contactIds),
    contact_id: contactId,
    windows: JSON.stringify(windows),
    input_attributes: JSON.stringify(input.inputAttributes ?? {}),
    expires_at_ms: expiresAtMs,
    progress: JSON.stringify(FIRST_STEP),
    last_result: isOver ? 'Expired' : null,
    ...UNTOUCHED,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
}

const UNTOUCHED = {
  loop: 1,
  attempt_count: 0,
  last_sub_reason: null,
  last_attempt_at_ms: null,
  customer_reached: 0,
  cancel_requested_at_ms: null,
  crash_count: 0,
  quarantined: 0,
  owner_epoch: null,
} as const;

/** The first contact. */
function checkChain({ contactIds }: TaskInput): string {
  const [first] = contactIds;
  if (first !== undefined && contactIds.length <= CHAIN_MAX) return first;
  throw new DialerError('REQUEST_INVALID', `a task has 1 to ${CHAIN_MAX} contacts`);
}

/** Past ones are dropped; those that end before they begin are refused (spec A.11). */
function windowsOf({ windows, windowsByContact = {} }: TaskInput, nowMs: number): TaskWindows {
  const all = [...(windows ?? []), ...Object.values(windowsByContact).flat()];
  if (all.some(({ startMs, endMs }) => !(endMs > startMs))) {
    throw new DialerError('REQUEST_INVALID', 'a window ends before it begins');
  }
  const isNone = windows === undefined || windows.length === 0;
  const request = isNone ? defaultWindows(nowMs) : windows;
  return { request, byContact: windowsByContact };
}

function firstWindow(windows: TaskWindows, contactId: string, nowMs: number): Window | undefined {
  return openOrComing(windowsFor(windows, contactId), nowMs)[0];
}

function eventsOf(row: TaskRow, actor: string): NewEvent[] {
  const streamId = `task:${row.id}`;
  const { source, batch_id: batchId, request_id: requestId, status } = row;
  const { due_at_ms: dueAtMs, expires_at_ms: expiresAtMs, order_key: orderKey } = row;
  const created: NewEvent = {
    ...{ streamId, type: 'task.created', actor, after: { status } },
    payload: { source, batchId, requestId, dueAtMs, expiresAtMs, orderKey },
  };
  if (row.state !== 'final') return [created];
  const payload = { result: 'Expired', subReason: null, reason: 'window_over' };
  return [created, { streamId, type: 'task.finished', actor, after: { status }, payload }];
}
