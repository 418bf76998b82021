/** A dialer in another process is asked outside any transaction; what it answered is written after. */
import type { JourneyEffectRow } from '../../store/schema/journey-tables.ts';
import { inTransaction } from '../in-transaction.ts';
import type { EffectParts } from './effect-parts.ts';
import type { ConversationRequest, DialerElsewhere } from './journey-dialer.ts';
import { blockEffect, changeEffect, lockEffect } from './locked-effect.ts';

/** Not asked again before this, unless the answer comes sooner: longer than a request may take. */
export const ELSEWHERE_LEASE_MS = 30_000;
/** How often an open task is asked about. */
export const ELSEWHERE_POLL_MS = 5_000;
/** The same while its end is heard of as it comes. */
export const ELSEWHERE_HEARD_POLL_MS = 60_000;

export async function askElsewhere(
  parts: EffectParts,
  dialer: DialerElsewhere,
  { key, run_id: runId, state: before }: JourneyEffectRow,
  request: ConversationRequest,
): Promise<void> {
  // An answer that was lost is found by the request's id, however long ago it was.
  const known = before === 'sending' ? await dialer.taskOf(key) : undefined;
  const answer = known === undefined ? await dialer.request(request) : { taskId: known };
  const taskId = typeof answer === 'string' ? null : answer.taskId;
  const isWithdrawn = await inTransaction(parts.database, async (tx): Promise<boolean> => {
    const effect = await lockEffect(parts, tx, { key, runId, waits: true });
    if (effect === undefined) return false;
    const { state } = effect.row;
    if (state === 'cancelling') await changeEffect(effect, { task_id: taskId });
    if (state !== 'sending') return state === 'cancelled';
    if (typeof answer === 'string') await blockEffect(effect, answer);
    else {
      const dueAtMs = effect.writer.nowMs + ELSEWHERE_POLL_MS;
      const asked = { state: 'asked', task_id: taskId, due_at_ms: dueAtMs, tries: 0, fault: null };
      await changeEffect(effect, asked);
    }
    return false;
  });
  // Another worker found no task yet when the run gave it up: here it is.
  if (isWithdrawn && taskId !== null) await dialer.cancel(taskId);
}
