/** How one pacer is set up. Everything has a unit in its name; probabilities are fractions. */
import assert from 'node:assert/strict';
import type { AbandonmentLimit, LiveOutcome } from './abandonment-window.ts';
import type { DurationPrior } from './duration-survival.ts';

export type PacerMode = 'predictive' | 'progressive';

/** What is held to be true until calls say otherwise. */
export interface PacerBeliefs {
  /** P(a call is answered by a person). Absent: nothing is known, begin as progressive. */
  readonly answerProbability?: number;
  readonly ringToAnswer?: DurationPrior;
  readonly handle?: DurationPrior;
  readonly wrapUpMs?: number;
  /** AI-led: P(a talk with the agent leads to a representative), and how long such talks last. */
  readonly escalationProbability?: number;
  readonly agentTalk?: DurationPrior;
  /** Calls that the believed answer probability counts for. */
  readonly weightCalls?: number;
}

export interface PacerConfig {
  readonly mode: PacerMode;
  /** Representatives are reserved before a call starts; else they are only forecast (AI-led). */
  readonly repLed: boolean;
  /** Abandoned over live answers, a fraction. 0: a call never starts without a representative. */
  readonly abandonmentRatioMax: number;
  /** How long a person who answered may wait for a representative, ms. */
  readonly patienceMs: number;
  /** Unanswered calls end after this, ms from their start. */
  readonly ringTimeoutMs: number;
  readonly believed?: PacerBeliefs;
  /** Progressive with AI agent: calls per available representative, 1 to 5. */
  readonly callsPerRepMax?: number;
  /** Calls in flight at most: channels of the trunk, share of the queue. */
  readonly inFlightMax?: number;
  /** Starts per tick at most: calls per second of the trunk. */
  readonly startsPerTickMax?: number;
  /** Whether calls may be taken back that have rung for `ringMinMs` when too many would answer. */
  readonly cancelRinging?: boolean;
  /** Shortest ringing that the law allows before giving up, ms (16 CFR 310.4(b)(4)(ii): 15 s). */
  readonly ringMinMs?: number;
  /** Legal windows. Absent: one of 30 successive days at `abandonmentRatioMax`. */
  readonly limits?: readonly AbandonmentLimit[];
  /**
   * What the durable log holds of the windows that are open, oldest first, added up by the minute or
   * so: a pacer that starts anew starts with the budget that is left, not with a new one.
   */
  readonly past?: readonly (LiveOutcome & { readonly atMs: number })[];
  /** Share of machine verdicts that hung up on a person, its upper bound; charged as abandoned. */
  readonly amdFalsePositiveRatio?: number;
}

export const CALLS_PER_REP_MAX = 5;

export function checkPacerConfig(config: PacerConfig): void {
  const { abandonmentRatioMax, patienceMs, ringTimeoutMs, callsPerRepMax = 1, believed } = config;
  assert(abandonmentRatioMax >= 0 && abandonmentRatioMax < 1, 'abandonmentRatioMax: from 0 to 1');
  assert(patienceMs >= 0 && patienceMs <= 60_000, 'patienceMs: from 0 to 60000');
  assert(ringTimeoutMs >= 1_000 && ringTimeoutMs <= 120_000, 'ringTimeoutMs: from 1000 to 120000');
  assert(
    Number.isInteger(callsPerRepMax) && callsPerRepMax >= 1 && callsPerRepMax <= CALLS_PER_REP_MAX,
    `callsPerRepMax: a whole number from 1 to ${CALLS_PER_REP_MAX}`,
  );
  const p = believed?.answerProbability;
  assert(p === undefined || (p > 0 && p < 1), 'believed.answerProbability: between 0 and 1');
}

const THIRTY_DAYS_MS = 30 * 24 * 3_600_000;

/** The legal windows of a pacer; by default the FTC's, 16 CFR 310.4(b)(4)(i), from time 0. */
export function limitsOf(config: PacerConfig): readonly AbandonmentLimit[] {
  return (
    config.limits ?? [
      {
        name: '30 days',
        period: { kind: 'tumbling', lengthMs: THIRTY_DAYS_MS, startAtMs: 0 },
        ratioMax: config.abandonmentRatioMax,
        numerator: ['noRepresentative', 'amdFalsePositive'],
        denominator: 'liveAnswers',
      },
    ]
  );
}
