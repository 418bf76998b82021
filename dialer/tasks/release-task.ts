/** A task in work without an attempt is nobody's: it goes back among the ready, or ends if cancelled. */
import { sql, type Transaction } from 'kysely';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { CANCELLED, finishedEvent } from './cancel-task.ts';

export interface ReleaseContext {
  readonly nowMs: number;
  readonly actor: string;
}

/** Nothing happens to a task that is not in work. */
export function releaseTask(
  { db }: OpenDatabase,
  taskId: string,
  reason: 'shutdown',
  context: ReleaseContext,
): Promise<void> {
  return db.transaction().execute((tx) => releaseIn(tx, taskId, reason, context));
}

export async function releaseIn(
  tx: Transaction<Database>,
  taskId: string,
  reason: 'shutdown' | 'recovered',
  { nowMs, actor }: ReleaseContext,
): Promise<void> {
  const isCancelled = sql`cancel_requested_at_ms is not null`;
  const released = await tx
    .updateTable('tasks')
    .set({
      state: sql<string>`case when ${isCancelled} then ${sql.lit(CANCELLED.state)} else 'ready' end`,
      status: sql<string>`case when ${isCancelled} then ${sql.lit(CANCELLED.status)} else 'Pending' end`,
      last_result: sql<string>`case when ${isCancelled} then ${sql.lit(CANCELLED.last_result)} else last_result end`,
      last_sub_reason: sql<string>`case when ${isCancelled} then ${sql.lit(CANCELLED.last_sub_reason)} else last_sub_reason end`,
      owner_epoch: null,
      updated_at_ms: nowMs,
    })
    .where('id', '=', taskId)
    .where('state', '=', 'working')
    .returningAll()
    .executeTakeFirst();
  if (released === undefined) return;
  const isOver = released.state === 'final';
  await countLeaving(tx, released, isOver ? 'tasks_final' : 'tasks_ready');
  const streamId = `task:${taskId}`;
  const event = isOver
    ? finishedEvent({ id: taskId, status: 'InProcess' }, { actor, reason: null })
    : { streamId, type: 'task.released', actor, payload: { reason } };
  await appendEvents(tx, released.business_unit_id, nowMs, [event]);
}

/** The task leaves the working ones of its engagement for another state. */
export async function countLeaving(
  tx: Transaction<Database>,
  task: Pick<TaskRow, 'engagement_id'>,
  into: 'tasks_ready' | 'tasks_final',
): Promise<void> {
  await tx
    .updateTable('engagements')
    .set((eb) => ({
      tasks_working: eb('tasks_working', '-', 1),
      [into]: eb(into, '+', 1),
    }))
    .where('id', '=', task.engagement_id)
    .execute();
}
