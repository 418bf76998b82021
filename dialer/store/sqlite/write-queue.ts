/**
 * Whose turn it is to write. Sessions of all clients run one after the other in the order in which
 * they were asked for, and end in shared commits; a client that dies in its session is undone.
 */
import assert from 'node:assert/strict';
import type { GroupCommit } from './group-commit.ts';
import type { FromSqlite, SentResult, SentStatement, ToSqlite } from './sqlite-messages.ts';
import type { StatementCache } from './statement-cache.ts';

export interface Client {
  say(message: FromSqlite): void;
}

type Asked = Extract<ToSqlite, { type: 'begin' | 'unit' | 'close' }>;

export class WriteQueue {
  readonly #commits: GroupCommit;
  readonly #statements: StatementCache;
  readonly #onClose: () => void;
  #queue: { readonly client: Client; readonly message: Asked }[] = [];
  /** Whoever has the session open. */
  #writer: Client | undefined;
  #isClosed = false;

  constructor(commits: GroupCommit, statements: StatementCache, onClose: () => void) {
    this.#commits = commits;
    this.#statements = statements;
    this.#onClose = onClose;
  }

  ask(client: Client, message: Asked): void {
    this.#queue.push({ client, message });
    this.#pump();
  }

  /** Stops at the first that fails. */
  write(client: Client, statements: readonly SentStatement[]): readonly SentResult[] {
    assert(this.#writer === client, 'written outside a session');
    return statements.map((statement) => this.#run(statement));
  }

  commit(client: Client, id: number): void {
    assert(this.#writer === client, 'committed outside a session');
    this.#writer = undefined;
    try {
      this.#commits.endSession(settling(client, id, []), this.#queue.length);
    } finally {
      this.#pump();
    }
  }

  rollback(client: Client): void {
    assert(this.#writer === client, 'rolled back outside a session');
    this.#writer = undefined;
    try {
      this.#commits.abandonSession(this.#queue.length);
    } finally {
      this.#pump();
    }
  }

  /** The client is gone: nobody will end its session, nor hear of what it still asked for. */
  leave(client: Client): void {
    this.#queue = this.#queue.filter((asked) => asked.client !== client);
    if (this.#writer === client) this.rollback(client);
  }

  #pump(): void {
    while (this.#writer === undefined && !this.#isClosed) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      const { client, message } = next;
      try {
        this.#grant(client, message);
      } catch (error) {
        client.say(failure(message.id, error));
      }
    }
  }

  #grant(client: Client, message: Asked): void {
    switch (message.type) {
      case 'begin':
        this.#commits.beginSession();
        this.#writer = client;
        client.say({ type: 'done', id: message.id, results: [] });
        break;
      case 'unit':
        this.#unit(client, message.id, message.statements);
        break;
      case 'close':
        this.#isClosed = true;
        this.#commits.finish();
        client.say({ type: 'done', id: message.id, results: [] });
        this.#onClose();
    }
  }

  #unit(client: Client, id: number, statements: readonly SentStatement[]): void {
    this.#commits.beginSession();
    let results: readonly SentResult[];
    try {
      results = statements.map((statement) => this.#run(statement));
    } catch (error) {
      this.#commits.abandonSession(this.#queue.length);
      throw error;
    }
    this.#commits.endSession(settling(client, id, results), this.#queue.length);
  }

  #run(statement: SentStatement): SentResult {
    return this.#commits.run(() => this.#statements.run(statement));
  }
}

function settling(client: Client, id: number, results: readonly SentResult[]) {
  return {
    settle: (error: Error | undefined) =>
      client.say(error === undefined ? { type: 'done', id, results } : failure(id, error)),
  };
}

export function failure(id: number, error: unknown): FromSqlite {
  const code = (error as { code?: unknown }).code;
  const problem = error instanceof Error ? error.message : String(error);
  return { type: 'error', id, code: typeof code === 'string' ? code : 'SQLITE_ERROR', problem };
}
