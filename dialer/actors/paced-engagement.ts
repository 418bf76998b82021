/** An engagement's settings in the words of its pacer, and of those who share representatives out. */
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import type { PacerConfig } from '../pacing/pacer-config.ts';
import type { RepresentativeDemand } from '../representatives/match-representatives.ts';
import type { Offer } from '../representatives/offer.ts';
import type { RulePacks } from '../rule-packs/rule-packs.ts';
import type { Sharer } from '../representatives/representative-shares.ts';

/** Where neither the engagement nor a rule says anything else (spec I.3). */
const RATIO_UNSTATED = 0.03;
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
  const { engagement, rules, workstream, config } = facts;
  return {
    kind: 'preDial',
    engagementId: engagement.id,
    engagementName: engagement.name,
    engagementDescription: engagement.description,
    isAutoAccepted: true,
    taskId: null,
    attemptId: null,
    rules,
    trunk: workstream.trunk,
    isOnePlace: config.mode.kind === 'predictive',
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

/** `nowMs`: windows that follow the calendar are told from then on. */
export function pacerConfigOf(
  { engagement, config }: EngagementFacts,
  rulePacks: RulePacks,
  nowMs: number,
): PacerConfig {
  const { mode, engagementType, answering, ringTimeoutMs } = config;
  const repLed = engagementType === 'repLed';
  const stopPercent = answering?.stopRule.percent;
  const allowed = stopPercent === undefined ? RATIO_UNSTATED : Math.min(stopPercent / 100, 0.99);
  const packed = { createdAtMs: engagement.created_at_ms, rulePacks: config.rulePacks };
  const limits = rulePacks.limits(packed, nowMs, allowed);
  const ringMinS = rulePacks.of(config.rulePacks).map(({ ringMinSeconds }) => ringMinSeconds);
  return {
    mode: mode.kind === 'predictive' ? 'predictive' : 'progressive',
    repLed,
    abandonmentRatioMax: Math.min(allowed, ...limits.map(({ ratioMax }) => ratioMax)),
    ...(limits.length === 0 ? {} : { limits }),
    ringMinMs: 1_000 * Math.max(0, ...ringMinS),
    amdFalsePositiveRatio: rulePacks.amdFalsePositiveRatio,
    patienceMs:
      answering === undefined ? PATIENCE_MS : answering.customerWaitThresholdSeconds * 1_000,
    ringTimeoutMs,
    ...(mode.kind === 'progressive' && mode.maxCallsPerRep !== undefined
      ? { callsPerRepMax: mode.maxCallsPerRep }
      : {}),
  };
}
