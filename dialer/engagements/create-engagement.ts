/** Making what is dialled for: business units, workstreams, queues, engagements. */
import type { Transaction } from 'kysely';
import { isMapping } from '../../config/config-path.ts';
import { DialerError } from '../../machines/errors.ts';
import { AiAgentSettings } from '../ai-agents/ai-agent-settings.schema.ts';
import { checkedInput, Name } from '../checked-input.ts';
import { backwardSpans } from '../eligibility/queue-hours.ts';
import type { IdSource } from '../ids/uuid7.ts';
import { promptsOf } from '../tasks/plan-after-answer.ts';
import { SHIPPED, type RulePacks } from '../rule-packs/rule-packs.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { ownRow } from '../store/own-row.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow, QueueRow, WorkstreamRow } from '../store/schema/engagement-tables.ts';
import { completeConfig } from './complete-config.ts';
import { configFaults, misplacedFaults } from './config-faults.ts';
import type { EngagementType } from './dial-modes.schema.ts';
import type { GivenConfig } from './engagement-config.schema.ts';
import {
  engagementInputOf,
  QueueInput,
  WorkstreamInput,
  type SmsEngagementInput,
  type VoiceEngagementInput,
} from './engagement-inputs.schema.ts';

/** On whose behalf something is written, when, and with which ids. */
export interface Writer {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: number;
  readonly businessUnitId: string;
  /** For the event log. */
  readonly actor: string;
  /** Default: what an installation has that configures nothing. */
  readonly rulePacks?: RulePacks;
}

export async function createBusinessUnit(
  { database, ids, nowMs }: Pick<Writer, 'database' | 'ids' | 'nowMs'>,
  name: string,
): Promise<string> {
  const id = ids.id();
  const row = { id, name: checkedInput(Name, name, 'the name'), created_at_ms: nowMs };
  await database.db.insertInto('business_units').values(row).execute();
  return id;
}

export async function createWorkstream(writer: Writer, input: unknown): Promise<string> {
  return (await inTransaction(writer, (tx) => createWorkstreamIn(tx, writer, input))).id;
}

export async function createQueue(writer: Writer, input: unknown): Promise<string> {
  return (await inTransaction(writer, (tx) => createQueueIn(tx, writer, input))).id;
}

/** Runs from the moment it is made (spec A.4), unless it is told not to. */
export async function createEngagement(writer: Writer, input: unknown): Promise<string> {
  return (await inTransaction(writer, (tx) => createEngagementIn(tx, writer, input))).id;
}

function inTransaction<T>(
  { database }: Writer,
  work: (tx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  return database.db.transaction().execute(work);
}

export async function createWorkstreamIn(
  tx: Transaction<Database>,
  writer: Writer,
  input: unknown,
): Promise<WorkstreamRow> {
  const row = { ...common(writer), fallback_queue_id: null, ...workstreamColumns(input) };
  await tx.insertInto('workstreams').values(row).execute();
  await tellOfNew(tx, writer, 'workstream', row.id);
  return row;
}

/** Checks as it goes: also what an edit would make of a workstream. */
export function workstreamColumns(input: unknown) {
  const checked = checkedInput(WorkstreamInput, input, 'the workstream');
  const { name, channel, trunk, number, language, aiAgent, settings } = checked;
  if (channel === 'voice' && trunk === '') {
    throw new DialerError('REQUEST_INVALID', 'a voice workstream needs a trunk to dial through');
  }
  if (channel === 'sms' && (trunk !== '' || aiAgent !== null)) {
    throw new DialerError('REQUEST_INVALID', 'an SMS workstream has no trunk and no voice agent');
  }
  return {
    ...{ name, channel, trunk, number, language },
    ai_agent: aiAgent === null ? null : agentJson(aiAgent),
    settings: JSON.stringify(settings),
  };
}

/** Checked by itself: faults inside one branch of a union would be told for all branches. */
function agentJson(aiAgent: unknown): string {
  return JSON.stringify(checkedInput(AiAgentSettings, aiAgent, 'the AI agent'));
}

export async function createQueueIn(
  tx: Transaction<Database>,
  writer: Writer,
  input: unknown,
): Promise<QueueRow> {
  const row = { ...common(writer), ...queueColumns(input) };
  await tx.insertInto('queues').values(row).execute();
  await tellOfNew(tx, writer, 'queue', row.id);
  return row;
}

export function queueColumns(input: unknown) {
  const { name, hours, timeZone } = checkedInput(QueueInput, input, 'the queue');
  refuseBackward(hours === null ? [] : backwardSpans(hours));
  return { name, hours: hours === null ? null : JSON.stringify(hours), time_zone: timeZone };
}

function refuseBackward(places: readonly string[]): void {
  if (places.length === 0) return;
  const problem = 'ends before it begins: hours that pass midnight are written as two spans';
  const faults = places.map((place) => ({ pointer: `/hours${place}`, detail: problem }));
  const all = faults.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
  throw new DialerError('REQUEST_INVALID', `the queue cannot be used: ${all}`, { faults });
}

const PRIORITY_OF = { critical: 1, high: 2, normal: 3 } as const;

export const NOT_STARTED_REASON = 'made without being started';

export async function createEngagementIn(
  tx: Transaction<Database>,
  writer: Writer,
  input: unknown,
): Promise<EngagementRow> {
  const { columns, checked, engagementType } = engagementColumns(input);
  requireRulePacks(writer, checked);
  await requireWorkstream(tx, writer, { ...checked, engagementType });
  await requireRow(tx, writer, 'queues', checked.queueId);
  const row: EngagementRow = {
    ...common(writer),
    ...{ ...columns, workstream_id: checked.workstreamId, channel: checked.channel },
    intake: checked.intake,
    ...statusOf(checked, writer.nowMs),
    ...NOTHING_COUNTED,
    ...{ reorder_after_id: null, order_slot: 0, order_in_force: null, order_value_kind: null },
    resumed_at_ms: null,
  };
  await tx.insertInto('engagements').values(row).execute();
  await tellOfNew(tx, writer, 'engagement', row.id);
  if (row.suspension_type !== null) {
    const payload = { type: row.suspension_type, reason: row.suspension_reason };
    const { actor, businessUnitId, nowMs } = writer;
    await appendEvents(tx, businessUnitId, nowMs, [
      { streamId: `engagement:${row.id}`, type: 'engagement.suspended', actor, payload },
    ]);
  }
  return row;
}

/** The columns that may change later. Checks as it goes. */
export function engagementColumns(input: unknown) {
  const channel = isMapping(input) ? input['channel'] : undefined;
  const schema = engagementInputOf(channel);
  const checked: VoiceEngagementInput | SmsEngagementInput = checkedInput(
    schema,
    input,
    'the engagement',
  );
  const { name, description, queueId, config } = checked;
  const engagementType = 'mode' in config ? checkedType(config) : undefined;
  const columns = {
    ...{ name, description, queue_id: queueId },
    config: JSON.stringify(config),
    dial_mode: 'mode' in config ? config.mode.kind : '',
    call_order: config.callOrder,
    priority: PRIORITY_OF[config.priority],
  };
  return { columns, checked, engagementType };
}

/** Who talks first. Throws REQUEST_INVALID with every contradiction between two settings. */
function checkedType(given: GivenConfig): EngagementType {
  const config = completeConfig(given);
  const found = [...misplacedFaults(given, config), ...configFaults(config)];
  if (found.length === 0) return config.engagementType;
  const faults = found.map(({ pointer, detail }) => ({ pointer: `/config${pointer}`, detail }));
  const all = faults.map(({ pointer, detail }) => `${pointer} ${detail}`);
  const detail = `the engagement contradicts itself: ${all.join('; ')}`;
  throw new DialerError('REQUEST_INVALID', detail, { faults });
}

/** Throws REQUEST_INVALID with each name that no rule pack has. */
export function requireRulePacks(
  { rulePacks = SHIPPED }: Writer,
  { config }: VoiceEngagementInput | SmsEngagementInput,
): void {
  const named = 'rulePacks' in config ? (config.rulePacks ?? []) : [];
  const faults = named.flatMap((name, index) => {
    if (rulePacks.names.includes(name)) return [];
    const detail = `is no rule pack: there are ${rulePacks.names.join(', ')}`;
    return [{ pointer: `/config/rulePacks/${index}`, detail }];
  });
  if (faults.length === 0) return;
  const detail = 'the engagement names rule packs that there are not';
  throw new DialerError('REQUEST_INVALID', detail, { faults });
}

function statusOf(checked: VoiceEngagementInput | SmsEngagementInput, nowMs: number) {
  const nothing = { suspension_type: null, suspension_reason: null, suspended_at_ms: null };
  // Nothing here sends messages yet, and an engagement that is not worked must not look as if it were.
  if (checked.channel === 'sms') return { status: 'inactive', ...nothing };
  if (!checked.startsSuspended) return { status: 'running', ...nothing };
  return {
    status: 'suspended',
    suspension_type: 'apiAction',
    suspension_reason: NOT_STARTED_REASON,
    suspended_at_ms: nowMs,
  };
}

const NOTHING_COUNTED = {
  tasks_waiting: 0,
  tasks_ready: 0,
  tasks_working: 0,
  tasks_final: 0,
  attempts_total: 0,
  in_flight: 0,
  ai_handled_total: 0,
  ai_failed_total: 0,
};

function common({ ids, nowMs, businessUnitId }: Writer) {
  return {
    id: ids.id(),
    business_unit_id: businessUnitId,
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
}

async function tellOfNew(
  tx: Transaction<Database>,
  { nowMs, businessUnitId, actor }: Writer,
  kind: 'workstream' | 'queue' | 'engagement',
  id: string,
): Promise<void> {
  const event = { streamId: `${kind}:${id}`, type: `${kind}.created`, actor };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
}

async function requireWorkstream(
  tx: Transaction<Database>,
  writer: Writer,
  {
    workstreamId,
    channel,
    engagementType,
  }: {
    readonly workstreamId: string;
    readonly channel: string;
    readonly engagementType: EngagementType | undefined;
  },
): Promise<void> {
  const workstream = await requireRow(tx, writer, 'workstreams', workstreamId);
  const refuse = (detail: string): never => {
    const faults = [{ pointer: '/workstreamId', detail }];
    throw new DialerError('REQUEST_INVALID', `workstream ${workstreamId} ${detail}`, { faults });
  };
  if (workstream.channel !== channel) refuse(`is for ${workstream.channel}, not for ${channel}`);
  if (engagementType === 'aiLed' && !hasTalker(workstream)) {
    refuse('has no AI agent, which an AI-led engagement needs');
  }
}

/**
 * Whether somebody talks to whoever answers without a representative: an AI agent, or the announcement
 * of a workstream that has none (WS-04).
 */
export function hasTalker(workstream: Pick<WorkstreamRow, 'ai_agent' | 'settings'>): boolean {
  return workstream.ai_agent !== null || promptsOf(workstream).length > 0;
}

interface RowOf {
  readonly workstreams: Pick<WorkstreamRow, 'id' | 'channel' | 'ai_agent' | 'settings'>;
  readonly queues: Pick<QueueRow, 'id'>;
}

export function requireRow<T extends keyof RowOf>(
  tx: Transaction<Database>,
  { businessUnitId }: Pick<Writer, 'businessUnitId'>,
  table: T,
  id: string,
): Promise<RowOf[T]> {
  return ownRow(tx, businessUnitId, { table, words: table.slice(0, -1) }, id);
}
