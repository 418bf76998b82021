/** Journeys side by side, each over all its versions. */
import { sql } from 'kysely';
import type { OpenDatabase } from '../../store/open-database.ts';
import type { JourneyRow } from '../../store/schema/journey-tables.ts';
import { Counted, sumOf } from './counted.ts';
import type { Db } from './journey-version.ts';
import { rateOf } from './step-analytics.ts';

export interface JourneyOverview {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly liveVersion: number | null;
  /** Runs: a person who comes twice counts twice. */
  readonly entered: number;
  readonly inside: number;
  readonly exited: Readonly<Record<string, number>>;
  /** Runs that reached the goal of their version. */
  readonly goals: number;
  /** That runs came to. */
  readonly steps: number;
  /** Asked of the dialer or a webhook, by channel: `voice`, `sms`, `message`. */
  readonly requestedBy: Readonly<Record<string, number>>;
  /** By outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What was not sent, and why. */
  readonly blockedBy: Readonly<Record<string, number>>;
  readonly heldNow: number;
  /** Of conversations: attempted ÷ requested; null: none was requested. */
  readonly attemptedRate: number | null;
}

/** Of some journeys of one business unit, such as a page of them, in their order. */
export async function overviewOf(
  { db }: Pick<OpenDatabase, 'db'>,
  journeys: readonly JourneyRow[],
): Promise<JourneyOverview[]> {
  const ids = journeys.map(({ id }) => id);
  if (ids.length === 0) return [];
  const counted = await countedOver(db, ids);
  const held = await heldOver(db, ids);
  return journeys.map(({ id, name, state, live_version: liveVersion }) => {
    const counts = counted.get(id) ?? new Counted();
    const entered = counts.of('', 'entry');
    const exited = counts.by('', 'exit:');
    const outcomes = counts.by('', 'outcome:');
    const requestedBy = counts.by('', 'requested:');
    return {
      ...{ id, name, state, liveVersion, entered, exited, outcomes },
      inside: entered - sumOf(Object.values(exited)),
      goals: counts.of('', 'goal'),
      steps: counts.of('', 'step'),
      ...{ requestedBy, blockedBy: counts.by('', 'outcome:blocked:') },
      heldNow: held.get(id) ?? 0,
      attemptedRate: rateOf(outcomes['attempted'] ?? 0, conversationsIn(requestedBy)),
    };
  });
}

/** Calls and conversations by text message, of what was requested. */
export function conversationsIn({ voice = 0, sms = 0 }: JourneyOverview['requestedBy']): number {
  return voice + sms;
}

/** Over versions and steps. Exits of runs that never came to a step are left out: they never entered. */
async function countedOver(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, Counted>> {
  const rows = await db
    .selectFrom('journey_counts')
    .select(['journey_id', 'place'])
    .select(sql<number>`cast(sum(count) as bigint)`.as('count'))
    .where('journey_id', 'in', [...ids])
    .where((eb) => eb.or([eb('step_id', '<>', ''), eb('place', 'not like', 'exit:%')]))
    .groupBy(['journey_id', 'place'])
    .execute();
  const counted = new Map(ids.map((id) => [id, new Counted()]));
  for (const { journey_id, place, count } of rows) counted.get(journey_id)?.add('', place, count);
  return counted;
}

async function heldOver(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('journey_effects')
    .select((eb) => ['journey_id', eb.fn.countAll<number>().as('count')])
    .where('journey_id', 'in', [...ids])
    .where('state', '=', 'held')
    .where('is_test', '=', 0)
    .groupBy('journey_id')
    .execute();
  return new Map(rows.map(({ journey_id, count }) => [journey_id, count]));
}
