/** Rows of journeys: found, changed by whoever has seen their version, and told of in the log. */
import type { Transaction } from 'kysely';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import { DialerError } from '../../../machines/errors.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import { appendEvents, type NewEvent } from '../../store/event-log.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRow, JourneyVersionRow } from '../../store/schema/journey-tables.ts';

type Tx = Transaction<Database>;
type Db = Pick<Tx, 'selectFrom'>;

/**
 * draft: never published. scheduled: published, and nobody enters before its opening. live: people
 * enter. completing: nobody enters any more, some are inside. stopping: those inside are taken out.
 */
export const JOURNEY_STATES = [
  'draft',
  'scheduled',
  'live',
  'completing',
  'completed',
  'stopping',
  'stopped',
] as const;
export type JourneyState = (typeof JOURNEY_STATES)[number];

export function stateOf({ state }: Pick<JourneyRow, 'state'>): JourneyState {
  return state as JourneyState;
}

/** Throws NOT_FOUND when the business unit has none of this id. */
export async function journeyRow(db: Db, businessUnitId: string, id: string): Promise<JourneyRow> {
  const row = await db
    .selectFrom('journeys')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw new DialerError('NOT_FOUND', `there is no journey ${id}`);
  return row;
}

/**
 * For a change: nobody else changes it until this transaction ends. `version` is what the caller has
 * seen; without one the change is right whatever there was. Throws NOT_FOUND, VERSION_CONFLICT.
 */
export async function journeyToChange(
  tx: Tx,
  { businessUnitId, database }: Pick<Writer, 'businessUnitId' | 'database'>,
  id: string,
  version?: number,
): Promise<JourneyRow> {
  if (database.kind === 'postgres') {
    await tx.selectFrom('journeys').select('id').where('id', '=', id).forUpdate().execute();
  }
  const row = await journeyRow(tx, businessUnitId, id);
  if (version === undefined || row.version === version) return row;
  const now = `it is version ${row.version} now`;
  throw new DialerError('VERSION_CONFLICT', `journey ${id} was changed meanwhile: ${now}`);
}

/** Raises the version. The definition itself is not written into the log: versions keep it. */
export async function writeJourney(
  tx: Tx,
  { businessUnitId, nowMs, actor }: Pick<Writer, 'businessUnitId' | 'nowMs' | 'actor'>,
  row: JourneyRow,
  columns: Partial<JourneyRow>,
  event: Pick<NewEvent, 'type' | 'payload'>,
): Promise<JourneyRow> {
  const changed = { ...columns, version: row.version + 1, updated_at_ms: nowMs };
  await tx.updateTable('journeys').set(changed).where('id', '=', row.id).execute();
  const names = (['name', 'owner', 'state', 'live_version', 'latest_version'] as const).filter(
    (name) => columns[name] !== undefined && columns[name] !== row[name],
  );
  const pick = (from: Partial<JourneyRow>) =>
    Object.fromEntries(names.map((name) => [name, from[name]]));
  const streamId = `journey:${row.id}`;
  const told = { streamId, actor, before: pick(row), after: pick(columns), ...event };
  await appendEvents(tx, businessUnitId, nowMs, [told]);
  return { ...row, ...changed };
}

/** Throws NOT_FOUND. */
export async function versionRow(
  db: Db,
  { id }: Pick<JourneyRow, 'id'>,
  number: number,
): Promise<JourneyVersionRow> {
  const row = await db
    .selectFrom('journey_versions')
    .selectAll()
    .where('journey_id', '=', id)
    .where('number', '=', number)
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new DialerError('NOT_FOUND', `journey ${id} has no version ${number}`);
}

export function definitionIn({ definition }: Pick<JourneyVersionRow, 'definition'>): Journey {
  return JSON.parse(definition) as Journey;
}

export function inWrongState(row: JourneyRow, what: string): DialerError {
  return new DialerError('JOURNEY_STATE', `journey ${row.id} is ${row.state}: ${what}`);
}
