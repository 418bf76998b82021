/** What the log of pacing says of an engagement, newest first. */
import type { OpenDatabase } from '../store/open-database.ts';
import type { PacingSpanRow } from '../store/schema/pacing-tables.ts';

export interface PacingAsked {
  readonly businessUnitId: string;
  readonly engagementId: string;
  /** Stretches that reach into this time; epoch ms, the end not included. */
  readonly fromMs?: number;
  readonly beforeMs?: number;
  /** Older than the row of this id. */
  readonly beforeId?: string;
  readonly limit: number;
}

export function readPacing(
  { db }: Pick<OpenDatabase, 'db'>,
  { businessUnitId, engagementId, fromMs, beforeMs, beforeId, limit }: PacingAsked,
): Promise<PacingSpanRow[]> {
  let query = db
    .selectFrom('pacing_spans')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where('engagement_id', '=', engagementId);
  if (fromMs !== undefined) query = query.where('until_ms', '>=', fromMs);
  if (beforeMs !== undefined) query = query.where('from_ms', '<', beforeMs);
  if (beforeId !== undefined) query = query.where('id', '<', beforeId);
  return query.orderBy('id', 'desc').limit(limit).execute();
}
