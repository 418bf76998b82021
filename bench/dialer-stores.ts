/** The two databases as a benchmark opens them, and the bare drivers beside them. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import pg from 'pg';
import type { OpenDatabase } from '../dialer/store/open-database.ts';
import { openPostgres } from '../dialer/store/postgres/open-postgres.ts';
import { openSqlite } from '../dialer/store/sqlite/open-sqlite.ts';
import { startPostgresCluster } from '../test/runner/postgres-cluster.mjs';

export type StoreName = 'sqlite' | 'postgres';

/** One connection of the bare driver, durable as the store is. */
export interface RawConnection {
  /** Runs the statements in one transaction, and resolves when it is on disk. */
  transaction(statements: readonly RawStatement[]): Promise<void>;
  all(statement: RawStatement): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

export interface RawStatement {
  /** Values as `?`. */
  readonly sql: string;
  readonly values: readonly (string | number | null)[];
}

export interface BenchStore {
  readonly name: StoreName;
  readonly database: OpenDatabase;
  /** To the same tables. */
  raw(): Promise<RawConnection>;
  close(): Promise<void>;
}

export interface BenchStores {
  /** An empty one. */
  open(name: StoreName): Promise<BenchStore>;
  close(): Promise<void>;
}

export async function benchStores(): Promise<BenchStores> {
  const cluster = await startPostgresCluster();
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-bench-'));
  return {
    open: (name) => {
      const unique = randomBytes(4).toString('hex');
      if (name === 'sqlite') return sqliteStore(join(folder, `${unique}.sqlite`));
      return postgresStore(cluster.url, `bench_${unique}`);
    },
    close: async () => {
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function sqliteStore(file: string): Promise<BenchStore> {
  const database = await openSqlite({ file, nowMs: Date.now });
  return {
    name: 'sqlite',
    database,
    raw: () => Promise.resolve(rawSqlite(file)),
    close: async () => {
      await database.close();
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    },
  };
}

/** As the store's own connection has them. */
const RAW_PRAGMAS = [
  'busy_timeout = 5000',
  'journal_mode = wal',
  'synchronous = full',
  'cache_size = -24576',
  'wal_autocheckpoint = 4000',
];

function rawSqlite(file: string): RawConnection {
  const db = new Libsql(file);
  for (const pragma of RAW_PRAGMAS) {
    db.exec(`pragma ${pragma}`);
  }
  const prepared = new Map<string, Libsql.Statement>();
  const statementOf = (sql: string): Libsql.Statement => {
    const statement = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
  return {
    transaction: (statements) => {
      db.exec('begin immediate');
      for (const { sql, values } of statements) statementOf(sql).run([...values]);
      db.exec('commit');
      return Promise.resolve();
    },
    all: ({ sql, values }) => Promise.resolve(statementOf(sql).all([...values])),
    close: () => {
      db.close();
      return Promise.resolve();
    },
  };
}

async function postgresStore(url: string, schema: string): Promise<BenchStore> {
  const database = await openPostgres({ url, schema, nowMs: Date.now });
  return {
    name: 'postgres',
    database,
    raw: () => rawPostgres(url, schema),
    close: async () => {
      await database.close();
      const client = new pg.Client(url);
      await client.connect();
      await client.query(`drop schema ${schema} cascade`);
      await client.end();
    },
  };
}

async function rawPostgres(url: string, schema: string): Promise<RawConnection> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
  client.on('error', () => undefined); // told to whoever waits for an answer
  await client.connect();
  const numbered = (sql: string): string => {
    let count = 0;
    return sql.replaceAll('?', () => `$${(count += 1)}`);
  };
  const run = ({ sql, values }: RawStatement) => client.query(numbered(sql), [...values]);
  return {
    transaction: async (statements) => {
      await client.query('begin');
      for (const statement of statements) await run(statement);
      await client.query('commit');
    },
    all: async (statement) => (await run(statement)).rows as unknown[],
    close: () => client.end(),
  };
}
