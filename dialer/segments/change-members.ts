/**
 * Who enters and who leaves. Written together: the members, their count, and an occurrence for each
 * person, which is how journeys hear of it.
 */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { insertMany } from '../store/insert-many.ts';
import type { Database } from '../store/schema/database.ts';
import { addOccurrences, type NewOccurrence } from '../triggers/add-occurrences.ts';

/** As journeys know them; carries the segment's name and id. */
export const SEGMENT_ENTERED = 'segmentEntered';
export const SEGMENT_LEFT = 'segmentLeft';

export interface SegmentName {
  readonly id: string;
  readonly name: string;
}

/** Those of the contacts that were not in it before. Below 1,000 at a time. */
export async function enterSegment(
  tx: Transaction<Database>,
  writer: Writer,
  segment: SegmentName,
  contactIds: readonly string[],
): Promise<readonly string[]> {
  const rows = [...new Set(contactIds)].sort().map((contactId) => ({
    segment_id: segment.id,
    contact_id: contactId,
    business_unit_id: writer.businessUnitId,
    entered_at_ms: writer.nowMs,
  }));
  const made = await insertMany<'segment_members', { contact_id: string }>(
    tx,
    'segment_members',
    rows,
    { ending: 'on conflict (segment_id, contact_id) do nothing returning contact_id' },
  );
  const entered = made.map(({ contact_id: id }) => id).sort();
  await count(tx, segment, entered.length);
  await tell(tx, writer, segment, SEGMENT_ENTERED, entered);
  return entered;
}

/** Those of the contacts that were in it. */
export async function leaveSegment(
  tx: Transaction<Database>,
  writer: Writer,
  segment: SegmentName,
  contactIds: readonly string[],
): Promise<readonly string[]> {
  if (contactIds.length === 0) return [];
  const gone = await tx
    .deleteFrom('segment_members')
    .where('segment_id', '=', segment.id)
    .where('contact_id', 'in', [...contactIds])
    .returning('contact_id')
    .execute();
  const left = gone.map(({ contact_id: id }) => id).sort();
  await count(tx, segment, -left.length);
  await tell(tx, writer, segment, SEGMENT_LEFT, left);
  return left;
}

async function count(tx: Transaction<Database>, { id }: SegmentName, more: number): Promise<void> {
  if (more === 0) return;
  const counted = await tx
    .updateTable('segments')
    .set((eb) => ({ member_count: eb('member_count', '+', more) }))
    .where('id', '=', id)
    .returning('id')
    .execute();
  if (counted.length === 0) throw new DialerError('NOT_FOUND', `there is no segment ${id}`);
}

async function tell(
  tx: Transaction<Database>,
  writer: Writer,
  { id, name }: SegmentName,
  trigger: string,
  contactIds: readonly string[],
): Promise<void> {
  const occurrences = contactIds.map((contactId): NewOccurrence => {
    return { trigger, kind: 'segment', contactId, payload: { Segment: name, SegmentId: id } };
  });
  await addOccurrences(tx, writer, occurrences);
}
