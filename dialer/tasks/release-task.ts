/** A task in work without an attempt is nobody's: it goes back among the ready. */
import type { Transaction } from 'kysely';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';

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
  const released = await tx
    .updateTable('tasks')
    .set({ state: 'ready', status: 'Pending', owner_epoch: null, updated_at_ms: nowMs })
    .where('id', '=', taskId)
    .where('state', '=', 'working')
    .returningAll()
    .executeTakeFirst();
  if (released === undefined) return;
  await countLeaving(tx, released, 'tasks_ready');
  const event = { streamId: `task:${taskId}`, type: 'task.released', actor, payload: { reason } };
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
