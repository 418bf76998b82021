/**
 * The abandonment budget that has been spent, from the durable log: what became of everybody who
 * answered, added up by the minute. A pacer that starts anew starts with what is left of it.
 */
import { sql } from 'kysely';
import type { LiveOutcome } from '../pacing/abandonment-window.ts';
import type { OpenDatabase } from '../store/open-database.ts';

export type PastOutcome = LiveOutcome & { readonly atMs: number };

const MINUTE_MS = 60_000;

export interface OutcomesOf {
  readonly businessUnitId: string;
  readonly engagementId: string;
  readonly isAiLed: boolean;
  /** From the earliest of the windows that are open; epoch ms. */
  readonly sinceMs: number;
  /** So much of every machine verdict is charged: a person may have been hung up on. */
  readonly amdFalsePositiveRatio: number;
}

const NOTHING: LiveOutcome = { connected: 0, noRepresentative: 0, amdFalsePositive: 0 };

/** Oldest first. */
export async function readLiveOutcomes(
  database: Pick<OpenDatabase, 'db'>,
  of: OutcomesOf,
): Promise<readonly PastOutcome[]> {
  const byMinute = new Map<number, PastOutcome>();
  for (const { minute, live, exceeded } of await answeredByMinute(database, of)) {
    const atMs = minute * MINUTE_MS;
    const connected = live - exceeded;
    byMinute.set(atMs, { ...NOTHING, atMs, connected, noRepresentative: exceeded });
  }
  const { amdFalsePositiveRatio: ratio } = of;
  for (const { minute, machines } of ratio > 0 ? await machinesByMinute(database, of) : []) {
    const atMs = minute * MINUTE_MS;
    const known = byMinute.get(atMs) ?? { ...NOTHING, atMs };
    byMinute.set(atMs, { ...known, amdFalsePositive: ratio * machines });
  }
  return [...byMinute.values()].sort((one, other) => one.atMs - other.atMs);
}

// Both databases divide whole numbers without a rest; a bound minute might not be whole to them.
const MINUTE = sql<number>`result_at_ms / ${sql.lit(MINUTE_MS)}`;

/**
 * Rep-led: people who answered, by whether a representative was there in time (a delivery that exceeded
 * its wait). AI-led: people whom a representative joined; the agent had answered the others.
 */
function answeredByMinute(
  { db }: Pick<OpenDatabase, 'db'>,
  { engagementId, isAiLed, sinceMs }: OutcomesOf,
) {
  const ofEngagement = db
    .selectFrom('deliveries')
    .where('deliveries.engagement_id', '=', engagementId)
    .where(sql<boolean>`deliveries.result = 'LiveAnswer'`) // a bound value misses the partial index
    .where('result_at_ms', '>=', sinceMs);
  const counted = isAiLed
    ? ofEngagement
        .innerJoin('attempts', (join) =>
          join
            .onRef('attempts.business_unit_id', '=', 'deliveries.business_unit_id')
            .onRef('attempts.delivery_id', '=', 'deliveries.id'),
        )
        .where((eb) =>
          eb.or([
            eb('attempts.joined_at_ms', 'is not', null),
            eb('exceeded_customer_wait_threshold', '=', 1),
          ]),
        )
    : ofEngagement;
  return counted
    .select([
      MINUTE.as('minute'),
      sql<number>`cast(count(*) as integer)`.as('live'),
      sql<number>`cast(sum(exceeded_customer_wait_threshold) as integer)`.as('exceeded'),
    ])
    .groupBy(MINUTE)
    .execute();
}

function machinesByMinute(
  { db }: Pick<OpenDatabase, 'db'>,
  { businessUnitId, engagementId, sinceMs }: OutcomesOf,
) {
  return db
    .selectFrom('deliveries')
    .select([MINUTE.as('minute'), sql<number>`cast(count(*) as integer)`.as('machines')])
    .where('business_unit_id', '=', businessUnitId)
    .where('engagement_id', '=', engagementId)
    .where('result', 'in', ['AnsweringMachine', 'AnsweringMachineHangup'])
    .where('result_at_ms', '>=', sinceMs)
    .groupBy(MINUTE)
    .execute();
}
