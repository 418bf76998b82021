/**
 * When too many people waited too long, a rep-led engagement stops (spec B.6, ruling 9: exceeded wait of
 * live answers). Only a person or the API starts it again.
 */
import { sql, type Kysely } from 'kysely';
import type { Database } from '../store/schema/database.ts';
import type { StopRule } from './answering.schema.ts';

/** Fewer live answers say nothing (spec I.3). */
export const LIVE_ANSWERS_MIN = 20;

export interface WaitWindow {
  /** People who answered in the look-back, machines and unanswered calls not among them. */
  readonly live: number;
  /** Of those: not with a representative in time. */
  readonly exceeded: number;
}

export type StopVerdict =
  { readonly action: 'goOn' } | { readonly action: 'suspend'; readonly reason: string };

export function stopVerdict(
  { percent, lookbackMinutes }: StopRule,
  { live, exceeded }: WaitWindow,
): StopVerdict {
  if (live < LIVE_ANSWERS_MIN || exceeded * 100 < percent * live) return { action: 'goOn' };
  const share = ((100 * exceeded) / live).toFixed(1);
  return {
    action: 'suspend',
    reason:
      `${exceeded} of the ${live} people who answered in the last ${lookbackMinutes} minutes ` +
      `(${share} %) waited too long: the limit is ${percent} %`,
  };
}

/** Since the engagement was resumed at the earliest: what stopped it once does not stop it again. */
export async function readWaitWindow(
  tx: Kysely<Database>,
  engagementId: string,
  { lookbackMinutes }: StopRule,
  nowMs: number,
): Promise<WaitWindow> {
  const engagement = await tx
    .selectFrom('engagements')
    .select('resumed_at_ms')
    .where('id', '=', engagementId)
    .executeTakeFirstOrThrow();
  const sinceMs = Math.max(nowMs - lookbackMinutes * 60_000, engagement.resumed_at_ms ?? 0);
  const { live, exceeded } = await tx
    .selectFrom('deliveries')
    .select([
      sql<number>`cast(count(*) as integer)`.as('live'),
      sql<number>`cast(coalesce(sum(exceeded_customer_wait_threshold), 0) as integer)`.as(
        'exceeded',
      ),
    ])
    .where('engagement_id', '=', engagementId)
    .where(sql<boolean>`result = 'LiveAnswer'`) // a bound value would not match the partial index
    .where('result_at_ms', '>', sinceMs)
    .executeTakeFirstOrThrow();
  return { live, exceeded };
}
