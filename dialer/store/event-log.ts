/** Appending to the event log, always in the transaction of the change that the event tells. */
import type { CompiledQuery, Transaction } from 'kysely';
import { numberedInserts } from './insert-numbered.ts';
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

const IN_STREAM = { column: 'stream_seq', within: 'stream_id', rowsPerStatement: 2_000 } as const;

/** For those who write more beside them, and in this order; see `runTogether`. */
export function eventQueries(
  tx: Transaction<Database>,
  businessUnitId: string,
  atMs: number,
  events: readonly NewEvent[],
): CompiledQuery[] {
  const rows = events.map((event) => ({
    business_unit_id: businessUnitId,
    stream_id: event.streamId,
    type: event.type,
    version: event.version ?? 1,
    at_ms: atMs,
    actor: event.actor,
    before: jsonOrNull(event.before),
    after: jsonOrNull(event.after),
    payload: JSON.stringify(event.payload ?? {}),
  }));
  return numberedInserts(tx, 'events', rows, IN_STREAM);
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
