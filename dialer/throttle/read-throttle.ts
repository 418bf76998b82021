/** The four measures of an engagement's escalations, read from its attempts (spec B.7). */
import { sql, type Kysely } from 'kysely';
import type { ThrottleRule, ThrottleSettings } from '../engagements/throttle.schema.ts';
import type { Database } from '../store/schema/database.ts';
import type { ThrottleReading } from './throttle-step.ts';

const MINUTE_MS = 60_000;

/** Each rule looks back over a period of its own: two never disturb each other. */
export async function readThrottle(
  db: Kysely<Database>,
  engagementId: string,
  { rules }: Pick<ThrottleSettings, 'rules'>,
  nowMs: number,
): Promise<readonly ThrottleReading[]> {
  const readings: ThrottleReading[] = [];
  for (const rule of rules) {
    const value = await valueOf(db, engagementId, rule, nowMs);
    readings.push({ metric: rule.metric, threshold: rule.threshold, value });
  }
  return readings;
}

async function valueOf(
  db: Kysely<Database>,
  engagementId: string,
  { metric, periodMinutes }: ThrottleRule,
  nowMs: number,
): Promise<number | null> {
  const sinceMs = nowMs - periodMinutes * MINUTE_MS;
  const escalated = db
    .selectFrom('attempts')
    .where('engagement_id', '=', engagementId)
    .where('escalated_at_ms', 'is not', null);
  const count = sql<number>`cast(count(*) as integer)`;
  if (metric === 'openEscalations') {
    const open = await escalated
      .where('ended_at_ms', 'is', null)
      .select(count.as('count'))
      .executeTakeFirstOrThrow();
    return open.count;
  }
  const inPeriod = escalated
    .where('escalated_at_ms', '>', sinceMs)
    .where('escalated_at_ms', '<=', nowMs);
  if (metric === 'escalationCount') {
    return (await inPeriod.select(count.as('count')).executeTakeFirstOrThrow()).count;
  }
  if (metric === 'averageWaitTime') {
    // Whoever waits still has waited until now; whoever hung up, until then.
    const mean = sql<
      number | null
    >`cast(avg(coalesce(joined_at_ms, ended_at_ms, ${sql.lit(nowMs)}) - escalated_at_ms) as double precision)`;
    const row = await inPeriod.select(mean.as('mean')).executeTakeFirstOrThrow();
    return row.mean === null ? null : row.mean / 1_000;
  }
  // Those who still wait have not hung up, and have not been joined: they count for nothing yet.
  const { settled, left } = await inPeriod
    .where((eb) => eb.or([eb('joined_at_ms', 'is not', null), eb('ended_at_ms', 'is not', null)]))
    .select([
      count.as('settled'),
      sql<number>`cast(sum(case when joined_at_ms is null then 1 else 0 end) as integer)`.as(
        'left',
      ),
    ])
    .executeTakeFirstOrThrow();
  return settled === 0 ? null : (100 * left) / settled;
}
