/**
 * The thread that owns the SQLite file: one connection that writes, with group commit, and one that
 * only reads what is committed. SQLite blocks its caller while it waits for the disk; here it blocks
 * nobody who is dialing.
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import Libsql from 'libsql';
import { GroupCommit } from './group-commit.ts';
import type { FromSqlite, SqliteThreadOptions, ToSqlite } from './sqlite-messages.ts';
import { StatementCache } from './statement-cache.ts';
import { failure, WriteQueue, type Client } from './write-queue.ts';

const GATHER_MS = 4;
const GROUP_MAX = 256;
const BUSY_TIMEOUT_MS = 5_000;
/** Room for the hot ends of the indexes: with SQLite's 2 MB a long list is read back page by page. */
const WRITER_CACHE_KIB = 24_576;
/** 16 MB of log between two checkpoints, each of which waits for the disk twice. */
const CHECKPOINT_PAGES = 4_000;

const mainPort = parentPort;
if (mainPort === null) throw new Error('sqlite.worker runs as a worker thread only');
const options = workerData as SqliteThreadOptions;

function openConnection(pragmas: readonly string[]): Libsql.Database {
  const database = new Libsql(options.file);
  for (const pragma of pragmas) database.exec(`pragma ${pragma}`);
  return database;
}

function serve(main: MessagePort): void {
  // The timeout goes first: another process may be opening the same file.
  const common = [`busy_timeout = ${BUSY_TIMEOUT_MS}`, 'foreign_keys = on', 'temp_store = memory'];
  // FULL: a commit that was reported survives a power cut. NORMAL in WAL mode would not.
  const writer = openConnection([
    ...common,
    'journal_mode = wal',
    'synchronous = full',
    `cache_size = -${WRITER_CACHE_KIB}`,
    `wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
  ]);
  const reader = openConnection([...common, 'query_only = on']);
  const readOnly = new StatementCache(reader);
  const gatherMs = options.gatherMs ?? GATHER_MS;
  const nowMs = (): number => performance.now();
  const commits = new GroupCommit({
    ...{ database: writer, gatherMs, groupMax: GROUP_MAX, nowMs },
    onCommit: (sessions, tookMs) => {
      main.postMessage({ type: 'committed', sessions, tookMs } satisfies FromSqlite);
    },
  });
  const attached = new Set<MessagePort>();
  const queue = new WriteQueue(commits, new StatementCache(writer), () => {
    reader.close();
    writer.close();
    for (const port of [main, ...attached]) port.close();
  });

  const handle = (client: Client, message: ToSqlite): void => {
    const done = (...results: FromResults): void =>
      client.say({ type: 'done', id: message.id, results });
    switch (message.type) {
      case 'read':
        done(readOnly.run(message.statement));
        break;
      case 'write':
        done(...queue.write(client, message.statements));
        break;
      case 'commit':
        queue.commit(client, message.id);
        break;
      case 'rollback':
        queue.rollback(client);
        done();
        break;
      case 'attach':
        listen(message.port);
        attached.add(message.port);
        done();
        break;
      default:
        queue.ask(client, message);
    }
  };

  const listen = (port: MessagePort): void => {
    const client: Client = { say: (message) => port.postMessage(message) };
    port.on('message', (message: ToSqlite) => {
      try {
        handle(client, message);
      } catch (error) {
        client.say(failure(message.id, error));
      }
    });
    port.once('close', () => {
      attached.delete(port);
      queue.leave(client);
    });
  };
  listen(main);
}

type FromResults = Extract<FromSqlite, { type: 'done' }>['results'];

try {
  serve(mainPort);
  mainPort.postMessage({ type: 'ready' } satisfies FromSqlite);
} catch (error) {
  const problem = error instanceof Error ? error.message : String(error);
  mainPort.postMessage({ type: 'failed', problem } satisfies FromSqlite);
  mainPort.close();
}
