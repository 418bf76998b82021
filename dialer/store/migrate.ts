/** Brings a database to this release's tables, or refuses when it is not what it claims to be. */
import { createHash } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Migration, SqlWords } from './migration.ts';
import type { Database } from './schema/database.ts';

/** Covers the statements as both databases would see them: an edit of either is noticed. */
export function checksumOf({ id, statements }: Migration, words: readonly SqlWords[]): string {
  const hash = createHash('sha256').update(id);
  for (const dialect of words) {
    for (const statement of statements(dialect)) hash.update('\0').update(statement);
  }
  return hash.digest('hex');
}

export interface MigrateOptions {
  readonly db: Kysely<Database>;
  readonly migrations: readonly Migration[];
  readonly words: SqlWords;
  /** All dialects, for the checksum. */
  readonly allWords: readonly SqlWords[];
  /**
   * Done first in the transaction. On PostgreSQL a lock that makes starters wait for each other (two
   * that create one table at once would collide); SQLite's write transaction needs none.
   */
  readonly before?: readonly string[];
  readonly nowMs: () => number;
}

/** Applies what is missing, all of it or nothing. Answers the ids applied. */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const { db, migrations, words, allWords, before = [], nowMs } = options;
  return db.transaction().execute(async (tx) => {
    for (const statement of before) await sql.raw(statement).execute(tx);
    await sql`create table if not exists schema_migrations (
      id text not null primary key, checksum text not null, applied_at_ms bigint not null)`.execute(
      tx,
    );
    const applied = await tx.selectFrom('schema_migrations').selectAll().execute();
    refuseUnknown(applied, migrations, allWords);
    const missing = migrations.filter(({ id }) => !applied.some((row) => row.id === id));
    for (const migration of missing) {
      for (const statement of migration.statements(words)) await sql.raw(statement).execute(tx);
      const checksum = checksumOf(migration, allWords);
      const row = { id: migration.id, checksum, applied_at_ms: nowMs() };
      await tx.insertInto('schema_migrations').values(row).execute();
    }
    return missing.map(({ id }) => id);
  });
}

function refuseUnknown(
  applied: readonly { id: string; checksum: string }[],
  migrations: readonly Migration[],
  allWords: readonly SqlWords[],
): void {
  for (const { id, checksum } of applied) {
    const migration = migrations.find((known) => known.id === id);
    if (migration === undefined) {
      const detail = `the database was written by a newer release: it has migration ${id}`;
      throw new DialerError('STORE_SCHEMA_MISMATCH', detail);
    }
    if (checksumOf(migration, allWords) !== checksum) {
      const detail = `migration ${id} is not the one this database was made with`;
      throw new DialerError('STORE_SCHEMA_MISMATCH', detail);
    }
  }
}
