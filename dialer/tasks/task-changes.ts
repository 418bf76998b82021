/** What can happen to a task other than a start, as data; write-starts.ts puts it into the store. */
import type { Result, SubReason } from '../../machines/result.ts';
import type { FinishReason, PostponeReason } from '../eligibility/eligibility.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import type { ChainProgress } from './chain-walk.ts';

/** Status of a final task by its Result (spec E.1). */
export type FinalStatus = 'Complete' | 'Expired' | 'Cancelled' | 'Error';

interface Change {
  readonly task: TaskRow;
  readonly progress: ChainProgress;
}

export type TaskChange =
  | (Change & {
      readonly kind: 'postponed';
      /** Not in the future: the task stays ready. */
      readonly untilMs: number;
      readonly reason: PostponeReason;
    })
  | (Change & {
      readonly kind: 'finished';
      readonly status: FinalStatus;
      readonly result: Result;
      readonly subReason: SubReason | null;
      readonly reason: FinishReason;
    });

export function postponeTask(
  change: Change,
  { untilMs, reason }: { readonly untilMs: number; readonly reason: PostponeReason },
): TaskChange {
  return { ...change, kind: 'postponed', untilMs, reason };
}

export function finishTask(
  change: Change,
  why: {
    readonly result: Result;
    readonly subReason: SubReason | null;
    readonly reason: FinishReason;
  },
): TaskChange {
  const { result, subReason, reason } = why;
  return { ...change, kind: 'finished', status: finalStatus(result), result, subReason, reason };
}

/** The last Result of a task decides its status. */
export function finalStatus(result: Result): FinalStatus {
  switch (result) {
    case 'Expired':
    case 'Terminated':
      return 'Expired';
    case 'Cancelled':
      return 'Cancelled';
    case 'Error':
      return 'Error';
    default:
      return 'Complete';
  }
}
