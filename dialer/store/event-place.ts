/** Where events stand: the end of the log as a reader may know it, and which engagement each is of. */
import { sql } from 'kysely';
import { BEFORE_FIRST_EVENT, type EventCursor, type StoredEvent } from './event-reader.ts';
import type { OpenDatabase } from './open-database.ts';

/** Behind the last event that no running transaction can still be put before. */
export async function endOfEvents({
  db,
  settledEventsOnly,
}: Pick<OpenDatabase, 'db' | 'settledEventsOnly'>): Promise<EventCursor> {
  const [last] = await settledEventsOnly(
    db
      .selectFrom('events')
      .select(['tx', 'seq'])
      .orderBy('tx', 'desc')
      .orderBy('seq', 'desc')
      .limit(1),
  ).execute();
  return last === undefined ? BEFORE_FIRST_EVENT : { tx: last.tx, seq: last.seq };
}

/** Where a reader begins who wants what is still to come. */
export interface EventPlace {
  readonly cursor: EventCursor;
  /** Whether what a transaction wrote had happened by then, though it lies behind the cursor. */
  readonly isPast: (tx: number) => boolean;
}

/**
 * Now. A transaction that runs for long, be it another database's of the same server, holds the end of the
 * log back: what others have committed since is told apart by the snapshot.
 */
export async function eventsFromNow(database: OpenDatabase): Promise<EventPlace> {
  const cursor = await endOfEvents(database);
  if (database.kind === 'sqlite') return { cursor, isPast: () => false };
  const { rows } = await sql<{ now: string }>`select pg_current_snapshot()::text as now`.execute(
    database.db,
  );
  // xmin:xmax:those between them that were running (PostgreSQL 15, 9.27.10).
  const [, next = '', running = ''] = (rows[0]?.now ?? '').split(':');
  const isRunning = new Set(running.split(','));
  return { cursor, isPast: (tx) => tx < Number(next) && !isRunning.has(String(tx)) };
}

/** By stream: tasks, attempts and batches belong to an engagement, and an engagement to itself. */
export async function engagementsOf(
  { db }: Pick<OpenDatabase, 'db'>,
  events: readonly StoredEvent[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const idsBy = new Map<string, Set<string>>();
  for (const { stream_id: stream } of events) {
    const [kind = '', id = ''] = stream.split(':');
    if (kind === 'engagement') found.set(stream, id);
    else idsBy.set(kind, (idsBy.get(kind) ?? new Set()).add(id));
  }
  for (const [kind, table] of [
    ['task', 'tasks'],
    ['attempt', 'attempts'],
    ['batch', 'batches'],
  ] as const) {
    const ids = [...(idsBy.get(kind) ?? [])];
    if (ids.length === 0) continue;
    const rows = await db
      .selectFrom(table)
      .select(['id', 'engagement_id'])
      .where('id', 'in', ids)
      .execute();
    for (const row of rows) found.set(`${kind}:${row.id}`, row.engagement_id);
  }
  return found;
}
