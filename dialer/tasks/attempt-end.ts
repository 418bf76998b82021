/** From what an attempt's machine answers to what is written of its end. */
import type { AttemptOutcome } from '../../machines/attempt-result.ts';
import { isTried } from '../../machines/attempt-result.ts';
import type { CallAttemptOutput, DialerCancel } from '../../machines/call-attempt.events.ts';
import {
  CANCELLED_BEFORE_INVITE,
  RECALLED_BEFORE_INVITE,
  SHUT_DOWN_BEFORE_INVITE,
  type Outcome,
} from '../../machines/outcome-rows.ts';

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
}

export function attemptEndOf(output: CallAttemptOutput): AttemptEnd {
  const { attemptId, evidence, sipDiagnostics, ...outcome } = output;
  return {
    attemptId,
    outcome,
    wasTried: isTried(evidence),
    sipDiagnostics,
    evidence: JSON.stringify({ ...ruleOf(outcome), evidence }),
    wasAiHandled: evidence.agentFailure !== null || evidence.engaged?.with === 'aiAgent',
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
