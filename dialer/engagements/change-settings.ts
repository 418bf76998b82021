/**
 * Edits of workstreams, queues and engagements: a merge patch over what was asked for when they were
 * made, checked as a whole, and only by whoever has seen the version that is stored.
 */
import type { Transaction } from 'kysely';
import { isMapping } from '../../config/config-path.ts';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { DialerError } from '../../machines/errors.ts';
import { reordering } from '../tasks/reorder-tasks.ts';
import { mergePatch } from '../merge-patch.ts';
import { givenConfig, storedConfig } from './complete-config.ts';
import { appendEvents } from '../store/event-log.ts';
import { versionConflict } from '../store/version-conflict.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow, QueueRow, WorkstreamRow } from '../store/schema/engagement-tables.ts';
import { WORKSTREAM_SETTINGS } from './engagement-inputs.schema.ts';
import {
  engagementColumns,
  hasTalker,
  queueColumns,
  requireRow,
  requireRulePacks,
  workstreamColumns,
  type Writer,
} from './create-engagement.ts';

export interface Change {
  readonly id: string;
  /** What the caller has seen. */
  readonly version: number;
  /** JSON merge patch (RFC 7396). */
  readonly patch: Readonly<Record<string, unknown>>;
}

interface RowOf {
  readonly workstreams: WorkstreamRow;
  readonly queues: QueueRow;
  readonly engagements: EngagementRow;
}

/** What a workstream was made with, and would be made with again. */
export function workstreamInput(row: WorkstreamRow) {
  const { name, channel, trunk, number, language } = row;
  return {
    ...{ name, channel, trunk, number, language },
    aiAgent: row.ai_agent === null ? null : (JSON.parse(row.ai_agent) as Record<string, unknown>),
    settings: workstreamSettings(row.settings),
  };
}

/** What an earlier release stored has no word of settings that are newer: they have their default. */
export function workstreamSettings(json: string): Record<string, unknown> {
  const schema = Type.Object(WORKSTREAM_SETTINGS);
  return Value.Default(schema, JSON.parse(json)) as Record<string, unknown>;
}

export function queueInput({ name, hours, time_zone: timeZone }: QueueRow) {
  return { name, hours: hours === null ? null : (JSON.parse(hours) as unknown), timeZone };
}

/** With every default filled in: what it works by. */
export function engagementInput(row: EngagementRow) {
  return { ...engagementGiven(row), config: shownConfig(row) };
}

/** As it was asked for: a default that follows another setting still follows it after an edit. */
function engagementGiven(row: EngagementRow) {
  const { name, description, channel, intake } = row;
  return {
    ...{ name, description, channel, intake },
    workstreamId: row.workstream_id,
    queueId: row.queue_id,
    config: givenConfig(row.config),
  };
}

function shownConfig({ channel, config }: EngagementRow): Readonly<Record<string, unknown>> {
  return channel === 'voice' ? { ...storedConfig(config) } : givenConfig(config);
}

export async function changeWorkstream(
  tx: Transaction<Database>,
  writer: Writer,
  change: Change,
): Promise<WorkstreamRow> {
  const row = await rowToChange(tx, writer, 'workstreams', change);
  const before = workstreamInput(row);
  const input = mergePatch(before, change.patch);
  refuseChangeOf(['channel'], before, input);
  const columns = workstreamColumns(input);
  if (!hasTalker(columns)) await refuseForAiLed(tx, row.id);
  return changed(tx, writer, 'workstreams', row, columns);
}

/** WS-04, from the other side. */
async function refuseForAiLed(tx: Transaction<Database>, workstreamId: string): Promise<void> {
  const engagements = await tx
    .selectFrom('engagements')
    .select(['id', 'config'])
    .where('workstream_id', '=', workstreamId)
    .where('channel', '=', 'voice')
    .execute();
  const led = engagements.find(({ config }) => storedConfig(config).engagementType === 'aiLed');
  if (led === undefined) return;
  const detail = `AI-led engagement ${led.id} needs somebody on the workstream who talks`;
  throw new DialerError('NOT_CHANGEABLE', detail);
}

export async function changeQueue(
  tx: Transaction<Database>,
  writer: Writer,
  change: Change,
): Promise<QueueRow> {
  const row = await rowToChange(tx, writer, 'queues', change);
  return changed(
    tx,
    writer,
    'queues',
    row,
    queueColumns(mergePatch(queueInput(row), change.patch)),
  );
}

/**
 * The workstream, the channel, the intake, the dial mode and who talks first are what an engagement
 * is, and stay. The call order may change: tasks are given their new places a little later, and calls go
 * by the order before until all have theirs.
 */
export async function changeEngagement(
  tx: Transaction<Database>,
  writer: Writer,
  change: Change,
): Promise<EngagementRow> {
  const row = await rowToChange(tx, writer, 'engagements', change);
  const before = engagementGiven(row);
  const input = mergePatch(before, change.patch);
  refuseChangeOf(['channel', 'intake', 'workstreamId'], before, input);
  const { columns, checked } = engagementColumns(input);
  requireRulePacks(writer, checked);
  refuseOtherMode(row, columns);
  if (columns.queue_id !== row.queue_id) await requireRow(tx, writer, 'queues', columns.queue_id);
  return changed(tx, writer, 'engagements', row, { ...columns, ...reordering(row, columns) });
}

/** Its calls are paced by the one and planned for the other from the moment it is made. */
function refuseOtherMode(
  row: EngagementRow,
  after: { readonly dial_mode: string; readonly config: string },
): void {
  if (row.channel !== 'voice') return;
  const isSameMode = row.dial_mode === after.dial_mode;
  const isSameType =
    storedConfig(row.config).engagementType === storedConfig(after.config).engagementType;
  if (isSameMode && isSameType) return;
  const what = isSameMode ? 'who talks first' : 'the dial mode';
  throw new DialerError('NOT_CHANGEABLE', `${what} cannot be changed: make another engagement`);
}

function refuseChangeOf(
  names: readonly string[],
  before: Readonly<Record<string, unknown>>,
  input: unknown,
): void {
  for (const name of names) {
    if (isMapping(input) && input[name] === before[name]) continue;
    throw new DialerError('NOT_CHANGEABLE', `${name} cannot be changed: make another one`);
  }
}

async function rowToChange<T extends keyof RowOf>(
  tx: Transaction<Database>,
  { businessUnitId }: Writer,
  table: T,
  { id, version }: Change,
): Promise<RowOf[T]> {
  const row = await tx
    .selectFrom(table as 'engagements')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  const kind = table.slice(0, -1);
  if (row === undefined) throw new DialerError('NOT_FOUND', `there is no ${kind} ${id}`);
  if (row.version !== version) throw versionConflict(kind, id, row.version);
  return row as RowOf[T];
}

async function changed<T extends keyof RowOf>(
  tx: Transaction<Database>,
  { businessUnitId, nowMs, actor }: Writer,
  table: T,
  row: RowOf[T],
  columns: Readonly<Record<string, unknown>>,
): Promise<RowOf[T]> {
  const kind = table.slice(0, -1);
  const after = await tx
    .updateTable(table as 'engagements')
    .set({ ...columns, version: row.version + 1, updated_at_ms: nowMs })
    .where('id', '=', row.id)
    .where('version', '=', row.version) // PostgreSQL: somebody else may have been faster
    .returningAll()
    .executeTakeFirst();
  if (after === undefined) throw versionConflict(kind, row.id);
  const values = row as unknown as Readonly<Record<string, unknown>>;
  const names = Object.keys(columns).filter((name) => columns[name] !== values[name]);
  const event = {
    streamId: `${kind}:${row.id}`,
    type: `${kind}.changed`,
    actor,
    before: Object.fromEntries(names.map((name) => [name, values[name]])),
    after: Object.fromEntries(names.map((name) => [name, columns[name]])),
  };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return after as unknown as RowOf[T];
}
