/** The store on a SQLite file. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { Kysely } from 'kysely';
import { POSTGRES_WORDS, SQLITE_WORDS, type Migration } from '../migration.ts';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations.ts';
import type { OpenDatabase } from '../open-database.ts';
import type { Database } from '../schema/database.ts';
import { SqliteThreadDialect } from './sqlite-dialect.ts';
import { joinSqliteThread, startSqliteThread, type SqliteThread } from './sqlite-thread.ts';

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
  const database = onThread(await startSqliteThread(thread));
  const { db } = database;
  try {
    const allWords = [SQLITE_WORDS, POSTGRES_WORDS];
    await migrate({ db, migrations, words: SQLITE_WORDS, allWords, nowMs });
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/** The same open file, from another thread of this process. */
export function joinSqlite(port: MessagePort): OpenDatabase {
  return onThread(joinSqliteThread(port));
}

function onThread(thread: SqliteThread): OpenDatabase {
  const db = new Kysely<Database>({ dialect: new SqliteThreadDialect(thread) });
  return {
    kind: 'sqlite',
    db,
    // One writer at a time: there is nobody to skip.
    lockForClaim: (query) => query,
    // Sequence numbers are given and committed in one order.
    settledEventsOnly: (query) => query,
    share: () => ({ kind: 'sqlite', port: thread.invite() }),
    waiting: () => thread.client.waiting,
    onCommit: (listener) => {
      thread.client.onCommit = listener;
    },
    close: async () => {
      await db.destroy(); // leaves the thread alone when nothing was ever asked of it
      await thread.close();
    },
  };
}
