/**
 * The contacts that are dialled, as the list that the dialer's intake takes: the specified column
 * names, an identifier in every row, each number once and in its final form.
 */
import { PHONE_FIELDS } from '../../dialer/intake/contact-columns.ts';
import type { Contact } from '../../dialer/intake/contacts-csv.ts';
import type { ContactList } from './contact-tasks.ts';

export function intakeFile({ columns, tasks }: ContactList): Buffer {
  const fields = [...columns.fields.keys()].filter((field) => !isWrittenAnyway.has(field));
  const attributes = columns.attributes.map(({ name }) => name);
  const header = ['UniqueIdentifier', ...PHONE_FIELDS, ...fields, ...attributes];
  const rows = tasks.flatMap(({ contact, refusal }) => {
    if (contact === undefined || refusal !== undefined) return [];
    return [
      [
        contact.uniqueIdentifier,
        ...PHONE_FIELDS.map((field) => numberOf(contact, field)),
        ...fields.map((field) => contact.fields[field] ?? ''),
        ...attributes.map((name) => contact.attributes[name] ?? ''),
      ],
    ];
  });
  return Buffer.from([header, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join(''));
}

const isWrittenAnyway: ReadonlySet<string> = new Set(['UniqueIdentifier', ...PHONE_FIELDS]);

function numberOf({ phones }: Contact, field: string): string {
  return phones.find((phone) => phone.field === field)?.destination ?? '';
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
