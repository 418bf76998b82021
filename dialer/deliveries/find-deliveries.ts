/** Deliveries by whichever of their columns, page by page in the order of their ids, that is of time. */
import { sql } from 'kysely';
import type { OpenDatabase } from '../store/open-database.ts';
import type { DeliveryAttributeRow, DeliveryRow } from '../store/schema/task-tables.ts';

export const DIAL_MODES = ['copilot', 'preview', 'progressive', 'predictive'] as const;

/** Columns that are asked for by their whole value. */
const EQUAL = {
  id: 'deliveries.id',
  callId: 'deliveries.call_id',
  engagementId: 'deliveries.engagement_id',
  taskId: 'deliveries.task_id',
  batchId: 'deliveries.batch_id',
  journeyId: 'deliveries.journey_id',
  journeyRunId: 'deliveries.journey_run_id',
  contactId: 'deliveries.contact_id',
  channel: 'deliveries.channel',
  status: 'deliveries.status',
  queueId: 'deliveries.queue_id',
  trackingId: 'deliveries.tracking_id',
  dialMode: 'deliveries.dial_mode',
  fromAddress: 'deliveries.from_address',
  result: 'deliveries.result',
  toAddress: 'contact_points.value',
} as const;

/** Columns that are asked for by a span of time, half open. */
const SPANS = {
  windowStart: 'deliveries.window_start_ms',
  windowEnd: 'deliveries.window_end_ms',
  started: 'deliveries.start_at_ms',
  ended: 'deliveries.end_at_ms',
  result: 'deliveries.result_at_ms',
} as const;

export type DeliveryQuery = Readonly<Partial<Record<keyof typeof EQUAL, string>>> & {
  readonly businessUnitId: string;
  readonly order: 'newest' | 'oldest';
  /** Id of the last one seen. */
  readonly cursor?: string;
  readonly limit: number;
  /** Of a delivery that somebody answered: the id of its attempt. */
  readonly conversationId?: string;
  readonly dispositionCode?: string;
  readonly spans: Readonly<
    Partial<Record<keyof typeof SPANS, { readonly fromMs?: number; readonly beforeMs?: number }>>
  >;
};

export type FoundDelivery = DeliveryRow & {
  readonly attempt_id: string | null;
  /** What was dialled; empty once erased. */
  readonly number: string | null;
};

export function findDeliveries(
  { db }: Pick<OpenDatabase, 'db'>,
  query: DeliveryQuery,
): Promise<FoundDelivery[]> {
  const { businessUnitId, order, cursor, limit, conversationId, dispositionCode } = query;
  let found = db
    .selectFrom('deliveries')
    .leftJoin('contact_points', 'contact_points.id', 'deliveries.contact_point_id')
    .leftJoin('attempts', (join) =>
      join
        .onRef('attempts.delivery_id', '=', 'deliveries.id')
        .on('attempts.business_unit_id', '=', businessUnitId),
    )
    .selectAll('deliveries')
    .select(['attempts.id as attempt_id', 'contact_points.value as number'])
    .where('deliveries.business_unit_id', '=', businessUnitId);
  for (const name of Object.keys(EQUAL) as (keyof typeof EQUAL)[]) {
    const value = query[name];
    if (value !== undefined) found = found.where(EQUAL[name], '=', value);
  }
  for (const name of Object.keys(SPANS) as (keyof typeof SPANS)[]) {
    const { fromMs, beforeMs } = query.spans[name] ?? {};
    if (fromMs !== undefined) found = found.where(SPANS[name], '>=', fromMs);
    if (beforeMs !== undefined) found = found.where(SPANS[name], '<', beforeMs);
  }
  if (conversationId !== undefined) {
    found = found
      .where('attempts.id', '=', conversationId)
      .where('deliveries.customer_connected_at_ms', 'is not', null);
  }
  if (dispositionCode !== undefined) {
    // Codes stand in quotes, with commas between (spec A.6).
    const part = `%"${dispositionCode.replaceAll(/[\\%_]/g, '\\$&')}"%`;
    found = found.where(sql<boolean>`deliveries.disposition_codes like ${part} escape '\\'`);
  }
  if (cursor !== undefined) {
    found = found.where('deliveries.id', order === 'newest' ? '<' : '>', cursor);
  }
  return found
    .orderBy('deliveries.id', order === 'newest' ? 'desc' : 'asc')
    .limit(limit)
    .execute();
}

export function deliveryAttributes(
  { db }: Pick<OpenDatabase, 'db'>,
  businessUnitId: string,
  deliveryId: string,
): Promise<Pick<DeliveryAttributeRow, 'type' | 'keyword' | 'value'>[]> {
  return db
    .selectFrom('delivery_attributes')
    .select(['type', 'keyword', 'value'])
    .where('business_unit_id', '=', businessUnitId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('type')
    .orderBy('keyword')
    .execute();
}
