/** What runs and entries ask of people, for many of them at once: one moment's answer. */
import type { Selectable, Transaction } from 'kysely';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import {
  asksAnything,
  factsAsked,
  type Facts,
  type FactsAsked,
} from '../../../journey-core/interpreter/facts.ts';
import type { JsonValue } from '../../../journey-core/interpreter/json-value.ts';
import {
  columnsOf,
  PHONE_ATTRIBUTES,
  readContactValues,
  type ContactColumn,
  type PhoneAttribute,
} from '../../segments/contact-facets.ts';
import type { ContactRow } from '../../store/schema/contact-tables.ts';
import type { Database } from '../../store/schema/database.ts';
import { variantsOf, type VariantsOfContact } from '../analytics/variants.ts';
import { versionKey } from './journey-definitions.ts';

type Tx = Transaction<Database>;
type Db = Pick<Tx, 'selectFrom'>;

export const NO_FACTS: Facts = { attributes: {}, segments: [], variants: {} };

export interface FactsQuestion {
  readonly journey: Journey;
  readonly journeyId: string;
  readonly version: number;
  readonly businessUnitId: string;
  readonly contactId: string;
}

const asked = new WeakMap<Journey, FactsAsked>();

/** Remembered per object, as the graph of its steps is. */
export function factsAskedBy(journey: Journey): FactsAsked {
  const known = asked.get(journey) ?? factsAsked(journey);
  asked.set(journey, known);
  return known;
}

/** In the order of the questions. Of a person who is not there any more nothing is known. */
export async function readFactsOf(
  tx: Tx,
  questions: readonly FactsQuestion[],
  nowMs: number,
): Promise<readonly Facts[]> {
  const asking = questions.filter(({ journey }) => asksAnything(factsAskedBy(journey)));
  if (asking.length === 0) return questions.map(() => NO_FACTS);
  const attributes = await attributesOf(tx, asking);
  const segments = await segmentsOf(tx, asking);
  const variants = await variantsOfVersions(tx, asking, nowMs);
  return questions.map((question): Facts => {
    const { journey, businessUnitId, contactId } = question;
    const names = factsAskedBy(journey);
    if (!asksAnything(names)) return NO_FACTS;
    const values = attributes.get(contactId);
    const inside = segments.get(`${businessUnitId}/${contactId}`);
    return {
      attributes: Object.fromEntries(
        names.attributes.flatMap((name): [string, JsonValue][] => {
          const value = values?.get(name);
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      segments: names.segments.filter((name) => inside?.has(name) === true),
      variants: variants.get(versionKey(question))?.(contactId) ?? {},
    };
  });
}

async function attributesOf(
  db: Db,
  questions: readonly FactsQuestion[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, JsonValue>>> {
  const of = questions.filter(({ journey }) => factsAskedBy(journey).attributes.length > 0);
  if (of.length === 0) return new Map();
  const ids = [...new Set(of.map(({ contactId }) => contactId))];
  const journeys = new Set(of.map(({ journey }) => journey));
  const asked = new Set([...journeys].flatMap((journey) => factsAskedBy(journey).attributes));
  const phones = PHONE_ATTRIBUTES.filter((name) => asked.delete(name));
  const columns = [...columnsOf(asked), ...phones.map(pointColumn)];
  const contacts: readonly AskedContact[] = await db
    .selectFrom('contacts')
    .select(['id', ...columns])
    .where('id', 'in', ids)
    .execute();
  const numbers = await numbersOf(db, contacts, phones);
  return new Map(
    contacts.map((contact) => {
      const values = new Map<string, JsonValue>(readContactValues(contact, asked));
      for (const kind of phones) {
        const number = numbers.get(contact[pointColumn(kind)] ?? '');
        if (number !== undefined && number !== '') values.set(kind, number);
      }
      return [contact.id, values];
    }),
  );
}

type PointColumn = `${PhoneAttribute}_point_id`;
type AskedContact = Pick<Selectable<ContactRow>, 'id'> &
  Partial<Pick<Selectable<ContactRow>, ContactColumn | PointColumn>>;

function pointColumn(kind: PhoneAttribute): PointColumn {
  return `${kind}_point_id`;
}

async function numbersOf(
  db: Db,
  contacts: readonly AskedContact[],
  phones: readonly PhoneAttribute[],
): Promise<ReadonlyMap<string, string>> {
  const ids = contacts.flatMap((one) => phones.flatMap((kind) => one[pointColumn(kind)] ?? []));
  if (ids.length === 0) return new Map();
  const points = await db
    .selectFrom('contact_points')
    .select(['id', 'value'])
    .where('id', 'in', ids)
    .execute();
  return new Map(points.map(({ id, value }) => [id, value]));
}

/** Names of segments by `businessUnitId/contactId`. */
async function segmentsOf(
  db: Db,
  questions: readonly FactsQuestion[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const of = questions.filter(({ journey }) => factsAskedBy(journey).segments.length > 0);
  if (of.length === 0) return new Map();
  const names = new Set(of.flatMap(({ journey }) => factsAskedBy(journey).segments));
  const rows = await db
    .selectFrom('segment_members as m')
    .innerJoin('segments as s', 's.id', 'm.segment_id')
    .select(['s.business_unit_id as unit', 's.name as name', 'm.contact_id as contactId'])
    .where('s.name', 'in', [...names])
    .where('s.business_unit_id', 'in', [...new Set(of.map((one) => one.businessUnitId))])
    .where('m.contact_id', 'in', [...new Set(of.map(({ contactId }) => contactId))])
    .execute();
  const inside = new Map<string, Set<string>>();
  for (const { unit, name, contactId } of rows) {
    const key = `${unit}/${contactId}`;
    inside.set(key, (inside.get(key) ?? new Set()).add(name));
  }
  return inside;
}

async function variantsOfVersions(
  tx: Tx,
  questions: readonly FactsQuestion[],
  nowMs: number,
): Promise<ReadonlyMap<string, VariantsOfContact>> {
  const byVersion = new Map<string, FactsQuestion[]>();
  for (const one of questions) {
    if (factsAskedBy(one.journey).variantsOf.length === 0) continue;
    const key = versionKey(one);
    byVersion.set(key, [...(byVersion.get(key) ?? []), one]);
  }
  const variants = new Map<string, VariantsOfContact>();
  // In one order: a winner is written down by whoever finds it first.
  for (const [key, ofVersion] of [...byVersion].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const [first] = ofVersion;
    if (first === undefined) continue;
    const contactIds = ofVersion.map(({ contactId }) => contactId);
    const stepIds = factsAskedBy(first.journey).variantsOf;
    variants.set(key, await variantsOf(tx, nowMs, { ...first, stepIds, contactIds }));
  }
  return variants;
}
