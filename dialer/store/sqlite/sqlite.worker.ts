/**
 * The thread that owns the SQLite file: one connection that writes, with group commit, and one that
 * only reads what is committed. SQLite blocks its caller while it waits for the disk; here it blocks
 * nobody who is dialing.
 */
import { parentPort, workerData } from 'node:worker_threads';
import Libsql from 'libsql';
import { GroupCommit } from './group-commit.ts';
import type { FromSqlite, SqliteThreadOptions, SqlResult, ToSqlite } from './sqlite-messages.ts';
import { StatementCache } from './statement-cache.ts';

const GATHER_MS = 4;
const GROUP_MAX = 256;
const BUSY_TIMEOUT_MS = 5_000;

const port = parentPort;
if (port === null) throw new Error('sqlite.worker runs as a worker thread only');
const options = workerData as SqliteThreadOptions;

function say(message: FromSqlite): void {
  port?.postMessage(message);
}

function openConnection(pragmas: readonly string[]): Libsql.Database {
  const database = new Libsql(options.file);
  for (const pragma of pragmas) database.exec(`pragma ${pragma}`);
  return database;
}

function serve(): void {
  // The timeout goes first: another process may be opening the same file.
  const common = [`busy_timeout = ${BUSY_TIMEOUT_MS}`, 'foreign_keys = on', 'temp_store = memory'];
  // FULL: a commit that was reported survives a power cut. NORMAL in WAL mode would not.
  const writer = openConnection([...common, 'journal_mode = wal', 'synchronous = full']);
  const reader = openConnection([...common, 'query_only = on']);
  const written = new StatementCache(writer);
  const readOnly = new StatementCache(reader);
  const gatherMs = options.gatherMs ?? GATHER_MS;
  const nowMs = (): number => performance.now();
  const commits = new GroupCommit({ database: writer, gatherMs, groupMax: GROUP_MAX, nowMs });

  const settleOf = (id: number, results: readonly SqlResult[]) => ({
    settle: (error: Error | undefined) =>
      say(error === undefined ? { type: 'done', id, results } : failure(id, error)),
  });

  const handle = (message: ToSqlite): void => {
    const { id } = message;
    switch (message.type) {
      case 'read':
        say({ type: 'done', id, results: [readOnly.run(message.statement)] });
        break;
      case 'begin':
        commits.beginSession();
        say({ type: 'done', id, results: [] });
        break;
      case 'write':
        say({ type: 'done', id, results: [commits.run(() => written.run(message.statement))] });
        break;
      case 'commit':
        commits.endSession(settleOf(id, []), message.waiting);
        break;
      case 'rollback':
        commits.abandonSession(message.waiting);
        say({ type: 'done', id, results: [] });
        break;
      case 'unit': {
        commits.beginSession();
        let results: readonly SqlResult[];
        try {
          results = message.statements.map((statement) =>
            commits.run(() => written.run(statement)),
          );
        } catch (error) {
          commits.abandonSession(message.waiting);
          throw error;
        }
        commits.endSession(settleOf(id, results), message.waiting);
        break;
      }
      case 'close':
        commits.finish();
        reader.close();
        writer.close();
        say({ type: 'done', id, results: [] });
        port?.close();
        break;
    }
  };

  port?.on('message', (message: ToSqlite) => {
    try {
      handle(message);
    } catch (error) {
      say(failure(message.id, error));
    }
  });
}

function failure(id: number, error: unknown): FromSqlite {
  const code = (error as { code?: unknown }).code;
  const problem = error instanceof Error ? error.message : String(error);
  return { type: 'error', id, code: typeof code === 'string' ? code : 'SQLITE_ERROR', problem };
}

try {
  serve();
  say({ type: 'ready' });
} catch (error) {
  say({ type: 'failed', problem: error instanceof Error ? error.message : String(error) });
  port.close();
}
