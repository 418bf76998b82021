/**
 * The world that a forecast runs in: what the engagement's calls have shown, beside a prior that
 * counts for little, and for each run drawn anew from what is not known.
 */
import { Value } from 'typebox/value';
import type { SeenDurations } from '../../dialer/call-history/observed-calls.ts';
import type { ForecastInput } from '../../dialer/forecast/forecast-input.ts';
import type { Forecast } from '../../dialer/forecast/forecast.schema.ts';
import { Scenario } from '../scenario.schema.ts';
import type { SeededRandom } from '../seeded-random.ts';

/** Believed where little was seen, and what each counts for: calls, or durations. */
export const PRIORS = {
  answer: { probability: 0.3, weight: 40 },
  talk: { meanMs: 180_000, cv: 1, weight: 20 },
  wrapUp: { meanMs: 15_000, cv: 0.7, weight: 5 },
  ring: { meanMs: 11_000, cv: 0.45, weight: 20 },
  agentTalk: { meanMs: 60_000, cv: 1, weight: 20 },
  escalation: { probability: 0.5, weight: 4 },
  /** From the answer to the verdict, where calls are detected. */
  detection: { meanMs: 1_500, cv: 0.5, weight: 5 },
} as const;

/** How long somebody waits whom an AI agent has promised a representative, ms. */
const ESCALATED_PATIENCE_MS = 60_000;
/** Between two decisions. */
const TICK_MS = 1_000;
const CV_MIN = 0.05;
const CV_MAX = 5;

interface Known {
  readonly meanMs: number;
  readonly cv: number;
  /** Durations that it rests on, the prior's among them. */
  readonly weight: number;
}

/** What was seen and what is believed, by how much there is of each. */
function known(seen: SeenDurations, prior: Known): Known {
  const weight = seen.count + prior.weight;
  const pooled = (a: number, b: number): number => (a * seen.count + b * prior.weight) / weight;
  const meanMs = pooled(seen.meanMs, prior.meanMs);
  const square = pooled(
    seen.meanMs ** 2 * (1 + seen.cv ** 2),
    prior.meanMs ** 2 * (1 + prior.cv ** 2),
  );
  const cv = Math.sqrt(Math.max(0, square / meanMs ** 2 - 1));
  return { meanMs, cv: Math.min(CV_MAX, Math.max(CV_MIN, cv)), weight };
}

export function presumed({ observed, facts }: ForecastInput): Forecast['presumed'] {
  const { calls, answers, machines, talk, wrapUp, ring } = observed;
  const { weight, probability } = PRIORS.answer;
  const seconds = (seen: SeenDurations, prior: Known) => {
    const value = Math.round(known(seen, prior).meanMs / 100) / 10;
    return { value, seen: seen.count, priorWeight: prior.weight };
  };
  return {
    answerProbability: {
      value: rounded((answers + weight * probability) / (calls + weight)),
      ...{ seen: calls, priorWeight: weight },
    },
    machineShare: { value: rounded(shareOf(machines, calls)), seen: calls, priorWeight: 0 },
    talkSeconds: seconds(talk, PRIORS.talk),
    wrapUpSeconds: wrapsUp(facts) ? seconds(wrapUp, PRIORS.wrapUp) : NO_WRAP_UP,
    ringSeconds: seconds(ring, PRIORS.ring),
  };
}

const NO_WRAP_UP = { value: 0, seen: 0, priorWeight: 0 };

function wrapsUp({ rules }: ForecastInput['facts']): boolean {
  return rules.wrapUpBlock !== 'never';
}

/** One world of those that are possible. */
export function drawScenario(input: ForecastInput, random: SeededRandom): Scenario {
  const { observed, facts, pacer, representatives: reps, trunk } = input;
  const { calls, answers, machines, busy, invalid, failed } = observed;
  const { weight, probability } = PRIORS.answer;
  const p = random.beta(
    answers + weight * probability,
    calls - answers + weight * (1 - probability),
  );
  // What does not answer is shared out as it was seen.
  const rest = (count: number): number => shareOf(count, calls - answers) * (1 - p);
  const mean = ({ meanMs, cv, weight: n }: Known): { meanMs: number; cv: number } => {
    return { meanMs: Math.max(1, meanMs * Math.exp((cv / Math.sqrt(n)) * random.normal())), cv };
  };
  const isRepLed = facts.config.engagementType === 'repLed';
  const decisionMs = isRepLed ? known(observed.connect, PRIORS.detection).meanMs : 0;
  const { count, meanMs: noAnswerSeenMs } = observed.noAnswer;
  const noAnswerMs = Math.min(
    pacer.ringTimeoutMs,
    count >= PRIORS.ring.weight ? noAnswerSeenMs : pacer.ringTimeoutMs,
  );
  const isFromAnswer = facts.config.answering?.waitFrom === 'answer';
  const patienceMs = Math.max(0, pacer.patienceMs - (isFromAnswer ? decisionMs : 0));
  return Value.Parse(
    Scenario,
    Value.Default(Scenario, {
      ...{ mode: pacer.mode, repLed: isRepLed, reps, tickMs: TICK_MS },
      ...(pacer.callsPerRepMax === undefined ? {} : { callsPerRepMax: pacer.callsPerRepMax }),
      abandonmentRatioMax: pacer.abandonmentRatioMax,
      answerProbability: Math.min(1, Math.max(0, p)),
      machineShare: rest(machines),
      busyShare: rest(busy),
      invalidShare: rest(invalid),
      failedShare: rest(failed),
      ringToAnswer: mean(known(observed.ring, PRIORS.ring)),
      noAnswerMs,
      handle: mean(known(observed.talk, PRIORS.talk)),
      wrapUpMs: wrapsUp(facts) ? mean(known(observed.wrapUp, PRIORS.wrapUp)).meanMs : 0,
      patienceMs: isRepLed ? patienceMs : ESCALATED_PATIENCE_MS,
      amd: { falsePositiveRate: 0, decisionMs: Math.min(20_000, decisionMs) },
      trunk: { channels: trunk.channels, callsPerSecond: trunk.callsPerSecond },
      agent: {
        talk: mean(known(observed.agentTalk, PRIORS.agentTalk)),
        escalationProbability: escalationOf(input, random),
      },
    }),
  );
}

function escalationOf({ observed, facts }: ForecastInput, random: SeededRandom): number {
  if (facts.config.engagementType === 'repLed') return 1;
  const { weight, probability } = PRIORS.escalation;
  const talks = Math.max(observed.agentTalk.count, observed.escalations);
  const yes = observed.escalations + weight * probability;
  return random.beta(yes, talks - observed.escalations + weight * (1 - probability));
}

function shareOf(count: number, all: number): number {
  return all > 0 ? count / all : 0;
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
