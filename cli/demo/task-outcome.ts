/** What became of one contact, in the words of spec A.5 (task) and E.1 (Result). */
import type { CallAttemptOutput } from '../../machines/call-attempt.events.ts';
import { decidingCauseOf } from '../../machines/deciding-cause.ts';
import type { Result, SubReason } from '../../machines/result.ts';
import type { ContactTask } from './contact-tasks.ts';

export type TaskStatus = 'Complete' | 'Expired' | 'Cancelled' | 'Error' | 'Suppressed';

export interface TaskOutcome {
  readonly line: number;
  readonly to: string;
  readonly status: TaskStatus;
  /** Null when nothing was attempted and nothing failed: a suppressed task. */
  readonly result: Result | null;
  readonly subReason: SubReason | null;
  readonly sip: {
    /** Final status from the network; null when it sent none, whatever our own stack made up. */
    readonly code: number | null;
    readonly q850: number | null;
  };
  /** Logical dials of which an INVITE left: 0 or 1. */
  readonly attempts: number;
  readonly invites: number;
  /** Why a row was not dialled. */
  readonly reason?: string;
}

const NO_SIP = { code: null, q850: null } as const;

const STATUS_BY_RESULT: Readonly<Partial<Record<Result, TaskStatus>>> = {
  Expired: 'Expired',
  Terminated: 'Expired',
  Cancelled: 'Cancelled',
  Error: 'Error',
};

export function outcomeOfAttempt(task: ContactTask, output: CallAttemptOutput): TaskOutcome {
  const { result, subReason, evidence } = output;
  const { ended, sent, refused } = evidence;
  const invites = ended?.invites ?? (sent === null ? 0 : 1);
  return {
    line: task.line,
    to: task.to,
    status: STATUS_BY_RESULT[result] ?? 'Complete',
    result,
    subReason,
    sip: {
      code: ended?.sip.origin === 'network' ? ended.sip.statusCode : null,
      q850: ended === null ? null : (decidingCauseOf(ended)?.cause ?? ended.q850[0]?.cause ?? null),
    },
    attempts: invites > 0 ? 1 : 0,
    invites,
    ...(refused === null ? {} : { reason: refused.detail }),
  };
}

/** A row that was never handed to the gateway. */
export function outcomeWithoutAttempt(
  task: ContactTask,
  outcome: Pick<TaskOutcome, 'status' | 'result' | 'subReason'> & { readonly reason?: string },
): TaskOutcome {
  return { line: task.line, to: task.to, ...outcome, sip: NO_SIP, attempts: 0, invites: 0 };
}

export function outcomeOfRefusal(task: ContactTask): TaskOutcome | undefined {
  const { refusal } = task;
  if (refusal === undefined) return undefined;
  return outcomeWithoutAttempt(task, {
    status: refusal.task,
    ...(refusal.task === 'Error'
      ? { result: 'Error', subReason: 'config' }
      : { result: null, subReason: null }),
    reason: refusal.reason,
  });
}

/** Whether anything at all came back from the other side. */
export function wasHeard({ evidence }: CallAttemptOutput): boolean {
  const { alerting, answered, ended } = evidence;
  return alerting !== null || answered !== null || ended?.sip.origin === 'network';
}
