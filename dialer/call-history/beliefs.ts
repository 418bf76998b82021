/**
 * What a pacer may believe before its first call, from what its engagement's calls have shown. Too
 * little evidence is none: it begins as progressive then, and learns.
 */
import { answerPrior } from '../pacing/answer-prior.ts';
import type { DurationPrior } from '../pacing/duration-survival.ts';
import type { PacerBeliefs } from '../pacing/pacer-config.ts';
import { PACING_CONSTANTS as C } from '../pacing/pacing-constants.ts';
import type { ObservedCalls, SeenDurations } from './observed-calls.ts';

/** Durations that say something of their spread. */
const DURATIONS_MIN = 20;
const CV_MIN = 0.05;

export function beliefsOf(observed: ObservedCalls): PacerBeliefs {
  const { calls, answers, sameHour, ring, talk, wrapUp, agentTalk, escalations } = observed;
  const levels = sameHour.calls > 0 ? [{ calls, answers }, sameHour] : [{ calls, answers }];
  const prior = answerPrior(levels, C.answerProbabilityDefault);
  const isWarm = answers >= C.warmUpAnswers;
  const ringToAnswer = priorOf(ring);
  const handle = priorOf(talk);
  const withAgent = priorOf(agentTalk);
  return {
    ...(isWarm ? { answerProbability: prior.probability, weightCalls: prior.weightCalls } : {}),
    ...(ringToAnswer === undefined ? {} : { ringToAnswer }),
    ...(handle === undefined ? {} : { handle }),
    ...(wrapUp.count < DURATIONS_MIN ? {} : { wrapUpMs: wrapUp.meanMs }),
    ...(withAgent === undefined ? {} : { agentTalk: withAgent }),
    ...(withAgent === undefined
      ? {}
      : { escalationProbability: Math.min(1, (escalations + 1) / (agentTalk.count + 2)) }),
  };
}

function priorOf({ count, meanMs, cv }: SeenDurations): DurationPrior | undefined {
  return count < DURATIONS_MIN ? undefined : { meanMs, cv: Math.max(CV_MIN, cv) };
}
