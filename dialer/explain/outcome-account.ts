/** The Result of a delivery, with the rule that gave it. */
import { conditionOfRow } from '../../machines/outcome-conditions.ts';
import { reportCategoryOf, type Result, type SubReason } from '../../machines/result.ts';
import type { OutcomeAccount } from './account.ts';
import type { History } from './read-history.ts';
import { RESULT_MEANING, SUB_REASON_MEANING } from './words.ts';

interface StoredEvidence {
  readonly row?: number;
  readonly retryClass?: string;
  readonly warnings?: readonly string[];
  readonly advice?: readonly string[];
  readonly redress?: string | null;
}

export function outcomeAccount({ delivery, attempt }: History): OutcomeAccount | null {
  if (delivery?.result == null) return null;
  const result = delivery.result as Result;
  const subReason = delivery.sub_reason as SubReason | null;
  const evidence = JSON.parse(attempt?.evidence ?? '{}') as StoredEvidence;
  const { row, retryClass = null, warnings = [], advice = [], redress = null } = evidence;
  const detail = subReason === null ? undefined : SUB_REASON_MEANING[subReason];
  return {
    atMs: delivery.result_at_ms ?? delivery.updated_at_ms,
    result,
    subReason,
    meaning: `${RESULT_MEANING[result]}${detail === undefined ? '' : `; ${detail}`}`,
    category: reportCategoryOf(result, subReason),
    rule: row === undefined ? null : { row, when: conditionOfRow(row) },
    ...{ retryClass, warnings, advice, redress },
    diagnostics:
      delivery.sip_diagnostics === null
        ? null
        : (JSON.parse(delivery.sip_diagnostics) as OutcomeAccount['diagnostics']),
  };
}
