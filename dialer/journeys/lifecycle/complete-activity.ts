/** Activities that journeys made for people: done once. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../../machines/errors.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import { appendEvents } from '../../store/event-log.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyActivityRow } from '../../store/schema/journey-tables.ts';

type Tx = Transaction<Database>;

/** Throws NOT_FOUND. */
export async function activityRow(
  db: Pick<Tx, 'selectFrom'>,
  businessUnitId: string,
  id: string,
): Promise<JourneyActivityRow> {
  const row = await db
    .selectFrom('journey_activities')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw new DialerError('NOT_FOUND', `there is no activity ${id}`);
  return row;
}

/** Done already, it stays as it is. */
export async function completeActivity(
  tx: Tx,
  { businessUnitId, nowMs, actor }: Writer,
  id: string,
  comment: string,
): Promise<JourneyActivityRow> {
  const row = await activityRow(tx, businessUnitId, id);
  const changed = { state: 'done', version: row.version + 1, updated_at_ms: nowMs };
  const { numUpdatedRows } = await tx
    .updateTable('journey_activities')
    .set(changed)
    .where('id', '=', id)
    .where('state', '=', 'open')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return activityRow(tx, businessUnitId, id);
  const { run_id: runId, contact_id: contactId } = row;
  const payload = { id, runId, contactId, comment };
  const streamId = `journeyRun:${runId}`;
  const told = { streamId, type: 'journey.activityDone', actor, payload };
  await appendEvents(tx, businessUnitId, nowMs, [told]);
  return { ...row, ...changed };
}
