/** Whatever paces a simulated world: the dialer's pacers, or the rules they are compared with. */
import { PacerCore } from '../dialer/pacing/pacer-core.ts';
import type { PacerConfig } from '../dialer/pacing/pacer-config.ts';
import type { PacerEvent } from '../dialer/pacing/pacer-events.ts';
import type { Scenario } from './scenario.schema.ts';

export interface SimulatedPacer {
  note(atMs: number, event: PacerEvent): void;
  tick(atMs: number): {
    readonly start: number;
    readonly cancel: readonly string[];
    readonly binding: string;
    readonly explanation?: object;
  };
}

export type PacerFactory = (scenario: Scenario) => SimulatedPacer;

export const dialerPacer: PacerFactory = (scenario) => new PacerCore(pacerConfigOf(scenario));

/** What the dialer would be configured with: the truth at the start, unless believed otherwise. */
export function pacerConfigOf(scenario: Scenario): PacerConfig {
  const { believed, answerProbability, handle, amd, machineShare, agent } = scenario;
  const firstOf = (course: Scenario['answerProbability']): number =>
    typeof course === 'number' ? course : (course[0]?.value ?? 0);
  const p = believed.answerProbability ?? firstOf(answerProbability);
  const falsePositiveRate = believed.amdFalsePositiveRate ?? amd.falsePositiveRate;
  const wrong = p * falsePositiveRate;
  return {
    mode: scenario.mode,
    repLed: scenario.repLed,
    abandonmentRatioMax: scenario.abandonmentRatioMax,
    patienceMs: scenario.patienceMs,
    callsPerRepMax: scenario.callsPerRepMax,
    ringTimeoutMs: scenario.noAnswerMs,
    amdFalsePositiveRatio: wrong === 0 ? 0 : wrong / (wrong + firstOf(machineShare)),
    believed: {
      answerProbability: Math.min(0.99, Math.max(0.01, p)),
      ringToAnswer: believed.ringToAnswer ?? scenario.ringToAnswer,
      handle: believed.handle ?? spreadOf(handle),
      wrapUpMs: believed.wrapUpMs ?? scenario.wrapUpMs,
      ...(scenario.repLed ? {} : agentBeliefs(agent)),
    },
  };
}

function agentBeliefs({ talk, escalationProbability }: Scenario['agent']) {
  return {
    agentTalk: { ...talk, cv: Math.max(talk.cv, 0.05) },
    escalationProbability: Math.max(0.01, escalationProbability),
  };
}

/** Mean and deviation of a mixture. */
function spreadOf(handle: Scenario['handle']): { meanMs: number; cv: number } {
  if (!Array.isArray(handle)) return { ...handle, cv: Math.max(handle.cv, 0.05) };
  const shares = handle.reduce((sum, { share }) => sum + share, 0);
  const meanMs = handle.reduce((sum, part) => sum + (part.share / shares) * part.meanMs, 0);
  const square = handle.reduce((sum, { share, meanMs: mean, cv }) => {
    return sum + (share / shares) * mean * mean * (1 + cv * cv);
  }, 0);
  return { meanMs, cv: Math.sqrt(Math.max(0.01, square / (meanMs * meanMs) - 1)) };
}
