/** What journeys have asked for and do not want any more. */
import type { CompiledQuery, Transaction } from 'kysely';
import type { Database } from '../../store/schema/database.ts';

type Tx = Transaction<Database>;

/** Of a sending that nothing more becomes of, or that is being withdrawn. */
const OVER = ['settled', 'cancelled', 'cancelling'];

/** Calls and messages that may still leave, or are under way: also of people who have left the journey. */
export async function hasSendings(tx: Tx, journeyId: string): Promise<boolean> {
  const one = await tx
    .selectFrom('journey_effects')
    .select('key')
    .where('journey_id', '=', journeyId)
    .where('state', 'not in', OVER)
    .limit(1)
    .executeTakeFirst();
  return one !== undefined;
}

/** Withdrawing is for whoever carries the outbox out: it may have been asked for already. None: no query. */
export function withdrawQueries(
  tx: Tx,
  column: 'key' | 'run_id' | 'journey_id',
  values: readonly string[],
  nowMs: number,
): CompiledQuery[] {
  if (values.length === 0) return [];
  const withdrawn = tx
    .updateTable('journey_effects')
    .set({ state: 'cancelling', due_at_ms: nowMs, updated_at_ms: nowMs })
    .where(column, 'in', [...new Set(values)])
    .where('state', 'not in', OVER);
  return [withdrawn.compile()];
}
