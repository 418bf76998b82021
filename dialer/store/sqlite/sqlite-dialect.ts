/**
 * Kysely over the SQLite thread. A transaction is a write session; a statement outside one that
 * changes something is a session by itself; a query outside one goes to the reading connection.
 */
import assert from 'node:assert/strict';
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely';
import { toBindables } from '../bindable.ts';
import { partsOf, type Answer } from '../run-together.ts';
import type { SqlResult, SqlStatement } from './sqlite-messages.ts';
import type { SqliteClient, WriteSession } from './sqlite-client.ts';
import type { SqliteThread } from './sqlite-thread.ts';

export class SqliteThreadDialect implements Dialect {
  readonly #thread: SqliteThread;

  constructor(thread: SqliteThread) {
    this.#thread = thread;
  }

  createDriver(): Driver {
    return new SqliteThreadDriver(this.#thread);
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new SqliteAdapter();
  }

  createIntrospector(db: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(db);
  }
}

class SqliteThreadDriver implements Driver {
  readonly #thread: SqliteThread;

  constructor(thread: SqliteThread) {
    this.#thread = thread;
  }

  async init(): Promise<void> {
    // The thread is open before there is a dialect.
  }

  acquireConnection(): Promise<DatabaseConnection> {
    return Promise.resolve(new SqliteConnection(this.#thread.client));
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await asOurs(connection).begin();
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await asOurs(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await asOurs(connection).rollback();
  }

  async releaseConnection(): Promise<void> {
    // Connections are handles on the one thread: there is nothing to give back.
  }

  async destroy(): Promise<void> {
    await this.#thread.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #client: SqliteClient;
  #session: WriteSession | undefined;

  constructor(client: SqliteClient) {
    this.#client = client;
  }

  async begin(): Promise<void> {
    this.#session = await this.#client.begin();
  }

  async commit(): Promise<void> {
    const session = this.#session;
    assert(session !== undefined, 'no transaction has begun');
    this.#session = undefined;
    await session.commit();
  }

  /** Kysely also rolls back after a COMMIT that failed; then there is nothing left to undo. */
  async rollback(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.rollback();
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const together = partsOf(query);
    if (together !== undefined) {
      assert(this.#session !== undefined, 'statements run together belong to a transaction');
      const results = await this.#session.run(together.map(statementOf));
      return { rows: results satisfies readonly Answer[] as R[] };
    }
    const { rows, changes } = await this.#run(statementOf(query), isRead(query));
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  }

  /** Never used: lists are paged by id. */
  async *streamQuery<R>(): AsyncGenerator<QueryResult<R>> {
    await Promise.reject(new Error('the SQLite store does not stream: page by id instead'));
  }

  async #run(statement: SqlStatement, read: boolean): Promise<SqlResult> {
    if (this.#session === undefined && read) return this.#client.read(statement);
    const session = this.#session ?? {
      run: (all: readonly SqlStatement[]) => this.#client.unit(all),
    };
    const [result] = await session.run([statement]);
    assert(result !== undefined, 'one statement has one result');
    return result;
  }
}

function statementOf({ sql, parameters }: CompiledQuery): SqlStatement {
  return { sql, parameters: toBindables(parameters) };
}

function isRead(query: CompiledQuery): boolean {
  if (query.query.kind === 'SelectQueryNode') return true;
  return query.query.kind === 'RawNode' && /^\s*(?:select|with|explain|pragma)\b/i.test(query.sql);
}

function asOurs(connection: DatabaseConnection): SqliteConnection {
  assert(connection instanceof SqliteConnection, 'a connection of another driver');
  return connection;
}
