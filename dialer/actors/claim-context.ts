/** The claim of an engagement's starts, with everything that a running dialer knows filled in. */
import type { ClaimContext, ClaimRequest } from '../tasks/claim-starts.ts';
import { queueFactOf, type EngagementFacts } from '../engagements/engagement-facts.ts';
import { detectionOf, failsafeOf, planRepresentatives } from '../tasks/call-answering.ts';
import { orderInForce } from '../tasks/order-places.ts';
import { answerSettingsOf, type PlanAfterAnswer } from '../tasks/plan-after-answer.ts';
import type { DialerParts } from './dialer-parts.ts';
import { ATTEMPT_MACHINES, type CallPlan } from './start-attempt.ts';

/** `gatewayId`: where the representatives are who wait for the calls. Default: whichever can dial them. */
export function claimContextOf(
  parts: DialerParts,
  facts: EngagementFacts,
  gatewayId = parts.gatewayFor(facts.workstream.trunk),
): ClaimContext {
  const { database, ids, clock, lease, actor, limits } = parts;
  const { workstream } = facts;
  return {
    ...{ database, ids, actor },
    gatewayId,
    nowMs: clock.now(),
    leaseName: lease.name,
    fence: lease.epoch,
    trunk: workstream.trunk,
    fromAddress: workstream.number,
    numberGapMinMs: limits.numberGapMinMs,
    machineVersion: ATTEMPT_MACHINES,
    planAfterAnswer: answerPlanOf(parts, facts),
  };
}

/** Representatives are found by whoever starts the call; everything else is the workstream's. */
export function answerPlanOf(
  { planAfterAnswer }: Pick<DialerParts, 'planAfterAnswer'>,
  facts: EngagementFacts,
): PlanAfterAnswer {
  return facts.config.engagementType === 'repLed'
    ? planRepresentatives(facts)
    : planAfterAnswer(facts.workstream);
}

export function claimRequestOf(
  { clock }: DialerParts,
  facts: EngagementFacts,
  startsMax: number,
): ClaimRequest {
  const { engagement, config } = facts;
  return {
    businessUnitId: engagement.business_unit_id,
    engagementId: engagement.id,
    config,
    queue: queueFactOf(facts, clock.now()),
    orderSlot: orderInForce(engagement).slot,
    startsMax,
  };
}

/** `gatewayId` as it was written with the claim: whoever asks about the call later asks there. */
export function callPlanOf(
  { times }: Pick<DialerParts, 'times'>,
  facts: EngagementFacts,
  gatewayId: string,
): CallPlan {
  const { workstream, config } = facts;
  const { ringTimeoutMs } = config;
  const [detection, failsafe] = [detectionOf(facts), failsafeOf(facts)];
  return {
    ...{ times, gatewayId, trunk: workstream.trunk, callerId: workstream.number, ringTimeoutMs },
    isPreview: config.mode.kind === 'preview',
    isRecorded: answerSettingsOf(workstream).recording,
    ...(detection === undefined ? {} : { detection }),
    ...(failsafe === undefined ? {} : { failsafe }),
  };
}
