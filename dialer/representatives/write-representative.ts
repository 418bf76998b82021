/** Making and changing skills and representatives, and their presence. */
import type { Kysely, Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import { checkedInput } from '../checked-input.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import { versionConflict } from '../store/version-conflict.ts';
import type { Database } from '../store/schema/database.ts';
import type { RepresentativeRow, SkillRow } from '../store/schema/representative-tables.ts';
import { RepresentativeInput, SkillInput } from './representative-inputs.schema.ts';
import { OFFLINE, Presence } from './representative-rules.schema.ts';

export async function createSkillIn(
  tx: Transaction<Database>,
  { ids, nowMs, businessUnitId, actor }: Writer,
  input: unknown,
): Promise<SkillRow> {
  const { name } = checkedInput(SkillInput, input, 'the skill');
  const row = { id: ids.id(), business_unit_id: businessUnitId, name, created_at_ms: nowMs };
  const made = await tx
    .insertInto('skills')
    .values(row)
    .onConflict((conflict) => conflict.columns(['business_unit_id', 'name']).doNothing())
    .returning('id')
    .execute();
  if (made.length === 0) {
    throw new DialerError('REQUEST_INVALID', `there is a skill named ${name} already`);
  }
  const event = { streamId: `skill:${row.id}`, type: 'skill.created', actor };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return row;
}

export async function createRepresentativeIn(
  tx: Transaction<Database>,
  writer: Writer,
  input: unknown,
): Promise<RepresentativeRow> {
  const { ids, nowMs, businessUnitId, actor } = writer;
  const checked = checkedInput(RepresentativeInput, input, 'the representative');
  const row: RepresentativeRow = {
    id: ids.id(),
    business_unit_id: businessUnitId,
    ...columnsOf(checked),
    ...{ sip_user: null, ha1_md5: null, ha1_sha256: null, dial_in_number: null, pin_hash: null },
    ...{ presence: OFFLINE, presence_at_ms: nowMs },
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
  await tx.insertInto('representatives').values(row).execute();
  await writeBelongings(tx, writer, row.id, checked);
  const event = { streamId: `representative:${row.id}`, type: 'representative.created', actor };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return row;
}

function columnsOf({ name, sipUri, capacityUnits }: RepresentativeInput) {
  return { name, sip_uri: sipUri, capacity_units: capacityUnits };
}

/** Queues and skills, in place of those there were. */
async function writeBelongings(
  tx: Transaction<Database>,
  { businessUnitId: business_unit_id }: Writer,
  representative_id: string,
  { queueIds, skills }: RepresentativeInput,
): Promise<void> {
  const skillIds = skills.map(({ skillId }) => skillId);
  if (new Set(skillIds).size < skillIds.length) {
    throw new DialerError('REQUEST_INVALID', '/skills names a skill twice');
  }
  await requireAll(tx, business_unit_id, 'queues', queueIds);
  await requireAll(tx, business_unit_id, 'skills', skillIds);
  for (const table of ['representative_queues', 'representative_skills'] as const) {
    await tx.deleteFrom(table).where('representative_id', '=', representative_id).execute();
  }
  if (queueIds.length > 0) {
    const rows = queueIds.map((queue_id) => ({ business_unit_id, representative_id, queue_id }));
    await tx.insertInto('representative_queues').values(rows).execute();
  }
  if (skills.length > 0) {
    const rows = skills.map(({ skillId: skill_id, proficiency }) => {
      return { business_unit_id, representative_id, skill_id, proficiency };
    });
    await tx.insertInto('representative_skills').values(rows).execute();
  }
}

async function requireAll(
  tx: Transaction<Database>,
  businessUnitId: string,
  table: 'queues' | 'skills',
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const rows = await tx
    .selectFrom(table)
    .select('id')
    .where('business_unit_id', '=', businessUnitId)
    .where('id', 'in', [...ids])
    .execute();
  const known = new Set(rows.map(({ id }) => id));
  const missing = ids.find((id) => !known.has(id));
  if (missing === undefined) return;
  throw new DialerError('NOT_FOUND', `there is no ${table.slice(0, -1)} ${missing}`);
}

/** As it was asked for, and would be asked for again. */
export async function representativeInput(
  db: Kysely<Database>,
  row: RepresentativeRow,
): Promise<RepresentativeInput> {
  const queues = await db
    .selectFrom('representative_queues')
    .select('queue_id')
    .where('representative_id', '=', row.id)
    .orderBy('queue_id')
    .execute();
  const skills = await db
    .selectFrom('representative_skills')
    .select(['skill_id', 'proficiency'])
    .where('representative_id', '=', row.id)
    .orderBy('skill_id')
    .execute();
  return {
    name: row.name,
    sipUri: row.sip_uri,
    queueIds: queues.map(({ queue_id }) => queue_id),
    skills: skills.map(({ skill_id: skillId, proficiency }) => ({ skillId, proficiency })),
    capacityUnits: row.capacity_units,
  };
}

export interface RepresentativeChange {
  readonly id: string;
  /** What the caller has seen. */
  readonly version: number;
  /** The whole of it, as it is to be. */
  readonly input: unknown;
}

export async function changeRepresentativeIn(
  tx: Transaction<Database>,
  writer: Writer,
  { id, version, input }: RepresentativeChange,
): Promise<RepresentativeRow> {
  const checked = checkedInput(RepresentativeInput, input, 'the representative');
  const { nowMs, businessUnitId, actor } = writer;
  const row = await tx
    .updateTable('representatives')
    .set({ ...columnsOf(checked), version: version + 1, updated_at_ms: nowMs })
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .where('version', '=', version)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw versionConflict('representative', id);
  await writeBelongings(tx, writer, id, checked);
  const event = { streamId: `representative:${id}`, type: 'representative.changed', actor };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return row;
}

/** Undefined when there is no such representative. Said twice, it is one change. */
export async function setPresenceIn(
  tx: Transaction<Database>,
  { nowMs, businessUnitId, actor }: Omit<Writer, 'ids' | 'database'>,
  id: string,
  wanted: unknown,
): Promise<RepresentativeRow | undefined> {
  const presence = checkedInput(Presence, wanted, 'the presence');
  const before = await tx
    .selectFrom('representatives')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (before === undefined || before.presence === presence) return before;
  const changed = { presence, presence_at_ms: nowMs, updated_at_ms: nowMs };
  await tx.updateTable('representatives').set(changed).where('id', '=', id).execute();
  await appendEvents(tx, businessUnitId, nowMs, [
    {
      streamId: `representative:${id}`,
      type: 'representative.presenceChanged',
      actor,
      before: { presence: before.presence },
      after: { presence },
    },
  ]);
  return { ...before, ...changed };
}
