/**
 * What journeys cost: step transitions a second, and a million people who wait. On SQLite; what the
 * worker does beside it (others' timers, the router) is part of it.
 */
import { performance } from 'node:perf_hooks';
import type { Journey } from '../journey-core/definition/journey.schema.ts';
import { advance } from '../journey-core/interpreter/advance.ts';
import { newRun } from '../journey-core/interpreter/run.ts';
import { JourneyDefinitions } from '../dialer/journeys/runs/journey-definitions.ts';
import { RunChore } from '../dialer/journeys/runs/run-chore.ts';
import { takeRuns } from '../dialer/journeys/runs/take-runs.ts';
import { tellRuns } from '../dialer/journeys/runs/tell-runs.ts';
import { insertMany } from '../dialer/store/insert-many.ts';
import type { JourneyRunRow } from '../dialer/store/schema/journey-tables.ts';
import { JourneyScene } from '../test/support/journey-scene.ts';
import { silentLog } from '../test/support/silent-log.ts';
import {
  atLeast,
  atMost,
  benchHost,
  percentile,
  rounded,
  type BenchMetric,
  type BenchOptions,
  type BenchReport,
  type BenchTarget,
} from './bench-report.ts';
import { benchStores, type BenchStore } from './dialer-stores.ts';

const WAITING = 1_000_000;
const RUNS_PER_SECOND_EXPECTED = 2_000;
const ROWS_PER_TRANSACTION = 1_000;
/** As the worker's: raw updates are committed as many at a time. */
const RUNS_PER_TRANSACTION = 250;
const LOOKS = 300;
const HOUR_MS = 3_600_000;

/** Waits, a branch, a repeat: what is between two conversations. */
const JOURNEY: Pick<Journey, 'entry' | 'steps'> = {
  entry: { kind: 'trigger', trigger: 'start' },
  steps: [
    { id: 'rests', type: 'wait', for: '1h', next: 'asks' },
    {
      ...{ id: 'asks', type: 'branch', otherwise: 'plain' },
      branches: [
        {
          when: { from: 'contact', attribute: 'plan', operator: 'is', value: 'gold' },
          next: 'gold',
        },
      ],
    },
    { id: 'gold', type: 'wait', for: '1h', next: 'again' },
    { id: 'plain', type: 'wait', for: '2h', next: 'again' },
    { id: 'again', type: 'repeat', to: 'rests', timesMax: 2, next: 'end' },
    { id: 'end', type: 'exit' },
  ],
};

export async function benchJourneys(options: BenchOptions): Promise<BenchReport> {
  const { part, say } = options;
  const metrics: Record<string, BenchMetric> = {};
  const ratios: Record<string, number> = {};
  const targets: Record<string, BenchTarget> = {};
  const stores = await benchStores();
  try {
    if (part === undefined || part === 'transitions') {
      const store = await stores.open('sqlite');
      const { perSecond, rawPerSecond } = await measureTransitions(store, options);
      await store.close();
      metrics['transitions_sqlite'] = { value: rounded(perSecond), unit: '/s' };
      metrics['raw_updates_sqlite'] = { value: rounded(rawPerSecond), unit: '/s' };
      ratios['transitions_of_raw_updates_sqlite'] = rounded(perSecond / rawPerSecond);
      targets['transitions_sqlite'] = atLeast(perSecond, 5_000);
      say(`${rounded(perSecond)} transitions/s, ${rounded(rawPerSecond)} raw updates/s`);
    }
    if (part === undefined || part === 'waiting') {
      const store = await stores.open('sqlite');
      const found = await measureWaiting(store, options);
      await store.close();
      metrics['waiting_runs'] = { value: found.runs, unit: 'runs' };
      metrics['rss_with_few'] = { value: rounded(found.rssFewMib), unit: 'MiB' };
      metrics['rss_with_all'] = { value: rounded(found.rssAllMib), unit: 'MiB' };
      metrics['due_timer_p50'] = { value: rounded(found.p50Ms), unit: 'ms' };
      metrics['due_timer_p99'] = { value: rounded(found.p99Ms), unit: 'ms' };
      ratios['rss_all_of_few'] = rounded(found.rssAllMib / found.rssFewMib);
      targets['due_timer_p99'] = atMost(found.p99Ms, 5);
      targets['rss_all_of_few'] = atMost(found.rssAllMib / found.rssFewMib, 1.25);
    }
  } finally {
    await stores.close();
  }
  return { name: 'journeys', host: benchHost(), metrics, ratios, targets };
}

interface Scene {
  readonly scene: JourneyScene;
  readonly journeyId: string;
  readonly chore: RunChore;
}

async function sceneOf({ database }: BenchStore): Promise<Scene> {
  const scene = await JourneyScene.open({ database, startMs: Date.now() });
  const journeyId = await scene.publish(JOURNEY);
  const chore = new RunChore({
    ...{ database, ids: scene.ids, log: silentLog, nowMs: () => scene.clock.nowMs },
    ...{ definitions: new JourneyDefinitions(), limit: RUNS_PER_TRANSACTION },
  });
  return { scene, journeyId, chore };
}

/** From entry to exit in virtual time; a transition is a step that somebody came to. */
async function measureTransitions(store: BenchStore, { seconds, say }: BenchOptions) {
  const { scene, journeyId, chore } = await sceneOf(store);
  const count = Math.max(1_000, Math.round(seconds * RUNS_PER_SECOND_EXPECTED * 0.5));
  say(`${count} people`);
  for (let made = 0; made < count; made += ROWS_PER_TRANSACTION) {
    const plan = made % (2 * ROWS_PER_TRANSACTION) === 0 ? 'gold' : 'basic';
    const people = await scene.contacts(ROWS_PER_TRANSACTION, { plan });
    await addRuns({ scene, journeyId, chore }, people, null);
  }
  const startedAt = performance.now();
  for (let advanced = -1; advanced !== 0;) {
    advanced = await chore.turn();
    if (advanced > 0) continue;
    const next = await chore.nextAtMs();
    if (next === null) break;
    // Everybody's timer of this hour at once, as after a night of quiet time.
    scene.clock.nowMs = Math.max(scene.clock.nowMs, next) + HOUR_MS;
    advanced = -1;
  }
  const elapsedMs = performance.now() - startedAt;
  const steps = await store.database.db
    .selectFrom('journey_counts')
    .select((eb) => eb.fn.sum<number>('count').as('count'))
    .where('place', '=', 'step')
    .executeTakeFirstOrThrow();
  const rawPerSecond = await rawUpdates(store, seconds);
  return { perSecond: (steps.count / elapsedMs) * 1_000, rawPerSecond };
}

/** The row of a run, by bare statements in transactions of as many runs. */
async function rawUpdates(store: BenchStore, seconds: number): Promise<number> {
  const raw = await store.raw();
  const rows = await store.database.db
    .selectFrom('journey_runs')
    .select(['id', 'state'])
    .limit(20_000)
    .execute();
  let updated = 0;
  const startedAt = performance.now();
  const untilMs = startedAt + Math.min(seconds, 5) * 1_000;
  while (performance.now() < untilMs) {
    const some = Array.from(
      { length: RUNS_PER_TRANSACTION },
      (_, at) => rows[(updated + at) % rows.length],
    );
    await raw.transaction(
      some.map((row) => ({
        sql: 'update journey_runs set state = ?, wake_at_ms = ?, revision = revision + 1 where id = ?',
        values: [row?.state ?? '', Date.now(), row?.id ?? ''],
      })),
    );
    updated += RUNS_PER_TRANSACTION;
  }
  const elapsedMs = performance.now() - startedAt;
  await raw.close();
  return (updated / elapsedMs) * 1_000;
}

/** Entering, or, with a time, waiting at the first step until then. */
async function addRuns(
  { scene, journeyId }: Scene,
  contactIds: readonly string[],
  wakeAtMs: number | null,
): Promise<void> {
  const { businessUnitId, ids, nowMs, database } = scene;
  const journey = { format: 'ringfence-journey/1', name: 'Bench', timeZone: 'UTC', ...JOURNEY };
  const rows = contactIds.map((contactId): JourneyRunRow => {
    const fresh = newRun({ runId: ids.id(), journeyId, version: 1, personId: contactId });
    const entered = advance(journey as Journey, fresh, { type: 'enter' }, nowMs).run;
    const waiting = entered.waiting;
    const run =
      wakeAtMs === null
        ? fresh
        : { ...entered, waiting: waiting === null ? null : { ...waiting, dueAtMs: wakeAtMs } };
    return {
      ...{ id: fresh.runId, business_unit_id: businessUnitId, journey_id: journeyId, version: 1 },
      ...{ contact_id: contactId, is_test: 0, status: 'active', step_id: run.stepId },
      ...{ waits_for: run.waiting?.kind ?? null, state: JSON.stringify(run), wake_at_ms: wakeAtMs },
      ...{ entered_at_ms: nowMs, goal_at_ms: null, exited_at_ms: null, exit_reason: null },
      ...{ fault: null, revision: 0 },
    };
  });
  await database.db.transaction().execute(async (tx) => {
    await insertMany(tx, 'journey_runs', rows);
    if (wakeAtMs !== null) return;
    const told = rows.map(({ id: runId }) => {
      return { runId, id: `enter:${runId}`, event: { type: 'enter' } } as const;
    });
    await tellRuns(tx, scene.writer, told);
  });
}

/** Memory with few and with all of them, and the time in which the worker finds the one that is due. */
async function measureWaiting(store: BenchStore, { tasks = WAITING, say }: BenchOptions) {
  const all = await sceneOf(store);
  const { scene, chore } = all;
  let runs = 0;
  const fill = async (upTo: number): Promise<void> => {
    for (; runs < upTo; runs += ROWS_PER_TRANSACTION) {
      const people = Array.from({ length: ROWS_PER_TRANSACTION }, (_, at) => `person-${runs + at}`);
      await addRuns(all, people, scene.nowMs + 24 * HOUR_MS + runs);
      if (runs % 100_000 === 0) say(`${runs} waiting`);
    }
  };
  await fill(tasks / 50);
  await looks(all, 20);
  const rssFewMib = process.memoryUsage().rss / 2 ** 20;
  await fill(tasks);
  const found = await looks(all, LOOKS);
  const rssAllMib = process.memoryUsage().rss / 2 ** 20;
  await chore.turn();
  const [p50Ms, p99Ms] = [percentile(found, 0.5), percentile(found, 0.99)];
  return { runs, rssFewMib, rssAllMib, p50Ms, p99Ms };
}

/** One timer after the other comes due somewhere among all; each is found, and then advanced. ms */
async function looks({ scene, chore }: Scene, count: number): Promise<number[]> {
  const { database } = scene;
  const found: number[] = [];
  const some = await database.db
    .selectFrom('journey_runs')
    .select('id')
    .where('wake_at_ms', '>', scene.nowMs + HOUR_MS)
    .limit(count)
    .execute();
  for (const { id } of some) {
    const dueAtMs = scene.nowMs - 1;
    await database.db
      .updateTable('journey_runs')
      .set({ wake_at_ms: dueAtMs })
      .where('id', '=', id)
      .execute();
    await database.db.transaction().execute(async (tx) => {
      const startedAt = performance.now();
      const taken = await takeRuns(database, tx, { nowMs: scene.nowMs, limit: 250 });
      found.push(performance.now() - startedAt);
      if (taken[0]?.row.id !== id) throw new Error('the timer that is due was not found');
    });
    await chore.turn();
  }
  return found;
}
