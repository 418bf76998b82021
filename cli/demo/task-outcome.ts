/** What became of one contact, in the words of spec A.5 (task) and E.1 (Result). */
import type { Result } from '../../machines/result.ts';
import type { ContactTask } from './contact-tasks.ts';

export interface TaskOutcome {
  readonly line: number;
  /** The number dialled last; where none was, the one that would have been. */
  readonly to: string;
  /** Complete, Expired, Cancelled, Error, or Suppressed: a row of which no task was made. */
  readonly status: string;
  /** Null when nothing was attempted and nothing failed: a suppressed row. */
  readonly result: string | null;
  readonly subReason: string | null;
  readonly sip: {
    /** Final status from the network; null when it sent none, whatever our own stack made up. */
    readonly code: number | null;
    readonly q850: number | null;
  };
  /** Result of each logical dial of which an INVITE left, in order. */
  readonly attempts: readonly string[];
  /** With those that were sent again with credentials. */
  readonly invites: number;
  /** What the AI agent returned, of the last call. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** The last call, for `ringfence explain`. */
  readonly deliveryId?: string;
  /** Why a row was not dialled. */
  readonly reason?: string;
}

export const NO_SIP: TaskOutcome['sip'] = { code: null, q850: null };

/** Of a row that the list's reader refused: the dialer never saw it. */
export function outcomeOfRefusal({ line, to, refusal }: ContactTask): TaskOutcome | undefined {
  if (refusal === undefined) return undefined;
  const isError = refusal.task === 'Error';
  return {
    ...{ line, to, status: refusal.task, reason: refusal.reason },
    result: isError ? ('Error' satisfies Result) : null,
    subReason: isError ? 'config' : null,
    ...{ sip: NO_SIP, attempts: [], invites: 0 },
  };
}
