/** The store on PostgreSQL 15 or later. */
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { DialerError } from '../../../machines/errors.ts';
import { toBindables } from '../bindable.ts';
import { POSTGRES_WORDS, SQLITE_WORDS } from '../migration.ts';
import { migrate } from '../migrate.ts';
import { MIGRATIONS } from '../migrations.ts';
import type { OpenDatabase } from '../open-database.ts';
import type { Database } from '../schema/database.ts';

export interface OpenPostgresOptions {
  /** `postgres://user@host:port/database`. */
  readonly url: string;
  /** Schema to live in; made when it is missing. Default `public`. */
  readonly schema?: string;
  readonly connectionsMax?: number;
  readonly nowMs: () => number;
}

const CONNECTIONS_MAX = 10;
const CONNECT_TIMEOUT_MS = 10_000;
/** Any constant: two starters must use the same. */
const MIGRATION_LOCK = 'select pg_advisory_xact_lock(727466)';

/** Brings the tables to this release. Rejects with STORE_UNAVAILABLE when it cannot be reached. */
export async function openPostgres(options: OpenPostgresOptions): Promise<OpenDatabase> {
  const schema = options.schema ?? 'public';
  const pool = new BindingPool({
    connectionString: options.url,
    max: options.connectionsMax ?? CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: `-c search_path=${schema} -c timezone=UTC`,
    types: { getTypeParser: parserOf },
  });
  // An idle connection that breaks is replaced by the pool; unheard, its error would end the process.
  pool.on('error', () => undefined);
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  try {
    await reach(db, options.url);
    if (schema !== 'public') await db.schema.createSchema(schema).ifNotExists().execute();
    const allWords = [SQLITE_WORDS, POSTGRES_WORDS];
    const common = { db, migrations: MIGRATIONS, allWords, nowMs: options.nowMs };
    await migrate({ ...common, words: POSTGRES_WORDS, lock: MIGRATION_LOCK });
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    kind: 'postgres',
    db,
    lockForClaim: (query) => query.forUpdate().skipLocked(),
    settledEventsOnly: (query) =>
      query.where(sql<boolean>`tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`),
    close: () => db.destroy(),
  };
}

async function reach(db: Kysely<Database>, url: string): Promise<void> {
  try {
    await sql`select 1`.execute(db);
  } catch (cause) {
    const { host } = new URL(url);
    const why = cause instanceof Error ? cause.message : String(cause);
    const detail = `PostgreSQL at ${host} cannot be used: ${why}`;
    throw new DialerError('STORE_UNAVAILABLE', detail, { cause });
  }
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

/** Sends every bound value through the codec, as the SQLite driver does. */
class BindingPool extends pg.Pool {
  override async connect(): Promise<pg.PoolClient>;
  override connect(callback: Parameters<pg.Pool['connect']>[0]): void;
  override connect(callback?: Parameters<pg.Pool['connect']>[0]): Promise<pg.PoolClient> | void {
    if (callback !== undefined) return super.connect(callback);
    return super.connect().then(binding);
  }
}

const isBinding = new WeakSet<pg.PoolClient>();

function binding(client: pg.PoolClient): pg.PoolClient {
  if (isBinding.has(client)) return client;
  isBinding.add(client);
  const query = client.query.bind(client) as (text: string, values: unknown[]) => Promise<unknown>;
  const checked = (text: string, values: readonly unknown[] = []): Promise<unknown> =>
    query(text, toBindables(values));
  client.query = checked as typeof client.query;
  return client;
}
