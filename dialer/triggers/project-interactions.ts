/**
 * The dialer's events as interaction triggers. The place in the log and what was made of it are
 * written together: whatever happens, each event becomes a trigger once, and none is left out.
 */
import type { Transaction } from 'kysely';
import type { IdSource } from '../ids/uuid7.ts';
import { beginFollowing, takeEvents } from '../store/event-follower.ts';
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

const NAME = 'interaction-triggers';
const ACTOR = 'system';

/** From now on; what happened before journeys were there concerns none. Does nothing a second time. */
export async function beginProjecting({ database, nowMs }: ProjectOptions): Promise<void> {
  await beginFollowing(database, { name: NAME, nowMs: nowMs() });
}

/**
 * One transaction. Answers how many events it looked at: fewer than the limit, and there is no more.
 * Several processes may do this: each waits for the one before.
 */
export async function projectInteractions(options: ProjectOptions): Promise<number> {
  const { database, nowMs, limit } = options;
  return database.db.transaction().execute(async (tx) => {
    const events = await takeEvents(tx, database, { name: NAME, nowMs: nowMs(), limit });
    if (events === undefined || events.length === 0) return 0;
    await addByUnit(tx, options, await interactionsOf(tx, events));
    return events.length;
  });
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
