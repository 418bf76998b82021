/**
 * A contact list into an engagement, durably: rows are written in transactions of a few hundred, each
 * of which also says how far the file has been read. After a crash the same call goes on behind the
 * last row that is in the store. Tasks are ready as soon as their transaction is committed, so that
 * dialing begins while the file is still being read.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Writer } from '../engagements/create-engagement.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { BatchRow } from '../store/schema/engagement-tables.ts';
import type { IdSource } from '../ids/uuid7.ts';
import { readBatch, type BatchStatus } from './batch.ts';
import type { WindowsOf } from './batch-rows.ts';
import { beginBatch, endBatch, writeStep } from './batch-step.ts';
import { ContactsCsvError } from './contacts-csv-error.ts';
import {
  CONTACTS_BYTES_MAX,
  readContactsCsv,
  type BadRow,
  type ContactRow,
} from './contacts-csv.ts';
import type { DestinationRules } from './destination.ts';

export interface ImportOptions {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: () => number;
  readonly businessUnitId: string;
  readonly batchId: string;
  /** For the event log. */
  readonly actor: string;
  /** The file from its beginning; asked for twice, since its digest comes first. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly rules: DestinationRules;
  /** When each contact may be called. Default: from now for a day. */
  readonly windowsOf?: WindowsOf;
  readonly bytesMax?: number;
  readonly rowsPerTransaction?: number;
  /** After each transaction. */
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Stops between two transactions; what is written stays, and can be gone on with. */
  readonly signal?: AbortSignal;
}

export interface ImportProgress {
  readonly batchId: string;
  readonly engagementId: string;
  readonly status: BatchStatus;
  readonly tasksCreated: number;
  /** Rows whose contact existed before, also those that repeat an identifier of the file. */
  readonly contactsUpdated: number;
  readonly failedRows: number;
  /** Of the failed rows those that cannot be read as CSV. */
  readonly formatErrors: number;
  /** Rows read: without the header and empty lines. */
  readonly totalLines: number;
  /** Line of the file, from 1: every row up to it is in the store. */
  readonly lastLine: number;
}

export type ImportSummary = ImportProgress & {
  /** Why the file was refused, in one sentence. */
  readonly errorMessage: string | null;
};

const ROWS_PER_TRANSACTION = 500;
/** About two milliseconds of reading. */
const ROWS_PER_TURN = 50;

/**
 * Resolves when the batch is at its end: Completed, CompletedWithErrors, or Failed when the file
 * cannot be a contact list. Asked about a batch at its end it only answers. Rejects when the store
 * fails or the signal says so, and with a ContactsCsvError when the file is not the one begun with.
 */
export async function importBatch(options: ImportOptions): Promise<ImportSummary> {
  const { database, businessUnitId, batchId } = options;
  const before = await readBatch(database, businessUnitId, batchId);
  if (before.status !== 'NotStarted' && before.status !== 'InProgress') return summaryOf(before);
  const reading = await readHead(options);
  if (reading.refused !== undefined) {
    if (before.status === 'InProgress') throw reading.refused;
    return summaryOf(await endBatch(writerOf(options), batchId, reading.refused));
  }
  const batch = await beginBatch(writerOf(options), batchId, reading.digest);
  try {
    await importRows(options, batch, reading.rows);
  } catch (error) {
    if (!(error instanceof ContactsCsvError)) throw error;
    return summaryOf(await endBatch(writerOf(options), batchId, error));
  }
  return summaryOf(await endBatch(writerOf(options), batchId, null));
}

type Rows = AsyncGenerator<ContactRow | BadRow>;

/** Nothing is written before the size is known and the header read ([API-23]). */
async function readHead({
  open,
  rules,
  bytesMax = CONTACTS_BYTES_MAX,
}: ImportOptions): Promise<
  | { readonly refused: ContactsCsvError }
  | { readonly refused?: undefined; readonly digest: string; readonly rows: Rows }
> {
  const hash = createHash('sha256');
  for await (const chunk of open()) hash.update(chunk);
  try {
    const csv = await readContactsCsv(open(), {
      ...rules,
      warnsOfRange: false,
      bytesMax,
      identifier: 'required',
    });
    return { digest: hash.digest('hex'), rows: csv.rows };
  } catch (refused) {
    if (refused instanceof ContactsCsvError) return { refused };
    throw refused;
  }
}

type Step = readonly (ContactRow | BadRow)[];

/** While one step is being written the next is read: never more than two are held. */
async function importRows(options: ImportOptions, batch: BatchRow, rows: Rows): Promise<void> {
  const { rowsPerTransaction = ROWS_PER_TRANSACTION, windowsOf, signal, onProgress } = options;
  let written = Promise.resolve(batch);
  const write = async (before: BatchRow, step: Step): Promise<BatchRow> => {
    signal?.throwIfAborted();
    const after = await writeStep(writerOf(options), before, step, windowsOf);
    onProgress?.(summaryOf(after));
    return after;
  };
  try {
    for await (const step of stepsOf(rows, batch.last_line, rowsPerTransaction)) {
      const before = await written;
      written = write(before, step);
      written.catch(() => undefined); // heard below, or where the next step waits for it
    }
  } finally {
    await written;
  }
}

/** Rows that are not in the store yet, in steps; whoever else has work gets in between. */
async function* stepsOf(rows: Rows, afterLine: number, size: number): AsyncGenerator<Step> {
  let step: (ContactRow | BadRow)[] = [];
  let sinceYield = 0;
  for await (const row of rows) {
    if (row.line <= afterLine) continue;
    step.push(row);
    if (step.length >= size) {
      yield step;
      step = [];
    }
    sinceYield += 1;
    if (sinceYield < ROWS_PER_TURN) continue;
    sinceYield = 0;
    await nextTurn();
  }
  if (step.length > 0) yield step;
}

function writerOf({ database, ids, nowMs, businessUnitId, actor }: ImportOptions): Writer {
  return { database, ids, nowMs: nowMs(), businessUnitId, actor };
}

function summaryOf(row: BatchRow): ImportSummary {
  return {
    batchId: row.id,
    engagementId: row.engagement_id,
    status: row.status as BatchStatus,
    tasksCreated: row.tasks_created,
    contactsUpdated: row.contacts_updated,
    failedRows: row.failed_rows,
    formatErrors: row.format_errors,
    totalLines: row.total_lines,
    lastLine: row.last_line,
    errorMessage: row.error_message,
  };
}
