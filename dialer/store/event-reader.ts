/**
 * Reading the event log as an outbox: every event once, none left out, in an order that never grows
 * behind the reader's back.
 *
 * Numbers alone would not do on PostgreSQL: a transaction may be given a lower `seq` than another and
 * commit after it, so that a reader which has passed the higher one would never see the lower. The
 * order here is by transaction, then by number, and stops before the oldest transaction still
 * running; everything that comes later sorts behind. On SQLite transactions run one after the other,
 * and all have the same `tx`.
 */
import type { Selectable } from 'kysely';
import type { OpenDatabase } from './open-database.ts';
import type { EventRow } from './schema/log-tables.ts';

export type StoredEvent = Selectable<EventRow>;

/** Where a reader stands; keep it as it is. */
export interface EventCursor {
  readonly tx: number;
  readonly seq: number;
}

export const BEFORE_FIRST_EVENT: EventCursor = { tx: 0, seq: 0 };

export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** For the next page. The one given when nothing is new. */
  readonly cursor: EventCursor;
}

export interface EventQuery {
  readonly after: EventCursor;
  readonly limit: number;
  /** Of one business unit; of all when it is not given. */
  readonly businessUnitId?: string;
}

export async function readEvents(
  { db, settledEventsOnly }: Pick<OpenDatabase, 'db' | 'settledEventsOnly'>,
  { after, limit, businessUnitId }: EventQuery,
): Promise<EventPage> {
  const query = settledEventsOnly(
    db
      .selectFrom('events')
      .selectAll()
      .where((eb) => eb(eb.refTuple('tx', 'seq'), '>', eb.tuple(after.tx, after.seq)))
      .orderBy('tx')
      .orderBy('seq')
      .limit(limit),
  );
  const events = await (
    businessUnitId === undefined ? query : query.where('business_unit_id', '=', businessUnitId)
  ).execute();
  const last = events.at(-1);
  return { events, cursor: last === undefined ? after : { tx: last.tx, seq: last.seq } };
}
