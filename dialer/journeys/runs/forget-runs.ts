/**
 * Retention: of people who left long ago their path, and everything that was done for them. That they were
 * inside, and when, stays: who may enter once must not be let in again because it is long ago.
 */
import type { OpenDatabase } from '../../store/open-database.ts';
import { inTransaction } from '../in-transaction.ts';

export const KEPT_DAYS = 365;
const DAY_MS = 86_400_000;
const FORGOTTEN_AT_ONCE = 500;

const OF_RUN = [
  'journey_path',
  'journey_effects',
  'journey_activities',
  'journey_run_events',
] as const;

/**
 * Runs that ended before; who is inside stays whole however long it takes. Counts of versions stay. In
 * pages, each a transaction; answers how many runs were forgotten. To be called from time to time.
 */
export async function forgetRuns(
  database: Pick<OpenDatabase, 'db' | 'kind'>,
  nowMs: number,
  keptDays = KEPT_DAYS,
): Promise<number> {
  for (let forgotten = 0; ;) {
    const count = await forgetPage(database, nowMs - keptDays * DAY_MS);
    forgotten += count;
    if (count < FORGOTTEN_AT_ONCE) return forgotten;
  }
}

function forgetPage(
  database: Pick<OpenDatabase, 'db' | 'kind'>,
  beforeMs: number,
): Promise<number> {
  return inTransaction(database, async (tx) => {
    const old = tx
      .selectFrom('journey_runs')
      .select('id')
      .where('exited_at_ms', '<', beforeMs)
      .where('status', '=', 'exited')
      .orderBy('exited_at_ms')
      .limit(FORGOTTEN_AT_ONCE);
    const rows = await (
      database.kind === 'postgres' ? old.forUpdate().skipLocked() : old
    ).execute();
    if (rows.length === 0) return 0;
    const ids = rows.map(({ id }) => id);
    for (const table of OF_RUN) {
      await tx.deleteFrom(table).where('run_id', 'in', ids).execute();
    }
    await tx.deleteFrom('journey_runs').where('id', 'in', ids).where('is_test', '=', 1).execute();
    await tx
      .updateTable('journey_runs')
      .set({ status: 'forgotten', state: '{}', step_id: null })
      .where('id', 'in', ids)
      .execute();
    return rows.length;
  });
}
