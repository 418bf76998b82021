/**
 * `npm run bench -- pacing`: our predictive and progressive pacers, a fixed ratio tuned to the
 * world after the fact, and the multiplicative adaptive rule, in the same worlds with the same
 * seeds. The fixed ratio is given what no operator has: for each world, the largest k whose
 * abandonment on these very seeds does not exceed ours. Every seed is printed.
 */
import type { SimulationResult } from '../../simulator/world-report.ts';
import {
  atLeast,
  atMost,
  benchHost,
  rounded,
  type BenchMetric,
  type BenchOptions,
  type BenchReport,
  type BenchTarget,
} from '../bench-report.ts';
import { decisionTime } from './decision-time.ts';
import { JobPool } from './job-pool.ts';
import type { Policy } from './pacing-jobs.ts';
import {
  jumpCells,
  otherCells,
  referenceCells,
  thirtyDayLimits,
  thirtyDays,
  type PacingCell,
} from './pacing-worlds.ts';
import { pooled, type PooledRuns } from './pooled-runs.ts';

const THREADS = 2;
/** Never used while the algorithm's constants were chosen. */
const FIRST_SEED = 7_001;
const SEEDS = 20;
const UTILIZATION_TARGETS: Readonly<Record<string, number>> = {
  reference10: 0.82,
  reference50: 0.92,
  reference200: 0.96,
};

interface Findings {
  readonly metrics: Record<string, BenchMetric>;
  readonly ratios: Record<string, number>;
  readonly targets: Record<string, BenchTarget>;
}

export async function benchPacing({ part, say }: BenchOptions): Promise<BenchReport> {
  const findings: Findings = { metrics: {}, ratios: {}, targets: {} };
  // First, while no worker wants the processor.
  if (part === undefined || part === 'decision') measureDecisions(findings);
  const pool = new JobPool(THREADS);
  const seeds = (count: number): number[] =>
    Array.from({ length: count }, (_, i) => FIRST_SEED + i);
  const cells = [
    ...(part === undefined || part === 'reference' ? referenceCells(SEEDS) : []),
    ...(part === undefined || part === 'jump' ? jumpCells(SEEDS) : []),
    ...(part === undefined || part === 'worlds' ? otherCells(5) : []),
  ];
  try {
    for (const cell of cells) {
      await compare(pool, cell, seeds(cell.seeds), findings, say);
    }
    if (part === undefined || part === 'days') await thirtyDaysInARow(pool, findings, say);
  } finally {
    await pool.close();
  }
  return { name: 'pacing', host: benchHost(), ...findings };
}

async function compare(
  pool: JobPool,
  { name, scenario }: PacingCell,
  seeds: readonly number[],
  { metrics, ratios, targets }: Findings,
  say: (line: string) => void,
): Promise<void> {
  const run = async (policy: Policy): Promise<PooledRuns> => {
    const done = await pool.runAll(scenario, policy, seeds);
    if (policy.kind === 'predictive') {
      const tookS = done.reduce((sum, { tookMs }) => sum + tookMs, 0) / 1_000 / done.length;
      metrics[`${name}.secondsPerSimulatedHour`] = metric(tookS / scenario.hours, 's');
    }
    const result = pooled(done.map((one) => one.result));
    report(`${name}.${policy.kind}`, result, metrics);
    say(
      `${name} ${policy.kind}: utilisation ${percent(result.utilization)} ± ` +
        `${percent(result.utilizationPlusMinus)}, abandoned ${percent(result.abandonmentRatio)} ± ` +
        `${percent(result.abandonmentPlusMinus)}, worst seed ${percent(result.worstSeedRatio)}`,
    );
    return result;
  };
  const ours = await run({ kind: 'predictive' });
  await run({ kind: 'progressive' });
  await run({ kind: 'adaptiveRatio' });
  const ratio = await tunedRatio(pool, scenario, seeds, ours.abandonmentRatio);
  metrics[`${name}.tunedRatio`] = metric(ratio, 'calls per idle representative');
  const tuned = await run({ kind: 'fixedRatio', ratio });
  ratios[`${name}.oursOverTunedRatio`] = rounded(ours.utilization / tuned.utilization);
  targets[`${name}.belowTunedRatio`] = atMost(tuned.utilization - ours.utilization, 0.01);
  targets[`${name}.abandonmentRatio`] = atMost(ours.abandonmentRatio, scenario.abandonmentRatioMax);
  const target = UTILIZATION_TARGETS[name];
  if (target !== undefined) targets[`${name}.utilization`] = atLeast(ours.utilization, target);
}

/** The largest k, in hundredths, that abandons no larger share than ours on the same seeds. */
async function tunedRatio(
  pool: JobPool,
  scenario: PacingCell['scenario'],
  seeds: readonly number[],
  abandonmentRatioMax: number,
): Promise<number> {
  let low = 1;
  let high = 8;
  while (high - low > 0.01) {
    const ratio = (low + high) / 2;
    const done = await pool.runAll(scenario, { kind: 'fixedRatio', ratio }, seeds);
    const runs = pooled(done.map(({ result }) => result));
    if (runs.abandonmentRatio <= abandonmentRatioMax) low = ratio;
    else high = ratio;
  }
  return low;
}

function report(name: string, runs: PooledRuns, metrics: Record<string, BenchMetric>): void {
  for (const [key, value] of Object.entries<number>({ ...runs })) {
    metrics[`${name}.${key}`] = metric(value, key === 'liveAnswers' ? 'answers' : 'ratio');
  }
}

function measureDecisions({ metrics, targets }: Findings): void {
  const { meanUs, p99Us, cpuMeanUs, decisions } = decisionTime();
  metrics['decision.mean'] = metric(meanUs, 'us');
  metrics['decision.p99'] = metric(p99Us, 'us');
  metrics['decision.cpuMean'] = metric(cpuMeanUs, 'us');
  metrics['decision.count'] = metric(decisions, 'decisions');
  targets['decision.mean'] = atMost(meanUs, 150);
  targets['decision.p99'] = atMost(p99Us, 1_000);
}

async function thirtyDaysInARow(
  pool: JobPool,
  { metrics, targets }: Findings,
  say: (line: string) => void,
): Promise<void> {
  const limits = thirtyDayLimits();
  const scenario = thirtyDays();
  const seeds = [FIRST_SEED, FIRST_SEED + 1];
  const done = await pool.runAll(scenario, { kind: 'predictive', limits }, seeds);
  const runs = pooled(done.map(({ result }) => result));
  report('thirtyDays', runs, metrics);
  const worst = Math.max(...done.map(({ result }) => worstWindow(result)));
  say(
    `30 days of 20: utilisation ${percent(runs.utilization)}, worst seed ` +
      `${percent(runs.worstSeedRatio)}, worst 24 hours or month ${percent(worst)}`,
  );
  metrics['thirtyDays.worstWindow'] = metric(worst, 'ratio');
  targets['thirtyDays.worstWindow'] = atMost(Math.max(worst, runs.worstSeedRatio), 0.03);
}

/** The worst of every 24 hours that begin with an hour, and of both months. */
function worstWindow({ hourly }: SimulationResult): number {
  const ratioOf = (from: number, to: number): number => {
    const hours = hourly.slice(from, to);
    const live = hours.reduce((sum, hour) => sum + hour.live, 0);
    return live === 0 ? 0 : hours.reduce((sum, hour) => sum + hour.abandoned, 0) / live;
  };
  // A day's work falls into each of them: thousands of answers.
  const days = hourly.map((_, hour) => (hour + 24 <= hourly.length ? ratioOf(hour, hour + 24) : 0));
  return Math.max(ratioOf(0, 240), ratioOf(240, hourly.length), ...days);
}

function metric(value: number, unit: string): BenchMetric {
  return { value: rounded(value), unit };
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(2)} %`;
}
