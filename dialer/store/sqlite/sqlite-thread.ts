/** The client side of the SQLite thread: a queue of write sessions, and reads beside them. */
import assert from 'node:assert/strict';
import type { Worker } from 'node:worker_threads';
import { DialerError } from '../../../machines/errors.ts';
import { startThread } from '../../start-thread.ts';
import type {
  FromSqlite,
  SqlResult,
  SqlStatement,
  SqliteThreadOptions,
  ToSqlite,
} from './sqlite-messages.ts';

interface Asked {
  resolve(results: readonly SqlResult[]): void;
  reject(error: Error): void;
}

type Question<T> = T extends { id: number } ? Omit<T, 'id'> : never;

/** Exclusive use of the writing connection, until it is committed or rolled back. */
export interface WriteSession {
  run(statement: SqlStatement): Promise<SqlResult>;
  /** Resolves when it is on disk. The next session begins before that. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export class SqliteThread {
  readonly #worker: Worker;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #failure: DialerError | undefined;
  /** Whoever may write next; the head holds the session. */
  readonly #queue: (() => void)[] = [];
  #isWriting = false;
  #closing: Promise<void> | undefined;

  /** Resolves when the file is open; rejects with STORE_UNAVAILABLE and the reason. */
  static async open(options: SqliteThreadOptions): Promise<SqliteThread> {
    const name = import.meta.url.endsWith('.ts') ? './sqlite.worker.ts' : './sqlite.worker.js';
    const worker = startThread(new URL(name, import.meta.url), { workerData: options });
    await new Promise<void>((resolve, reject) => {
      const onExit = (): void =>
        reject(new DialerError('STORE_UNAVAILABLE', 'the database’s thread ended at its start'));
      worker.once('error', reject);
      worker.once('exit', onExit);
      worker.once('message', (message: FromSqlite) => {
        worker.off('error', reject);
        worker.off('exit', onExit);
        if (message.type === 'failed') {
          const detail = `the database ${options.file} cannot be opened: ${message.problem}`;
          reject(new DialerError('STORE_UNAVAILABLE', detail));
        } else resolve();
      });
    });
    return new SqliteThread(worker);
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: FromSqlite) => this.#take(message));
    worker.once('error', (error) => this.#fail(`its thread died: ${error.message}`));
    worker.once('exit', () => this.#fail('it is closed'));
  }

  async read(statement: SqlStatement): Promise<SqlResult> {
    return only(await this.#ask({ type: 'read', statement }));
  }

  /** One session in one message: all of the statements or none. Resolves when it is on disk. */
  async unit(statements: readonly SqlStatement[]): Promise<readonly SqlResult[]> {
    await this.#turn();
    const answer = this.#ask({ type: 'unit', statements, waiting: this.#queue.length });
    this.#next();
    return answer;
  }

  async begin(): Promise<WriteSession> {
    await this.#turn();
    try {
      await this.#ask({ type: 'begin' });
    } catch (error) {
      this.#next();
      throw error;
    }
    let isOpen = true;
    const end = (type: 'commit' | 'rollback'): Promise<unknown> => {
      assert(isOpen, 'the session has ended');
      isOpen = false;
      const answer = this.#ask({ type, waiting: this.#queue.length });
      this.#next();
      return answer;
    };
    return {
      run: async (statement) => {
        assert(isOpen, 'the session has ended');
        return only(await this.#ask({ type: 'write', statement }));
      },
      commit: async () => {
        await end('commit');
      },
      rollback: async () => {
        await end('rollback');
      },
    };
  }

  /** Lets those who wait for their turn write, commits, and closes the file. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#failure !== undefined) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    await this.#turn();
    const asked = this.#ask({ type: 'close' });
    this.#next(); // whoever comes now is told that it is closed
    await asked;
    await exited;
  }

  #turn(): Promise<void> {
    if (!this.#isWriting) {
      this.#isWriting = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  #next(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#isWriting = false;
    else next();
  }

  #ask(question: Question<ToSqlite>): Promise<readonly SqlResult[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#worker.postMessage({ ...question, id } satisfies ToSqlite);
    });
  }

  #take(message: FromSqlite): void {
    if (message.type !== 'done' && message.type !== 'error') return;
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if (message.type === 'done') asked?.resolve(message.results);
    else {
      const cause = { sqliteCode: message.code };
      const detail = `${message.code}: ${message.problem}`;
      asked?.reject(new DialerError('STORE_STATEMENT_FAILED', detail, { context: cause }));
    }
  }

  #fail(why: string): void {
    this.#failure ??= new DialerError('STORE_UNAVAILABLE', `the database cannot be used: ${why}`);
    for (const asked of this.#asked.values()) asked.reject(this.#failure);
    this.#asked.clear();
  }
}

function only(results: readonly SqlResult[]): SqlResult {
  const result = results[0];
  assert(result !== undefined, 'a statement was answered without a result');
  return result;
}
