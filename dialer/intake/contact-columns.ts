/** Which column of a contact list holds what: names of spec A.9, case and punctuation ignored. */

export const CONTACT_FIELDS = [
  'UniqueIdentifier',
  'FirstName',
  'LastName',
  'MobilePhoneNumber',
  'BusinessPhoneNumber',
  'HomePhoneNumber',
  'Email',
  'PostalCode',
  'State',
  'Country',
  'AddressLine',
  'City',
  'TimeZone',
  'Priority',
  'AccountId',
] as const;

export type ContactField = (typeof CONTACT_FIELDS)[number];

export const PHONE_FIELDS = [
  'MobilePhoneNumber',
  'BusinessPhoneNumber',
  'HomePhoneNumber',
] as const satisfies readonly ContactField[];

export type PhoneField = (typeof PHONE_FIELDS)[number];

export interface ContactColumns {
  /** Index of the column of each field that the file has. */
  readonly fields: ReadonlyMap<ContactField, number>;
  /** Columns of no known name: they pass through under the name they have in the file. */
  readonly attributes: readonly { readonly name: string; readonly index: number }[];
  readonly warnings: readonly string[];
}

/** Short names that people give their columns, in `nameKey` form. */
const ALIASES: Readonly<Record<string, ContactField>> = {
  mobile: 'MobilePhoneNumber',
  mobilephone: 'MobilePhoneNumber',
  mobilenumber: 'MobilePhoneNumber',
  cell: 'MobilePhoneNumber',
  cellphone: 'MobilePhoneNumber',
  phone: 'MobilePhoneNumber',
  phonenumber: 'MobilePhoneNumber',
  number: 'MobilePhoneNumber',
  tel: 'MobilePhoneNumber',
  telephone: 'MobilePhoneNumber',
  telephonenumber: 'MobilePhoneNumber',
  businessphone: 'BusinessPhoneNumber',
  workphone: 'BusinessPhoneNumber',
  homephone: 'HomePhoneNumber',
  zip: 'PostalCode',
  zipcode: 'PostalCode',
  postcode: 'PostalCode',
  timezone: 'TimeZone',
};

const FIELD_BY_KEY = new Map(CONTACT_FIELDS.map((field) => [nameKey(field), field] as const));

/** `Mobile Phone-Number` and `mobilephonenumber` name one column. */
function nameKey(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** A full name wins over an alias wherever it stands; of two equals the first wins. */
export function contactColumns(header: readonly string[]): ContactColumns {
  const fields = new Map<ContactField, number>();
  const warnings: string[] = [];
  header.forEach((name, index) => {
    const field = FIELD_BY_KEY.get(nameKey(name));
    if (field !== undefined && !fields.has(field)) fields.set(field, index);
  });
  header.forEach((name, index) => {
    const field = ALIASES[nameKey(name)];
    if (field !== undefined && !fields.has(field)) fields.set(field, index);
  });
  const taken = new Set(fields.values());
  const attributes: { name: string; index: number }[] = [];
  header.forEach((name, index) => {
    if (taken.has(index) || name === '') return;
    if (attributes.some((attribute) => attribute.name === name)) {
      warnings.push(`column ${String(index + 1)} repeats the name '${name}' and is left out`);
    } else attributes.push({ name, index });
  });
  return { fields, attributes, warnings };
}
