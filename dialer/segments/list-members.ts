/** Members of a list, given by hand. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import type { Database } from '../store/schema/database.ts';
import type { SegmentRow } from '../store/schema/segment-tables.ts';
import { rowOf } from '../store/versioned-row.ts';
import { enterSegment, leaveSegment, type SegmentName } from './change-members.ts';

type Tx = Transaction<Database>;

/** Throws NOT_CHANGEABLE for a rule: it finds its members by itself. */
export async function segmentOfList(
  tx: Pick<Tx, 'selectFrom'>,
  { businessUnitId }: Pick<Writer, 'businessUnitId'>,
  id: string,
): Promise<SegmentRow> {
  const row = await rowOf(tx, businessUnitId, 'segments', id);
  if (row.kind === 'static') return row;
  throw new DialerError('NOT_CHANGEABLE', `segment ${id} is a rule: it finds its own members`);
}

export interface AddedContacts {
  readonly added: number;
  /** Identifiers that no contact of the business unit has. */
  readonly unknown: readonly string[];
}

/** Below 1,000 at a time. */
export async function addContacts(
  tx: Tx,
  writer: Writer,
  segment: SegmentName,
  identifiers: readonly string[],
): Promise<AddedContacts> {
  const rows = await tx
    .selectFrom('contacts')
    .select(['id', 'unique_identifier'])
    .where('business_unit_id', '=', writer.businessUnitId)
    .where('unique_identifier', 'in', [...new Set(identifiers)])
    .execute();
  const known = new Set(rows.map((row) => row.unique_identifier));
  const ids = rows.map(({ id }) => id);
  const entered = await enterSegment(tx, writer, segment, ids);
  return { added: entered.length, unknown: identifiers.filter((one) => !known.has(one)) };
}

/** False when it was no member. */
export async function removeContact(
  tx: Tx,
  writer: Writer,
  segment: SegmentName,
  contactId: string,
): Promise<boolean> {
  return (await leaveSegment(tx, writer, segment, [contactId])).length === 1;
}
