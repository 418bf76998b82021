/**
 * A contact's attributes as conditions read them (spec G.4): text folded, numbers and dates read.
 *
 * SQLite folds the case of ASCII alone, PostgreSQL by the locale of its database, and neither reads
 * numbers and dates as conditions do. So every attribute is read here, by the code that judges
 * conditions in journeys, and the databases only compare what came of it.
 */
import type { Selectable } from 'kysely';
import { CONTACT_ATTRIBUTES } from '../../journey-core/definition/assets.schema.ts';
import { asInstantMs, asNumber } from '../../journey-core/interpreter/judge-test.ts';
import { own } from '../../journey-core/interpreter/json-value.ts';
import type { ContactRow } from '../store/schema/contact-tables.ts';

/** `folded` text; the `number` that it is; the `instant` that it is, epoch ms. */
export type FacetKind = 'folded' | 'number' | 'instant';

/** Dates without an offset are meant so, and so is the day of `on`. */
export const SEGMENT_TIME_ZONE = 'UTC';

/** Numbers are in contact_points alone, and are compared there. */
export const PHONE_ATTRIBUTES = ['mobile', 'business', 'home'] as const;
export type PhoneAttribute = (typeof PHONE_ATTRIBUTES)[number];

/** Beside the attributes that every contact has. Epoch ms. */
export const TIME_ATTRIBUTES = ['createdAt', 'updatedAt'] as const;

const COLUMN_OF = {
  uniqueIdentifier: 'unique_identifier',
  firstName: 'first_name',
  lastName: 'last_name',
  email: 'email',
  postalCode: 'postal_code',
  city: 'city',
  state: 'state',
  country: 'country',
  timeZone: 'time_zone',
} as const satisfies Readonly<Record<string, keyof ContactRow>>;

export function isPhoneAttribute(name: string): name is PhoneAttribute {
  return (PHONE_ATTRIBUTES as readonly string[]).includes(name);
}

export type ContactColumn =
  | (typeof COLUMN_OF)[keyof typeof COLUMN_OF]
  | 'external_attributes'
  | 'created_at_ms'
  | 'updated_at_ms';

const COLUMN_OF_NAME: ReadonlyMap<string, ContactColumn> = new Map<string, ContactColumn>([
  ...Object.entries(COLUMN_OF),
  ...[['createdAt', 'created_at_ms'] as const, ['updatedAt', 'updated_at_ms'] as const],
]);

/** Where `readContactValues` finds these attributes. */
export function columnsOf(names: Iterable<string>): readonly ContactColumn[] {
  const columns = new Set<ContactColumn>();
  for (const name of names) columns.add(COLUMN_OF_NAME.get(name) ?? 'external_attributes');
  return [...columns];
}

/** Those of `contactValues` that are named, from no more than their columns. */
export function readContactValues(
  contact: Partial<Pick<Selectable<ContactRow>, ContactColumn>>,
  names: Iterable<string>,
): ReadonlyMap<string, string | number> {
  const values = new Map<string, string | number>();
  let attributes: Readonly<Record<string, string>> | undefined;
  for (const name of names) {
    const column = COLUMN_OF_NAME.get(name);
    if (column !== undefined) {
      const value = contact[column];
      if (value !== undefined && value !== null) values.set(name, value);
      continue;
    }
    attributes ??= JSON.parse(contact.external_attributes ?? '{}') as Record<string, string>;
    const value = own(attributes, name);
    if (value !== undefined && !CONTACT_ATTRIBUTES.includes(name)) values.set(name, value);
  }
  return values;
}

/** A contact's own column wins over a pass-through attribute of the same name. */
export function contactValues(
  contact: Selectable<ContactRow>,
): ReadonlyMap<string, string | number> {
  const values = new Map<string, string | number>();
  const attributes = JSON.parse(contact.external_attributes) as Readonly<Record<string, string>>;
  for (const [name, value] of Object.entries(attributes)) {
    if (!CONTACT_ATTRIBUTES.includes(name)) values.set(name, value);
  }
  for (const [name, column] of Object.entries(COLUMN_OF)) {
    const value = contact[column];
    if (value !== null) values.set(name, value);
  }
  values.set('createdAt', contact.created_at_ms);
  values.set('updatedAt', contact.updated_at_ms);
  return values;
}

/** JSON object by `facetKey`; what is empty, or cannot be read so, is left out. */
export function facetsOf(contact: Selectable<ContactRow>): string {
  const facets: Record<string, string | number> = {};
  for (const [name, value] of contactValues(contact)) {
    const folded = foldedText(value);
    if (folded === '') continue;
    facets[facetKey('folded', name)] = folded;
    const number = asNumber(value);
    if (number !== undefined) facets[facetKey('number', name)] = number;
    const instant = asInstantMs(value, SEGMENT_TIME_ZONE);
    if (instant !== undefined) facets[facetKey('instant', name)] = instant;
  }
  return JSON.stringify(facets);
}

/** Letters and digits alone, whatever the name holds: it stands in paths of SQL. */
export function facetKey(kind: FacetKind, name: string): string {
  return `${kind.slice(0, 1)}${Buffer.from(name, 'utf8').toString('hex')}`;
}

/** Upper and lower case, and spaces around, make no difference. */
export function foldedText(value: string | number | boolean): string {
  return String(value).trim().toLowerCase();
}
