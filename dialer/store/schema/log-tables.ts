/** The log of everything that happened, and who owns what. */
import type { Generated } from 'kysely';

export interface LogTables {
  events: EventRow;
  leases: LeaseRow;
  schema_migrations: SchemaMigrationRow;
}

/** Written in the transaction of the change it tells: audit trail and outbox at once. */
export interface EventRow {
  seq: Generated<number>;
  /** PostgreSQL: the writing transaction, so that readers stop before one still running. SQLite: 0. */
  tx: Generated<number>;
  business_unit_id: string;
  /** `task:<id>`, `engagement:<id>`, `batch:<id>` ... */
  stream_id: string;
  /** From 1 within the stream. */
  stream_seq: number;
  type: string;
  /** Version of the event's shape. */
  version: number;
  at_ms: number;
  /** `system`, `dialer:<id>`, `key:<prefix>`, `machine:<name>@<version>` ... */
  actor: string;
  /** JSON of what changed, where something did. */
  before: string | null;
  after: string | null;
  payload: string;
}

/** Ownership of a queue group. The epoch is the fence, raised by the transaction that grants it. */
export interface LeaseRow {
  name: string;
  owner: string;
  epoch: number;
  expires_at_ms: number;
}

export interface SchemaMigrationRow {
  id: string;
  checksum: string;
  applied_at_ms: number;
}
