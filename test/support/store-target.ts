/** The two databases, as places to open the store in: each test gets empty ones of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Migration } from '../../dialer/store/migration.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { openPostgres } from '../../dialer/store/postgres/open-postgres.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import { testPostgres } from './postgres-cluster.ts';

/** When every test's clock begins: a Monday, 15:00 UTC. */
export const TEST_NOW_MS = Date.UTC(2026, 2, 2, 15, 0);

/** What a child process needs to open the same place. */
export type StoreAddress =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string; readonly schema: string };

export interface StorePlace {
  readonly address: StoreAddress;
  /** May be opened more than once; whatever is still open is closed when the test ends. */
  open(more?: OpenMore): Promise<OpenDatabase>;
}

export interface OpenMore {
  readonly migrations?: readonly Migration[];
  readonly nowMs?: () => number;
  readonly connectionsMax?: number;
}

export interface StoreTarget {
  readonly name: 'SQLite' | 'PostgreSQL';
  /** An empty place that goes away with the test. */
  place(t: Test): StorePlace;
}

export function openStore(address: StoreAddress, more: OpenMore = {}): Promise<OpenDatabase> {
  const { nowMs = () => TEST_NOW_MS, migrations, connectionsMax } = more;
  const common = { nowMs, ...(migrations === undefined ? {} : { migrations }) };
  if (address.kind === 'sqlite') return openSqlite({ file: address.file, ...common });
  const { url, schema } = address;
  const pool = connectionsMax === undefined ? {} : { connectionsMax };
  return openPostgres({ url, schema, ...common, ...pool });
}

/** Both databases; PostgreSQL's server ends with `t`. */
export async function storeTargets(
  t: Test,
): Promise<readonly [sqlite: StoreTarget, postgres: StoreTarget]> {
  const postgres = await testPostgres();
  t.teardown(() => postgres.stop());
  const placeAt = (t: Test, address: StoreAddress, after: () => void): StorePlace => {
    const opened: OpenDatabase[] = [];
    t.teardown(async () => {
      for (const database of opened) await database.close();
      after();
    });
    return {
      address,
      open: async (more) => {
        const database = await openStore(address, more);
        opened.push(database);
        return database;
      },
    };
  };
  return [
    {
      name: 'SQLite',
      place: (t) => {
        const folder = mkdtempSync(join(tmpdir(), 'ringfence-store-'));
        return placeAt(t, { kind: 'sqlite', file: join(folder, 'store.sqlite') }, () =>
          rmSync(folder, { recursive: true, force: true }),
        );
      },
    },
    {
      name: 'PostgreSQL',
      place: (t) => placeAt(t, { kind: 'postgres', ...postgres.place() }, () => undefined),
    },
  ];
}
