/** The rules by which an AI-led engagement slows down and speeds up (spec B.7). */
import { Type, type Static } from 'typebox';
import type { DialMode } from './dial-modes.schema.ts';

const closed = { additionalProperties: false } as const;

export const THROTTLE_METRICS = [
  'abandonmentRate', // escalated customers who hung up before a representative joined. Percent
  'averageWaitTime', // from the escalation to the representative, on average. Seconds
  'escalationCount', // escalations in the period
  'openEscalations', // escalations at this moment that are not closed
] as const;
export type ThrottleMetric = (typeof THROTTLE_METRICS)[number];

/** Which modes a metric can be chosen in (DM-36 to DM-39). */
export const MODES_OF_METRIC: Readonly<Record<ThrottleMetric, readonly DialMode[]>> = {
  abandonmentRate: ['copilot', 'progressive', 'predictive'],
  averageWaitTime: ['copilot', 'progressive', 'predictive'],
  escalationCount: ['copilot'],
  openEscalations: ['copilot'],
};

export const THROTTLE_RULES_MAX = 2;

export const ThrottleRule = Type.Object(
  {
    metric: Type.Enum([...THROTTLE_METRICS], { description: 'What is measured.' }),
    threshold: Type.Integer({
      description:
        'Above it the rate falls, below it the rate rises. Percent, seconds or a count, as the ' +
        'metric is.',
      minimum: 0,
      maximum: 100_000,
    }),
    periodMinutes: Type.Integer({
      description: 'Over how long it is measured, back from now. Minutes.',
      minimum: 1,
      maximum: 1_440,
    }),
  },
  closed,
);
export type ThrottleRule = Static<typeof ThrottleRule>;

export const ThrottleSettings = Type.Object(
  {
    rules: Type.Array(ThrottleRule, {
      description: 'Two at most; slower when either is above, faster when both are below.',
      maxItems: THROTTLE_RULES_MAX,
      default: [],
    }),
    adjustPercent: Type.Integer({
      description: 'By how much the rate changes in one step. Percent.',
      minimum: 1,
      maximum: 100,
      default: 10,
    }),
  },
  closed,
);
export type ThrottleSettings = Static<typeof ThrottleSettings>;
