/** A file of consent: one statement a row, columns by name, read as it comes. */
import type { Channel } from '../../journey-core/definition/sending.schema.ts';
import { DAY_MS } from '../../journey-core/definition/duration.ts';
import { instantMs } from '../../journey-core/definition/instant.ts';
import { DialerError } from '../../machines/errors.ts';
import { ContactsCsvError } from '../intake/contacts-csv-error.ts';
import { csvRecords, type CsvFault, type CsvRecord } from '../intake/csv-records.ts';
import type { DestinationRules } from '../intake/destination.ts';
import { CONSENT_STATUSES, isChannel, type ConsentStatus } from './consent.schema.ts';
import { readAddress, type Address } from './contact-address.ts';

export interface ConsentRow {
  readonly kind: 'said';
  readonly line: number;
  readonly address: Address;
  readonly channel: Channel;
  /** Null: the one that was named for the whole file. */
  readonly purpose: string | null;
  readonly topic: string | null;
  readonly status: ConsentStatus;
  readonly source: string | null;
  readonly reason: string | null;
  readonly statedAtMs: number | null;
}

export interface BadConsentRow {
  readonly kind: 'bad';
  readonly line: number;
  /** Follows "line 7 "; holds no address. */
  readonly reason: string;
}

const COLUMNS = [
  'address',
  'channel',
  'purpose',
  'topic',
  'status',
  'source',
  'reason',
  'statedat',
] as const;
type Column = (typeof COLUMNS)[number];

const REQUIRED: readonly Column[] = ['address', 'channel', 'status'];
const TEXT_MAX: Readonly<Partial<Record<Column, number>>> = { source: 100, reason: 1_000 };

/** 50 MB: a million statements. Read in flat memory. */
export const CONSENT_BYTES_MAX = 50_000_000;

/** Throws CONTACTS_INVALID when the file as a whole is none of consent. */
export async function* consentRows(
  chunks: AsyncIterable<Uint8Array>,
  rules: DestinationRules,
): AsyncGenerator<ConsentRow | BadConsentRow> {
  let columns: ReadonlyMap<Column, number> | undefined;
  for await (const record of csvRecords(chunks, { bytesMax: CONSENT_BYTES_MAX })) {
    if (columns === undefined) {
      columns = columnsOf(record);
      continue;
    }
    if (record.kind === 'fault') {
      yield { kind: 'bad', line: record.line, reason: record.reason };
      continue;
    }
    if (record.fields.every((field) => field === '')) continue;
    yield readRow(record, columns, rules);
  }
  if (columns === undefined) throw new ContactsCsvError('empty', 'The file is empty.');
}

function columnsOf(record: CsvRecord | CsvFault): ReadonlyMap<Column, number> {
  if (record.kind === 'fault') {
    throw new ContactsCsvError('notCsv', `The header, line ${record.line}, ${record.reason}.`);
  }
  const names = record.fields.map((name) => name.toLowerCase().replaceAll(/[^a-z]/g, ''));
  const found = new Map<Column, number>();
  for (const column of COLUMNS) {
    const index = names.indexOf(column);
    if (index !== -1) found.set(column, index);
  }
  const missing = REQUIRED.filter((column) => !found.has(column));
  if (missing.length === 0) return found;
  throw new ContactsCsvError(
    'notCsv',
    `No column ${missing.join(', ')}: the first line names Address, Channel, Status, and may name ` +
      'Purpose, Topic, Source, Reason, StatedAt.',
  );
}

function readRow(
  { line, fields }: CsvRecord,
  columns: ReadonlyMap<Column, number>,
  rules: DestinationRules,
): ConsentRow | BadConsentRow {
  const bad = (reason: string): BadConsentRow => ({ kind: 'bad', line, reason });
  const field = (column: Column): string => fields[columns.get(column) ?? -1] ?? '';
  const textOrNull = (column: Column): string | null => field(column) || null;
  for (const [column, max] of Object.entries(TEXT_MAX) as [Column, number][]) {
    if (field(column).length > max) return bad(`has a ${column} of more than ${max} characters`);
  }
  const channel = field('channel').toLowerCase();
  if (!isChannel(channel)) return bad('names a channel that is not known');
  const status = CONSENT_STATUSES.find((one) => one.toLowerCase() === spelt(field('status')));
  if (status === undefined) return bad(`has a status that is none of ${CONSENT_STATUSES.join()}`);
  const statedAtMs = statedAt(field('statedat'), status);
  if (statedAtMs === undefined) {
    return bad('has a StatedAt that is not as 2026-03-05 or 2026-03-05T10:00:00Z');
  }
  // Without a date it would count as said now, and undo what was said since the list was made.
  if (status === 'optedIn' && statedAtMs === null) return bad('is an opt-in without StatedAt');
  if (field('address') === '') return bad('has no address');
  const address = addressOf(channel, field('address'), rules);
  if (typeof address === 'string') return bad(address);
  return {
    ...{ kind: 'said', line, address, channel, status, statedAtMs },
    ...{ purpose: textOrNull('purpose'), topic: textOrNull('topic') },
    ...{ source: textOrNull('source'), reason: textOrNull('reason') },
  };
}

/**
 * Epoch ms; null: not said; undefined: no date of ISO 8601. In UTC where no offset is named. Of other forms
 * nobody knows whether 02/01 is in January. A no that has only its day was said at the day's end at the
 * latest: no yes of that day is held against it.
 */
function statedAt(written: string, status: ConsentStatus): number | null | undefined {
  if (written === '') return null;
  const atMs = instantMs(written, 'UTC');
  if (atMs === undefined || status !== 'optedOut' || !DAY_ALONE.test(written)) return atMs;
  return atMs + DAY_MS - 1;
}

const DAY_ALONE = /^[0-9-]+$/;

/** `Opted in`, `opted-in` and `optedIn` are one. */
function spelt(status: string): string {
  return status.toLowerCase().replaceAll(/[^a-z]/g, '');
}

/** The address, or why it is none. */
function addressOf(channel: Channel, written: string, rules: DestinationRules): Address | string {
  try {
    return readAddress(channel, written, rules, '');
  } catch (error) {
    if (error instanceof DialerError) return error.message.replace(/^: /, 'has an address: ');
    throw error;
  }
}
