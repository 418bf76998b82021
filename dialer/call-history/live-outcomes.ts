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
  readonly engagementId: string;
  readonly isAiLed: boolean;
  /** From the earliest of the windows that are open; epoch ms. */
  readonly sinceMs: number;
}

/**
 * Oldest first. Rep-led: people who answered, by whether a representative was there in time (a delivery
 * that exceeded its wait). AI-led: people whom a representative joined; the agent had answered the
 * others.
 */
export async function readLiveOutcomes(
  { db }: Pick<OpenDatabase, 'db'>,
  { engagementId, isAiLed, sinceMs }: OutcomesOf,
): Promise<readonly PastOutcome[]> {
  // Both databases divide whole numbers without a rest; a bound minute might not be whole to them.
  const minute = sql<number>`result_at_ms / ${sql.lit(MINUTE_MS)}`;
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
  const rows = await counted
    .select([
      minute.as('minute'),
      sql<number>`cast(count(*) as integer)`.as('live'),
      sql<number>`cast(sum(exceeded_customer_wait_threshold) as integer)`.as('exceeded'),
    ])
    .groupBy(minute)
    .orderBy(minute)
    .execute();
  return rows.map(({ minute: at, live, exceeded }) => ({
    atMs: at * MINUTE_MS,
    connected: live - exceeded,
    noRepresentative: exceeded,
    amdFalsePositive: 0,
  }));
}
