/** A million ready tasks, made where they are kept: an equal share of them in each call order. */
import { sql } from 'kysely';
import { CALL_ORDERS, type CallOrder } from '../dialer/engagements/engagement-config.schema.ts';
import { insertMany } from '../dialer/store/insert-many.ts';
import { FIRST_STEP } from '../dialer/tasks/chain-walk.ts';
import { numberOfRow } from '../test/support/contact-list.ts';
import { WorkScene } from '../test/support/work-scene.ts';
import type { BenchStore } from './dialer-stores.ts';

const CONTACTS = 5_000;
const ROWS_PER_TRANSACTION = 50_000;
const DAY_MS = 86_400_000;

/** Contacts are shared, tasks are not: what is measured reads both by their ids. */
export async function scenesWithTasks(
  { database }: BenchStore,
  tasks: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<CallOrder, WorkScene>> {
  const scenes = new Map<CallOrder, WorkScene>();
  const each = Math.floor(tasks / CALL_ORDERS.length);
  for (const callOrder of CALL_ORDERS) {
    const work = await WorkScene.open({
      database,
      clock: { nowMs: Date.now() },
      config: { callOrder },
    });
    await addContacts(work);
    for (let from = 0; from < each; from += ROWS_PER_TRANSACTION) {
      await addTasks(work, callOrder, from, Math.min(ROWS_PER_TRANSACTION, each - from));
    }
    await database.db
      .updateTable('engagements')
      .set({ tasks_ready: each })
      .where('id', '=', work.engagementId)
      .execute();
    scenes.set(callOrder, work);
    say(`  ${scenes.size * each} tasks`);
  }
  // As the server does by itself after so many rows.
  await sql`${sql.raw(database.kind === 'postgres' ? 'vacuum (analyze) tasks' : 'analyze')}`.execute(
    database.db,
  );
  return scenes;
}

function contactPrefix({ engagementId }: WorkScene): string {
  return `contact-${engagementId}-`;
}

async function addContacts(work: WorkScene): Promise<void> {
  const { database, writer, clock } = work;
  const { businessUnitId } = writer;
  const prefix = contactPrefix(work);
  const common = { business_unit_id: businessUnitId, created_at_ms: clock.nowMs };
  for (let from = 0; from < CONTACTS; from += 1_000) {
    const indexes = Array.from({ length: 1_000 }, (_, index) => from + index);
    await database.db.transaction().execute(async (tx) => {
      const points = indexes.map((index) => ({
        ...{ id: `${prefix}point-${index}`, kind: 'phone', value: numberOfRow(index) },
        ...common,
      }));
      await insertMany(tx, 'contact_points', points);
      const contacts = indexes.map((index) => ({
        ...{ id: `${contactPrefix(work)}${index}`, unique_identifier: `C-${index}` },
        ...{ mobile_point_id: `${prefix}point-${index}`, external_attributes: '{}', version: 1 },
        ...{ ...common, updated_at_ms: clock.nowMs },
      }));
      await insertMany(tx, 'contacts', contacts);
    });
  }
}

async function addTasks(
  work: WorkScene,
  callOrder: CallOrder,
  from: number,
  count: number,
): Promise<void> {
  const { database, writer, engagementId, clock } = work;
  const { nowMs } = clock;
  const endMs = nowMs + DAY_MS;
  const windows = JSON.stringify({ request: [{ startMs: nowMs, endMs }], byContact: {} });
  const series =
    database.kind === 'sqlite'
      ? sql`with recursive series(i) as
          (select ${from} union all select i + 1 from series where i < ${from + count - 1})`
      : sql`with series(i) as (select generate_series(${from}::bigint, ${from + count - 1}::bigint))`;
  await sql`insert into tasks (id, business_unit_id, engagement_id, source, state, status, due_at_ms,
      retry_class, order_key, priority_fallback, created_seq, contact_ids, contact_id, windows,
      input_attributes, expires_at_ms, progress, loop, attempt_count, customer_reached, crash_count,
      quarantined, created_at_ms, updated_at_ms)
    ${series}
    select ${sql.lit(`task-${engagementId}-`)} || (1000000000 + i), ${sql.lit(writer.businessUnitId)}, ${sql.lit(engagementId)},
      'file', 'ready', 'Pending', ${sql.lit(nowMs)}, 1,
      ${sql.raw(ORDER_KEY[callOrder])}, 0, ${sql.lit(nowMs * 1_000)} + i,
      '["' || ${sql.lit(contactPrefix(work))} || (i % ${sql.lit(CONTACTS)}) || '"]',
      ${sql.lit(contactPrefix(work))} || (i % ${sql.lit(CONTACTS)}),
      ${sql.lit(windows)}, '{}', ${sql.lit(endMs)}, ${sql.lit(JSON.stringify(FIRST_STEP))}, 1, 0, 0, 0,
      0, ${sql.lit(nowMs)}, ${sql.lit(nowMs)}
    from series`.execute(database.db);
}

/** As `orderKeyOf` gives them; multiples of a prime look random. */
const ORDER_KEY: Readonly<Record<CallOrder, string>> = {
  earliestScheduledDate: '(i * 7919) % 86400000',
  firstInFirstOut: 'i',
  lastInFirstOut: '-i',
  customAscending: '(i * 7919) % 1000003',
  customDescending: '-((i * 7919) % 1000003)',
};
