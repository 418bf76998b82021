/**
 * A contact list (spec A.9, F.7) from CSV bytes: refused as a whole when it cannot be one, else
 * row by row, so that the first call need not wait for the last row.
 */
import { IANAZone } from 'luxon';
import {
  contactColumns,
  PHONE_FIELDS,
  type ContactColumns,
  type ContactField,
  type PhoneField,
} from './contact-columns.ts';
import { ContactsCsvError } from './contacts-csv-error.ts';
import { csvRecords, type CsvFault, type CsvRecord } from './csv-records.ts';
import { readDestination, type DestinationRules } from './destination.ts';

export interface ContactPhone {
  readonly field: PhoneField;
  readonly destination: string;
}

export interface Contact {
  readonly uniqueIdentifier: string;
  /** At least one, in the order mobile, business, home. */
  readonly phones: readonly [ContactPhone, ...ContactPhone[]];
  /** The other columns of a known name that are not empty. */
  readonly fields: Readonly<Partial<Record<ContactField, string>>>;
  /** Columns of no known name, empty ones included. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ContactRow {
  readonly kind: 'contact';
  readonly line: number;
  readonly contact: Contact;
  readonly warnings: readonly string[];
}

/** Why a row makes no task (spec F.6), and what is wrong with the file itself. */
export type BadRowCode =
  | CsvFault['code']
  | 'TooManyFields'
  | 'MissingIdentifier'
  | 'IdentifierTooLong'
  | 'NoPhone'
  | 'InvalidPhone'
  | 'AttributeTooLong';

export interface BadRow {
  readonly kind: 'bad';
  readonly line: number;
  readonly code: BadRowCode;
  /** Where one column is to blame: its field, or its name in the file. */
  readonly column?: string;
  /** Follows "line 7 "; holds no telephone number. */
  readonly reason: string;
  /** The number as written, where the fault is one: for the caller to mask or to show. */
  readonly written?: string;
}

export interface ContactsCsv {
  readonly columns: ContactColumns;
  readonly rows: AsyncGenerator<ContactRow | BadRow>;
}

export interface ContactsCsvOptions extends DestinationRules {
  readonly bytesMax: number;
  /** Whether a file without UniqueIdentifier is refused, or its line numbers are taken instead. */
  readonly identifier: 'required' | 'lineNumber';
}

/** Spec F.7: 10 MB, read as the SI has it. */
export const CONTACTS_BYTES_MAX = 10_000_000;

/**
 * Reads up to the header and checks it. Throws a ContactsCsvError. So may the rows, once it shows
 * that the file is too large or full of open quotes: a caller that knows the size compares it with
 * `bytesMax` first.
 */
export async function readContactsCsv(
  chunks: AsyncIterable<Uint8Array>,
  options: ContactsCsvOptions,
): Promise<ContactsCsv> {
  const records = csvRecords(chunks, options);
  try {
    const { header, columns } = await readHeader(records, options);
    return { columns, rows: contactRows(records, header.length, columns, options) };
  } catch (error) {
    await records.return(undefined);
    throw error;
  }
}

async function readHeader(
  records: AsyncGenerator<CsvRecord | CsvFault>,
  options: ContactsCsvOptions,
): Promise<{ header: readonly string[]; columns: ContactColumns }> {
  const first = await records.next();
  if (first.done === true) {
    throw new ContactsCsvError('empty', 'The file is empty: it holds not even a header.');
  }
  if (first.value.kind === 'fault') {
    const { line, reason } = first.value;
    throw new ContactsCsvError('notCsv', `The header, line ${String(line)}, ${reason}.`);
  }
  const header = first.value.fields;
  const columns = contactColumns(header);
  checkColumns(header, columns, options);
  return { header, columns };
}

function checkColumns(
  header: readonly string[],
  { fields }: ContactColumns,
  options: ContactsCsvOptions,
): void {
  if (!PHONE_FIELDS.some((field) => fields.has(field))) {
    const found = header.map((name) => `'${withoutDigits(name)}'`).join(', ');
    throw new ContactsCsvError(
      'noPhoneColumn',
      `No phone column: name one MobilePhoneNumber, BusinessPhoneNumber, HomePhoneNumber, phone, ` +
        `number, mobile or tel in the first line. Columns found: ${found}.`,
    );
  }
  if (options.identifier === 'required' && !fields.has('UniqueIdentifier')) {
    throw new ContactsCsvError(
      'noIdentifierColumn',
      'No column UniqueIdentifier: it tells one contact from another.',
    );
  }
}

/** A file without header shows its first row here, telephone numbers and all. */
function withoutDigits(name: string): string {
  return name.length > 40 || /\d{5}/.test(name) ? '(looks like data, not a name)' : name;
}

async function* contactRows(
  records: AsyncGenerator<CsvRecord | CsvFault>,
  fieldsExpected: number,
  columns: ContactColumns,
  options: ContactsCsvOptions,
): AsyncGenerator<ContactRow | BadRow> {
  for await (const record of records) {
    if (record.kind === 'fault') {
      yield { kind: 'bad', line: record.line, code: record.code, reason: record.reason };
      continue;
    }
    if (record.fields.every((field) => field === '')) continue;
    yield contactRow(record, fieldsExpected, columns, options);
  }
}

function contactRow(
  { line, fields }: CsvRecord,
  fieldsExpected: number,
  columns: ContactColumns,
  options: ContactsCsvOptions,
): ContactRow | BadRow {
  const surplus = fields.slice(fieldsExpected);
  const counts = `${String(fields.length)} fields where the header has ${String(fieldsExpected)}`;
  if (surplus.some((field) => field !== '')) {
    return {
      kind: 'bad',
      line,
      code: 'TooManyFields',
      reason: `has ${counts}: a field that holds a separator needs quotes`,
    };
  }
  const warnings: string[] = [];
  if (fields.length < fieldsExpected) {
    warnings.push(`has ${counts}: those missing are taken as empty`);
  }
  const known = withKnownZone(knownFields(fields, columns), warnings);
  const { phones, refused } = readPhones(known, options, warnings);
  const uniqueIdentifier =
    known.UniqueIdentifier ?? (options.identifier === 'lineNumber' ? String(line) : undefined);
  if (uniqueIdentifier === undefined) {
    const why = { code: 'MissingIdentifier', reason: 'has no UniqueIdentifier' } as const;
    return { kind: 'bad', line, ...why, column: 'UniqueIdentifier' };
  }
  if (!hasPhone(phones)) {
    return { kind: 'bad', line, ...(refused ?? NO_PHONE) };
  }
  const contact = {
    uniqueIdentifier,
    phones,
    fields: known,
    attributes: attributesOf(fields, columns),
  };
  return { kind: 'contact', line, contact, warnings };
}

const NO_PHONE = { code: 'NoPhone', reason: 'has no telephone number' } as const;

type Refusal = Pick<BadRow, 'code' | 'column' | 'reason' | 'written'>;

function readPhones(
  known: Partial<Record<ContactField, string>>,
  options: ContactsCsvOptions,
  warnings: string[],
): { phones: ContactPhone[]; refused: Refusal | undefined } {
  const phones: ContactPhone[] = [];
  const refusals: Refusal[] = [];
  for (const field of PHONE_FIELDS) {
    const written = known[field];
    if (written === undefined) continue;
    const reading = readDestination(written, options);
    if ('problem' in reading) {
      const reason = `${field} ${reading.problem}`;
      refusals.push({ code: 'InvalidPhone', column: field, reason, written });
    } else {
      if (reading.warning !== undefined) warnings.push(`${field} ${reading.warning}`);
      phones.push({ field, destination: reading.destination });
    }
  }
  if (phones.length > 0) warnings.push(...refusals.map(({ reason }) => `${reason}; left out`));
  return { phones, refused: refusals[0] };
}

function hasPhone(phones: ContactPhone[]): phones is [ContactPhone, ...ContactPhone[]] {
  return phones.length > 0;
}

function knownFields(
  fields: readonly string[],
  columns: ContactColumns,
): Partial<Record<ContactField, string>> {
  const known: Partial<Record<ContactField, string>> = {};
  for (const [field, index] of columns.fields) {
    const value = fields[index] ?? '';
    if (value !== '') known[field] = value;
  }
  return known;
}

/** Hours are kept by it: a zone that nobody knows is none, and whose zone was known keeps it. */
function withKnownZone(
  known: Partial<Record<ContactField, string>>,
  warnings: string[],
): Partial<Record<ContactField, string>> {
  const { TimeZone: zone, ...rest } = known;
  if (zone === undefined || IANAZone.isValidZone(zone)) return known;
  warnings.push('TimeZone is not in the IANA data base (as America/New_York is); left out');
  return rest;
}

function attributesOf(fields: readonly string[], columns: ContactColumns): Record<string, string> {
  return Object.fromEntries(
    columns.attributes.map(({ name, index }) => [name, fields[index] ?? '']),
  );
}
