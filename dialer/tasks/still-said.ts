/**
 * Whether something may still be said of a call that has ended: a representative says what came of it
 * while they wrap up, and an AI agent up to ten seconds after it.
 */
import type { Transaction } from 'kysely';
import { RESULTS_AFTER_END_MS } from '../ai-agents/agent-sessions.ts';
import type { Database } from '../store/schema/database.ts';
import type { DeliveryRow } from '../store/schema/task-tables.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

const WRAP_UP_RECHECK_MS = 1_000;
/** Whoever wraps up for longer is not waited for. */
const WRAP_UP_MAX_MS = 3_600_000;

/** The one by which its task ended. */
export function lastDelivery(db: Db, taskId: string): Promise<DeliveryRow | undefined> {
  return db
    .selectFrom('deliveries')
    .selectAll()
    .where('task_id', '=', taskId)
    .orderBy('seq_no', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** When to ask again; null: nothing more is to come. */
export async function stillSaidUntil(
  db: Db,
  last: DeliveryRow,
  nowMs: number,
): Promise<number | null> {
  if (last.customer_connected_at_ms === null) return null;
  const attempts = await db
    .selectFrom('attempts')
    .leftJoin('ai_sessions', 'ai_sessions.attempt_id', 'attempts.id')
    .leftJoin('reservations', 'reservations.attempt_id', 'attempts.id')
    .select(['attempts.ended_at_ms', 'ai_sessions.token_hash', 'ai_sessions.expires_at_ms'])
    .select('reservations.work')
    .where('attempts.delivery_id', '=', last.id)
    .execute();
  for (const { ended_at_ms: endedAtMs, expires_at_ms, token_hash, work } of attempts) {
    const overAtMs = endedAtMs ?? last.end_at_ms ?? nowMs;
    if (token_hash !== null) {
      const untilMs = expires_at_ms ?? overAtMs + RESULTS_AFTER_END_MS;
      if (nowMs <= untilMs) return untilMs + 1;
    }
    const isSaid = last.disposition_codes !== null;
    const isWrappingUp = work === 'connected' || work === 'wrapUp';
    if (isWrappingUp && !isSaid && nowMs < overAtMs + WRAP_UP_MAX_MS) {
      return nowMs + WRAP_UP_RECHECK_MS;
    }
  }
  return null;
}
