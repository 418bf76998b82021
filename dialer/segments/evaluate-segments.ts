/**
 * Finding who is in a segment now. Contacts are looked at a page at a time, without a lock; only those
 * that have to enter or to leave are written, and asked about once more as they are.
 */
import { sql, type Transaction } from 'kysely';
import type { Condition } from '../../journey-core/definition/condition.schema.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import type { Database } from '../store/schema/database.ts';
import type { SegmentRow } from '../store/schema/segment-tables.ts';
import { conditionSql } from './condition-sql.ts';
import { enterSegment, leaveSegment } from './change-members.ts';
import { segmentsNamed } from './segment-condition.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;
type Holds = ReturnType<typeof conditionSql>;

export interface Differences {
  readonly entering: readonly string[];
  readonly leaving: readonly string[];
  /** The last contact of the page; null: there are no more. */
  readonly lastId: string | null;
}

export interface Moved {
  readonly entered: number;
  readonly left: number;
}

export async function holdsOf(
  db: Db,
  { database, nowMs, businessUnitId }: Pick<Writer, 'database' | 'nowMs' | 'businessUnitId'>,
  condition: Condition,
): Promise<Holds> {
  const segmentIds = await segmentsNamed(db, businessUnitId, condition);
  return conditionSql(condition, { database, nowMs, segmentIds });
}

/** Contacts of the business unit that fit, by id. `c` and `f` are what a condition's SQL names. */
export function fitting(db: Db, businessUnitId: string, holds: Holds) {
  return db
    .selectFrom('contacts as c')
    .innerJoin('contact_facets as f', 'f.contact_id', 'c.id')
    .where('c.business_unit_id', '=', businessUnitId)
    .where(holds);
}

/** A page of contacts behind `afterId`: whose membership is not what the condition says. */
export async function pageOfDifferences(
  db: Db,
  { id, business_unit_id: businessUnitId }: SegmentRow,
  holds: Holds,
  { afterId, limit }: { readonly afterId: string; readonly limit: number },
): Promise<Differences> {
  const rows = await db
    .selectFrom('contacts as c')
    .innerJoin('contact_facets as f', 'f.contact_id', 'c.id')
    .leftJoin('segment_members as own', (join) =>
      join.onRef('own.contact_id', '=', 'c.id').on('own.segment_id', '=', id),
    )
    .select([
      'c.id as id',
      'own.contact_id as member',
      sql<number>`case when ${holds} then 1 else 0 end`.as('fits'),
    ])
    .where('c.business_unit_id', '=', businessUnitId)
    .where('c.id', '>', afterId)
    .orderBy('c.id')
    .limit(limit)
    .execute();
  const fits = rows.map((row) => ({ ...row, fits: row.fits === 1 }));
  return {
    entering: fits.filter((row) => row.fits && row.member === null).map((row) => row.id),
    leaving: fits.filter((row) => !row.fits && row.member !== null).map((row) => row.id),
    lastId: rows.length < limit ? null : (rows.at(-1)?.id ?? null),
  };
}

/** Asks again, in the transaction: contacts may have changed since the page was read. */
export async function settleDifferences(
  tx: Transaction<Database>,
  writer: Writer,
  segment: SegmentRow,
  holds: Holds,
  { entering, leaving }: Pick<Differences, 'entering' | 'leaving'>,
): Promise<Moved> {
  const asked = [...entering, ...leaving];
  if (asked.length === 0) return { entered: 0, left: 0 };
  const found = await fitting(tx, writer.businessUnitId, holds)
    .select('c.id as id')
    .where('c.id', 'in', asked)
    .execute();
  const fit = new Set(found.map(({ id }) => id));
  const entered = await enterSegment(
    tx,
    writer,
    segment,
    entering.filter((id) => fit.has(id)),
  );
  const left = await leaveSegment(
    tx,
    writer,
    segment,
    leaving.filter((id) => !fit.has(id)),
  );
  return { entered: entered.length, left: left.length };
}

/** Some contacts against one segment, now: those that changed, against one that is ongoing. */
export async function settleContacts(
  tx: Transaction<Database>,
  writer: Writer,
  segment: SegmentRow,
  contactIds: readonly string[],
): Promise<Moved> {
  // A round of the same segment waits, or is waited for: neither undoes what the other has seen.
  if (writer.database.kind === 'postgres') {
    await tx.selectFrom('segments').select('id').where('id', '=', segment.id).forUpdate().execute();
  }
  const holds = await holdsOf(tx, writer, JSON.parse(segment.condition ?? '') as Condition);
  const members = await tx
    .selectFrom('segment_members')
    .select('contact_id')
    .where('segment_id', '=', segment.id)
    .where('contact_id', 'in', [...contactIds])
    .execute();
  const leaving = members.map(({ contact_id: id }) => id);
  const inside = new Set(leaving);
  const entering = contactIds.filter((id) => !inside.has(id));
  return settleDifferences(tx, writer, segment, holds, { entering, leaving });
}
