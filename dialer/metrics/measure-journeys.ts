/**
 * Journeys as their rows have them: counts are kept there by the transactions of what they count, so
 * that a scrape adds nothing up but a few rows a step, however many people there are.
 */
import { sql } from 'kysely';
import type { Meter, MetricDefinition, SetReading } from '../../machines/meter.port.ts';
import {
  conversationsIn,
  overviewOf,
  type JourneyOverview,
} from '../journeys/analytics/overview.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { CombinedReadings } from './combined-readings.ts';
import { JOURNEY_METRICS as metrics } from './journey-metrics.ts';
import { NameLabels } from './name-labels.ts';

export interface MeasuredJourneys {
  readonly database: Pick<OpenDatabase, 'db'>;
  readonly meter: Meter;
  readonly nowMs: () => number;
  /** Journeys that get a label of their own. */
  readonly journeysMax: number;
}

const STATES = ['draft', 'scheduled', 'live', 'completing', 'completed', 'stopping', 'stopped'];
/** Those that were made last: a scrape reads no more, however many there have been. */
const ROWS_MAX = 1_000;
const COUNTED_MAX = 10_000;

const OF_JOURNEYS: readonly MetricDefinition[] = [
  ...[metrics.journeys, metrics.inside, metrics.entered, metrics.exited, metrics.goals],
  ...[metrics.steps, metrics.requests, metrics.outcomes, metrics.blocked, metrics.held],
  metrics.attempted,
];

export function measureJourneys({ database, meter, nowMs, journeysMax }: MeasuredJourneys): void {
  meter.register(metrics);
  const labels = new NameLabels(journeysMax);
  meter.onScrape({
    ...{ name: 'journeys', metrics: OF_JOURNEYS },
    read: (set) => readJourneys(database, labels, set),
  });
  meter.onScrape({
    name: 'work of journeys',
    metrics: [metrics.due, metrics.overdue, metrics.failing],
    read: (set) => readWork(database, nowMs(), set),
  });
}

async function readJourneys(
  database: Pick<OpenDatabase, 'db'>,
  labels: NameLabels,
  set: SetReading,
): Promise<void> {
  const rows = await database.db
    .selectFrom('journeys')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(ROWS_MAX)
    .execute();
  const states = new Map(STATES.map((state) => [state, 0]));
  const readings = new CombinedReadings();
  const conversations = new Map<string, { attempted: number; requested: number }>();
  for (const { state } of rows) states.set(state, (states.get(state) ?? 0) + 1);
  // Oldest first, so that labels stay with those who had them.
  const published = rows.filter(({ latest_version }) => latest_version > 0).reverse();
  for (const overview of await overviewOf(database, published)) {
    const journey = labels.nameOf(overview.id, overview.name);
    readJourney(overview, journey, readings);
    const sum = conversations.get(journey) ?? { attempted: 0, requested: 0 };
    sum.attempted += overview.outcomes['attempted'] ?? 0;
    sum.requested += conversationsIn(overview.requestedBy);
    conversations.set(journey, sum);
  }
  for (const [state, count] of states) set(metrics.journeys, { state }, count);
  readings.setAll(set);
  for (const [journey, { attempted, requested }] of conversations) {
    if (requested > 0) set(metrics.attempted, { journey }, attempted / requested);
  }
}

function readJourney(overview: JourneyOverview, journey: string, readings: CombinedReadings): void {
  readings.sum(metrics.inside, { journey }, overview.inside);
  readings.sum(metrics.entered, { journey }, overview.entered);
  readings.sum(metrics.goals, { journey }, overview.goals);
  readings.sum(metrics.steps, { journey }, overview.steps);
  readings.sum(metrics.held, { journey }, overview.heldNow);
  for (const [reason, count] of Object.entries(overview.exited)) {
    readings.sum(metrics.exited, { journey, reason }, count);
  }
  for (const [channel, count] of Object.entries(overview.requestedBy)) {
    readings.sum(metrics.requests, { journey, channel }, count);
  }
  for (const [outcome, count] of Object.entries(overview.outcomes)) {
    readings.sum(metrics.outcomes, { journey, outcome }, count);
  }
  for (const [reason, count] of Object.entries(overview.blockedBy)) {
    readings.sum(metrics.blocked, { journey, reason }, count);
  }
}

async function readWork(
  { db }: Pick<OpenDatabase, 'db'>,
  nowMs: number,
  set: SetReading,
): Promise<void> {
  for (const [work, source] of Object.entries(WORK)) {
    const { rows } = await source(nowMs).execute(db);
    const { count = 0, since = null } = rows[0] ?? {};
    set(metrics.due, { work }, count);
    set(metrics.overdue, { work }, since === null ? 0 : Math.max(0, nowMs - since) / 1_000);
  }
  const { rows } = await sql<{ count: number }>`select count(*) as count from (
    select 1 from journey_effects where fault is not null and due_at_ms is not null
    limit ${sql.lit(COUNTED_MAX)}) as failing`.execute(db);
  set(metrics.failing, {}, rows[0]?.count ?? 0);
}

interface Waiting {
  readonly count: number;
  /** Of the oldest; null: nothing is due. Epoch ms. */
  readonly since: number | null;
}

/** Each a look at the beginning of an index. */
const WORK = {
  timers: (nowMs: number) => due(nowMs, 'journey_runs', 'wake_at_ms'),
  effects: (nowMs: number) => due(nowMs, 'journey_effects', 'due_at_ms'),
  events: () => sql<Waiting>`select count(*) as count, min(at_ms) as since from (
    select created_at_ms as at_ms from journey_run_events order by seq
    limit ${sql.lit(COUNTED_MAX)}) as waiting`,
  occurrences: () => sql<Waiting>`select count(*) as count, min(at_ms) as since from (
    select recorded_at_ms as at_ms from trigger_occurrences where consumed_at_ms is null
    order by seq limit ${sql.lit(COUNTED_MAX)}) as waiting`,
} as const;

function due(nowMs: number, table: string, column: string) {
  return sql<Waiting>`select count(*) as count, min(at_ms) as since from (
    select ${sql.ref(column)} as at_ms from ${sql.table(table)} where ${sql.ref(column)} <= ${nowMs}
    order by ${sql.ref(column)} limit ${sql.lit(COUNTED_MAX)}) as waiting`;
}
