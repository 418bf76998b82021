/**
 * Listens to the event log for what journeys wait for: the end of a task that one of them asked for, and
 * what is said of a call afterwards. The effect is then looked at again. The place in the log is written
 * with it, so that no end is missed; told twice, nothing happens twice.
 */
import type { Transaction } from 'kysely';
import { beginFollowing, takeEvents } from '../../store/event-follower.ts';
import type { StoredEvent } from '../../store/event-reader.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyChore } from '../journey-chore.ts';
import { inTransaction } from '../in-transaction.ts';
import type { EffectParts } from './effect-parts.ts';

const NAME = 'journey-results';

export function hearResults({ database, nowMs }: EffectParts): JourneyChore {
  return {
    name: 'results',
    turn: () =>
      inTransaction(database, async (tx) => {
        const follower = { name: NAME, nowMs: nowMs() };
        const events = await takeEvents(tx, database, follower);
        if (events === undefined) {
          // From now on: nothing has been asked for before.
          await beginFollowing({ ...database, db: tx }, follower);
          return 1;
        }
        await wakeEffects(tx, events, follower.nowMs);
        return events.length;
      }),
  };
}

const OF_TASK = ['task.finished', 'delivery.dispositionsRecorded'];

async function wakeEffects(
  tx: Transaction<Database>,
  events: readonly StoredEvent[],
  nowMs: number,
): Promise<void> {
  const taskIds = events
    .filter(({ type, stream_id: stream }) => OF_TASK.includes(type) && stream.startsWith('task:'))
    .map(({ stream_id: stream }) => stream.slice('task:'.length));
  await lookAtTasks(tx, [...new Set(taskIds)], nowMs);
}

/** Those among them that a journey asked for, at once. */
export async function lookAtTasks(
  tx: Transaction<Database>,
  taskIds: readonly string[],
  nowMs: number,
): Promise<void> {
  if (taskIds.length === 0) return;
  const rows = await tx
    .selectFrom('journey_effects')
    .select('key')
    .where('task_id', 'in', [...taskIds])
    .where('state', '=', 'asked')
    .orderBy('key')
    .execute();
  // One after the other in the order of their keys: no two who do this wait for each other in a ring.
  for (const { key } of rows) {
    await tx
      .updateTable('journey_effects')
      .set({ due_at_ms: nowMs, updated_at_ms: nowMs })
      .where('key', '=', key)
      .where('state', '=', 'asked')
      .execute();
  }
}
