/** The store on PostgreSQL 15 or later. */
import assert from 'node:assert/strict';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { DialerError } from '../../../machines/errors.ts';
import { POSTGRES_WORDS, SQLITE_WORDS, type Migration } from '../migration.ts';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations.ts';
import type { OpenDatabase } from '../open-database.ts';
import type { Database } from '../schema/database.ts';
import { BindingPool } from './binding-pool.ts';
import { pipelining } from './pipelining.ts';

export interface OpenPostgresOptions {
  /** `postgres://user@host:port/database`. */
  readonly url: string;
  /** Schema to live in; made when it is missing. Default `public`. */
  readonly schema?: string;
  readonly connectionsMax?: number;
  /** Default: this release's. */
  readonly migrations?: readonly Migration[];
  readonly nowMs: () => number;
}

const CONNECTIONS_MAX = 10;
const CONNECTIONS_OF_A_THREAD = 2;
const CONNECT_TIMEOUT_MS = 10_000;
/** Any constant: two starters must use the same. */
const MIGRATION_LOCK = 'select pg_advisory_xact_lock(727466)';
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
/** 15.0, as `server_version_num` has it. */
const VERSION_MIN = 150_000;
/** Whatever a server, database or role has as its default: the store reads what is committed. */
const ISOLATION = '-c default_transaction_isolation=read\\ committed';

/** Brings the tables to this release. Rejects with STORE_UNAVAILABLE when it cannot be reached. */
export async function openPostgres(options: OpenPostgresOptions): Promise<OpenDatabase> {
  const { url, schema = 'public', connectionsMax = CONNECTIONS_MAX } = options;
  const database = onPool({ url, schema, connectionsMax });
  const { db } = database;
  try {
    await reach(db, url);
    await migrate({
      db,
      migrations: options.migrations ?? MIGRATIONS,
      words: POSTGRES_WORDS,
      allWords: [SQLITE_WORDS, POSTGRES_WORDS],
      before: [
        MIGRATION_LOCK,
        ...(schema === 'public' ? [] : [`create schema if not exists ${schema}`]),
      ],
      nowMs: options.nowMs,
    });
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/** Connections of another thread's own. */
export function joinPostgres({ url, schema }: PostgresPlace): OpenDatabase {
  return onPool({ url, schema, connectionsMax: CONNECTIONS_OF_A_THREAD });
}

interface PostgresPlace {
  readonly url: string;
  readonly schema: string;
}

function onPool({
  url,
  schema,
  connectionsMax,
}: PostgresPlace & { readonly connectionsMax: number }): OpenDatabase {
  assert(SCHEMA_NAME.test(schema), `not a plain schema name: ${schema}`);
  const { connectionString, serverOptions } = withoutOptions(url);
  const pool = new BindingPool({
    connectionString,
    application_name: 'ringfence',
    max: connectionsMax,
    pipeline: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: `${serverOptions} -c search_path=${schema} -c timezone=UTC ${ISOLATION}`,
    types: { getTypeParser: parserOf },
  });
  // An idle connection that breaks is replaced by the pool; unheard, its error would end the process.
  pool.on('error', () => undefined);
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool, onCreateConnection: pipelining }),
  });
  return {
    kind: 'postgres',
    db,
    lockForClaim: (query) => query.forUpdate().skipLocked(),
    settledEventsOnly: (query) =>
      query.where(sql<boolean>`tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`),
    share: () => ({ kind: 'postgres', url, schema }),
    waiting: () => pool.waitingCount,
    onCommit: (listener) => {
      pool.onCommit = listener;
    },
    close: async () => {
      await pool.drained();
      await db.destroy();
    },
  };
}

/** `options` of the URL are kept, but ours go behind them: the driver would take one or the other. */
function withoutOptions(text: string): { connectionString: string; serverOptions: string } {
  const url = new URL(text);
  const serverOptions = url.searchParams.get('options') ?? '';
  url.searchParams.delete('options');
  return { connectionString: url.href, serverOptions };
}

async function reach(db: Kysely<Database>, url: string): Promise<void> {
  const { host } = new URL(url);
  let settings: { version: number; commit: string; fsync: string } | undefined;
  try {
    const answer = await sql<{ version: number; commit: string; fsync: string }>`
      select current_setting('server_version_num')::int as version,
        current_setting('synchronous_commit') as commit, current_setting('fsync') as fsync`.execute(
      db,
    );
    settings = answer.rows[0];
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw unusable(host, why, cause);
  }
  if (settings === undefined || settings.version < VERSION_MIN) {
    throw unusable(host, 'it is older than version 15');
  }
  // An attempt is on disk before its INVITE leaves; without these a power cut would undo it.
  if (settings.commit === 'off' || settings.fsync === 'off') {
    throw unusable(host, 'synchronous_commit or fsync is off, so that a power cut loses commits');
  }
}

function unusable(host: string, why: string, cause?: unknown): DialerError {
  const detail = `PostgreSQL at ${host} cannot be used: ${why}`;
  return new DialerError('STORE_UNAVAILABLE', detail, { cause });
}

/** `select oid from pg_type where typname = 'int8'`. */
const INT8: number = 20;

type Parser = (text: string) => unknown;
const defaultParserOf = pg.types.getTypeParser as (oid: number, format?: string) => Parser;

/** int8 arrives as text; all of ours are below 2^53, and one that is not must not be rounded. */
function parserOf(oid: number, format?: 'text' | 'binary'): Parser {
  if (oid !== INT8) return defaultParserOf(oid, format);
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw new RangeError(`${text} does not fit a number exactly`);
    return value;
  };
}
