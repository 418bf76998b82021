/** What an attempt's outcome means for the walk over a chain (spec E.4, D.5). */
import type { Result, RetryClass } from '../../machines/result.ts';
import type { ReattemptReason, ReattemptRule } from '../engagements/engagement-config.schema.ts';
import type { AttemptMeaning } from './chain-walk.ts';

export interface AttemptOutcome {
  readonly result: Result;
  readonly retryClass: RetryClass;
}

/** `untried`: no INVITE left, so no attempt is used up and the same number is due again. */
export type WalkMeaning = AttemptMeaning | 'untried';

/** Somebody picked up: when the engagement does not ask for another loop, the task is done. */
const ENDS_TASK_UNLESS_RETRIED: ReadonlySet<Result> = new Set(['Undetermined', 'LiveAnswer']);

export function meaningOf(outcome: AttemptOutcome, rule: ReattemptRule): WalkMeaning {
  const { result, retryClass } = outcome;
  switch (retryClass) {
    case 'connected':
      return 'reached';
    case 'permanent':
      return 'dropNumber';
    case 'untried':
      return 'untried';
    case 'none':
      return 'noRetry';
    case 'noAnswer':
    case 'busy':
    case 'failed':
    case 'answeringMachine':
      if (isSelected(retryClass, rule)) return 'retry';
      return ENDS_TASK_UNLESS_RETRIED.has(result) ? 'reached' : 'noRetry';
  }
}

function isSelected(reason: ReattemptReason, rule: ReattemptRule): boolean {
  return rule.reasons.includes(reason);
}
