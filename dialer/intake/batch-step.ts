/** What an import writes: its beginning, one transaction of rows after the other, its end. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import { upsertContacts } from '../contacts/upsert-contacts.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import type { Database } from '../store/schema/database.ts';
import type { BatchRow } from '../store/schema/engagement-tables.ts';
import { createTasks } from '../tasks/create-tasks.ts';
import { requireEngagement, type BatchStatus } from './batch.ts';
import { contactOf, taskOf, tooLong, windowsIn, type WindowsOf } from './batch-rows.ts';
import { ContactsCsvError } from './contacts-csv-error.ts';
import type { BadRow, BadRowCode, ContactRow } from './contacts-csv.ts';

/** Or where it goes on: throws a ContactsCsvError when it was begun with another file. */
export function beginBatch(
  { database, businessUnitId, nowMs, actor }: Writer,
  batchId: string,
  digest: string,
): Promise<BatchRow> {
  return database.db.transaction().execute(async (tx) => {
    const batch = await tx
      .updateTable('batches')
      .set({ status: 'InProgress' satisfies BatchStatus, updated_at_ms: nowMs })
      .where('id', '=', batchId)
      .where('status', 'in', ['NotStarted', 'InProgress'])
      .returningAll()
      .executeTakeFirstOrThrow();
    await requireEngagement(tx, businessUnitId, batch.engagement_id);
    if (batch.source_digest !== null && batch.source_digest !== digest) {
      throw new ContactsCsvError(
        'anotherFile',
        'The file is not the one that this batch was begun with: start another batch for it.',
      );
    }
    await tx
      .updateTable('batches')
      .set({ source_digest: digest })
      .where('id', '=', batchId)
      .execute();
    const type = batch.source_digest === null ? 'batch.started' : 'batch.resumed';
    const payload = { digest, lastLine: batch.last_line };
    await appendEvents(tx, businessUnitId, nowMs, [
      { streamId: `batch:${batchId}`, type, actor, payload },
    ]);
    return { ...batch, source_digest: digest };
  });
}

/** Faults of the file's text, counted apart from rows that are well formed and cannot be dialled. */
const FORMAT_CODES: ReadonlySet<BadRowCode> = new Set(['NotUtf8', 'BadQuotes', 'TooManyFields']);

/** One transaction. `batch` as the one before left it: another importer of the same batch is refused. */
export function writeStep(
  writer: Writer,
  batch: BatchRow,
  rows: readonly (ContactRow | BadRow)[],
  windowsOf?: WindowsOf,
): Promise<BatchRow> {
  return writer.database.db.transaction().execute(async (tx) => {
    const good: ContactRow[] = [];
    const bad: BadRow[] = [];
    for (const row of rows) {
      const fault = row.kind === 'bad' ? row : tooLong(row);
      if (fault !== undefined) bad.push(fault);
      else if (row.kind === 'contact') good.push(row);
    }
    const { created, updated } = await writeContacts(tx, writer, batch, good, windowsOf);
    await writeFailures(tx, batch, bad);
    return advance(tx, writer, batch, {
      tasks_created: batch.tasks_created + created,
      contacts_updated: batch.contacts_updated + updated,
      failed_rows: batch.failed_rows + bad.length,
      format_errors: batch.format_errors + bad.filter(({ code }) => FORMAT_CODES.has(code)).length,
      total_lines: batch.total_lines + rows.length,
      last_line: rows.at(-1)?.line ?? batch.last_line,
    });
  });
}

async function writeContacts(
  tx: Transaction<Database>,
  writer: Writer,
  batch: BatchRow,
  rows: readonly ContactRow[],
  windowsOf?: WindowsOf,
): Promise<{ readonly created: number; readonly updated: number }> {
  if (rows.length === 0) return { created: 0, updated: 0 };
  const engagement = await requireEngagement(tx, writer.businessUnitId, batch.engagement_id);
  const inputs = rows.map(({ contact }) => contactOf(contact));
  const contacts = await upsertContacts(tx, writer, inputs);
  const existing = contacts.filter(({ isNew }) => !isNew).map(({ id }) => id);
  const withTask = await contactsWithTask(tx, batch.id, existing);
  const tasks = rows.flatMap(({ contact }, index) => {
    const { id } = contacts[index] ?? { id: '' };
    const input = inputs[index];
    if (input === undefined || withTask.has(id)) return [];
    withTask.add(id); // a repeated identifier brings its contact up to date, and makes no second task
    return [{ ...taskOf(contact, input, id, batch.id), ...windowsIn(contact, windowsOf) }];
  });
  await createTasks(tx, writer, engagement, tasks);
  const made = new Set(contacts.filter(({ isNew }) => isNew).map(({ id }) => id));
  return { created: tasks.length, updated: rows.length - made.size };
}

/** Of these contacts those that an earlier row of the batch made a task for, also before a crash. */
async function contactsWithTask(
  tx: Transaction<Database>,
  batchId: string,
  contactIds: readonly string[],
): Promise<Set<string>> {
  if (contactIds.length === 0) return new Set();
  const rows = await tx
    .selectFrom('tasks')
    .select('contact_id')
    .where('batch_id', '=', batchId)
    .where('contact_id', 'in', [...new Set(contactIds)])
    .execute();
  return new Set(rows.map((row) => row.contact_id));
}

async function writeFailures(
  tx: Transaction<Database>,
  batch: BatchRow,
  rows: readonly BadRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .insertInto('batch_failed_rows')
    .values(
      rows.map(({ line, code, column = null, reason }) => ({
        ...{ batch_id: batch.id, business_unit_id: batch.business_unit_id, line, code },
        column_name: column,
        message: reason,
      })),
    )
    .execute();
}

async function advance(
  tx: Transaction<Database>,
  { nowMs }: Writer,
  batch: BatchRow,
  counters: Partial<BatchRow>,
): Promise<BatchRow> {
  const advanced = await tx
    .updateTable('batches')
    .set({ ...counters, updated_at_ms: nowMs })
    .where('id', '=', batch.id)
    .where('status', '=', 'InProgress' satisfies BatchStatus)
    .where('last_line', '=', batch.last_line)
    .returningAll()
    .executeTakeFirst();
  if (advanced !== undefined) return advanced;
  throw new DialerError('REQUEST_INVALID', `batch ${batch.id} is being imported by somebody else`);
}

/** `refusal`: the file is no contact list, or turned out to be none further down. */
export function endBatch(
  { database, businessUnitId, nowMs, actor }: Writer,
  batchId: string,
  refusal: ContactsCsvError | null,
): Promise<BatchRow> {
  return database.db.transaction().execute(async (tx) => {
    const batch = await tx
      .updateTable('batches')
      .set((eb) => ({
        status:
          refusal !== null
            ? ('Failed' satisfies BatchStatus)
            : eb
                .case()
                .when('failed_rows', '>', 0)
                .then('CompletedWithErrors' satisfies BatchStatus)
                .else('Completed' satisfies BatchStatus)
                .end(),
        error_code: refusal?.fault ?? null,
        error_message: refusal?.message ?? null,
        updated_at_ms: nowMs,
      }))
      .where('id', '=', batchId)
      .returningAll()
      .executeTakeFirstOrThrow();
    const { status, tasks_created, failed_rows, total_lines } = batch;
    const counts = {
      tasksCreated: tasks_created,
      failedRows: failed_rows,
      totalLines: total_lines,
    };
    const payload = { ...counts, ...(refusal === null ? {} : { fault: refusal.fault }) };
    await appendEvents(tx, businessUnitId, nowMs, [
      { streamId: `batch:${batchId}`, type: 'batch.ended', actor, after: { status }, payload },
    ]);
    return batch;
  });
}
