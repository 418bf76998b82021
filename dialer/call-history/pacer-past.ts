/**
 * What a pacer that starts anew is told of the time before it: the budget that its engagement has spent,
 * and what its calls have shown.
 */
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import type { PacerBeliefs } from '../pacing/pacer-config.ts';
import type { RulePacks } from '../rule-packs/rule-packs.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { beliefsOf } from './beliefs.ts';
import { readLiveOutcomes, type PastOutcome } from './live-outcomes.ts';
import { readObservedCalls } from './observed-calls.ts';

export interface PacerPast {
  readonly past: readonly PastOutcome[];
  readonly believed: PacerBeliefs;
}

export async function readPacerPast(
  database: OpenDatabase,
  { engagement, config }: EngagementFacts,
  rulePacks: RulePacks,
  nowMs: number,
): Promise<PacerPast> {
  const {
    id: engagementId,
    business_unit_id: businessUnitId,
    created_at_ms: createdAtMs,
  } = engagement;
  const isAiLed = config.engagementType === 'aiLed';
  const sinceMs = rulePacks.countedSinceMs(createdAtMs, nowMs);
  const { amdFalsePositiveRatio } = rulePacks;
  const of = { businessUnitId, engagementId, isAiLed, atMs: nowMs };
  const past = await readLiveOutcomes(database, { ...of, sinceMs, amdFalsePositiveRatio });
  return { past, believed: beliefsOf(await readObservedCalls(database, of)) };
}
