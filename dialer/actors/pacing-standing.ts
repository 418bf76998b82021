/** How a running engagement stands, whatever its mode. */
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import { inFlightMaxOf } from '../engagements/in-flight-max.ts';
import type { PacingStanding } from '../pacing/pacing-standing.ts';
import type { PreviewOffers } from '../preview/preview-offers.ts';
import type { RepresentativeDesk } from '../representatives/representative-desk.ts';
import { throttled } from '../throttle/throttle-step.ts';
import type { PacedCalls } from './paced-calls.ts';
import { demandOf } from './paced-engagement.ts';

export interface StandingParts {
  readonly facts: EngagementFacts;
  readonly isDialing: boolean;
  readonly throttleFactor: number;
  readonly paced: PacedCalls | undefined;
  readonly preview: PreviewOffers | undefined;
  readonly desk: RepresentativeDesk;
}

export function pacingStanding(parts: StandingParts): PacingStanding {
  const { facts, isDialing, throttleFactor, paced, preview, desk } = parts;
  const { id: engagementId } = facts.engagement;
  const demand = demandOf(facts);
  const { present, free } = desk.headcount(demand);
  const held = desk.held(engagementId).length;
  const unpaced = { callsTarget: callsTargetOf(parts), decision: null, windows: [] };
  return {
    ...(paced?.standing ?? unpaced),
    ...{ engagementId, isDialing, throttleFactor },
    stopRule: facts.config.answering?.stopRule ?? null,
    // Who is held may have lost a skill since, and is counted all the same.
    representatives: { free, held, elsewhere: Math.max(0, present - free - held) },
    presences: demand.rules.allowedPresences,
    offers: preview?.states,
  };
}

/** Of Copilot: as many as its cap and its throttle allow. */
function callsTargetOf({ facts, isDialing, throttleFactor, preview }: StandingParts) {
  if (preview !== undefined) return null;
  return isDialing ? throttled(inFlightMaxOf(facts.config.mode), throttleFactor) : 0;
}
