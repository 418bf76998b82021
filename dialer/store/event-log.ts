/** Appending to the event log, always in the transaction of the change that the event tells. */
import assert from 'node:assert/strict';
import type { CompiledQuery, Transaction } from 'kysely';
import { insertQueries, type InsertShape } from './insert-many.ts';
import { runTogether } from './run-together.ts';
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
 * unit that its statistics do not know yet. The caller holds the stream's row (task, engagement)
 * locked by having changed it, so that two transactions never number one stream; the unique index
 * refuses it if they do.
 */
export async function appendEvents(
  tx: Transaction<Database>,
  businessUnitId: string,
  atMs: number,
  events: readonly NewEvent[],
): Promise<void> {
  const queries = eventQueries(tx, businessUnitId, atMs, events);
  if (queries.length > 0) await runTogether(tx, queries);
}

const NEXT_IN_STREAM: InsertShape = {
  computed: {
    column: 'stream_seq',
    from: (count, valueOf) =>
      `${count} + coalesce((select max(known.stream_seq) from events as known
        where known.stream_id = ${valueOf('stream_id')}), 0)`,
  },
};

/** Fewer than fill a statement: rows of one statement do not see those of another one's numbering. */
const EVENTS_PER_STATEMENT = 2_000;

/** For those who write more beside them, and in this order; see `runTogether`. */
export function eventQueries(
  tx: Transaction<Database>,
  businessUnitId: string,
  atMs: number,
  events: readonly NewEvent[],
): CompiledQuery[] {
  const queries: CompiledQuery[] = [];
  for (let from = 0; from < events.length; from += EVENTS_PER_STATEMENT) {
    const some = events.slice(from, from + EVENTS_PER_STATEMENT);
    const statements = insertQueries(
      tx,
      'events',
      rowsOf(businessUnitId, atMs, some),
      NEXT_IN_STREAM,
    );
    assert(statements.length === 1, "a second statement would count the first one's events twice");
    queries.push(...statements);
  }
  return queries;
}

/** Each numbered within its stream among these; the statement adds what the stream has already. */
function rowsOf(businessUnitId: string, atMs: number, events: readonly NewEvent[]) {
  const counts = new Map<string, number>();
  return events.map((event) => {
    const count = (counts.get(event.streamId) ?? 0) + 1;
    counts.set(event.streamId, count);
    return {
      business_unit_id: businessUnitId,
      stream_id: event.streamId,
      stream_seq: count,
      type: event.type,
      version: event.version ?? 1,
      at_ms: atMs,
      actor: event.actor,
      before: jsonOrNull(event.before),
      after: jsonOrNull(event.after),
      payload: JSON.stringify(event.payload ?? {}),
    };
  });
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
