/** The store that the configuration names: PostgreSQL when a URL is given, else a SQLite file. */
import type { OpenDatabase } from './open-database.ts';
import { openPostgres } from './postgres/open-postgres.ts';
import { openSqlite } from './sqlite/open-sqlite.ts';

export interface StoreLocation {
  /** `postgres://user@host:port/database`; empty or absent: the file is used. */
  readonly url?: string;
  readonly file: string;
}

export function openStore(
  { url, file }: StoreLocation,
  nowMs: () => number,
): Promise<OpenDatabase> {
  return url ? openPostgres({ url, nowMs }) : openSqlite({ file, nowMs });
}
