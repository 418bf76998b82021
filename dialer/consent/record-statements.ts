/**
 * Taking down what people said of being contacted. A record holds what counts now; every statement is
 * kept beside it, also one that came too late to count.
 *
 * What counts is what was said last, not what we heard last: a list of opt-ins from January does not
 * undo an opt-out of March. Of two said at one time the opt-out counts.
 */
import type { Transaction } from 'kysely';
import type { Channel } from '../../journey-core/definition/sending.schema.ts';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import { insertMany } from '../store/insert-many.ts';
import type { ConsentRecordRow, ConsentStatementRow } from '../store/schema/consent-tables.ts';
import type { Database } from '../store/schema/database.ts';
import type { ConsentStatus } from './consent.schema.ts';
import { addressKey, pointsOf, type Address } from './contact-address.ts';

export interface ConsentStatement {
  readonly address: Address;
  readonly channel: Channel;
  readonly purposeId: string;
  /** Null: of the purpose as a whole. */
  readonly topicId: string | null;
  readonly status: ConsentStatus;
  readonly source: string;
  readonly reason: string | null;
  readonly profileId: string | null;
  readonly contactId: string | null;
  /** When the person said so. */
  readonly statedAtMs: number;
}

export type Recorded =
  /** It counts from now on. */
  | 'applied'
  /** It was said already, word for word. */
  | 'known'
  /** Something was said after it; it is kept, and changes nothing. */
  | 'outdated';

export interface RecordedStatement {
  readonly recorded: Recorded;
  readonly record: ConsentRecordRow;
}

/** Clocks differ; but a record of tomorrow would let nobody change their mind until then. */
export const FUTURE_MAX_MS = 300_000;

/** Below 500 at a time. Answers in their order. Throws REQUEST_INVALID for one from the future. */
export async function recordStatements(
  tx: Transaction<Database>,
  writer: Writer,
  statements: readonly ConsentStatement[],
  importId: string | null = null,
): Promise<readonly RecordedStatement[]> {
  if (statements.length === 0) return [];
  for (const { statedAtMs } of statements) refuseFuture(statedAtMs, writer.nowMs);
  const records = await lockedRecords(tx, writer, statements);
  const known = await knownStatements(tx, [...records.values()]);
  const rows: ConsentStatementRow[] = [];
  const changed = new Map<string, { before: ConsentRecordRow; after: ConsentRecordRow }>();
  const outcomes = statements.map((statement): { key: string; recorded: Recorded } => {
    const key = subjectKeyOf(statement, records.pointIds);
    const record = records.get(key);
    if (record === undefined) throw new Error('a consent record was lost between two statements');
    const said = saidKey(record.id, statement);
    if (known.has(said)) return { key, recorded: 'known' };
    known.add(said);
    const isApplied = counts(record, statement, writer.nowMs);
    rows.push(statementRow(writer, record, statement, { importId, isApplied }));
    if (!isApplied) return { key, recorded: 'outdated' };
    const after = changedRecord(record, statement, writer);
    records.set(key, after);
    changed.set(record.id, { before: changed.get(record.id)?.before ?? record, after });
    return { key, recorded: 'applied' };
  });
  await insertMany(tx, 'consent_statements', rows);
  await writeChanges(tx, writer, [...changed.values()]);
  return outcomes.map(({ key, recorded }) => {
    const record = records.get(key);
    if (record === undefined) throw new Error('a consent record was lost while it was written');
    return { recorded, record };
  });
}

function refuseFuture(statedAtMs: number, nowMs: number): void {
  if (statedAtMs <= nowMs + FUTURE_MAX_MS) return;
  const detail = 'nobody can have said so yet: statedAt is in the future';
  throw new DialerError('REQUEST_INVALID', detail, { faults: [{ pointer: '/statedAt', detail }] });
}

/** What a clock that runs ahead has dated later than now was said now at the latest. */
function counts(
  { version, stated_at_ms: storedMs }: ConsentRecordRow,
  { statedAtMs, status }: ConsentStatement,
  nowMs: number,
): boolean {
  const recordedMs = Math.min(storedMs, nowMs);
  if (version === 0 || statedAtMs > recordedMs) return true;
  return statedAtMs === recordedMs && status === 'optedOut';
}

class LockedRecords extends Map<string, ConsentRecordRow> {
  pointIds: ReadonlyMap<string, string> = new Map();
}

function subjectKey(pointId: string, channel: string, purposeId: string, topicId: string): string {
  return [pointId, channel, purposeId, topicId].join(' ');
}

function subjectKeyOf(
  { address, channel, purposeId, topicId }: ConsentStatement,
  pointIds: ReadonlyMap<string, string>,
): string {
  return subjectKey(pointIds.get(addressKey(address)) ?? '', channel, purposeId, topicId ?? '');
}

/**
 * Blank ones are made for subjects that have none, then all are locked in one order: two that write
 * about the same people do so one after the other, and never wait for each other in a circle.
 */
async function lockedRecords(
  tx: Transaction<Database>,
  writer: Writer,
  statements: readonly ConsentStatement[],
): Promise<LockedRecords> {
  const { database, businessUnitId } = writer;
  const pointIds = await pointsOf(
    tx,
    writer,
    statements.map(({ address }) => address),
  );
  const blanks = new Map(
    statements.map((statement) => {
      const pointId = pointIds.get(addressKey(statement.address)) ?? '';
      return [subjectKeyOf(statement, pointIds), blankRecord(writer, pointId, statement)] as const;
    }),
  );
  const inOrder = [...blanks].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  await insertMany(tx, 'consent_records', inOrder, {
    ending: 'on conflict (contact_point_id, channel, purpose_id, topic_id) do nothing',
  });
  const query = tx
    .selectFrom('consent_records')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where('contact_point_id', 'in', [...new Set(pointIds.values())])
    .orderBy('id');
  const rows = await (database.kind === 'postgres' ? query.forUpdate() : query).execute();
  const locked = new LockedRecords(
    rows.map((row) => [
      subjectKey(row.contact_point_id, row.channel, row.purpose_id, row.topic_id),
      row,
    ]),
  );
  locked.pointIds = pointIds;
  return locked;
}

function blankRecord(
  { ids, nowMs, businessUnitId, actor }: Writer,
  pointId: string,
  { channel, purposeId, topicId, source }: ConsentStatement,
): ConsentRecordRow {
  return {
    id: ids.id(),
    business_unit_id: businessUnitId,
    contact_point_id: pointId,
    channel,
    purpose_id: purposeId,
    topic_id: topicId ?? '',
    status: 'notSet',
    source,
    reason: null,
    profile_id: null,
    contact_id: null,
    is_active: 1,
    stated_at_ms: 0,
    version: 0,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
    updated_by: actor,
  };
}

async function knownStatements(
  tx: Transaction<Database>,
  records: readonly ConsentRecordRow[],
): Promise<Set<string>> {
  const ids = records.filter(({ version }) => version > 0).map(({ id }) => id);
  if (ids.length === 0) return new Set();
  const rows = await tx
    .selectFrom('consent_statements')
    .select(['record_id', 'status', 'source', 'reason', 'stated_at_ms'])
    .where('record_id', 'in', ids)
    .execute();
  return new Set(
    rows.map((row) =>
      saidKey(row.record_id, {
        ...{ status: row.status, source: row.source, reason: row.reason },
        statedAtMs: row.stated_at_ms,
      }),
    ),
  );
}

type Said = Pick<ConsentStatement, 'source' | 'reason' | 'statedAtMs'> & {
  readonly status: string;
};

function saidKey(recordId: string, { status, source, reason, statedAtMs }: Said): string {
  return JSON.stringify([recordId, status, source, reason, statedAtMs]);
}

function statementRow(
  { ids, nowMs, businessUnitId, actor }: Writer,
  record: ConsentRecordRow,
  { status, source, reason, profileId, contactId, statedAtMs }: ConsentStatement,
  more: { readonly importId: string | null; readonly isApplied: boolean },
): ConsentStatementRow {
  return {
    id: ids.id(),
    business_unit_id: businessUnitId,
    record_id: record.id,
    ...{ status, source, reason },
    profile_id: profileId,
    contact_id: contactId,
    import_id: more.importId,
    is_active: record.is_active,
    is_applied: more.isApplied ? 1 : 0,
    stated_at_ms: statedAtMs,
    recorded_at_ms: nowMs,
    recorded_by: actor,
  };
}

function changedRecord(
  record: ConsentRecordRow,
  { status, source, reason, profileId, contactId, statedAtMs }: ConsentStatement,
  { nowMs, actor }: Writer,
): ConsentRecordRow {
  return {
    ...record,
    ...{ status, source, reason },
    profile_id: profileId,
    contact_id: contactId ?? record.contact_id,
    stated_at_ms: statedAtMs,
    version: record.version + 1,
    updated_at_ms: nowMs,
    updated_by: actor,
  };
}

const WRITTEN = [
  'status',
  'source',
  'reason',
  'profile_id',
  'contact_id',
  'stated_at_ms',
  'version',
  'updated_at_ms',
  'updated_by',
] as const satisfies readonly (keyof ConsentRecordRow)[];

async function writeChanges(
  tx: Transaction<Database>,
  { businessUnitId, nowMs, actor }: Writer,
  changes: readonly { before: ConsentRecordRow; after: ConsentRecordRow }[],
): Promise<void> {
  await insertMany(
    tx,
    'consent_records',
    changes.map(({ after }) => after),
    {
      ending: `on conflict (id) do update set ${WRITTEN.map(
        (column) => `${column} = excluded.${column}`,
      ).join(', ')}`,
    },
  );
  await appendEvents(
    tx,
    businessUnitId,
    nowMs,
    changes.map(({ before, after }) => ({
      streamId: `consent:${after.id}`,
      type: 'consent.changed',
      actor,
      before: { status: before.status },
      after: { status: after.status },
      payload: {
        ...{ contactPointId: after.contact_point_id, channel: after.channel },
        ...{ purposeId: after.purpose_id, topicId: after.topic_id || null },
        ...{ contactId: after.contact_id, source: after.source, statedAtMs: after.stated_at_ms },
      },
    })),
  );
}
