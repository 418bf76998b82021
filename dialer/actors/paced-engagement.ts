/** An engagement's settings in the words of its pacer, and of those who share representatives out. */
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import type { PacerConfig } from '../pacing/pacer-config.ts';
import type { RepresentativeDemand } from '../representatives/match-representatives.ts';
import type { Offer } from '../representatives/representative-desk.ts';
import type { Sharer } from '../representatives/representative-shares.ts';

/** Where a rep-led engagement says nothing else (spec I.3). */
const ABANDONMENT_RATIO_MAX = 0.03;
const PATIENCE_MS = 2_000;

export function demandOf(facts: EngagementFacts): RepresentativeDemand {
  const { engagement, config, rules } = facts;
  return {
    businessUnitId: engagement.business_unit_id,
    queueId: engagement.queue_id,
    skillIds: config.skillIds,
    rules,
  };
}

/** As an invitation of the paced modes: taken without being asked (spec B.0). */
export function offerOf(facts: EngagementFacts): Offer {
  const { engagement, rules } = facts;
  return {
    kind: 'preDial',
    engagementId: engagement.id,
    engagementName: engagement.name,
    engagementDescription: engagement.description,
    isAutoAccepted: true,
    taskId: null,
    attemptId: null,
    rules,
  };
}

export function sharerOf(
  facts: EngagementFacts,
): Omit<Sharer, 'isDialing' | 'ringing' | 'onDealt'> {
  const { engagement, config } = facts;
  const { mode } = config;
  const percent = 'queueAllotmentPercent' in mode ? mode.queueAllotmentPercent : undefined;
  return {
    engagementId: engagement.id,
    priority: engagement.priority,
    demand: demandOf(facts),
    offer: offerOf(facts),
    allotmentPercent: percent ?? 100,
    sharesIdle: mode.kind === 'predictive',
  };
}

export function pacerConfigOf({ config }: EngagementFacts): PacerConfig {
  const { mode, engagementType, answering, ringTimeoutMs } = config;
  const repLed = engagementType === 'repLed';
  const stopPercent = answering?.stopRule.percent;
  return {
    mode: mode.kind === 'predictive' ? 'predictive' : 'progressive',
    repLed,
    abandonmentRatioMax: Math.min(
      stopPercent === undefined ? ABANDONMENT_RATIO_MAX : stopPercent / 100,
      0.99,
    ),
    patienceMs:
      answering === undefined ? PATIENCE_MS : answering.customerWaitThresholdSeconds * 1_000,
    ringTimeoutMs,
    ...(mode.kind === 'progressive' && mode.maxCallsPerRep !== undefined
      ? { callsPerRepMax: mode.maxCallsPerRep }
      : {}),
  };
}
