/** Quiet times and the frequency cap of a business unit: stored as journeys read them. */
import type { Transaction } from 'kysely';
import { Type } from 'typebox';
import { FrequencyCap } from '../../journey-core/definition/assets.schema.ts';
import { QuietTime } from '../../journey-core/definition/quiet-time.schema.ts';
import { quietSettingFaults } from '../../journey-core/validation/asset-faults.ts';
import { DialerError } from '../../machines/errors.ts';
import { checkedInput } from '../checked-input.ts';
import { checkShape, refuseFaults } from '../checked-shape.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { mergePatch } from '../merge-patch.ts';
import { appendEvents } from '../store/event-log.ts';
import type { FrequencyCapRow, QuietTimeRow } from '../store/schema/consent-tables.ts';
import type { Database } from '../store/schema/database.ts';
import {
  createRow,
  refuseNameOfAnother,
  rowToChange,
  writeChange,
  type Change,
} from '../store/versioned-row.ts';

type Tx = Transaction<Database>;

export const QuietTimeInput = Type.Object(QuietTime.properties, { additionalProperties: false });

export async function createQuietTimeIn(
  tx: Tx,
  writer: Writer,
  input: unknown,
): Promise<QuietTimeRow> {
  return createRow(tx, writer, 'quiet_times', await quietTimeColumns(tx, writer, input));
}

export async function changeQuietTime(
  tx: Tx,
  writer: Writer,
  change: Change,
): Promise<QuietTimeRow> {
  const row = await rowToChange(tx, writer, 'quiet_times', change);
  const input = mergePatch(quietTimeOf(row), change.patch);
  const columns = await quietTimeColumns(tx, writer, input, row.id);
  return writeChange(tx, writer, 'quiet_times', row, columns);
}

export function quietTimeOf({ name, definition }: QuietTimeRow): QuietTime {
  return { name, ...(JSON.parse(definition) as Omit<QuietTime, 'name'>) };
}

async function quietTimeColumns(tx: Tx, writer: Writer, input: unknown, ownId?: string) {
  const checked = checkedInput(QuietTimeInput, input, 'the quiet time');
  checkShape(QuietTime, input, '');
  refuseFaults(quietSettingFaults(checked, ''));
  const { name, ...definition } = checked;
  await refuseNameOfAnother(tx, writer, 'quiet_times', name, ownId);
  return { name, definition: JSON.stringify(definition) };
}

/** Version 0, without a limit, until one is set. */
export async function frequencyCapOf(
  db: Pick<Tx, 'selectFrom'>,
  businessUnitId: string,
): Promise<{ readonly caps: FrequencyCap; readonly version: number }> {
  const row = await db
    .selectFrom('frequency_caps')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) return { caps: {}, version: 0 };
  return { caps: JSON.parse(row.caps) as FrequencyCap, version: row.version };
}

/** As a whole. Throws VERSION_CONFLICT when it was set by somebody else meanwhile. */
export async function setFrequencyCap(
  tx: Tx,
  { businessUnitId, nowMs, actor }: Writer,
  input: unknown,
  version: number,
): Promise<{ readonly caps: FrequencyCap; readonly version: number }> {
  const caps = checkedInput(FrequencyCap, input, 'the frequency cap');
  const before = await frequencyCapOf(tx, businessUnitId);
  const conflict = () =>
    new DialerError('VERSION_CONFLICT', 'the frequency cap was changed meanwhile');
  if (before.version !== version) throw conflict();
  const row: FrequencyCapRow = {
    business_unit_id: businessUnitId,
    caps: JSON.stringify(caps),
    version: version + 1,
    updated_at_ms: nowMs,
  };
  const written = await tx
    .insertInto('frequency_caps')
    .values(row)
    .onConflict((at) =>
      at
        .column('business_unit_id')
        .doUpdateSet({ caps: row.caps, version: row.version, updated_at_ms: nowMs })
        .where('frequency_caps.version', '=', version),
    )
    .returning('version')
    .execute();
  if (written.length === 0) throw conflict();
  const streamId = `frequencyCap:${businessUnitId}`;
  const event = { streamId, type: 'frequencyCap.changed', actor, before: before.caps, after: caps };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return { caps, version: row.version };
}
