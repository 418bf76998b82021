/** Appending to the event log, always in the transaction of the change that the event tells. */
import type { Transaction } from 'kysely';
import { insertMany } from './insert-many.ts';
import type { Database } from './schema/database.ts';

export interface NewEvent {
  /** `task:<id>`, `engagement:<id>`, `batch:<id>` or `queue-group:<name>`. */
  readonly streamId: string;
  /** `source.what`, past tense. */
  readonly type: string;
  /** Of the event's shape. Default 1. */
  readonly version?: number;
  /** Who made the change: `dialer:<id>`, `machine:<name>@<version>`, `operator` ... */
  readonly actor: string;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Ids and facts, never a phone number. */
  readonly payload?: Readonly<Record<string, unknown>>;
}

/**
 * Numbers the events of each stream on from its last one. A stream's id holds an id of ours, so that
 * it needs no business unit beside it; to name one would let PostgreSQL read all events of a business
 * unit that its statistics do not know yet. The caller holds the stream's row (task,
 * engagement) locked by having changed it, so that two transactions never number one stream; the
 * unique index refuses it if they do.
 */
export async function appendEvents(
  tx: Transaction<Database>,
  businessUnitId: string,
  atMs: number,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const streamIds = [...new Set(events.map(({ streamId }) => streamId))];
  const last = await tx
    .selectFrom('events')
    .select(['stream_id', (eb) => eb.fn.max('stream_seq').as('last_seq')])
    .where('stream_id', 'in', streamIds)
    .groupBy('stream_id')
    .execute();
  const lastSeq = new Map(last.map((row) => [row.stream_id, row.last_seq]));
  const rows = events.map((event) => {
    const streamSeq = (lastSeq.get(event.streamId) ?? 0) + 1;
    lastSeq.set(event.streamId, streamSeq);
    return {
      business_unit_id: businessUnitId,
      stream_id: event.streamId,
      stream_seq: streamSeq,
      type: event.type,
      version: event.version ?? 1,
      at_ms: atMs,
      actor: event.actor,
      before: jsonOrNull(event.before),
      after: jsonOrNull(event.after),
      payload: JSON.stringify(event.payload ?? {}),
    };
  });
  await insertMany(tx, 'events', rows);
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
