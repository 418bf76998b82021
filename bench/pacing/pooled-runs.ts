/** Several seeds of one world, as one measurement with its interval. */
import type { SimulationResult } from '../../simulator/world-report.ts';

export interface PooledRuns {
  /** Mean over seeds, and half the width of its 95 % interval. */
  readonly utilization: number;
  readonly utilizationPlusMinus: number;
  /** All abandoned over all live answers, and half the width of its 95 % interval. */
  readonly abandonmentRatio: number;
  readonly abandonmentPlusMinus: number;
  /** The worst seed's abandonment. */
  readonly worstSeedRatio: number;
  readonly liveAnswers: number;
}

export function pooled(runs: readonly SimulationResult[]): PooledRuns {
  const n = runs.length;
  const mean = (of: (run: SimulationResult) => number): number =>
    runs.reduce((sum, run) => sum + of(run), 0) / n;
  const halfWidth = (of: (run: SimulationResult) => number): number => {
    const middle = mean(of);
    const variance = runs.reduce((sum, run) => sum + (of(run) - middle) ** 2, 0) / (n - 1);
    return n < 2 ? 0 : 1.96 * Math.sqrt(variance / n);
  };
  const live = mean((run) => run.liveAnswers);
  const ratio = live === 0 ? 0 : mean((run) => run.abandoned) / live;
  return {
    utilization: mean((run) => run.utilization),
    utilizationPlusMinus: halfWidth((run) => run.utilization),
    abandonmentRatio: ratio,
    // Of a ratio of sums, by its residuals.
    abandonmentPlusMinus:
      live === 0 ? 0 : halfWidth((run) => run.abandoned - ratio * run.liveAnswers) / live,
    worstSeedRatio: Math.max(...runs.map((run) => run.abandonmentRatio)),
    liveAnswers: live * n,
  };
}
