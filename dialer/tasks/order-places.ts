/**
 * Where a task stands in the call order of its engagement. There are two places for its key: while an
 * order that was changed is worked in, claims go by the one in force, and what is written meanwhile has
 * both.
 */
import type { CallOrder } from '../engagements/engagement-config.schema.ts';
import { openOrComing, windowAt } from '../eligibility/window.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { readContactIds, readWindows } from './chain-progress.codec.ts';
import { orderKeyOf, type CustomValueKind, type OrderKey } from './order-key.ts';
import { windowsFor, type TaskWindows } from './task-windows.ts';

export type OrderSlot = 0 | 1;
export const KEY_COLUMN = ['order_key', 'order_key_other'] as const;

/** What an engagement's row says of its order. */
export const ORDER_COLUMNS = [
  'call_order',
  'order_in_force',
  'order_slot',
  'order_value_kind',
  'reorder_after_id',
] as const;
export type OrderState = Pick<EngagementRow, (typeof ORDER_COLUMNS)[number]>;

/** By which order calls go now, and in which place its keys are. */
export function orderInForce(state: OrderState): { order: CallOrder; slot: OrderSlot } {
  const order = (state.order_in_force ?? state.call_order) as CallOrder;
  return { order, slot: state.order_slot as OrderSlot };
}

/** Wanted or in force: the first value that has a meaning decides what is compared. */
export function hasCustomOrder({
  call_order: wanted,
  order_in_force: inForce,
}: OrderState): boolean {
  return [wanted, inForce].some((order) => order?.startsWith('custom') === true);
}

/** What its keys depend on. */
export interface PlacedTask {
  readonly windows: TaskWindows;
  /** Whose windows govern its next start. */
  readonly contactId: string;
  readonly createdSeq: number;
  readonly priorityValue: string | null;
  readonly expiresAtMs: number;
}

export type OrderColumns = Pick<TaskRow, 'order_key' | 'order_key_other' | 'priority_fallback'>;

/** For a task that may start from `atMs` on: the window that is open then governs, or the next. */
export function orderColumns(state: OrderState, task: PlacedTask, atMs: number): OrderColumns {
  const wanted = keyBy(state, state.call_order as CallOrder, task, atMs);
  const { order, slot } = orderInForce(state);
  const inForce = state.order_in_force === null ? wanted : keyBy(state, order, task, atMs);
  const hasOther = slot === 1 || state.order_in_force !== null;
  return {
    order_key: slot === 0 ? inForce.orderKey : wanted.orderKey,
    order_key_other: hasOther ? (slot === 0 ? wanted : inForce).orderKey : null,
    priority_fallback: wanted.isFallback ? 1 : 0,
  };
}

function keyBy(
  { order_value_kind: valueKind }: OrderState,
  callOrder: CallOrder,
  task: PlacedTask,
  atMs: number,
): OrderKey {
  const { createdSeq, priorityValue } = task;
  return orderKeyOf({
    ...{ callOrder, createdSeq, priorityValue, windowEndMs: windowEndMs(task, atMs) },
    valueKind: valueKind as CustomValueKind | null,
  });
}

function windowEndMs({ windows, contactId, expiresAtMs }: PlacedTask, atMs: number): number {
  const own = windowsFor(windows, contactId);
  const verdict = windowAt(own, atMs);
  const governing = verdict.kind === 'open' ? verdict.window : openOrComing(own, atMs)[0];
  return governing?.endMs ?? expiresAtMs;
}

/** `contactIndex`: where its walk stands. */
export function placedTask(
  row: Pick<TaskRow, 'windows' | 'contact_ids' | 'contact_id' | 'created_seq'> &
    Pick<TaskRow, 'priority_value' | 'expires_at_ms'>,
  contactIndex: number,
): PlacedTask {
  return {
    windows: readWindows(row.windows),
    contactId: readContactIds(row.contact_ids)[contactIndex] ?? row.contact_id,
    createdSeq: row.created_seq,
    priorityValue: row.priority_value,
    expiresAtMs: row.expires_at_ms,
  };
}
