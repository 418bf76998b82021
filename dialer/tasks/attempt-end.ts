/** From what an attempt's machine answers to what is written of its end. */
import type { AttemptEvidence } from '../../machines/attempt-evidence.ts';
import type { AttemptOutcome } from '../../machines/attempt-result.ts';
import { isTried } from '../../machines/attempt-result.ts';
import type { CallAttemptOutput, DialerCancel } from '../../machines/call-attempt.events.ts';
import {
  CANCELLED_BEFORE_INVITE,
  RECALLED_BEFORE_INVITE,
  SHUT_DOWN_BEFORE_INVITE,
  type Outcome,
} from '../../machines/outcome-rows.ts';
import type { AnswerVerdict } from '../../machines/telephony-events.ts';

export interface AttemptEnd {
  readonly attemptId: string;
  readonly outcome: AttemptOutcome;
  /** False when no INVITE left: nobody was rung, and no attempt is used up. */
  readonly wasTried: boolean;
  /** JSON for the delivery row (at most 1000 characters) and for the account of it. */
  readonly sipDiagnostics: string | null;
  readonly evidence: string;
  /** The AI agent took this call, well or badly: the base of the failure rate. */
  readonly wasAiHandled: boolean;
  readonly heard: HeardOfCall;
}

/** What is kept of a call beside its Result. */
export interface HeardOfCall {
  /** A person was with nobody within the wait of the engagement (DM-33). */
  readonly waitExceeded: boolean;
  readonly speechDetected: boolean;
  /** Answer to the first speech; null: none was heard, or nobody listened. ms */
  readonly speechStartMs: number | null;
  /** The digit by which the person asked not to be called again. */
  readonly optOutDigit: string | null;
  /** Detection's last word on who answered; null: it said nothing, or nobody listened. */
  readonly verdict: AnswerVerdict | null;
}

export const NOTHING_HEARD: HeardOfCall = {
  waitExceeded: false,
  speechDetected: false,
  speechStartMs: null,
  optOutDigit: null,
  verdict: null,
};

export function attemptEndOf(output: CallAttemptOutput): AttemptEnd {
  const { attemptId, evidence, sipDiagnostics, ...outcome } = output;
  return {
    attemptId,
    outcome,
    wasTried: isTried(evidence),
    sipDiagnostics,
    evidence: JSON.stringify({ ...ruleOf(outcome), evidence }),
    wasAiHandled: evidence.agentFailure !== null || evidence.engaged?.with === 'aiAgent',
    heard: heardIn(outcome, evidence),
  };
}

function heardIn({ subReason }: AttemptOutcome, evidence: AttemptEvidence): HeardOfCall {
  const speechStartMs = evidence.classified?.speechStartMs ?? null;
  return {
    waitExceeded: subReason === 'abandoned_by_system',
    speechDetected: speechStartMs !== null || evidence.classified?.verdict === 'human',
    speechStartMs,
    optOutDigit: evidence.optOut?.digit ?? null,
    verdict: evidence.classified?.verdict ?? null,
  };
}

/** A claimed start that was given up before the gateway heard of it. */
export function takenBack(attemptId: string, reason: DialerCancel['reason']): AttemptEnd {
  const outcome = { ...TAKEN_BACK[reason], warnings: [], redress: null };
  return {
    attemptId,
    outcome,
    wasTried: false,
    sipDiagnostics: null,
    evidence: JSON.stringify({ ...ruleOf(outcome), evidence: null }),
    wasAiHandled: false,
    heard: NOTHING_HEARD,
  };
}

const TAKEN_BACK: Readonly<Record<DialerCancel['reason'], Outcome>> = {
  cancelled: CANCELLED_BEFORE_INVITE,
  dialer_recall: RECALLED_BEFORE_INVITE,
  shutdown: SHUT_DOWN_BEFORE_INVITE,
};

/** By which row of docs/outcomes.md it was decided, and what else that row says. */
function ruleOf({ row, retryClass, advice, warnings, redress }: AttemptOutcome) {
  return { row, retryClass, advice, warnings, redress };
}
