/**
 * Writes test/fixtures/store-0001.sqlite.gz: a database as the first release made it, with a row or
 * two. Run again only while that release is not out: `npx tsx test/support/write-store-fixture.ts`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import Libsql from 'libsql';
import { checksumOf } from '../../dialer/store/migrate.ts';
import { POSTGRES_WORDS, SQLITE_WORDS } from '../../dialer/store/migration.ts';
import { firstTables } from '../../dialer/store/migrations/0001-first-tables.ts';

const TARGET = fileURLToPath(new URL('../fixtures/store-0001.sqlite.gz', import.meta.url));
const AT_MS = Date.UTC(2026, 0, 5, 9, 0);

const folder = mkdtempSync(join(tmpdir(), 'ringfence-fixture-'));
const file = join(folder, 'store.sqlite');
const database = new Libsql(file);
database.exec('pragma page_size = 512');
database.exec(
  'create table schema_migrations (id text not null primary key, checksum text not null, applied_at_ms bigint not null)',
);
for (const statement of firstTables.statements(SQLITE_WORDS)) database.exec(statement);
insert('schema_migrations', {
  id: firstTables.id,
  checksum: checksumOf(firstTables, [SQLITE_WORDS, POSTGRES_WORDS]),
  applied_at_ms: AT_MS,
});
insert('business_units', { id: 'bu-1' });
insert('contact_points', { id: 'point-1', business_unit_id: 'bu-1', value: '+12025550100' });
insert('contacts', { id: 'contact-1', business_unit_id: 'bu-1', mobile_point_id: 'point-1' });
insert('engagements', { id: 'engagement-1', business_unit_id: 'bu-1', tasks_ready: 1 });
insert('tasks', {
  id: 'task-1',
  business_unit_id: 'bu-1',
  engagement_id: 'engagement-1',
  state: 'ready',
  status: 'Pending',
  contact_ids: '["contact-1"]',
  contact_id: 'contact-1',
  order_key: Number.MAX_VALUE,
});
insert('events', { business_unit_id: 'bu-1', stream_id: 'task:1', stream_seq: 1, payload: '{}' });
database.exec('vacuum');
database.close();
writeFileSync(TARGET, gzipSync(readFileSync(file), { level: 9 }));
rmSync(folder, { recursive: true });

/** Fills whatever else must not be null with 0 or the empty text. */
function insert(table: string, values: Readonly<Record<string, string | number>>): void {
  const columns = database.prepare(`pragma table_info(${table})`).all([]) as {
    name: string;
    type: string;
    notnull: number;
    dflt_value: string | null;
  }[];
  const needed = columns.filter(({ notnull, dflt_value }) => notnull === 1 && dflt_value === null);
  const blanks = needed.map(({ name, type }) => [name, /text/i.test(type) ? '' : 0] as const);
  const row: Record<string, string | number> = { ...Object.fromEntries(blanks), ...values };
  const names = Object.keys(row);
  const holes = names.map(() => '?').join(', ');
  database
    .prepare(`insert into ${table} (${names.join(', ')}) values (${holes})`)
    .run(Object.values(row));
}
