/** One thread's side of the SQLite thread: questions, their answers, and what becomes of them. */
import assert from 'node:assert/strict';
import type { MessagePort, Worker } from 'node:worker_threads';
import { DialerError } from '../../../machines/errors.ts';
import type { CommitListener } from '../open-database.ts';
import {
  crossed,
  crossing,
  type FromSqlite,
  type SentStatement,
  type SqlResult,
  type SqlStatement,
  type ToSqlite,
} from './sqlite-messages.ts';

interface Asked {
  resolve(results: readonly SqlResult[]): void;
  reject(error: Error): void;
}

type Question<T> = T extends { id: number } ? Omit<T, 'id'> : never;

/** Exclusive use of the writing connection, until it is committed or rolled back. */
export interface WriteSession {
  /** In one message; stops at the first that fails. */
  run(statements: readonly SqlStatement[]): Promise<readonly SqlResult[]>;
  /** Resolves when it is on disk. The next session begins before that. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export class SqliteClient {
  /** Only the thread that opened the file is told. */
  onCommit: CommitListener = () => undefined;
  readonly #port: Worker | MessagePort;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #failure: DialerError | undefined;

  constructor(port: Worker | MessagePort) {
    this.#port = port;
    port.on('message', (message: FromSqlite) => this.#take(message));
  }

  /** Questions that have no answer yet. */
  get waiting(): number {
    return this.#asked.size;
  }

  get isUsable(): boolean {
    return this.#failure === undefined;
  }

  async read(statement: SqlStatement): Promise<SqlResult> {
    return only(await this.ask({ type: 'read', statement: sent(statement) }));
  }

  /** One session in one message: all of the statements or none. Resolves when it is on disk. */
  unit(statements: readonly SqlStatement[]): Promise<readonly SqlResult[]> {
    return this.ask({ type: 'unit', statements: statements.map(sent) });
  }

  /** Waits for its turn. */
  async begin(): Promise<WriteSession> {
    await this.ask({ type: 'begin' });
    let isOpen = true;
    const end = async (type: 'commit' | 'rollback'): Promise<void> => {
      assert(isOpen, 'the session has ended');
      isOpen = false;
      await this.ask({ type });
    };
    return {
      run: async (statements) => {
        assert(isOpen, 'the session has ended');
        return this.ask({ type: 'write', statements: statements.map(sent) });
      },
      commit: () => end('commit'),
      rollback: () => end('rollback'),
    };
  }

  ask(
    question: Question<ToSqlite>,
    transfer: readonly MessagePort[] = [],
  ): Promise<readonly SqlResult[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#port.postMessage({ ...question, id } satisfies ToSqlite, transfer);
    });
  }

  /** The thread is gone: nothing that was asked will be answered, and nothing more can be. */
  fail(why: string): void {
    this.#failure ??= new DialerError('STORE_UNAVAILABLE', `the database cannot be used: ${why}`);
    for (const asked of this.#asked.values()) asked.reject(this.#failure);
    this.#asked.clear();
  }

  #take(message: FromSqlite): void {
    if (message.type === 'committed') this.onCommit(message);
    if (message.type !== 'done' && message.type !== 'error') return;
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if (message.type === 'done') {
      asked?.resolve(
        message.results.map(({ rows, changes }) => ({ rows: crossed(rows), changes })),
      );
    } else {
      const cause = { sqliteCode: message.code };
      const detail = `${message.code}: ${message.problem}`;
      asked?.reject(new DialerError('STORE_STATEMENT_FAILED', detail, { context: cause }));
    }
  }
}

function sent({ sql, parameters }: SqlStatement): SentStatement {
  return { sql, parameters: crossing(parameters) };
}

function only(results: readonly SqlResult[]): SqlResult {
  const result = results[0];
  assert(result !== undefined, 'a statement was answered without a result');
  return result;
}
