/** What is told about an engagement as a whole: how it stands, and what came of it. */
import { sql } from 'kysely';
import type { SubReason } from '../../machines/result.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Suspension } from './suspend-engagement.ts';

export interface PastSuspension extends Suspension {
  readonly atMs: number;
}

/** From the log: the engagement's own row forgets it when it is resumed (CFG-16). */
export async function lastSuspension(
  { db }: Pick<OpenDatabase, 'db'>,
  engagementId: string,
): Promise<PastSuspension | null> {
  const event = await db
    .selectFrom('events')
    .select(['payload', 'at_ms'])
    .where('stream_id', '=', `engagement:${engagementId}`)
    .where('type', '=', 'engagement.suspended')
    .orderBy('stream_seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (event === undefined) return null;
  return { ...(JSON.parse(event.payload) as Suspension), atMs: event.at_ms };
}

/** Of these engagements those that a file was ever uploaded to. */
export async function withBatch(
  { db }: Pick<OpenDatabase, 'db'>,
  businessUnitId: string,
  engagementIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (engagementIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('batches')
    .select('engagement_id')
    .distinct()
    .where('business_unit_id', '=', businessUnitId)
    .where('engagement_id', 'in', [...engagementIds])
    .execute();
  return new Set(rows.map((row) => row.engagement_id));
}

export interface OutcomeCounts {
  readonly abandonment: Abandonment;
  readonly tasks: Readonly<Record<string, number>>;
  readonly deliveries: Readonly<Record<string, number>>;
  readonly results: Readonly<Record<string, number>>;
}

export interface Abandonment {
  /** Calls whose INVITE left, and that are over. */
  readonly attempted: number;
  /** Of those: the person was there, and it was over before a representative or the agent was. */
  readonly abandoned: number;
  /** Fraction; null before the first call (API-41). Not the legal ratio: that is of live answers. */
  readonly abandonedOfAttempted: number | null;
}

/** Counts rows: about a second for a million of them, on the reading connection. */
export async function countOutcomes(
  { db }: Pick<OpenDatabase, 'db'>,
  businessUnitId: string,
  engagementId: string,
): Promise<OutcomeCounts> {
  const tasks = await db
    .selectFrom('tasks')
    .select((eb) => ['status', eb.fn.countAll<number>().as('count')])
    .where('business_unit_id', '=', businessUnitId)
    .where('engagement_id', '=', engagementId)
    .groupBy('status')
    .execute();
  const deliveries = await db
    .selectFrom('deliveries')
    .select((eb) => ['status', 'result', eb.fn.countAll<number>().as('count')])
    .where('business_unit_id', '=', businessUnitId)
    .where('engagement_id', '=', engagementId)
    .groupBy(['status', 'result'])
    .execute();
  return {
    abandonment: await countAbandonment({ db }, businessUnitId, engagementId),
    tasks: sums(tasks.map(({ status, count }) => [status, count])),
    deliveries: sums(deliveries.map(({ status, count }) => [status, count])),
    results: sums(
      deliveries.flatMap(({ result, count }) =>
        result === null ? [] : [[result, count] as const],
      ),
    ),
  };
}

/** Whoever an agent passed on has waited in vain when nobody joined, whatever the agent had said before. */
async function countAbandonment(
  { db }: Pick<OpenDatabase, 'db'>,
  businessUnitId: string,
  engagementId: string,
): Promise<Abandonment> {
  const isAbandoned = sql`sub_reason in (${sql.join(ABANDONED)})
    or (escalated_at_ms is not null and joined_at_ms is null)`;
  const { attempted, abandoned } = await db
    .selectFrom('attempts')
    .select((eb) => [
      eb.fn.countAll<number>().as('attempted'),
      sql<number>`cast(coalesce(sum(case when ${isAbandoned} then 1 else 0 end), 0) as integer)`.as(
        'abandoned',
      ),
    ])
    .where('engagement_id', '=', engagementId)
    .where('business_unit_id', '=', businessUnitId)
    .where('sent_at_ms', 'is not', null)
    .where('ended_at_ms', 'is not', null)
    .executeTakeFirstOrThrow();
  const ratio = attempted === 0 ? null : abandoned / attempted;
  return { attempted, abandoned, abandonedOfAttempted: ratio };
}

const ABANDONED: readonly SubReason[] = ['abandoned_by_system', 'abandoned_by_customer'];

function sums(
  counted: readonly (readonly [name: string, count: number])[],
): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [name, count] of counted) all[name] = (all[name] ?? 0) + count;
  return all;
}
