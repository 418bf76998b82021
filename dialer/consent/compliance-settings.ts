/** Compliance profiles, purposes and topics: made and edited (spec A.17). */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import { checkedInput } from '../checked-input.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { mergePatch } from '../merge-patch.ts';
import type { ComplianceProfileRow, PurposeRow, TopicRow } from '../store/schema/consent-tables.ts';
import type { Database } from '../store/schema/database.ts';
import {
  createRow,
  refuseNameOfAnother,
  refuseTakenName,
  rowOf,
  rowToChange,
  writeChange,
  type Change,
} from '../store/versioned-row.ts';
import { ProfileInput, PurposeInput, TopicInput } from './consent.schema.ts';

type Tx = Transaction<Database>;

/** CNS-15: what every new profile begins with. */
const FIRST_PURPOSES = [
  { name: 'Commercial', type: 'commercial' },
  { name: 'Transactional', type: 'transactional' },
  { name: 'Tracking', type: 'tracking' },
] as const;

export async function createProfileIn(
  tx: Tx,
  writer: Writer,
  input: unknown,
): Promise<ComplianceProfileRow> {
  const columns = await profileColumns(tx, writer, input);
  const row = await createRow(tx, writer, 'compliance_profiles', columns);
  for (const { name, type } of FIRST_PURPOSES) {
    await createPurposeIn(tx, writer, { name, type, profileIds: [row.id] });
  }
  return row;
}

export async function changeProfile(
  tx: Tx,
  writer: Writer,
  change: Change,
): Promise<ComplianceProfileRow> {
  const row = await rowToChange(tx, writer, 'compliance_profiles', change);
  const input = mergePatch(profileInput(row), change.patch);
  const columns = await profileColumns(tx, writer, input, row.id);
  return writeChange(tx, writer, 'compliance_profiles', row, columns);
}

export function profileInput(row: ComplianceProfileRow) {
  return {
    name: row.name,
    companyAddress: row.company_address,
    preferenceCenter: row.preference_center,
    channels: JSON.parse(row.channels) as string[],
    quietTimeId: row.quiet_time_id,
    state: row.state,
  };
}

async function profileColumns(tx: Tx, writer: Writer, input: unknown, ownId?: string) {
  const checked = checkedInput(ProfileInput, input, 'the compliance profile');
  await refuseNameOfAnother(tx, writer, 'compliance_profiles', checked.name, ownId);
  const { quietTimeId } = checked;
  if (quietTimeId !== null) await rowOf(tx, writer.businessUnitId, 'quiet_times', quietTimeId);
  return {
    name: checked.name,
    company_address: checked.companyAddress,
    preference_center: checked.preferenceCenter,
    channels: JSON.stringify(checked.channels),
    quiet_time_id: quietTimeId,
    state: checked.state,
  };
}

export async function createPurposeIn(tx: Tx, writer: Writer, input: unknown): Promise<PurposeRow> {
  const { profileIds, ...columns } = await purposeColumns(tx, writer, input);
  const row = await createRow(tx, writer, 'purposes', columns);
  await linkPurpose(tx, writer, row.id, profileIds);
  return row;
}

/** Its type is what people consented to: it stays. */
export async function changePurpose(tx: Tx, writer: Writer, change: Change): Promise<PurposeRow> {
  const row = await rowToChange(tx, writer, 'purposes', change);
  const before = purposeInput(row, await profilesOfPurpose(tx, row.id));
  const input = mergePatch(before, change.patch);
  const { profileIds, ...columns } = await purposeColumns(tx, writer, input, row.id);
  if (columns.type !== row.type) {
    throw new DialerError('NOT_CHANGEABLE', 'type cannot be changed: make another purpose');
  }
  await tx.deleteFrom('compliance_profile_purposes').where('purpose_id', '=', row.id).execute();
  await linkPurpose(tx, writer, row.id, profileIds);
  return writeChange(tx, writer, 'purposes', row, columns);
}

export function purposeInput(row: PurposeRow, profileIds: readonly string[]) {
  const { name, type, enforcement, state } = row;
  return { name, type, enforcement, state, profileIds: [...profileIds] };
}

export async function profilesOfPurpose(
  db: Pick<Tx, 'selectFrom'>,
  purposeId: string,
): Promise<string[]> {
  const rows = await db
    .selectFrom('compliance_profile_purposes')
    .select('profile_id')
    .where('purpose_id', '=', purposeId)
    .orderBy('profile_id')
    .execute();
  return rows.map(({ profile_id: id }) => id);
}

async function purposeColumns(tx: Tx, writer: Writer, input: unknown, ownId?: string) {
  const { profileIds, ...columns } = checkedInput(PurposeInput, input, 'the purpose');
  for (const id of profileIds) {
    await rowOf(tx, writer.businessUnitId, 'compliance_profiles', id);
    refuseTakenName('purpose', columns.name, await purposesOfProfile(tx, id), ownId);
  }
  return { profileIds, ...columns };
}

export function purposesOfProfile(
  db: Pick<Tx, 'selectFrom'>,
  profileId: string,
): Promise<PurposeRow[]> {
  return db
    .selectFrom('purposes')
    .innerJoin('compliance_profile_purposes as link', 'link.purpose_id', 'purposes.id')
    .selectAll('purposes')
    .where('link.profile_id', '=', profileId)
    .orderBy('purposes.id')
    .execute();
}

async function linkPurpose(
  tx: Tx,
  { businessUnitId }: Writer,
  purposeId: string,
  profileIds: readonly string[],
): Promise<void> {
  const rows = profileIds.map((profileId) => {
    return { profile_id: profileId, purpose_id: purposeId, business_unit_id: businessUnitId };
  });
  await tx.insertInto('compliance_profile_purposes').values(rows).execute();
}

export async function createTopicIn(tx: Tx, writer: Writer, input: unknown): Promise<TopicRow> {
  return createRow(tx, writer, 'topics', await topicColumns(tx, writer, input));
}

/** It belongs to its purpose for good. */
export async function changeTopic(tx: Tx, writer: Writer, change: Change): Promise<TopicRow> {
  const row = await rowToChange(tx, writer, 'topics', change);
  const input = mergePatch(topicInput(row), change.patch);
  const columns = await topicColumns(tx, writer, input, row.id);
  if (columns.purpose_id !== row.purpose_id) {
    throw new DialerError('NOT_CHANGEABLE', 'purposeId cannot be changed: make another topic');
  }
  return writeChange(tx, writer, 'topics', row, columns);
}

export function topicInput({ name, purpose_id: purposeId, state }: TopicRow) {
  return { name, purposeId, state };
}

async function topicColumns(tx: Tx, writer: Writer, input: unknown, ownId?: string) {
  const { name, purposeId, state } = checkedInput(TopicInput, input, 'the topic');
  await rowOf(tx, writer.businessUnitId, 'purposes', purposeId);
  const topics = await tx
    .selectFrom('topics')
    .select(['id', 'name'])
    .where('purpose_id', '=', purposeId)
    .where('name', '=', name)
    .execute();
  refuseTakenName('topic', name, topics, ownId);
  return { name, purpose_id: purposeId, state };
}
