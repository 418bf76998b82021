/** A batch: one file fed into one engagement, how far it has come, and which rows it refused. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { BatchFailedRow, BatchRow } from '../store/schema/engagement-tables.ts';

export const BATCH_STATUSES = [
  'NotStarted',
  'InProgress',
  'Completed',
  'CompletedWithErrors',
  'Failed', // the file as a whole was refused, or turned out to be none
] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

const NAME_CHARS_MAX = 300;

export interface NewBatch {
  readonly engagementId: string;
  /** For people; the file itself is not kept. */
  readonly sourceName: string;
}

/** Answers its id. */
export async function createBatch(writer: Writer, batch: NewBatch): Promise<string> {
  const id = writer.ids.id();
  await writer.database.db
    .transaction()
    .execute((tx) => createBatchIn(tx, writer, { id, ...batch }));
  return id;
}

export async function createBatchIn(
  tx: Transaction<Database>,
  { businessUnitId, nowMs, actor }: Writer,
  { id, engagementId, sourceName }: NewBatch & { readonly id: string },
): Promise<BatchRow> {
  await requireEngagement(tx, businessUnitId, engagementId);
  const batch = await tx
    .insertInto('batches')
    .values({
      ...{ id, business_unit_id: businessUnitId, engagement_id: engagementId },
      status: 'NotStarted' satisfies BatchStatus,
      source_name: sourceName.slice(0, NAME_CHARS_MAX),
      ...{ tasks_created: 0, contacts_updated: 0, failed_rows: 0, format_errors: 0 },
      ...{ total_lines: 0, last_line: 0, created_at_ms: nowMs, updated_at_ms: nowMs },
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const payload = { engagementId };
  const event = { streamId: `batch:${id}`, type: 'batch.created', actor, payload };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return batch;
}

/** One that is not run any more takes no tasks. */
export async function requireEngagement(
  tx: Transaction<Database>,
  businessUnitId: string,
  engagementId: string,
): Promise<{ readonly id: string }> {
  const engagement = await tx
    .selectFrom('engagements')
    .select(['id', 'status'])
    .where('id', '=', engagementId)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (engagement === undefined) {
    throw new DialerError('NOT_FOUND', `there is no engagement ${engagementId}`);
  }
  if (engagement.status === 'inactive') {
    throw new DialerError('REQUEST_INVALID', `engagement ${engagementId} is inactive`);
  }
  return engagement;
}

export async function readBatch(
  { db }: Pick<OpenDatabase, 'db'>,
  businessUnitId: string,
  batchId: string,
): Promise<BatchRow> {
  const batch = await db
    .selectFrom('batches')
    .selectAll()
    .where('id', '=', batchId)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (batch === undefined) throw new DialerError('NOT_FOUND', `there is no batch ${batchId}`);
  return batch;
}

/** Rows that made no task, in the order of the file. */
export function readFailedRows(
  { db }: Pick<OpenDatabase, 'db'>,
  businessUnitId: string,
  batchId: string,
  { afterLine, limit }: { readonly afterLine: number; readonly limit: number },
): Promise<BatchFailedRow[]> {
  return db
    .selectFrom('batch_failed_rows')
    .selectAll()
    .where('batch_id', '=', batchId)
    .where('business_unit_id', '=', businessUnitId)
    .where('line', '>', afterLine)
    .orderBy('line')
    .limit(limit)
    .execute();
}
