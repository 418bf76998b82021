/** From a draft to a version that people enter (spec G.9). */
import type { Transaction } from 'kysely';
import { instantMs } from '../../../journey-core/definition/instant.ts';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import { DialerError, type ErrorFault } from '../../../machines/errors.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import { lockUnit } from '../../store/lock-unit.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRow, JourneyVersionRow } from '../../store/schema/journey-tables.ts';
import { checkDefinition, type CheckOptions, type FoundFault } from './check-journey.ts';
import {
  editVersion,
  liveVersionOf,
  refuseNameTaken,
  uneditable,
  type Asked,
} from './edit-journey.ts';
import { isLightChange } from './journey-changes.ts';
import { definitionIn, inWrongState, journeyToChange, writeJourney } from './journey-row.ts';

type Tx = Transaction<Database>;

export interface PublishOptions extends CheckOptions {
  /** For whoever reads the versions later. */
  readonly comment?: string | undefined;
}

/**
 * New people enter the new version from now on, or from its opening; people inside finish theirs. A
 * draft that changes nothing for people stays the version that it is. Throws JOURNEY_NOT_READY with
 * everything that is in the way, JOURNEY_STATE when there is nothing to publish. What it names stays what
 * it is until it is stored, and from then on.
 */
export async function publishJourney(
  tx: Tx,
  writer: Writer,
  { id, version }: Asked,
  { comment = '', ...options }: PublishOptions,
): Promise<JourneyRow> {
  const { businessUnitId, nowMs } = writer;
  const row = await journeyToChange(tx, writer, id, version);
  if (row.draft === null) throw inWrongState(row, 'nothing of it is being edited');
  const live = await liveVersionOf(tx, row);
  const reason = uneditable(row, live, nowMs);
  if (reason !== undefined) throw inWrongState(row, reason);
  const definition = JSON.parse(row.draft) as unknown;
  await lockUnit(writer.database, tx, businessUnitId);
  const { faults } = await checkDefinition(tx, businessUnitId, definition, options);
  refuseUnready([...faults.flatMap(inTheWay), ...windowFaults(definition, faults, nowMs)]);
  const journey = definition as Journey;
  await refuseNameTaken(tx, businessUnitId, journey.name, id);
  const columns = { name: journey.name, draft: null, draft_faults: 0 };
  if (live !== undefined && isLightChange(definitionIn(live), journey)) {
    const { name, description = '', goal } = journey;
    const edit = { name, description, ...(goal === undefined ? {} : { goal }) };
    await editVersion(tx, live, edit);
    const payload = { version: live.number, comment, isNewVersion: false };
    return writeJourney(tx, writer, row, columns, { type: 'journey.published', payload });
  }
  const number = row.latest_version + 1;
  if (live !== undefined) await closeVersion(tx, live);
  const made = newVersion(writer, row, journey, number);
  await tx.insertInto('journey_versions').values(made).execute();
  const state = (made.opens_at_ms ?? nowMs) > nowMs ? 'scheduled' : 'live';
  const changed = { ...columns, state, live_version: number, latest_version: number };
  const payload = { version: number, comment, isNewVersion: true };
  return writeJourney(tx, writer, row, changed, { type: 'journey.published', payload });
}

function inTheWay({ severity, path, problem, remedy }: FoundFault): ErrorFault[] {
  return severity === 'warning' ? [] : [{ pointer: path, detail: `${problem}; ${remedy}` }];
}

/** The validator knows no now. */
function windowFaults(
  definition: unknown,
  faults: readonly FoundFault[],
  nowMs: number,
): ErrorFault[] {
  if (faults.some(({ severity }) => severity === 'error')) return [];
  const { entry, timeZone } = definition as Journey;
  const closesAtMs = entry.closesAt === undefined ? undefined : instantMs(entry.closesAt, timeZone);
  if (closesAtMs === undefined || closesAtMs > nowMs) return [];
  return [
    { pointer: '/entry/closesAt', detail: 'is past: nobody could enter; write a later date' },
  ];
}

function refuseUnready(faults: readonly ErrorFault[]): void {
  if (faults.length === 0) return;
  const detail = faults.map((one) => `${one.pointer} ${one.detail}`.trim()).join('; ');
  throw new DialerError('JOURNEY_NOT_READY', detail, { faults });
}

/** Nobody enters it any more; people inside finish. */
export async function closeVersion(
  tx: Tx,
  { journey_id, number }: Pick<JourneyVersionRow, 'journey_id' | 'number'>,
): Promise<void> {
  await tx
    .updateTable('journey_versions')
    .set({ state: 'finishing', entry_due_at_ms: null, scan_after_id: null })
    .where('journey_id', '=', journey_id)
    .where('number', '=', number)
    .execute();
}

export function newVersion(
  { businessUnitId, nowMs, actor }: Writer,
  { id }: Pick<JourneyRow, 'id'>,
  journey: Journey,
  number: number,
): JourneyVersionRow {
  const { entry, timeZone } = journey;
  const at = (text: string | undefined): number | null =>
    text === undefined ? null : (instantMs(text, timeZone) ?? null);
  const opensAtMs = at(entry.opensAt);
  const isBySegment = entry.kind === 'segment';
  return {
    ...{ journey_id: id, number, business_unit_id: businessUnitId, state: 'live' },
    definition: JSON.stringify(journey),
    ...{ entry_kind: entry.kind, entry_name: isBySegment ? entry.segment : entry.trigger },
    ...{ opens_at_ms: opensAtMs, closes_at_ms: at(entry.closesAt) },
    // Triggers come by themselves; the rounds of a segment have to be begun.
    entry_due_at_ms: isBySegment ? Math.max(opensAtMs ?? nowMs, nowMs) : null,
    ...{ round_at_ms: null, scan_after_id: null, fault: null },
    ...{ published_at_ms: nowMs, published_by: actor, ended_at_ms: null },
  };
}
