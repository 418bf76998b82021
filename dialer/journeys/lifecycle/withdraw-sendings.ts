/** What a journey has asked for and nobody has answered: also for people who have left it since. */
import type { Transaction } from 'kysely';
import type { Database } from '../../store/schema/database.ts';

type Tx = Transaction<Database>;

/** Of a sending that nothing more becomes of, or that is being withdrawn. */
const OVER = ['settled', 'cancelled', 'cancelling'];

/** Calls and messages that may still leave, or are under way. */
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

/** Whoever carries the outbox out takes them back: calls that have not begun, and what waits for its hour. */
export async function withdrawSendings(tx: Tx, journeyId: string, nowMs: number): Promise<void> {
  await tx
    .updateTable('journey_effects')
    .set({ state: 'cancelling', due_at_ms: nowMs, updated_at_ms: nowMs })
    .where('journey_id', '=', journeyId)
    .where('state', 'not in', OVER)
    .execute();
}
