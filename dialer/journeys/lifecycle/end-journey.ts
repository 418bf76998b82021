/** The end of a journey: by closing its door, or by taking everybody out (spec G.9). */
import type { Transaction } from 'kysely';
import type { Writer } from '../../engagements/create-engagement.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRow } from '../../store/schema/journey-tables.ts';
import type { Asked } from './edit-journey.ts';
import { inWrongState, journeyToChange, stateOf, writeJourney } from './journey-row.ts';
import { closeVersion } from './publish-journey.ts';
import { hasSendings } from '../effects/withdraw-sendings.ts';

type Tx = Transaction<Database>;

/** Nobody enters or goes on; what was asked of the dialer and has not started is withdrawn. */
export async function stopJourney(
  tx: Tx,
  writer: Writer,
  { id, version }: Asked,
  comment = '',
): Promise<JourneyRow> {
  const row = await journeyToChange(tx, writer, id, version);
  // Everybody may be through while calls that they were to get are still to be made.
  const isOver = row.state === 'completed' && !(await hasSendings(tx, id));
  if (isOver || !['scheduled', 'live', 'completing', 'completed'].includes(row.state)) {
    throw inWrongState(row, 'there is nothing to stop');
  }
  await tx
    .updateTable('journey_versions')
    .set({
      state: 'stopped',
      entry_due_at_ms: null,
      scan_after_id: null,
      ended_at_ms: writer.nowMs,
    })
    .where('journey_id', '=', id)
    .where('state', 'in', ['live', 'finishing'])
    .execute();
  const columns = { state: 'stopping', live_version: null };
  const payload = { comment };
  return writeJourney(tx, writer, row, columns, { type: 'journey.stopped', payload });
}

/** Nobody enters any more; people inside finish. */
export async function completeJourney(
  tx: Tx,
  writer: Writer,
  { id, version }: Asked,
  comment = '',
): Promise<JourneyRow> {
  const row = await journeyToChange(tx, writer, id, version);
  if (stateOf(row) !== 'live' && stateOf(row) !== 'scheduled') {
    throw inWrongState(row, 'nobody enters it');
  }
  return closeEntry(tx, writer, row, { comment });
}

/** Of a live one: by hand, at its end date, or once its one round is through. */
export async function closeEntry(
  tx: Tx,
  writer: Pick<Writer, 'businessUnitId' | 'nowMs' | 'actor'>,
  row: JourneyRow,
  payload: Readonly<Record<string, unknown>>,
): Promise<JourneyRow> {
  if (row.live_version !== null) {
    await closeVersion(tx, { journey_id: row.id, number: row.live_version });
  }
  const columns = { state: 'completing', live_version: null };
  return writeJourney(tx, writer, row, columns, { type: 'journey.entryClosed', payload });
}
