/** Machine verdicts are drawn for an audit in the transaction that records the attempt's end. */
import type { Transaction } from 'kysely';
import { agentVerdictIn, ANSWERED_BY_ATTRIBUTE } from '../../machines/agent-verdict.ts';
import { agentSettingsOf } from '../ai-agents/ai-agent-settings.schema.ts';
import type { Database } from '../store/schema/database.ts';
import type { AttemptRow } from '../store/schema/task-tables.ts';
import type { AttemptEnd } from '../tasks/attempt-end.ts';
import { heardByAgent, isInSample, type Heard } from './amd-sample.ts';

type Tx = Transaction<Database>;

/**
 * Does nothing for an attempt that is not in the sample, or that detection did not call a machine.
 * `machine` alone: it is what `abandonment.amdFalsePositiveRatio` charges. The caller has just closed
 * the attempt, which it can do once; nothing else writes this row's first version.
 */
export async function drawAmdAudit(
  tx: Tx,
  attempt: AttemptRow,
  { heard: { verdict }, wasAiHandled }: AttemptEnd,
  { share, nowMs }: { readonly share: number; readonly nowMs: number },
): Promise<void> {
  if (verdict !== 'machine' || !isInSample(attempt.id, share)) return;
  const agentListened = wasAiHandled && (await isAgentLeftTalking(tx, attempt));
  await tx
    .insertInto('amd_audits')
    .values({
      id: attempt.id,
      business_unit_id: attempt.business_unit_id,
      engagement_id: attempt.engagement_id,
      delivery_id: attempt.delivery_id,
      ...{ verdict, ended_at_ms: nowMs, agent_listened: agentListened ? 1 : 0 },
      agent_heard: agentListened ? await agentsWord(tx, attempt) : null,
      ...{ heard: null, heard_by: null, heard_at_ms: null, version: 1 },
    })
    .execute();
}

/**
 * An AI agent may return who answered after the call, too; its last word stands. Nothing happens where
 * the attempt is not audited, or where the verdict cut the agent off. The caller holds the attempt's row
 * locked, as the record of its end does: either of them sees what the other wrote.
 */
export async function noteAgentsWord(
  tx: Tx,
  attemptId: string,
  returned: Readonly<Record<string, string>>,
): Promise<void> {
  const said = agentVerdictIn(returned);
  if (said === undefined) return;
  await tx
    .updateTable('amd_audits')
    .set({ agent_heard: heardByAgent(said.verdict) })
    .where('id', '=', attemptId)
    .where('agent_listened', '=', 1)
    .execute();
}

/**
 * Where the verdict ends the call, an agent has a word only when it was quicker than detection: whose word
 * there is then depends on who was there, and no share of them says anything.
 */
async function isAgentLeftTalking(tx: Tx, { engagement_id }: AttemptRow): Promise<boolean> {
  const workstream = await tx
    .selectFrom('engagements')
    .innerJoin('workstreams', 'workstreams.id', 'engagements.workstream_id')
    .select('workstreams.ai_agent')
    .where('engagements.id', '=', engagement_id)
    .executeTakeFirst();
  if (workstream === undefined) return false;
  return agentSettingsOf(workstream)?.detection.machineAction === 'continue';
}

async function agentsWord(tx: Tx, { delivery_id }: AttemptRow): Promise<Heard | null> {
  const row = await tx
    .selectFrom('delivery_attributes')
    .select('value')
    .where('delivery_id', '=', delivery_id)
    .where('type', '=', 'Result')
    .where('keyword', '=', ANSWERED_BY_ATTRIBUTE)
    .executeTakeFirst();
  const said = row && agentVerdictIn({ [ANSWERED_BY_ATTRIBUTE]: row.value });
  return said === undefined ? null : heardByAgent(said.verdict);
}
