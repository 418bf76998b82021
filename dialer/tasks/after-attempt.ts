/** What a task does after an attempt: goes on at once, waits until a time, or is done. Pure. */
import type { Result } from '../../machines/result.ts';
import type { ReattemptRule, RetryPriority } from '../engagements/engagement-config.schema.ts';
import type { FinishReason } from '../eligibility/eligibility.ts';
import type { WalkMeaning } from './attempt-meaning.ts';
import { stepAfter, type ChainProgress, type WalkStep } from './chain-walk.ts';
import type { StartCandidate } from './decide-start.ts';
import { finalStatus, type FinalStatus } from './task-changes.ts';

export type NextForTask = { readonly progress: ChainProgress } & (
  | { readonly kind: 'goOn' }
  | { readonly kind: 'wait'; readonly dueAtMs: number; readonly retryClass: number }
  | { readonly kind: 'finish'; readonly status: FinalStatus; readonly reason: FinishReason }
);

export interface EndedAttempt {
  readonly result: Result;
  /** The number that was dialled. */
  readonly contactPointId: string;
}

export interface AfterAttemptTimes {
  readonly nowMs: number;
  readonly unknownGapMs: number;
  readonly untriedGapMs: number;
}

/** Where a due retry stands against new deliveries: `retry_class` of the tasks table. */
export const RETRY_CLASS_OF: Readonly<Record<RetryPriority, number>> = {
  higher: 0,
  same: 1,
  lower: 2,
};
export const NEW_DELIVERY_CLASS = 1;

export function afterAttempt(
  candidate: StartCandidate,
  rule: ReattemptRule,
  meaning: WalkMeaning,
  { result, contactPointId }: EndedAttempt,
  times: AfterAttemptTimes,
): NextForTask {
  const { nowMs, unknownGapMs, untriedGapMs } = times;
  // Whoever asked for it was told that the task ends so; what the call gave is its delivery's Result.
  if (candidate.isCancelled) {
    return finish(candidate.progress, finalStatus('Cancelled'), 'cancelled');
  }
  if (meaning === 'untried' && !candidate.isQuarantined) {
    const { progress } = candidate;
    const retryClass = progress.loop > 1 ? RETRY_CLASS_OF[rule.priority] : NEW_DELIVERY_CLASS;
    return until(candidate, nowMs + untriedGapMs, progress, retryClass, 'Expired');
  }
  if (meaning === 'untried') {
    return finish(candidate.progress, finalStatus('Error'), 'quarantined');
  }
  const step = stepAfter(candidate.chain, candidate.progress, rule, meaning, contactPointId);
  if (candidate.isQuarantined && step.kind !== 'reached') {
    return finish(candidate.progress, finalStatus('Error'), 'quarantined');
  }
  if (step.kind !== 'dial') return done(candidate.progress, step, result);
  // The person may have been rung already: nothing of this task rings them again for a while.
  const pauseMs = Math.max(step.afterMs, result === 'Unknown' ? unknownGapMs : 0);
  if (pauseMs === 0) return { kind: 'goOn', progress: step.progress };
  const retryClass = step.isRetry ? RETRY_CLASS_OF[rule.priority] : NEW_DELIVERY_CLASS;
  const otherwise = finalStatus(result);
  return until(candidate, nowMs + pauseMs, step.progress, retryClass, otherwise);
}

/** Waiting for a time at which nothing may start any more is no waiting. */
function until(
  { expiresAtMs }: StartCandidate,
  dueAtMs: number,
  progress: ChainProgress,
  retryClass: number,
  otherwise: FinalStatus,
): NextForTask {
  if (dueAtMs < expiresAtMs) return { kind: 'wait', dueAtMs, retryClass, progress };
  return finish(progress, otherwise, 'expires_before_next_start');
}

function done(
  progress: ChainProgress,
  step: Exclude<WalkStep, { kind: 'dial' }>,
  result: Result,
): NextForTask {
  const reason = step.kind === 'reached' ? 'customer_reached' : 'chain_exhausted';
  return finish(progress, finalStatus(result), reason);
}

function finish(progress: ChainProgress, status: FinalStatus, reason: FinishReason): NextForTask {
  return { kind: 'finish', status, reason, progress };
}
