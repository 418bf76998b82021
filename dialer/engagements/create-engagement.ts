/** Making what is dialled for: business units, workstreams, queues, engagements. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import { AiAgentSettings } from '../ai-agents/ai-agent-settings.schema.ts';
import { checkedInput, Name } from '../checked-input.ts';
import type { IdSource } from '../ids/uuid7.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import { EngagementInput, QueueInput, WorkstreamInput } from './engagement-inputs.schema.ts';

/** On whose behalf something is written, when, and with which ids. */
export interface Writer {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: number;
  readonly businessUnitId: string;
  /** For the event log. */
  readonly actor: string;
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
  const { name, trunk, number, language, aiAgent, settings } = checkedInput(
    WorkstreamInput,
    input,
    'the workstream',
  );
  const row = {
    ...common(writer),
    ...{ name, trunk, number, language, channel: 'voice' },
    ai_agent: aiAgent === null ? null : agentJson(aiAgent),
    settings: JSON.stringify(settings),
  };
  await written(writer, row.id, 'workstream', (tx) => tx.insertInto('workstreams').values(row));
  return row.id;
}

/** Checked by itself: faults inside one branch of a union would be told for all branches. */
function agentJson(aiAgent: unknown): string {
  return JSON.stringify(checkedInput(AiAgentSettings, aiAgent, 'the AI agent'));
}

export async function createQueue(writer: Writer, input: unknown): Promise<string> {
  const { name, hours, timeZone } = checkedInput(QueueInput, input, 'the queue');
  const row = {
    ...common(writer),
    name,
    hours: hours === null ? null : JSON.stringify(hours),
    time_zone: timeZone,
  };
  await written(writer, row.id, 'queue', (tx) => tx.insertInto('queues').values(row));
  return row.id;
}

const PRIORITY_OF = { critical: 1, high: 2, normal: 3 } as const;

/** Runs from the moment it is made (spec A.4). */
export async function createEngagement(writer: Writer, input: unknown): Promise<string> {
  const { name, description, workstreamId, queueId, config } = checkedInput(
    EngagementInput,
    input,
    'the engagement',
  );
  await requireRow(writer, 'workstreams', workstreamId);
  await requireRow(writer, 'queues', queueId);
  const row = {
    ...common(writer),
    ...{ name, description, workstream_id: workstreamId, queue_id: queueId },
    config: JSON.stringify(config),
    dial_mode: config.mode.kind,
    call_order: config.callOrder,
    priority: PRIORITY_OF[config.priority],
    status: 'running',
    ...NOTHING_COUNTED,
  };
  await written(writer, row.id, 'engagement', (tx) => tx.insertInto('engagements').values(row));
  return row.id;
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

/** The row and the event that tells of it, or neither. */
function written(
  { database, nowMs, businessUnitId, actor }: Writer,
  id: string,
  kind: 'workstream' | 'queue' | 'engagement',
  insert: (tx: Transaction<Database>) => { execute(): Promise<unknown> },
): Promise<void> {
  return database.db.transaction().execute(async (tx) => {
    await insert(tx).execute();
    const event = { streamId: `${kind}:${id}`, type: `${kind}.created`, actor };
    await appendEvents(tx, businessUnitId, nowMs, [event]);
  });
}

async function requireRow(
  { database, businessUnitId }: Writer,
  table: 'workstreams' | 'queues',
  id: string,
): Promise<void> {
  const row = await database.db
    .selectFrom(table)
    .select('id')
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row !== undefined) return;
  throw new DialerError('NOT_FOUND', `there is no ${table.slice(0, -1)} ${id}`);
}
