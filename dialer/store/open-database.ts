/** A database ready for use: the tables are this release's, and the two dialects look alike. */
import type { MessagePort } from 'node:worker_threads';
import type { Kysely, SelectQueryBuilder } from 'kysely';
import type { Database } from './schema/database.ts';

export interface OpenDatabase {
  readonly kind: 'sqlite' | 'postgres';
  readonly db: Kysely<Database>;
  /** Lets several dialers claim side by side: rows another is claiming are passed over. */
  readonly lockForClaim: <O>(
    query: SelectQueryBuilder<Database, 'tasks', O>,
  ) => SelectQueryBuilder<Database, 'tasks', O>;
  /** Leaves out events that could still be preceded by one that is not committed yet. */
  readonly settledEventsOnly: <O>(
    query: SelectQueryBuilder<Database, 'events', O>,
  ) => SelectQueryBuilder<Database, 'events', O>;
  /** The way in for another thread of this process; see `joinDatabase`. */
  share(): SharedDatabase;
  /** What was asked of the store and has no answer yet: statements, or wishes for a connection. */
  waiting(): number;
  /** One listener, for metrics; told of the commits that were asked for through this. */
  onCommit(listener: CommitListener): void;
  close(): Promise<void>;
}

/** `sessions`: transactions that it made durable together. `tookMs`: until the store said so. */
export type CommitListener = (commit: {
  readonly sessions: number;
  readonly tookMs: number;
}) => void;

/** Sent to a thread. A port is to be named in the list of what is transferred. */
export type SharedDatabase =
  | { readonly kind: 'sqlite'; readonly port: MessagePort }
  | { readonly kind: 'postgres'; readonly url: string; readonly schema: string };
