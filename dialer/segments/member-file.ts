/** A file of members into a list, while it comes in; in flat memory, some hundred rows a transaction. */
import type { Writer } from '../engagements/create-engagement.ts';
import { ContactsCsvError } from '../intake/contacts-csv-error.ts';
import { csvRecords } from '../intake/csv-records.ts';
import type { SegmentRow } from '../store/schema/segment-tables.ts';
import { addContacts, segmentOfList } from './list-members.ts';

export interface MemberFile {
  rowsRead: number;
  added: number;
  unknown: number;
  firstUnknownLines: number[];
}

export const MEMBERS_BYTES_MAX = 50_000_000;
const ROWS_PER_TRANSACTION = 400;
const LINES_SHOWN = 100;

interface Row {
  readonly line: number;
  readonly identifier: string;
}

/** Throws CONTACTS_INVALID when it is no such file; what was read before stays. */
export async function readMemberFile(
  writer: Writer,
  segmentId: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<MemberFile> {
  const segment = await segmentOfList(writer.database.db, writer, segmentId);
  const read: MemberFile = { rowsRead: 0, added: 0, unknown: 0, firstUnknownLines: [] };
  let column: number | undefined;
  let rows: Row[] = [];
  for await (const record of csvRecords(chunks, { bytesMax: MEMBERS_BYTES_MAX })) {
    if (column === undefined) {
      column = record.kind === 'fault' ? -1 : columnOf(record.fields);
      if (column !== -1) continue;
      const message = 'No column UniqueIdentifier: it tells one contact from another.';
      throw new ContactsCsvError('noIdentifierColumn', message);
    }
    const identifier = record.kind === 'fault' ? '' : (record.fields[column] ?? '');
    rows.push({ line: record.line, identifier });
    if (rows.length < ROWS_PER_TRANSACTION) continue;
    await take(writer, segment, rows, read);
    rows = [];
  }
  if (column === undefined) throw new ContactsCsvError('empty', 'The file is empty.');
  await take(writer, segment, rows, read);
  return read;
}

function columnOf(header: readonly string[]): number {
  return header.findIndex((name) => name.toLowerCase().replaceAll(/[^a-z]/g, '') === COLUMN);
}
const COLUMN = 'uniqueidentifier';

async function take(
  writer: Writer,
  segment: SegmentRow,
  rows: readonly Row[],
  read: MemberFile,
): Promise<void> {
  const identifiers = rows.map(({ identifier }) => identifier);
  const { added, unknown } = await writer.database.db
    .transaction()
    .execute((tx) => addContacts(tx, writer, segment, identifiers));
  const missing = new Set(unknown);
  const lines = rows.filter(({ identifier }) => missing.has(identifier)).map(({ line }) => line);
  read.rowsRead += rows.length;
  read.added += added;
  read.unknown += lines.length;
  read.firstUnknownLines.push(...lines.slice(0, LINES_SHOWN - read.firstUnknownLines.length));
}
