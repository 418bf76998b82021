/** Runs of a journey: found, and taken out by hand. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../../machines/errors.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import { appendEvents } from '../../store/event-log.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRow, JourneyRunRow } from '../../store/schema/journey-tables.ts';
import { tellRuns } from '../runs/tell-runs.ts';

type Tx = Transaction<Database>;

/** Throws NOT_FOUND. */
export async function runOf(
  db: Pick<Tx, 'selectFrom'>,
  { id }: Pick<JourneyRow, 'id'>,
  runId: string,
): Promise<JourneyRunRow> {
  const row = await db
    .selectFrom('journey_runs')
    .selectAll()
    .where('id', '=', runId)
    .where('journey_id', '=', id)
    .where('status', '<>', 'forgotten')
    .executeTakeFirst();
  if (row === undefined) throw new DialerError('NOT_FOUND', `journey ${id} has no run ${runId}`);
  return row;
}

/**
 * The run leaves where it stands as soon as it takes this in, and what it asked of the dialer is
 * withdrawn. Asked twice it leaves once. Throws JOURNEY_STATE when it has left.
 */
export async function takeOut(
  tx: Tx,
  writer: Writer,
  run: JourneyRunRow,
  reason: string,
): Promise<void> {
  if (run.status !== 'active') {
    throw new DialerError('JOURNEY_STATE', `run ${run.id} has left: ${run.exit_reason ?? ''}`);
  }
  const event = { type: 'stop', reason } as const;
  await tellRuns(tx, writer, [{ runId: run.id, id: `exit:${run.id}`, event }]);
  const { businessUnitId, nowMs, actor } = writer;
  const payload = { runId: run.id, contactId: run.contact_id, reason };
  const streamId = `journey:${run.journey_id}`;
  const told = { streamId, type: 'journey.personTakenOut', actor, payload };
  await appendEvents(tx, businessUnitId, nowMs, [told]);
}
