/**
 * A sending that its run does not want any more. What was not asked of anybody is simply not; of a task
 * all that is left of it ends, and its outcome is told when it has.
 */
import { inTransaction } from '../in-transaction.ts';
import { withdrawEffect } from './decide-effect.ts';
import type { EffectParts } from './effect-parts.ts';
import {
  changeEffect,
  lockEffect,
  NOTHING_AFTER,
  type AfterCommit,
  type LockedEffect,
} from './locked-effect.ts';

/** Its end is heard sooner. */
const RECHECK_MS = 60_000;

export async function takeBack(parts: EffectParts, effect: LockedEffect): Promise<AfterCommit> {
  const { row, sending } = effect;
  const isCall = sending.type === 'startConversation';
  const { dialer } = parts;
  const mayBeElsewhere = isCall && dialer.where === 'elsewhere' && row.tries > 0;
  if (!isCall || (row.task_id === null && !mayBeElsewhere)) {
    await withdrawEffect(effect);
    return NOTHING_AFTER;
  }
  // Looked at again, should this process die before the dialer has heard of it.
  await changeEffect(effect, { due_at_ms: effect.writer.nowMs + RECHECK_MS });
  return () => cancelTask(parts, row);
}

async function cancelTask(parts: EffectParts, row: LockedEffect['row']): Promise<void> {
  const { dialer } = parts;
  const { key, run_id: runId, business_unit_id: businessUnitId } = row;
  const taskId =
    row.task_id ?? (dialer.where === 'elsewhere' ? ((await dialer.taskOf(key)) ?? null) : null);
  if (taskId !== null) {
    if (dialer.where === 'here') await dialer.cancel(businessUnitId, taskId);
    else await dialer.cancel(taskId);
  }
  await inTransaction(parts.database, async (tx) => {
    const effect = await lockEffect(parts, tx, { key, runId, waits: true });
    if (effect?.row.state !== 'cancelling') return;
    if (taskId === null) await withdrawEffect(effect);
    else await changeEffect(effect, { state: 'asked', task_id: taskId, due_at_ms: parts.nowMs() });
  });
}
