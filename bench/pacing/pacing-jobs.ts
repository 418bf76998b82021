/** One simulated run of one pacer: what the worker threads are given, and what they answer. */
import { PacerCore } from '../../dialer/pacing/pacer-core.ts';
import type { AbandonmentLimit } from '../../dialer/pacing/abandonment-window.ts';
import type { Scenario } from '../../simulator/scenario.schema.ts';
import { pacerConfigOf, type PacerFactory } from '../../simulator/simulated-pacer.ts';
import { simulate } from '../../simulator/simulated-world.ts';
import type { SimulationResult } from '../../simulator/world-report.ts';
import { AdaptiveRatioPacer } from './adaptive-ratio.ts';
import { FixedRatioPacer } from './fixed-ratio.ts';

export type Policy =
  | { readonly kind: 'predictive'; readonly limits?: readonly AbandonmentLimit[] }
  | { readonly kind: 'progressive' }
  | { readonly kind: 'fixedRatio'; readonly ratio: number }
  | { readonly kind: 'adaptiveRatio' };

export interface PacingJob {
  readonly id: number;
  readonly scenario: Scenario;
  readonly policy: Policy;
  readonly seed: number;
}

export interface PacingJobDone {
  readonly id: number;
  readonly result: SimulationResult;
  /** Time that the run took, ms. */
  readonly tookMs: number;
}

export function runPacingJob({ id, scenario, policy, seed }: PacingJob): PacingJobDone {
  const begunMs = performance.now();
  const mode = policy.kind === 'progressive' ? 'progressive' : 'predictive';
  const result = simulate({ ...scenario, mode }, { seed, pacer: pacerOf(policy) });
  return { id, result, tookMs: performance.now() - begunMs };
}

function pacerOf(policy: Policy): PacerFactory {
  switch (policy.kind) {
    case 'predictive':
    case 'progressive': {
      const limits = policy.kind === 'predictive' ? policy.limits : undefined;
      return (scenario) =>
        new PacerCore({ ...pacerConfigOf(scenario), ...(limits === undefined ? {} : { limits }) });
    }
    case 'fixedRatio':
      return () => new FixedRatioPacer(policy.ratio);
    case 'adaptiveRatio':
      return (scenario) => new AdaptiveRatioPacer(scenario.abandonmentRatioMax);
  }
}
