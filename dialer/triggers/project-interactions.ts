/**
 * The dialer's events as interaction triggers. The place in the log and what was made of it are
 * written together: whatever happens, each event becomes a trigger once, and none is left out.
 */
import type { Transaction } from 'kysely';
import type { IdSource } from '../ids/uuid7.ts';
import { endOfEvents } from '../store/event-place.ts';
import { readEvents, type EventCursor } from '../store/event-reader.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import { addOccurrences } from './add-occurrences.ts';
import { interactionsOf, type Interaction } from './interactions-of-events.ts';

export interface ProjectOptions {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: () => number;
  /** Events of one transaction. Default 500. */
  readonly limit?: number;
}

const CURSOR = 'interaction-triggers';
const LIMIT = 500;
const ACTOR = 'system';

/** From now on; what happened before journeys were there concerns none. Does nothing a second time. */
export async function beginProjecting({ database, nowMs }: ProjectOptions): Promise<void> {
  const end = await endOfEvents(database);
  await database.db
    .insertInto('event_cursors')
    .values({ name: CURSOR, ...end, updated_at_ms: nowMs() })
    .onConflict((at) => at.column('name').doNothing())
    .execute();
}

/**
 * One transaction. Answers how many events it looked at: fewer than the limit, and there is no more.
 * Several processes may do this: each waits for the one before.
 */
export async function projectInteractions(options: ProjectOptions): Promise<number> {
  const { database, nowMs, limit = LIMIT } = options;
  const { settledEventsOnly } = database;
  return database.db.transaction().execute(async (tx) => {
    const after = await placeOf(tx, database.kind === 'postgres');
    if (after === undefined) return 0;
    const { events, cursor } = await readEvents({ db: tx, settledEventsOnly }, { after, limit });
    if (events.length === 0) return 0;
    await addByUnit(tx, options, await interactionsOf(tx, events));
    await tx
      .updateTable('event_cursors')
      .set({ ...cursor, updated_at_ms: nowMs() })
      .where('name', '=', CURSOR)
      .execute();
    return events.length;
  });
}

async function placeOf(
  tx: Transaction<Database>,
  locks: boolean,
): Promise<EventCursor | undefined> {
  const query = tx.selectFrom('event_cursors').select(['tx', 'seq']).where('name', '=', CURSOR);
  return (locks ? query.forUpdate() : query).executeTakeFirst();
}

async function addByUnit(
  tx: Transaction<Database>,
  { ids, nowMs }: ProjectOptions,
  interactions: readonly Interaction[],
): Promise<void> {
  const units = new Set(interactions.map(({ businessUnitId }) => businessUnitId));
  for (const businessUnitId of units) {
    const own = interactions.filter((one) => one.businessUnitId === businessUnitId);
    await addOccurrences(tx, { ids, nowMs: nowMs(), businessUnitId, actor: ACTOR }, own);
  }
}
