/** What to do with the head of the ready tasks: eligibility, and on past numbers that are none. */
import {
  eligibility,
  type EligibilityDecision,
  type EligibilityFacts,
} from '../eligibility/eligibility.ts';
import type { ReattemptRule } from '../engagements/engagement-config.schema.ts';
import type { Result } from '../../machines/result.ts';
import {
  currentStep,
  stepPast,
  type ChainContact,
  type ChainProgress,
  type WalkStep,
} from './chain-walk.ts';
import { windowsFor, type TaskWindows } from './task-windows.ts';

export interface StartCandidate {
  readonly chain: readonly ChainContact[];
  readonly progress: ChainProgress;
  readonly windows: TaskWindows;
  readonly expiresAtMs: number;
  readonly isCancelled: boolean;
  readonly isQuarantined: boolean;
  readonly lastResult: Result | null;
  /** Contact points that may not be called for what this task is for. */
  readonly withdrawn?: ReadonlySet<string>;
}

export interface CommonFacts extends Omit<EligibilityFacts, 'number'> {
  readonly reattempt: ReattemptRule;
  /** Facts of one number, by contact point. */
  readonly numberOf: (contactPointId: string) => EligibilityFacts['number'];
}

export interface StartDecision {
  readonly decision: Exclude<EligibilityDecision, { decide: 'skipNumber' }>;
  /** Where the walk stands after numbers that are none have been passed over. */
  readonly progress: ChainProgress;
}

/** Ends: each number passed over is left out for good, and a chain has at most fifteen. */
export function decideStart(
  candidate: StartCandidate,
  facts: CommonFacts,
  nowMs: number,
): StartDecision {
  let step: WalkStep = currentStep(candidate.chain, candidate.progress, facts.reattempt);
  let { progress } = candidate;
  let hasOptedOut = false;
  for (;;) {
    if (step.kind === 'dial') ({ progress } = step);
    const known = factsOf(candidate, facts, step);
    const decision = eligibility(taskOf(candidate, step, hasOptedOut), known, nowMs);
    if (decision.decide !== 'skipNumber') return { decision, progress };
    hasOptedOut ||= decision.reason === 'opted_out';
    step = stepPast(candidate.chain, progress, facts.reattempt);
    if (step.kind === 'dial' && step.afterMs > 0) {
      // The next number stands behind a pause of the walk: another contact's, or another loop's.
      const untilMs = nowMs + step.afterMs;
      const decision = { decide: 'postpone', untilMs, reason: 'reattempt_wait' } as const;
      return { decision, progress: step.progress };
    }
  }
}

function taskOf(
  candidate: StartCandidate,
  step: WalkStep,
  hasOptedOut: boolean,
): Parameters<typeof eligibility>[0] {
  const { isCancelled, isQuarantined, expiresAtMs, lastResult, windows } = candidate;
  const contactId = step.kind === 'dial' ? step.target.contactId : '';
  const own = step.kind === 'dial' ? windowsFor(windows, contactId) : windows.request;
  const known = { isCancelled, isQuarantined, expiresAtMs, lastResult, hasOptedOut };
  return { ...known, windows: own, step };
}

/** Where the walk has ended there is no number to ask about. */
const NO_NUMBER: EligibilityFacts['number'] = {
  ...{ isDialable: true, isOptedOut: false, isInFlight: false },
  ...{ lastAttemptAtMs: null, gapMinMs: 0 },
};

function factsOf(
  { withdrawn }: StartCandidate,
  { engagement, queue, capacityFree, numberOf }: CommonFacts,
  step: WalkStep,
): EligibilityFacts {
  const common = { engagement, queue, capacityFree };
  if (step.kind !== 'dial') return { ...common, number: NO_NUMBER };
  const { contactPointId } = step.target;
  const number = numberOf(contactPointId);
  const isOptedOut = number.isOptedOut || withdrawn?.has(contactPointId) === true;
  return { ...common, number: { ...number, isOptedOut } };
}
