/** A contact as a request describes it, made into what is stored: numbers and time zone are checked. */
import { IANAZone } from 'luxon';
import { DialerError } from '../../machines/errors.ts';
import { PHONE_TYPES, type PhoneType } from '../engagements/engagement-config.schema.ts';
import { asRegion, readDestination, type DestinationRules } from '../intake/destination.ts';
import type { ContactInput } from './upsert-contacts.ts';

/** As it is asked for: numbers in any form that people write. */
export interface ContactEntry extends Omit<ContactInput, 'externalAttributes'> {
  readonly attributes?: ContactInput['externalAttributes'];
}

/** Spec F.6 and A.7. */
export const VALUE_CHARS_MAX = 4_000;
export const KEYWORD_CHARS_MAX = 850;
export const ATTRIBUTES_MAX = 100;

/**
 * Throws what is wrong with it, never repeating a number. `place` names it in the message. A number
 * without country code belongs to the contact's country.
 */
export function contactEntry(
  { attributes, phones = {}, ...rest }: ContactEntry,
  rules: DestinationRules,
  place: string,
): ContactInput {
  const { timeZone, country } = rest;
  if (timeZone !== undefined && !IANAZone.isValidZone(timeZone)) {
    throw new DialerError('TIME_ZONE_INVALID', `${place}: timeZone is not in the IANA data base`);
  }
  checkAttributes(attributes, place);
  const region = country === undefined ? undefined : asRegion(country);
  const local = region === undefined ? rules : { ...rules, defaultRegion: region };
  const numbers: Partial<Record<PhoneType, string>> = {};
  for (const type of PHONE_TYPES) {
    const written = phones[type];
    if (written === undefined) continue;
    const read = readDestination(written, { ...local, warnsOfRange: false });
    if ('problem' in read) {
      throw new DialerError('PHONE_INVALID', `${place}: the ${type} number ${read.problem}`);
    }
    numbers[type] = read.destination;
  }
  return {
    ...rest,
    phones: numbers,
    ...(attributes === undefined ? {} : { externalAttributes: attributes }),
  };
}

export function checkAttributes(
  attributes: Readonly<Record<string, string>> | undefined,
  place: string,
): void {
  const entries = Object.entries(attributes ?? {});
  if (entries.length > ATTRIBUTES_MAX) {
    const detail = `${place}: there are more than ${ATTRIBUTES_MAX} attributes`;
    throw new DialerError('ATTRIBUTES_TOO_MANY', detail);
  }
  for (const [name, value] of entries) {
    if (name.length <= KEYWORD_CHARS_MAX && value.length <= VALUE_CHARS_MAX) continue;
    const shown = name.slice(0, 40);
    const limits = `${VALUE_CHARS_MAX} characters, or its name more than ${KEYWORD_CHARS_MAX}`;
    throw new DialerError('ATTRIBUTE_TOO_LONG', `${place}: ${shown} has more than ${limits}`);
  }
}
