/**
 * The do-not-call list: numbers whose people asked not to be called, by business unit. Every claim looks at
 * it in the transaction that would start the call; what is on it is never dialled, by any engagement.
 */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import { isPostgres } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';
import type { OptOutRow } from '../store/schema/edge-tables.ts';

/** message: a digit pressed while we spoke to them. inbound: when they called us back. */
export const OPT_OUT_SOURCES = ['message', 'inbound', 'api'] as const;
export type OptOutSource = (typeof OPT_OUT_SOURCES)[number];

export interface NewOptOut {
  /** E.164 with plus, or what the trunk takes. */
  readonly number: string;
  readonly source: OptOutSource;
  readonly detail: string | null;
  readonly engagementId?: string;
  readonly attemptId?: string;
}

type OptOutWriter = Pick<Writer, 'ids' | 'nowMs' | 'businessUnitId' | 'actor'>;

/**
 * What holds now, and whether it is new. From the end of this transaction on no call to the number is
 * begun: PostgreSQL's claims hold their lease for sharing, so that none is between its look at the list
 * and its commit while this one waits for the leases; SQLite has one writer.
 */
export async function addOptOutIn(
  tx: Transaction<Database>,
  { ids, nowMs, businessUnitId, actor }: OptOutWriter,
  { number, source, detail, engagementId, attemptId }: NewOptOut,
): Promise<{ readonly row: OptOutRow; readonly isNew: boolean }> {
  if (isPostgres(tx)) await tx.selectFrom('leases').select('name').forUpdate().execute();
  const row: OptOutRow = {
    ...{ id: ids.id(), business_unit_id: businessUnitId, number, source, detail },
    ...{ engagement_id: engagementId ?? null, attempt_id: attemptId ?? null },
    ...{ created_at_ms: nowMs, created_by: actor, removed_at_ms: null, removed_by: null },
  };
  const made = await tx
    .insertInto('opt_outs')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['number', 'business_unit_id'])
        .where('removed_at_ms', 'is', null)
        .doNothing(),
    )
    .returning('id')
    .execute();
  if (made.length === 0) {
    const known = await holding(tx, businessUnitId, number);
    return { row: known ?? row, isNew: false };
  }
  const payload = { source, engagementId: engagementId ?? null, attemptId: attemptId ?? null };
  await appendEvents(tx, businessUnitId, nowMs, [
    { streamId: `optOut:${row.id}`, type: 'optOut.added', actor, payload },
  ]);
  return { row, isNew: true };
}

/** Said twice, it is one removal. Throws NOT_FOUND. The row stays, with who removed it and when. */
export async function removeOptOutIn(
  tx: Transaction<Database>,
  { nowMs, businessUnitId, actor }: Omit<OptOutWriter, 'ids'>,
  id: string,
): Promise<OptOutRow> {
  const removed = await tx
    .updateTable('opt_outs')
    .set({ removed_at_ms: nowMs, removed_by: actor })
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .where('removed_at_ms', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (removed !== undefined) {
    await appendEvents(tx, businessUnitId, nowMs, [
      { streamId: `optOut:${id}`, type: 'optOut.removed', actor },
    ]);
    return removed;
  }
  const row = await tx
    .selectFrom('opt_outs')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw new DialerError('NOT_FOUND', `there is no opt-out ${id}`);
  return row;
}

function holding(tx: Transaction<Database>, businessUnitId: string, number: string) {
  return tx
    .selectFrom('opt_outs')
    .selectAll()
    .where('number', '=', number)
    .where('business_unit_id', '=', businessUnitId)
    .where('removed_at_ms', 'is', null)
    .executeTakeFirst();
}
