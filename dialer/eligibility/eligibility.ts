/**
 * May this task be started now? One pure function, asked inside the transaction that would start it
 * (spec D.1). Checks that can pass later postpone; checks that cannot finish the task.
 */
import type { Result, SubReason } from '../../machines/result.ts';
import type { ChainTarget, WalkStep } from '../tasks/chain-walk.ts';
import { windowAt, type Window } from './window.ts';

export interface EligibilityTask {
  readonly isCancelled: boolean;
  /** Twice working when a process died: kept for people to look at, never started. */
  readonly isQuarantined: boolean;
  /** Nothing starts at or after this; epoch ms. */
  readonly expiresAtMs: number;
  /** Where the walk over contacts and numbers stands. */
  readonly step: WalkStep;
  /** Windows that govern this step's contact: its own, else the request's. */
  readonly windows: readonly Window[];
  readonly lastResult: Result | null;
  /** A number was passed over now because its person asked not to be called. */
  readonly hasOptedOut: boolean;
}

export interface EligibilityFacts {
  readonly engagement: 'running' | 'suspended' | 'inactive';
  /** The number of the step, if there is one. */
  readonly number: {
    readonly isDialable: boolean;
    /** On the do-not-call list of the business unit. */
    readonly isOptedOut: boolean;
    /** From any engagement of any business unit. */
    readonly isInFlight: boolean;
    readonly lastAttemptAtMs: number | null;
    /** Least time between two attempts to one number. ms */
    readonly gapMinMs: number;
  };
  readonly queue: QueueFact;
  /** Calls that may still be started: the mode's cap, the trunk's channels. */
  readonly capacityFree: number;
}

export type QueueFact =
  | { readonly kind: 'open' }
  | { readonly kind: 'ignored' }
  /** `opensAtMs` null: it never opens again. */
  | { readonly kind: 'closed'; readonly opensAtMs: number | null };

export type PostponeReason =
  | 'engagement_suspended'
  | 'window_not_open'
  | 'number_in_flight'
  | 'number_gap'
  | 'queue_closed'
  | 'reattempt_wait'
  | 'no_capacity'
  /** Preview: no representative who was asked took it. */
  | 'not_accepted'
  /** Preview: the number that was shown or chosen may not be dialled any more. */
  | 'not_as_shown';

export type FinishReason =
  | 'engagement_inactive'
  | 'cancelled'
  | 'quarantined'
  | 'window_over'
  | 'expires_before_next_start'
  | 'number_invalid'
  | 'opted_out'
  | 'chain_exhausted'
  | 'customer_reached'
  | 'no_number';

export type EligibilityDecision =
  | { readonly decide: 'start'; readonly target: ChainTarget; readonly window: Window }
  /** Not before `untilMs`. A time that is not in the future leaves the task ready. */
  | { readonly decide: 'postpone'; readonly untilMs: number; readonly reason: PostponeReason }
  /** This number only: it is none, or must not be dialled; the walk goes on to the next. */
  | { readonly decide: 'skipNumber'; readonly reason: 'number_invalid' | 'opted_out' }
  | {
      readonly decide: 'finish';
      readonly result: Result;
      readonly subReason: SubReason | null;
      readonly reason: FinishReason;
    };

/** How long to leave a number that is being rung before asking again. */
const IN_FLIGHT_RECHECK_MS = 60_000;

export function eligibility(
  task: EligibilityTask,
  facts: EligibilityFacts,
  nowMs: number,
): EligibilityDecision {
  return (
    ofCancellation(task) ??
    ofEngagement(facts) ??
    ofTask(task, nowMs) ??
    ofWalk(task) ??
    within(task, nowMs, ofWindow(task, nowMs) ?? ofNumber(facts, nowMs) ?? ofPlace(facts, nowMs)) ??
    start(task, nowMs)
  );
}

/** First of all: whoever asked was told that it ends, and a suspension may last longer than its windows. */
function ofCancellation({ isCancelled }: EligibilityTask): EligibilityDecision | undefined {
  return isCancelled ? finish('Cancelled', 'cancelled', 'cancelled') : undefined;
}

function ofEngagement({ engagement }: EligibilityFacts): EligibilityDecision | undefined {
  if (engagement === 'running') return undefined;
  // No time is known: the task stays where it is, and its windows keep running.
  if (engagement === 'suspended') return postpone(0, 'engagement_suspended');
  return finish('Cancelled', 'cancelled', 'engagement_inactive');
}

function ofTask(task: EligibilityTask, nowMs: number): EligibilityDecision | undefined {
  if (task.isQuarantined) return finish('Error', null, 'quarantined');
  return nowMs >= task.expiresAtMs ? over(task, 'window_over') : undefined;
}

function ofWalk({
  step,
  lastResult,
  hasOptedOut,
}: EligibilityTask): EligibilityDecision | undefined {
  if (step.kind === 'dial') return undefined;
  if (step.kind === 'reached') {
    return finish(lastResult ?? 'LiveAnswer', null, 'customer_reached');
  }
  if (hasOptedOut && lastResult === null) return finish('Cancelled', 'opted_out', 'opted_out');
  if (!step.hadNumbers) return finish('Error', 'config', 'no_number');
  return finish(lastResult ?? 'Error', null, 'chain_exhausted');
}

function ofWindow(task: EligibilityTask, nowMs: number): EligibilityDecision | undefined {
  const verdict = windowAt(task.windows, nowMs);
  if (verdict.kind === 'open') return undefined;
  if (verdict.kind === 'opensAt') return postpone(verdict.atMs, 'window_not_open');
  return over(task, 'window_over');
}

function ofNumber({ number }: EligibilityFacts, nowMs: number): EligibilityDecision | undefined {
  if (number.isOptedOut) return { decide: 'skipNumber', reason: 'opted_out' };
  if (!number.isDialable) return { decide: 'skipNumber', reason: 'number_invalid' };
  const rested = (number.lastAttemptAtMs ?? Number.NEGATIVE_INFINITY) + number.gapMinMs;
  if (number.isInFlight) {
    return postpone(Math.max(rested, nowMs + IN_FLIGHT_RECHECK_MS), 'number_in_flight');
  }
  return nowMs < rested ? postpone(rested, 'number_gap') : undefined;
}

function ofPlace(facts: EligibilityFacts, nowMs: number): EligibilityDecision | undefined {
  const { queue, capacityFree } = facts;
  if (queue.kind === 'closed') {
    return postpone(queue.opensAtMs ?? Number.POSITIVE_INFINITY, 'queue_closed');
  }
  return capacityFree < 1 ? postpone(nowMs, 'no_capacity') : undefined;
}

/** A start that could come only after the task's end will never come. */
function within(
  task: EligibilityTask,
  nowMs: number,
  decision: EligibilityDecision | undefined,
): EligibilityDecision | undefined {
  if (decision?.decide !== 'postpone' || decision.untilMs <= nowMs) return decision;
  if (decision.untilMs < task.expiresAtMs) return decision;
  return over(task, 'expires_before_next_start');
}

/** Expired is what was never attempted; a task that was keeps its last Result (spec E.1, E.4). */
function over(
  { lastResult }: EligibilityTask,
  reason: 'window_over' | 'expires_before_next_start',
): EligibilityDecision {
  return finish(lastResult ?? 'Expired', null, reason);
}

function start(task: EligibilityTask, nowMs: number): EligibilityDecision {
  const verdict = windowAt(task.windows, nowMs);
  if (task.step.kind !== 'dial' || verdict.kind !== 'open') {
    throw new Error('a start was decided without a number or outside its window');
  }
  return { decide: 'start', target: task.step.target, window: verdict.window };
}

function postpone(untilMs: number, reason: PostponeReason): EligibilityDecision {
  return { decide: 'postpone', untilMs, reason };
}

function finish(
  result: Result,
  subReason: SubReason | null,
  reason: FinishReason,
): EligibilityDecision {
  return { decide: 'finish', result, subReason, reason };
}
