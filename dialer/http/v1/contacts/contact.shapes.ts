/** Contacts as `/v1` takes and shows them. */
import { Type } from 'typebox';
import type { Caller } from '../../../api-keys/api-keys.ts';
import type { ContactRow } from '../../../store/schema/contact-tables.ts';
import { Id, orNull, pageOf, shownNumber, Time, timeText } from '../wire-types.ts';

const short = (description: string, maxLength = 300) =>
  Type.Optional(Type.String({ description, minLength: 1, maxLength }));
const phone = (kind: string) =>
  Type.Optional(
    Type.String({
      description: `${kind} number, E.164 with plus, or local with the contact's country.`,
      minLength: 1,
      maxLength: 64,
    }),
  );

const example = {
  uniqueIdentifier: 'C-100',
  firstName: 'Ada',
  lastName: 'Roy',
  phones: { mobile: '+12025550143' },
  state: 'WA',
  country: 'US',
  timeZone: 'America/Los_Angeles',
  attributes: { Slot: '10:00' },
};

/** Longer attributes are refused with a code of their own. */
const ATTRIBUTE_READ_MAX = 100_000;
export const AttributeMap = Type.Record(
  Type.String(),
  Type.String({ maxLength: ATTRIBUTE_READ_MAX }),
  { description: 'Names with their texts: up to 100, of up to 4,000 characters.' },
);

export const editableContactFields = {
  firstName: short('First name.'),
  lastName: short('Last name.'),
  phones: Type.Optional(
    Type.Object(
      { mobile: phone('Mobile'), business: phone('Business'), home: phone('Home') },
      { additionalProperties: false },
    ),
  ),
  email: short('Email address.'),
  postalCode: short('Postal code.', 100),
  state: short('State or province.'),
  country: short('Country, ISO 3166-1 alpha-2 where numbers are local.', 100),
  city: short('City.'),
  addressLine: short('Street and house.'),
  timeZone: short('IANA zone.', 100),
  attributes: Type.Optional(AttributeMap),
};

const CONTACT_FIELDS = {
  uniqueIdentifier: Type.String({
    description: 'Yours: the same one again updates the contact.',
    minLength: 1,
    maxLength: 300,
  }),
  ...editableContactFields,
};

export const NewContact = Type.Object(CONTACT_FIELDS, {
  additionalProperties: false,
  examples: [example],
});
/** In a task: with windows of its own, which replace those of the task. */
export const contactFields = CONTACT_FIELDS;
export const contactExample = example;

const text = orNull(Type.String());

export const Contact = Type.Object(
  {
    id: Id,
    uniqueIdentifier: Type.String(),
    firstName: text,
    lastName: text,
    phones: Type.Object(
      { mobile: text, business: text, home: text },
      { description: 'Masked unless the key may see numbers.' },
    ),
    email: text,
    postalCode: text,
    state: text,
    country: text,
    city: text,
    addressLine: text,
    timeZone: text,
    attributes: Type.Record(Type.String(), Type.String()),
    version: Type.Integer(),
    createdAt: Time,
    updatedAt: Time,
  },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a14',
        ...example,
        phones: { mobile: '+1…43', business: null, home: null },
        email: null,
        postalCode: null,
        city: null,
        addressLine: null,
        version: 1,
        createdAt: '2026-03-02T15:00:00.000Z',
        updatedAt: '2026-03-02T15:00:00.000Z',
      },
    ],
  },
);
export const ContactPage = pageOf(Contact);

/** Numbers by the id of their contact point. */
export type Numbers = ReadonlyMap<string, string>;

export function contactBody(row: ContactRow, numbers: Numbers, caller: Caller) {
  const numberOf = (pointId: string | null): string | null => {
    const number = pointId === null ? undefined : numbers.get(pointId);
    return number === undefined ? null : shownNumber(caller, number);
  };
  return {
    id: row.id,
    uniqueIdentifier: row.unique_identifier,
    firstName: row.first_name,
    lastName: row.last_name,
    phones: {
      mobile: numberOf(row.mobile_point_id),
      business: numberOf(row.business_point_id),
      home: numberOf(row.home_point_id),
    },
    email: row.email,
    postalCode: row.postal_code,
    state: row.state,
    country: row.country,
    city: row.city,
    addressLine: row.address_line,
    timeZone: row.time_zone,
    attributes: JSON.parse(row.external_attributes) as Record<string, string>,
    version: row.version,
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}
