/** Delivery tasks as they come in: from a file, the API or a journey, many in one transaction. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { defaultWindows, windowAt, type Window } from '../eligibility/window.ts';
import { eventQueries, type NewEvent } from '../store/event-log.ts';
import { insertQueries } from '../store/insert-many.ts';
import { runTogether } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { NEW_DELIVERY_CLASS } from './after-attempt.ts';
import { FIRST_STEP } from './chain-walk.ts';
import { valueKindOf } from './order-key.ts';
import {
  hasCustomOrder,
  ORDER_COLUMNS,
  orderColumns,
  type OrderColumns,
  type OrderState,
} from './order-places.ts';
import type { TaskRestrictions } from './task-restrictions.ts';
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
  /** Whose request it is; its deliveries carry it too. */
  readonly journey?: { readonly journeyId: string; readonly runId: string };
  /** Default: every number that its contacts have. */
  readonly restrictions?: TaskRestrictions;
}

const CHAIN_MAX = 5;

/** Answers the ids in order. A task whose windows are all past is written as Expired. */
export async function createTasks(
  tx: Transaction<Database>,
  writer: Writer,
  engagement: Pick<EngagementRow, 'id'>,
  inputs: readonly TaskInput[],
): Promise<readonly string[]> {
  if (inputs.length === 0) return [];
  const made = inputs.map((input) => unplacedRow(writer, engagement, input));
  const order = await countAndRead(tx, engagement, made);
  const rows = made.map((one) => placedRow(one, order, writer.nowMs));
  const { businessUnitId, nowMs, actor } = writer;
  const events = rows.flatMap((row) => eventsOf(row, actor));
  await runTogether(tx, [
    ...insertQueries(tx, 'tasks', rows),
    ...eventQueries(tx, businessUnitId, nowMs, events),
  ]);
  return rows.map(({ id }) => id);
}

/**
 * First of all, so that the engagement's row is locked: the order that it tells of stays the order until
 * these tasks are seen by whoever changes it.
 */
async function countAndRead(
  tx: Transaction<Database>,
  { id }: Pick<EngagementRow, 'id'>,
  made: readonly UnplacedRow[],
): Promise<OrderState> {
  const countIn = (state: string): number => made.filter(({ row }) => row.state === state).length;
  const order = await tx
    .updateTable('engagements')
    .set((eb) => ({
      tasks_waiting: eb('tasks_waiting', '+', countIn('waiting')),
      tasks_ready: eb('tasks_ready', '+', countIn('ready')),
      tasks_final: eb('tasks_final', '+', countIn('final')),
    }))
    .where('id', '=', id)
    .returning(ORDER_COLUMNS)
    .executeTakeFirstOrThrow();
  if (order.order_value_kind !== null || !hasCustomOrder(order)) return order;
  const kind = valueKindOf(made.map(({ row }) => row.priority_value));
  if (kind === null) return order;
  await tx
    .updateTable('engagements')
    .set({ order_value_kind: kind })
    .where('id', '=', id)
    .execute();
  return { ...order, order_value_kind: kind };
}

/** A row but for its place in the order. */
interface UnplacedRow {
  readonly row: Omit<TaskRow, keyof OrderColumns>;
  readonly windows: TaskWindows;
}

function placedRow({ row, windows }: UnplacedRow, order: OrderState, nowMs: number): TaskRow {
  const { contact_id: contactId, created_seq: createdSeq, expires_at_ms: expiresAtMs } = row;
  const priorityValue = row.priority_value;
  const task = { windows, contactId, createdSeq, priorityValue, expiresAtMs };
  return { ...row, ...orderColumns(order, task, nowMs) };
}

/** Waiting when its first window opens later, ready when one is open, final when all are past. */
function unplacedRow(
  { ids, nowMs, businessUnitId }: Writer,
  engagement: Pick<EngagementRow, 'id'>,
  input: TaskInput,
): UnplacedRow {
  const contactId = checkChain(input);
  const windows = windowsOf(input, nowMs);
  const expiresAtMs = taskExpiryMs(windows, input.contactIds);
  const verdict = windowAt(windowsFor(windows, contactId), nowMs);
  const isOver = expiresAtMs <= nowMs;
  const opensAtMs = verdict.kind === 'opensAt' ? verdict.atMs : nowMs;
  const state = opensAtMs > nowMs ? 'waiting' : 'ready';
  const row = {
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
    priority_value: input.priorityValue ?? null,
    created_seq: ids.sequence(),
    contact_ids: JSON.stringify(input.contactIds),
    contact_id: contactId,
    windows: JSON.stringify(windows),
    input_attributes: JSON.stringify(input.inputAttributes ?? {}),
    expires_at_ms: expiresAtMs,
    progress: JSON.stringify(FIRST_STEP),
    last_result: isOver ? 'Expired' : null,
    ...UNTOUCHED,
    journey_id: input.journey?.journeyId ?? null,
    journey_run_id: input.journey?.runId ?? null,
    restrictions: input.restrictions === undefined ? null : JSON.stringify(input.restrictions),
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
  return { row, windows };
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
