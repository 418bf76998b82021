/** Consent as it is shown: records with their addresses, and all that there is of one person. */
import type { Selectable, Transaction } from 'kysely';
import type { ConsentRecordRow, ConsentStatementRow } from '../store/schema/consent-tables.ts';
import type { ContactPointRow, ContactRow } from '../store/schema/contact-tables.ts';
import type { Database } from '../store/schema/database.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

export async function pointsById(
  db: Db,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Selectable<ContactPointRow>>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('contact_points')
    .selectAll()
    .where('id', 'in', [...new Set(ids)])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** The numbers and the e-mail address that a contact has now. */
export async function pointIdsOfContact(
  db: Db,
  contact: Selectable<ContactRow>,
): Promise<string[]> {
  const phones = [contact.mobile_point_id, contact.business_point_id, contact.home_point_id];
  const email = contact.email?.trim().toLowerCase() ?? '';
  const found =
    email === ''
      ? undefined
      : await db
          .selectFrom('contact_points')
          .select('id')
          .where('business_unit_id', '=', contact.business_unit_id)
          .where('kind', '=', 'email')
          .where('value', '=', email)
          .executeTakeFirst();
  return [...new Set([...phones, found?.id ?? null].filter((id) => id !== null))];
}

export interface ConsentOfContact {
  readonly records: readonly Selectable<ConsentRecordRow>[];
  readonly statements: readonly Selectable<ConsentStatementRow>[];
  readonly optOuts: readonly {
    readonly id: string;
    readonly contact_point_id: string;
    readonly source: string;
    readonly created_at_ms: number;
    readonly removed_at_ms: number | null;
  }[];
}

/** For the person who asks what is kept of them: what holds, and everything that was ever said. */
export async function consentOfContact(
  db: Db,
  contact: Selectable<ContactRow>,
): Promise<ConsentOfContact> {
  const { business_unit_id: businessUnitId } = contact;
  const points = await pointIdsOfContact(db, contact);
  const records = await db
    .selectFrom('consent_records')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where('version', '>', 0)
    .where((eb) =>
      eb.or([
        eb('contact_id', '=', contact.id),
        ...(points.length === 0 ? [] : [eb('contact_point_id', 'in', points)]),
      ]),
    )
    .orderBy('id')
    .execute();
  const ids = records.map(({ id }) => id);
  const statements =
    ids.length === 0
      ? []
      : await db
          .selectFrom('consent_statements')
          .selectAll()
          .where('record_id', 'in', ids)
          .orderBy('id')
          .execute();
  const optOuts =
    points.length === 0
      ? []
      : await db
          .selectFrom('opt_outs')
          .innerJoin('contact_points as point', 'point.value', 'opt_outs.number')
          .select([
            'opt_outs.id as id',
            'point.id as contact_point_id',
            'opt_outs.source as source',
            'opt_outs.created_at_ms as created_at_ms',
            'opt_outs.removed_at_ms as removed_at_ms',
          ])
          .where('opt_outs.business_unit_id', '=', businessUnitId)
          .where('point.kind', '=', 'phone')
          .where('point.id', 'in', points)
          .orderBy('opt_outs.id')
          .execute();
  return { records, statements, optOuts };
}
