/** From rows of a file to contacts and tasks. */
import type { ContactInput } from '../contacts/upsert-contacts.ts';
import type { Window } from '../eligibility/window.ts';
import type { PhoneType } from '../engagements/engagement-config.schema.ts';
import type { TaskInput } from '../tasks/create-tasks.ts';
import type { ContactField, PhoneField } from './contact-columns.ts';
import type { BadRow, Contact, ContactRow } from './contacts-csv.ts';

const PHONE_TYPE = {
  MobilePhoneNumber: 'mobile',
  BusinessPhoneNumber: 'business',
  HomePhoneNumber: 'home',
} as const satisfies Record<PhoneField, PhoneType>;

/** Columns that update the contact's own fields; what is empty in the file leaves them alone. */
const CONTACT_FIELD = {
  FirstName: 'firstName',
  LastName: 'lastName',
  Email: 'email',
  PostalCode: 'postalCode',
  State: 'state',
  Country: 'country',
  AddressLine: 'addressLine',
  City: 'city',
  TimeZone: 'timeZone',
} as const satisfies Partial<Record<ContactField, keyof ContactInput>>;

type ContactText = (typeof CONTACT_FIELD)[keyof typeof CONTACT_FIELD];

const FIELDS = Object.entries(CONTACT_FIELD) as [keyof typeof CONTACT_FIELD, ContactText][];

/** Spec F.6 and A.7: lengths that a column has in the API too. */
const IDENTIFIER_CHARS_MAX = 300;
const VALUE_CHARS_MAX = 4_000;
const KEYWORD_CHARS_MAX = 850;

/** Undefined when the row can be stored as it is. */
export function tooLong({ line, contact }: ContactRow): BadRow | undefined {
  if (contact.uniqueIdentifier.length > IDENTIFIER_CHARS_MAX) {
    const reason = `has a UniqueIdentifier of more than ${IDENTIFIER_CHARS_MAX} characters`;
    return { kind: 'bad', line, code: 'IdentifierTooLong', column: 'UniqueIdentifier', reason };
  }
  const name = longOne(contact.fields) ?? longOne(contact.attributes);
  if (name === undefined) return undefined;
  const limits = `${VALUE_CHARS_MAX} characters, or a name of more than ${KEYWORD_CHARS_MAX}`;
  const column = name.slice(0, 100);
  const reason = `has an attribute of more than ${limits}`;
  return { kind: 'bad', line, code: 'AttributeTooLong', column, reason };
}

function longOne(attributes: Readonly<Record<string, string>>): string | undefined {
  for (const name in attributes) {
    const { length } = attributes[name] ?? '';
    if (length > VALUE_CHARS_MAX || name.length > KEYWORD_CHARS_MAX) return name;
  }
  return undefined;
}

export function contactOf(contact: Contact): ContactInput {
  const { uniqueIdentifier, phones, fields } = contact;
  const known: Partial<Record<ContactText, string>> = {};
  for (const [column, field] of FIELDS) {
    const value = fields[column];
    if (value !== undefined) known[field] = value;
  }
  const numbers: Partial<Record<PhoneType, string>> = {};
  for (const { field, destination } of phones) numbers[PHONE_TYPE[field]] = destination;
  const externalAttributes = passedThrough(contact);
  return { uniqueIdentifier, ...known, phones: numbers, externalAttributes };
}

/** `input` is the contact as this row gave it: what passes through is offered to the AI agent too. */
export function taskOf(
  { fields }: Contact,
  { externalAttributes = {} }: ContactInput,
  contactId: string,
  batchId: string,
): TaskInput {
  const { Priority: priorityValue } = fields;
  return {
    contactIds: [contactId],
    source: 'file',
    batchId,
    ...(priorityValue === undefined ? {} : { priorityValue }),
    inputAttributes: externalAttributes,
  };
}

/** When a contact of a file may be called. */
export type WindowsOf = (contact: Contact) => readonly Window[];

export function windowsIn(
  contact: Contact,
  windowsOf: WindowsOf | undefined,
): Pick<TaskInput, 'windows'> {
  return windowsOf === undefined ? {} : { windows: windowsOf(contact) };
}

/** Columns of no known name that say something, and the account, which nothing else holds. */
function passedThrough({ attributes, fields }: Contact): Record<string, string> {
  const filled: Record<string, string> = {};
  for (const name in attributes) {
    const value = attributes[name] ?? '';
    if (value !== '') filled[name] = value;
  }
  if (fields.AccountId !== undefined) filled['AccountId'] = fields.AccountId;
  return filled;
}
