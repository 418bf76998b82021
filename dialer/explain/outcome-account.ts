/** The Result of a delivery, with the rule that gave it. */
import type { AttemptEvidence } from '../../machines/attempt-evidence.ts';
import { conditionOfRow } from '../../machines/outcome-conditions.ts';
import { reportCategoryOf, type Result, type SubReason } from '../../machines/result.ts';
import type { OutcomeAccount } from './account.ts';
import type { History, LoggedEvent } from './read-history.ts';
import { RESULT_MEANING, SUB_REASON_MEANING } from './words.ts';

interface StoredEvidence {
  readonly row?: number;
  readonly retryClass?: string;
  readonly warnings?: readonly string[];
  readonly advice?: readonly string[];
  readonly redress?: string | null;
  readonly evidence?: Partial<AttemptEvidence> | null;
}

export function outcomeAccount({
  delivery,
  attempt,
  attemptEvents,
}: History): OutcomeAccount | null {
  if (delivery?.result == null) return null;
  const result = delivery.result as Result;
  const subReason = delivery.sub_reason as SubReason | null;
  const evidence = JSON.parse(attempt?.evidence ?? '{}') as StoredEvidence;
  const { row, retryClass = null, warnings = [], advice = [], redress = null } = evidence;
  const detail = subReason === null ? '' : `; ${SUB_REASON_MEANING[subReason]}`;
  return {
    atMs: delivery.result_at_ms ?? delivery.updated_at_ms,
    result,
    subReason,
    meaning: `${meaningOf(result, attemptEvents)}${detail}`,
    whoAnswered: whoAnswered(attemptEvents, evidence.evidence?.agentVerdict?.verdict),
    category: reportCategoryOf(result, subReason),
    rule: row === undefined ? null : { row, when: conditionOfRow(row) },
    ...{ retryClass, warnings, advice, redress },
    diagnostics:
      delivery.sip_diagnostics === null
        ? null
        : (JSON.parse(delivery.sip_diagnostics) as OutcomeAccount['diagnostics']),
  };
}

function meaningOf(result: Result, events: readonly LoggedEvent[]): string {
  if (result !== 'LiveAnswer') return RESULT_MEANING[result];
  const targets = events
    .filter(({ type }) => type === 'attempt.connected')
    .map(({ payload }) => (payload['target'] === 'aiAgent' ? 'the AI agent' : 'a representative'));
  if (targets.length === 0) return RESULT_MEANING[result];
  return `the call was answered, and connected to ${[...new Set(targets)].join(', then to ')}`;
}

/** A conversation with a machine looks like one with a person as long as nobody listens for it. */
function whoAnswered(
  events: readonly LoggedEvent[],
  agentVerdict: string | undefined,
): string | null {
  if (!events.some(({ type }) => type === 'attempt.answered')) return null;
  const verdict = events.findLast(({ type }) => type === 'attempt.classified')?.payload['verdict'];
  if (agentVerdict !== undefined) return `By what the AI agent returned: ${agentVerdict}.`;
  return typeof verdict === 'string'
    ? `Judged by the sound of it: ${verdict}.`
    : 'Whether a person or a machine had answered was not examined.';
}
