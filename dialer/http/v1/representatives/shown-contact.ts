/** A contact as representatives see it, before a call and during it. */
import { Type, type Static } from 'typebox';
import type { ContactRow } from '../../../store/schema/contact-tables.ts';
import { Id, orNull } from '../wire-types.ts';

const text = orNull(Type.String());

export const Texts = Type.Record(Type.String(), Type.String());

export const ShownContact = Type.Object({
  id: Id,
  uniqueIdentifier: Type.String(),
  firstName: text,
  lastName: text,
  email: text,
  city: text,
  state: text,
  country: text,
  timeZone: text,
  attributes: Texts,
});

/** An example. */
export const SHOWN_CONTACT: Static<typeof ShownContact> = {
  id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a41',
  uniqueIdentifier: 'C-100',
  firstName: 'Ada',
  lastName: 'Roy',
  email: null,
  city: 'Seattle',
  state: 'WA',
  country: 'US',
  timeZone: 'America/Los_Angeles',
  attributes: { Slot: '10:00' },
};

export function shownContact(contact: ContactRow): Static<typeof ShownContact> {
  return {
    id: contact.id,
    uniqueIdentifier: contact.unique_identifier,
    firstName: contact.first_name,
    lastName: contact.last_name,
    email: contact.email,
    city: contact.city,
    state: contact.state,
    country: contact.country,
    timeZone: contact.time_zone,
    attributes: JSON.parse(contact.external_attributes) as Record<string, string>,
  };
}
