/** Where a task goes after an attempt: on, to wait for its next start, or to its end. */
import type { Transaction } from 'kysely';
import type { Runnable } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';
import type { AttemptRow, TaskRow } from '../store/schema/task-tables.ts';
import type { NextForTask } from './after-attempt.ts';
import type { AttemptEnd } from './attempt-end.ts';
import type { WalkMeaning } from './attempt-meaning.ts';
import { orderColumns, placedTask, type OrderState } from './order-places.ts';

export interface TaskMove {
  readonly task: TaskRow;
  readonly attempt: AttemptRow;
  readonly end: AttemptEnd;
  readonly next: NextForTask;
  readonly meaning: WalkMeaning;
  readonly order: OrderState;
}

/** `fence`: epoch of our lease, under which the attempt may have been made. */
export function moveTaskQuery(
  { nowMs, fence }: { readonly nowMs: number; readonly fence: number },
  tx: Transaction<Database>,
  { task, attempt, end: { outcome }, next, meaning, order }: TaskMove,
): Runnable {
  const common = {
    // Begun and ended by one process: whatever brought an earlier one down was not this task.
    ...(attempt.fence === fence ? { crash_count: 0 } : {}),
    progress: JSON.stringify(next.progress),
    loop: next.progress.loop,
    last_result: outcome.result,
    last_sub_reason: outcome.subReason,
    customer_reached: meaning === 'reached' && outcome.retryClass === 'connected' ? 1 : 0,
    updated_at_ms: nowMs,
  };
  const moved = {
    goOn: {},
    wait: { state: 'waiting', status: 'Pending', owner_epoch: null },
    finish: { state: 'final', owner_epoch: null },
  }[next.kind];
  return tx
    .updateTable('tasks')
    .set({
      ...common,
      ...moved,
      ...(next.kind === 'wait' ? waiting(task, next, order) : {}),
      ...(next.kind === 'finish' ? { status: next.status } : {}),
    })
    .where('id', '=', task.id);
}

/** Another window may govern it by then, or the windows of another contact. */
function waiting(
  task: TaskRow,
  { dueAtMs, retryClass, progress }: Extract<NextForTask, { kind: 'wait' }>,
  order: OrderState,
) {
  const place = orderColumns(order, placedTask(task, progress.contactIndex), dueAtMs);
  return { due_at_ms: dueAtMs, retry_class: retryClass, ...place };
}
