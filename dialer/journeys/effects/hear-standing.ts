/** The end of a conversation, told to its run once: after all attempts, with all that was said of it. */
import type { EffectParts } from './effect-parts.ts';
import { ELSEWHERE_POLL_MS } from './ask-elsewhere.ts';
import type { DialerElsewhere, TaskStanding } from './journey-dialer.ts';
import {
  changeEffect,
  NOTHING_AFTER,
  settleEffect,
  type AfterCommit,
  type LockedEffect,
} from './locked-effect.ts';

/** Of a dialer in this process it is read in the transaction; of another it was asked before. */
export async function hearStanding(
  { dialer }: Pick<EffectParts, 'dialer'>,
  effect: LockedEffect,
  elsewhere: TaskStanding | undefined,
): Promise<AfterCommit> {
  const { tx, row, writer } = effect;
  const { key, task_id: taskId } = row;
  const standing =
    dialer.where === 'here' && taskId !== null
      ? await dialer.standing(tx, taskId, writer.nowMs)
      : elsewhere;
  if (standing === undefined || standing.is === 'open') {
    const askAgainAtMs = standing?.askAgainAtMs ?? writer.nowMs + ELSEWHERE_POLL_MS;
    await changeEffect(effect, { due_at_ms: askAgainAtMs, fault: null });
  } else if (standing.is === 'gone') {
    const ended = { result: 'Error', reason: 'task_gone', attempts: 0 } as const;
    await settleEffect(effect, { type: 'conversationResult', key, ...ended });
  } else {
    await settleEffect(effect, { type: 'conversationResult', key, ...standing.ended });
  }
  return NOTHING_AFTER;
}

export async function standingElsewhere(
  { nowMs }: Pick<EffectParts, 'nowMs'>,
  dialer: DialerElsewhere,
  { taskId }: { readonly taskId: string | null },
): Promise<TaskStanding> {
  return taskId === null ? { is: 'gone' } : dialer.standing(taskId, nowMs());
}
