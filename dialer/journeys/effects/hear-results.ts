/**
 * Listens to the event log for what journeys wait for: the end of a task that one of them asked for, and
 * what is said of a call afterwards. The effect is then looked at again. The place in the log is written
 * with it, so that no end is missed; told twice, nothing happens twice.
 */
import type { Transaction } from 'kysely';
import { endOfEvents } from '../../store/event-place.ts';
import { readEvents, type EventCursor, type StoredEvent } from '../../store/event-reader.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyChore } from '../journey-chore.ts';
import { inTransaction } from '../in-transaction.ts';
import type { EffectParts } from './effect-parts.ts';

type Tx = Transaction<Database>;

const CURSOR = 'journey-results';
const LIMIT = 500;

export function hearResults({ database, nowMs }: EffectParts): JourneyChore {
  const { settledEventsOnly, kind } = database;
  return {
    name: 'results',
    turn: () =>
      inTransaction(database, async (tx) => {
        const after = await placeOf(tx, kind === 'postgres');
        if (after === undefined) {
          await begin({ ...database, db: tx }, tx, nowMs());
          return 1;
        }
        const page = await readEvents({ db: tx, settledEventsOnly }, { after, limit: LIMIT });
        if (page.events.length === 0) return 0;
        await wakeEffects(tx, page.events, nowMs());
        await tx
          .updateTable('event_cursors')
          .set({ ...page.cursor, updated_at_ms: nowMs() })
          .where('name', '=', CURSOR)
          .execute();
        return page.events.length;
      }),
  };
}

/** From now on: nothing has been asked for before. */
async function begin(
  database: Parameters<typeof endOfEvents>[0],
  tx: Tx,
  nowMs: number,
): Promise<void> {
  await tx
    .insertInto('event_cursors')
    .values({ name: CURSOR, ...(await endOfEvents(database)), updated_at_ms: nowMs })
    .onConflict((at) => at.column('name').doNothing())
    .execute();
}

async function placeOf(tx: Tx, locks: boolean): Promise<EventCursor | undefined> {
  const query = tx.selectFrom('event_cursors').select(['tx', 'seq']).where('name', '=', CURSOR);
  return (locks ? query.forUpdate() : query).executeTakeFirst();
}

const OF_TASK = ['task.finished', 'delivery.dispositionsRecorded'];

async function wakeEffects(tx: Tx, events: readonly StoredEvent[], nowMs: number): Promise<void> {
  const taskIds = events
    .filter(({ type, stream_id: stream }) => OF_TASK.includes(type) && stream.startsWith('task:'))
    .map(({ stream_id: stream }) => stream.slice('task:'.length));
  if (taskIds.length === 0) return;
  const rows = await tx
    .selectFrom('journey_effects')
    .select('key')
    .where('task_id', 'in', [...new Set(taskIds)])
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
