/**
 * Following the event log to make something of it. The place reached is kept by a name, and is moved in the
 * transaction that writes what was made of the events: whatever happens, each is taken once, and none is
 * left out.
 */
import type { Transaction } from 'kysely';
import { endOfEvents } from './event-place.ts';
import { readEvents, type StoredEvent } from './event-reader.ts';
import type { OpenDatabase } from './open-database.ts';
import type { Database } from './schema/database.ts';

/** Events of one transaction, unless a follower says otherwise. */
export const FOLLOWED_EVENTS = 500;

export interface Follower {
  /** Of its place in event_cursors. */
  readonly name: string;
  readonly nowMs: number;
}

/** From now on: what happened before concerns it not. Does nothing a second time. */
export async function beginFollowing(
  database: Pick<OpenDatabase, 'db' | 'settledEventsOnly'>,
  { name, nowMs }: Follower,
): Promise<void> {
  const end = await endOfEvents(database);
  await database.db
    .insertInto('event_cursors')
    .values({ name, ...end, updated_at_ms: nowMs })
    .onConflict((at) => at.column('name').doNothing())
    .execute();
}

/**
 * The next events, past which the follower stands once `tx` is committed; fewer than the limit, and there
 * is no more. Undefined: it has not begun. Of several processes each waits for the one before.
 */
export async function takeEvents(
  tx: Transaction<Database>,
  { kind, settledEventsOnly }: Pick<OpenDatabase, 'kind' | 'settledEventsOnly'>,
  { name, nowMs, limit = FOLLOWED_EVENTS }: Follower & { readonly limit?: number | undefined },
): Promise<readonly StoredEvent[] | undefined> {
  const query = tx.selectFrom('event_cursors').select(['tx', 'seq']).where('name', '=', name);
  const after = await (kind === 'postgres' ? query.forUpdate() : query).executeTakeFirst();
  if (after === undefined) return undefined;
  const { events, cursor } = await readEvents({ db: tx, settledEventsOnly }, { after, limit });
  if (events.length > 0) {
    await tx
      .updateTable('event_cursors')
      .set({ ...cursor, updated_at_ms: nowMs })
      .where('name', '=', name)
      .execute();
  }
  return events;
}
