/**
 * The dialer's store at work, on SQLite and on PostgreSQL with fsync on: starts claimed (eligible task
 * → attempt row on disk → command handed to a port that does nothing), the next eligible among a
 * million ready tasks in every call order, and a large list imported, alone and beside dialing. Each
 * stands beside bare statements of the same driver and durability, measured in the same run.
 */
import { loadavg } from 'node:os';
import {
  atLeast,
  atMost,
  benchHost,
  rounded,
  type BenchMetric,
  type BenchOptions,
  type BenchReport,
  type BenchTarget,
} from './bench-report.ts';
import { measureClaims, measureHeads } from './dialer-claims.ts';
import { measureImport } from './dialer-import.ts';
import { benchStores, type StoreName } from './dialer-stores.ts';
import { scenesWithTasks } from './dialer-tasks.ts';

const TASKS = 1_000_000;
const IMPORT_ROWS = 100_000;
const HEAD_SAMPLES = 1_000;
const STORES: readonly StoreName[] = ['sqlite', 'postgres'];
/** Flat: what V8 leaves uncollected between two collections, not more the longer the list. */
const RSS_GROWTH_MAX_MIB = 64;
const CLAIMS_MIN = { sqlite: 2_000, postgres: 1_000 } as const;

type DialerPart = 'claims' | 'import' | 'next';

interface Findings {
  readonly metrics: Record<string, BenchMetric>;
  readonly ratios: Record<string, number>;
  readonly targets: Record<string, BenchTarget>;
}

export async function benchDialer(options: BenchOptions): Promise<BenchReport> {
  const { say, tasks = TASKS } = options;
  const [load = 0] = loadavg();
  const loadAverage = { value: rounded(load), unit: 'processes' };
  const found: Findings = { metrics: { loadAverage }, ratios: {}, targets: {} };
  const stores = await benchStores();
  try {
    for (const name of STORES) {
      const has = (part: DialerPart): boolean =>
        options.part === undefined || options.part === part;
      if (has('claims')) await benchClaims(stores, name, options, found);
      if (has('import')) await benchImport(stores, name, Math.min(IMPORT_ROWS, tasks), say, found);
      if (has('next')) await benchHeads(stores, name, tasks, say, found);
    }
  } finally {
    await stores.close();
  }
  return { name: 'dialer', host: benchHost(), ...found };
}

type Stores = Awaited<ReturnType<typeof benchStores>>;

async function benchClaims(
  stores: Stores,
  name: StoreName,
  { seconds, say }: BenchOptions,
  { metrics, ratios, targets }: Findings,
): Promise<void> {
  say(`${name}: claims for ${seconds} s`);
  const store = await stores.open(name);
  const { perSecond, rawPerSecond } = await measureClaims(store, seconds);
  await store.close();
  metrics[`${name}_claims`] = { value: rounded(perSecond), unit: '/s' };
  metrics[`${name}_raw_starts`] = { value: rounded(rawPerSecond), unit: '/s' };
  ratios[`${name}_claims_of_raw_starts`] = rounded(perSecond / rawPerSecond);
  targets[`${name}_claims_per_second`] = atLeast(perSecond, CLAIMS_MIN[name]);
}

async function benchImport(
  stores: Stores,
  name: StoreName,
  rows: number,
  say: (line: string) => void,
  { metrics, ratios, targets }: Findings,
): Promise<void> {
  say(`${name}: import of ${rows} rows, alone and beside dialing`);
  const store = await stores.open(name);
  const measured = await measureImport(store, rows);
  await store.close();
  const { seconds, rawRowsPerSecond, rssGrowthMb, besideDialing } = measured;
  metrics[`${name}_import`] = { value: rounded(seconds), unit: 's' };
  metrics[`${name}_import_rss_growth`] = { value: rounded(rssGrowthMb), unit: 'MiB' };
  metrics[`${name}_raw_import_rows`] = { value: rounded(rawRowsPerSecond), unit: '/s' };
  metrics[`${name}_import_beside_dialing`] = { value: rounded(besideDialing.seconds), unit: 's' };
  const startsPerSecond = besideDialing.starts / besideDialing.seconds;
  metrics[`${name}_starts_beside_import`] = { value: rounded(startsPerSecond), unit: '/s' };
  const claimP99 = { value: rounded(besideDialing.claimP99Ms), unit: 'ms' };
  metrics[`${name}_claim_p99_beside_import`] = claimP99;
  ratios[`${name}_import_rows_of_raw_rows`] = rounded(rows / seconds / rawRowsPerSecond);
  const { eventLoopDelayP99Ms } = besideDialing;
  const delay = { value: rounded(eventLoopDelayP99Ms), unit: 'ms' };
  metrics[`${name}_event_loop_delay_p99_beside_import`] = delay;
  targets[`${name}_import_seconds_of_100000`] = atMost((seconds * IMPORT_ROWS) / rows, 5);
  targets[`${name}_import_rss_growth_mib`] = atMost(rssGrowthMb, RSS_GROWTH_MAX_MIB);
  targets[`${name}_event_loop_delay_p99_ms`] = atMost(eventLoopDelayP99Ms, 20);
}

async function benchHeads(
  stores: Stores,
  name: StoreName,
  tasks: number,
  say: (line: string) => void,
  { metrics, ratios, targets }: Findings,
): Promise<void> {
  say(`${name}: next eligible of ${tasks}`);
  const store = await stores.open(name);
  const scenes = await scenesWithTasks(store, tasks, say);
  const samples = Math.min(HEAD_SAMPLES, Math.floor(tasks / 10));
  for (const [order, latency] of await measureHeads(store, scenes, samples, say)) {
    const { p50Ms, p99Ms, rawP50Ms } = latency;
    metrics[`${name}_next_p50_${order}`] = { value: rounded(p50Ms), unit: 'ms' };
    metrics[`${name}_next_p99_${order}`] = { value: rounded(p99Ms), unit: 'ms' };
    ratios[`${name}_next_of_raw_select_${order}`] = rounded(p50Ms / rawP50Ms);
    targets[`${name}_next_p99_ms_${order}`] = atMost(p99Ms, 1);
  }
  await store.close();
}
