/** A contact of the store as the person of a simulation: what it has, is in, said and was sent. */
import type { Transaction } from 'kysely';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import type { SimulatedPerson } from '../../../journey-core/simulation/simulation-inputs.schema.ts';
import { DialerError } from '../../../machines/errors.ts';
import { consentRecords, optOutsOf } from '../../consent/decide-for-point.ts';
import { addressKey, findPoints } from '../../consent/contact-address.ts';
import { commercialSends } from '../../consent/sends.ts';
import { contactValues } from '../../segments/contact-facets.ts';
import type { ContactRow } from '../../store/schema/contact-tables.ts';
import type { Database } from '../../store/schema/database.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

export interface SimulatedContact {
  readonly person: SimulatedPerson;
  /** In the answer they are shown as the caller may see them. */
  readonly numbers: readonly string[];
}

interface Point {
  readonly id: string;
  readonly kind: 'mobile' | 'business' | 'home' | 'email';
  readonly value: string;
  readonly isUsable: boolean;
}

/** `journeyId`: whether and when the contact entered it last counts for entering it again. */
export async function simulatedContact(
  db: Db,
  businessUnitId: string,
  { contactId, journeyId, nowMs }: { contactId: string; journeyId: string; nowMs: number },
  journey: Journey,
): Promise<SimulatedContact> {
  const contact = await db
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', contactId)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (contact === undefined) throw new DialerError('NOT_FOUND', `there is no contact ${contactId}`);
  const points = await pointsOf(db, businessUnitId, contact);
  const kindOf = new Map(points.map(({ id, kind }) => [id, kind]));
  const ids = points.map(({ id }) => id);
  const consents = await consentsOf(db, businessUnitId, ids, journey);
  const sent = await commercialSends(db, ids, nowMs);
  const last = await db
    .selectFrom('journey_runs')
    .select((eb) => eb.fn.max('entered_at_ms').as('atMs'))
    .where('journey_id', '=', journeyId)
    .where('contact_id', '=', contactId)
    .where('is_test', '=', 0)
    .executeTakeFirst();
  const { time_zone: timeZone, country, state } = contact;
  const lastMs = last?.atMs ?? null;
  const person: SimulatedPerson = {
    id: contactId,
    attributes: Object.fromEntries(contactValues(contact)),
    ...(timeZone === null ? {} : { timeZone }),
    ...(country === null ? {} : { country }),
    ...(state === null ? {} : { state }),
    contactPoints: points.map(({ kind, value, isUsable }) => ({ kind, value, isUsable })),
    segments: await segmentsOf(db, contactId),
    consents: consents.map((record) => ({
      contactPoint: kindOf.get(record.contactPointId) ?? '',
      ...{ channel: record.channel, purpose: record.purpose, status: record.status },
      ...(record.topic === null ? {} : { topic: record.topic }),
      at: new Date(record.modifiedAtMs).toISOString(),
    })),
    sent: sent.map(({ contactPointId, channel, atMs }) => ({
      contactPoint: kindOf.get(contactPointId) ?? '',
      ...{ channel, at: new Date(atMs).toISOString() },
    })),
    ...(lastMs === null ? {} : { lastEnteredAt: new Date(lastMs).toISOString() }),
  };
  return { person, numbers: points.map(({ value }) => value) };
}

const FIELDS = [
  ['mobile', 'mobile_point_id'],
  ['business', 'business_point_id'],
  ['home', 'home_point_id'],
] as const satisfies readonly (readonly [Point['kind'], keyof ContactRow])[];

/** A number on the opt-out list counts as one that cannot be used: nobody would be called there. */
async function pointsOf(db: Db, businessUnitId: string, contact: ContactRow): Promise<Point[]> {
  const ids = FIELDS.flatMap(([, column]) => contact[column] ?? []);
  const optedOut = await optOutsOf(db, businessUnitId, ids);
  const rows =
    ids.length === 0
      ? []
      : await db.selectFrom('contact_points').selectAll().where('id', 'in', ids).execute();
  const phones = FIELDS.flatMap(([kind, column]): Point[] => {
    const row = rows.find(({ id }) => id === contact[column]);
    if (row === undefined || row.value === '') return [];
    const isUsable = row.invalid_since_ms === null && !optedOut.has(row.id);
    return [{ id: row.id, kind, value: row.value, isUsable }];
  });
  const email = contact.email?.trim().toLowerCase() ?? '';
  if (email === '') return phones;
  const address = { kind: 'email', value: email } as const;
  const known = await findPoints(db, businessUnitId, [address]);
  const id = known.get(addressKey(address)) ?? '';
  return [...phones, { id, kind: 'email', value: email, isUsable: true }];
}

/** For the profiles that the journey names. */
async function consentsOf(
  db: Db,
  businessUnitId: string,
  pointIds: readonly string[],
  { steps, assets }: Journey,
) {
  const names = [
    ...steps.flatMap((step) => (step.type === 'voice' ? [step.compliance.profile] : [])),
    ...(assets?.messages ?? []).map(({ compliance }) => compliance.profile),
  ];
  if (names.length === 0) return [];
  const profiles = await db
    .selectFrom('compliance_profiles')
    .select('id')
    .where('business_unit_id', '=', businessUnitId)
    .where('name', 'in', [...new Set(names)])
    .execute();
  const found = new Map<string, Awaited<ReturnType<typeof consentRecords>>[number]>();
  for (const { id } of profiles) {
    const records = await consentRecords(db, businessUnitId, id, pointIds);
    for (const record of records) found.set(record.id, record);
  }
  return [...found.values()];
}

async function segmentsOf(db: Db, contactId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('segment_members as m')
    .innerJoin('segments as s', 's.id', 'm.segment_id')
    .select('s.name')
    .where('m.contact_id', '=', contactId)
    .execute();
  return rows.map(({ name }) => name);
}
