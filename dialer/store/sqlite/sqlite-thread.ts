/** The SQLite thread as those who use it see it: the one who started it, and clients in other threads. */
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { DialerError } from '../../../machines/errors.ts';
import { startThread } from '../../start-thread.ts';
import { SqliteClient } from './sqlite-client.ts';
import type { FromSqlite, SqliteThreadOptions } from './sqlite-messages.ts';

export interface SqliteThread {
  readonly client: SqliteClient;
  /** A way in for another thread: hand it over, and `joinSqliteThread` there. */
  invite(): MessagePort;
  /** The starter's lets those who wait for their turn write, commits, and closes the file. */
  close(): Promise<void>;
}

/** Resolves when the file is open; rejects with STORE_UNAVAILABLE and the reason. */
export async function startSqliteThread(options: SqliteThreadOptions): Promise<SqliteThread> {
  const name = import.meta.url.endsWith('.ts') ? './sqlite.worker.ts' : './sqlite.worker.js';
  const worker = startThread(new URL(name, import.meta.url), { workerData: options });
  await ready(worker, options.file);
  const client = new SqliteClient(worker);
  worker.once('error', (error) => client.fail(`its thread died: ${error.message}`));
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      client.fail('it is closed');
      resolve();
    });
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    if (!client.isUsable) return;
    await client.ask({ type: 'close' });
    await exited;
  };
  return {
    client,
    invite: () => {
      const { port1, port2 } = new MessageChannel();
      // Refused only when the file is closed; the port closes then too, and its client is told.
      client.ask({ type: 'attach', port: port1 }, [port1]).catch(() => port1.close());
      return port2;
    },
    close: () => (closing ??= close()),
  };
}

/** From the thread that was given the port. Closing leaves the file open for the others. */
export function joinSqliteThread(port: MessagePort): SqliteThread {
  const client = new SqliteClient(port);
  const left = new Promise<void>((resolve) => {
    port.once('close', () => {
      client.fail('it is closed');
      resolve();
    });
  });
  return {
    client,
    invite: () => {
      throw new Error('only the thread that opened the file invites others');
    },
    close: async () => {
      port.close();
      await left;
    },
  };
}

function ready(worker: Worker, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (problem: string): void => {
      const detail = `the database ${file} cannot be opened: ${problem}`;
      reject(new DialerError('STORE_UNAVAILABLE', detail));
    };
    worker.once('error', (error) => refuse(error.message));
    worker.once('exit', () => refuse('its thread ended'));
    worker.once('message', (message: FromSqlite) => {
      if (message.type === 'failed') refuse(message.problem);
      else resolve();
    });
  });
}
