/** The store on a SQLite file. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely } from 'kysely';
import { POSTGRES_WORDS, SQLITE_WORDS, type Migration } from '../migration.ts';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations.ts';
import type { OpenDatabase } from '../open-database.ts';
import type { Database } from '../schema/database.ts';
import { SqliteThreadDialect } from './sqlite-dialect.ts';
import { SqliteThread } from './sqlite-thread.ts';

export interface OpenSqliteOptions {
  readonly file: string;
  readonly gatherMs?: number;
  /** Default: this release's. */
  readonly migrations?: readonly Migration[];
  readonly nowMs: () => number;
}

/** Makes the folder and the file when there are none, and brings the tables to this release. */
export async function openSqlite({
  nowMs,
  migrations = MIGRATIONS,
  ...thread
}: OpenSqliteOptions): Promise<OpenDatabase> {
  mkdirSync(dirname(thread.file), { recursive: true, mode: 0o700 });
  const db = new Kysely<Database>({
    dialect: new SqliteThreadDialect(await SqliteThread.open(thread)),
  });
  try {
    const allWords = [SQLITE_WORDS, POSTGRES_WORDS];
    await migrate({ db, migrations, words: SQLITE_WORDS, allWords, nowMs });
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    kind: 'sqlite',
    db,
    // One writer at a time: there is nobody to skip.
    lockForClaim: (query) => query,
    // Sequence numbers are given and committed in one order.
    settledEventsOnly: (query) => query,
    close: () => db.destroy(),
  };
}
