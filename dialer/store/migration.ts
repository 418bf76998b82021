/** The shape of a migration, and the few places where the two databases need different words. */

/** Words that SQLite and PostgreSQL spell differently. */
export interface SqlWords {
  /** Type and key of a number that counts up by itself. */
  readonly identity: string;
  /** Id of the running transaction; 0 where one writer makes the order of commits plain. */
  readonly currentTransaction: string;
}

export const SQLITE_WORDS: SqlWords = {
  identity: 'integer primary key autoincrement',
  currentTransaction: '0',
};

export const POSTGRES_WORDS: SqlWords = {
  identity: 'bigint generated always as identity primary key',
  currentTransaction: '(pg_current_xact_id()::text::bigint)',
};

/**
 * Forward only. Changes are made in two releases, expand and then contract, so that the old release
 * can still run beside the new one. A released migration is never edited: its checksum is recorded
 * where it ran, and a different one refuses to start.
 */
export interface Migration {
  /** Sorts in the order of application: `NNNN-what-it-does`. */
  readonly id: string;
  readonly statements: (sql: SqlWords) => readonly string[];
}
