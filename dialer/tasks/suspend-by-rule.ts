/** The rules that suspend an engagement when a call has ended: in the transaction that records the end. */
import { sql, type Transaction } from 'kysely';
import {
  AI_WINDOW_MAX,
  aiFailureVerdict,
  type AiCallWindow,
} from '../engagements/ai-failure-rule.ts';
import type { EngagementConfig } from '../engagements/engagement-config.schema.ts';
import { readWaitWindow, stopVerdict } from '../engagements/stop-rule.ts';
import { suspendIn, type Suspension } from '../engagements/suspend-engagement.ts';
import type { Database } from '../store/schema/database.ts';
import type { AttemptRow } from '../store/schema/task-tables.ts';
import type { AttemptEnd } from './attempt-end.ts';

interface RuleContext {
  readonly nowMs: number;
  readonly actor: string;
}

/** Null when the engagement goes on. */
export async function suspendByRule(
  context: RuleContext,
  tx: Transaction<Database>,
  attempt: AttemptRow,
  config: EngagementConfig,
  end: AttemptEnd,
): Promise<Suspension | null> {
  return (
    (await applyAiFailureRule(context, tx, attempt, config, end)) ??
    (await applyStopRule(context, tx, attempt, config, end))
  );
}

/**
 * Decided here, before the record of the deciding failure is visible to anybody: no claim can be
 * made between the two.
 */
async function applyAiFailureRule(
  { nowMs, actor }: RuleContext,
  tx: Transaction<Database>,
  { engagement_id: engagementId }: AttemptRow,
  { aiFailure }: EngagementConfig,
  { wasAiHandled }: AttemptEnd,
): Promise<Suspension | null> {
  if (!wasAiHandled || aiFailure === undefined) return null;
  const verdict = aiFailureVerdict(aiFailure, await readAiWindow(tx, engagementId));
  if (verdict.action === 'goOn') return null;
  const suspension: Suspension = { type: 'botFailure', reason: verdict.reason };
  const suspended = await suspendIn(tx, { engagementId, suspension, actor, nowMs });
  return suspended === undefined ? null : suspension;
}

/** The same for the rule of rep-led engagements: the deciding wait and the stop are one record. */
async function applyStopRule(
  { nowMs, actor }: RuleContext,
  tx: Transaction<Database>,
  { engagement_id: engagementId }: AttemptRow,
  { answering }: EngagementConfig,
  { outcome }: AttemptEnd,
): Promise<Suspension | null> {
  if (answering === undefined || outcome.result !== 'LiveAnswer') return null;
  const { stopRule } = answering;
  const window = await readWaitWindow(tx, engagementId, stopRule, nowMs);
  const verdict = stopVerdict(stopRule, window);
  if (verdict.action === 'goOn') return null;
  const suspension: Suspension = {
    type: 'exceededCustomerWaitThreshold',
    reason: verdict.reason,
  };
  const suspended = await suspendIn(tx, { engagementId, suspension, actor, nowMs });
  return suspended === undefined ? null : suspension;
}

/** The last AI-handled calls that ended since the engagement was resumed, or was made. */
async function readAiWindow(
  tx: Transaction<Database>,
  engagementId: string,
): Promise<AiCallWindow> {
  const { resumed_at_ms: since } = await tx
    .selectFrom('engagements')
    .select('resumed_at_ms')
    .where('id', '=', engagementId)
    .executeTakeFirstOrThrow();
  const results = await tx
    .selectFrom('attempts')
    .select('result')
    .where('engagement_id', '=', engagementId)
    .where('ai_handled', '=', sql.lit(1)) // a bound value would not match the partial index
    .where('ended_at_ms', '>', since ?? 0)
    .orderBy('ended_at_ms', 'desc')
    .limit(AI_WINDOW_MAX)
    .execute();
  const failed = results.filter(({ result }) => result === 'BotFailed').length;
  return { handled: results.length, failed };
}
