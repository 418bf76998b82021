/** What a representative says of a call at its end: codes, kept with its delivery. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import type { Database } from '../store/schema/database.ts';

/** Once: a second record of the same call replaces the first. Throws NOT_FOUND. */
export async function recordDispositions(
  tx: Transaction<Database>,
  { businessUnitId, nowMs, actor }: Pick<Writer, 'businessUnitId' | 'nowMs' | 'actor'>,
  attemptId: string,
  codes: readonly string[],
): Promise<void> {
  const delivery = await tx
    .updateTable('deliveries')
    .set({
      disposition_codes: codes.map((code) => JSON.stringify(code)).join(','),
      updated_at_ms: nowMs,
    })
    .where('business_unit_id', '=', businessUnitId)
    .where('id', '=', (eb) =>
      eb.selectFrom('attempts').select('delivery_id').where('attempts.id', '=', attemptId),
    )
    .returning(['id', 'task_id'])
    .executeTakeFirst();
  if (delivery === undefined) throw new DialerError('NOT_FOUND', `there is no call ${attemptId}`);
  // The task's row is what its stream is numbered by.
  await tx
    .updateTable('tasks')
    .set({ updated_at_ms: nowMs })
    .where('id', '=', delivery.task_id)
    .execute();
  await appendEvents(tx, businessUnitId, nowMs, [
    {
      streamId: `task:${delivery.task_id}`,
      type: 'delivery.dispositionsRecorded',
      actor,
      payload: { deliveryId: delivery.id, codes },
    },
  ]);
}
