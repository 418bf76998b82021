/** Rows that people edit: read for a change by whoever has seen their version, and written once. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from './event-log.ts';
import { ownRow } from './own-row.ts';
import type {
  ComplianceProfileRow,
  ConsentRecordRow,
  PurposeRow,
  QuietTimeRow,
  TopicRow,
} from './schema/consent-tables.ts';
import type { Database } from './schema/database.ts';
import type { SegmentRow, TriggerRow } from './schema/segment-tables.ts';

export interface VersionedRows {
  readonly compliance_profiles: ComplianceProfileRow;
  readonly purposes: PurposeRow;
  readonly topics: TopicRow;
  readonly quiet_times: QuietTimeRow;
  readonly consent_records: ConsentRecordRow;
  readonly segments: SegmentRow;
  readonly triggers: TriggerRow;
}
export type VersionedTable = keyof VersionedRows;

/** As people and the event log call one row of each. */
const KINDS = {
  compliance_profiles: { words: 'compliance profile', stream: 'complianceProfile' },
  purposes: { words: 'purpose', stream: 'purpose' },
  topics: { words: 'topic', stream: 'topic' },
  quiet_times: { words: 'quiet time', stream: 'quietTime' },
  consent_records: { words: 'consent record', stream: 'consent' },
  segments: { words: 'segment', stream: 'segment' },
  triggers: { words: 'trigger', stream: 'trigger' },
} as const satisfies Readonly<Record<VersionedTable, { words: string; stream: string }>>;

export interface Change {
  readonly id: string;
  /** What the caller has seen. */
  readonly version: number;
  /** JSON merge patch (RFC 7396). */
  readonly patch: Readonly<Record<string, unknown>>;
}

type Db = Pick<Transaction<Database>, 'selectFrom'>;

/** Throws NOT_FOUND when the business unit has none of this id. */
export function rowOf<T extends VersionedTable>(
  db: Db,
  businessUnitId: string,
  table: T,
  id: string,
): Promise<VersionedRows[T]> {
  return ownRow(db, businessUnitId, { table, words: KINDS[table].words }, id);
}

/** Throws VERSION_CONFLICT when it is another version now. */
export async function rowToChange<T extends VersionedTable>(
  tx: Transaction<Database>,
  { businessUnitId }: Pick<Writer, 'businessUnitId'>,
  table: T,
  { id, version }: Pick<Change, 'id' | 'version'>,
): Promise<VersionedRows[T]> {
  const row = await rowOf(tx, businessUnitId, table, id);
  if (row.version === version) return row;
  const now = `it is version ${row.version} now`;
  throw new DialerError(
    'VERSION_CONFLICT',
    `${KINDS[table].words} ${id} was changed meanwhile: ${now}`,
  );
}

/** Raises the version, and tells what became of what. */
export async function writeChange<T extends VersionedTable>(
  tx: Transaction<Database>,
  { businessUnitId, nowMs, actor }: Writer,
  table: T,
  row: VersionedRows[T],
  columns: Readonly<Record<string, unknown>>,
): Promise<VersionedRows[T]> {
  const { words, stream } = KINDS[table];
  const after = await tx
    .updateTable(table as 'topics')
    .set({ ...columns, version: row.version + 1, updated_at_ms: nowMs })
    .where('id', '=', row.id)
    .where('version', '=', row.version) // PostgreSQL: somebody else may have been faster
    .returningAll()
    .executeTakeFirst();
  if (after === undefined) {
    throw new DialerError('VERSION_CONFLICT', `${words} ${row.id} was changed meanwhile`);
  }
  const values = row as unknown as Readonly<Record<string, unknown>>;
  const names = Object.keys(columns).filter((name) => columns[name] !== values[name]);
  const event = {
    streamId: `${stream}:${row.id}`,
    type: `${stream}.changed`,
    actor,
    before: Object.fromEntries(names.map((name) => [name, values[name]])),
    after: Object.fromEntries(names.map((name) => [name, columns[name]])),
  };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return after as unknown as VersionedRows[T];
}

/** Writes a new one with the columns that each of them has, and tells of it. */
export async function createRow<T extends VersionedTable>(
  tx: Transaction<Database>,
  { ids, nowMs, businessUnitId, actor }: Writer,
  table: T,
  columns: Omit<VersionedRows[T], 'id' | 'business_unit_id' | 'version' | Times>,
): Promise<VersionedRows[T]> {
  const row = {
    ...{ id: ids.id(), business_unit_id: businessUnitId, version: 1 },
    ...{ created_at_ms: nowMs, updated_at_ms: nowMs, ...columns },
  };
  await tx
    .insertInto(table as 'topics')
    .values(row as unknown as TopicRow)
    .execute();
  const { stream } = KINDS[table];
  const event = { streamId: `${stream}:${row.id}`, type: `${stream}.created`, actor };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return row as unknown as VersionedRows[T];
}

type Times = 'created_at_ms' | 'updated_at_ms';

/** Of rows whose name is theirs alone in the business unit. */
export async function refuseNameOfAnother(
  tx: Transaction<Database>,
  { businessUnitId }: Pick<Writer, 'businessUnitId'>,
  table: 'compliance_profiles' | 'quiet_times' | 'segments' | 'triggers',
  name: string,
  ownId?: string,
): Promise<void> {
  const others = await tx
    .selectFrom(table as 'segments')
    .select(['id', 'name'])
    .where('business_unit_id', '=', businessUnitId)
    .where('name', '=', name)
    .execute();
  refuseTakenName(KINDS[table].words, name, others, ownId);
}

/** Names are told apart within `among`: rows of one profile, purpose or business unit. */
export function refuseTakenName(
  words: string,
  name: string,
  among: readonly { readonly id: string; readonly name: string }[],
  ownId?: string,
): void {
  const other = among.find((row) => row.name === name && row.id !== ownId);
  if (other === undefined) return;
  const detail = `there is a ${words} of this name already: ${other.id}`;
  throw new DialerError('REQUEST_INVALID', detail, { faults: [{ pointer: '/name', detail }] });
}
