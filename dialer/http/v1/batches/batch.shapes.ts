/** Batches as `/v1` shows them: a file being fed into an engagement, and the rows it refused. */
import { Type } from 'typebox';
import { BATCH_STATUSES } from '../../../intake/batch.ts';
import type { BatchFailedRow, BatchRow } from '../../../store/schema/engagement-tables.ts';
import { Id, orNull, PAGE, pageOf, Time, timeText } from '../wire-types.ts';

const count = Type.Integer({ minimum: 0 });
const text = orNull(Type.String());

export const Batch = Type.Object(
  {
    id: Id,
    engagementId: Id,
    status: Type.Enum([...BATCH_STATUSES]),
    fileName: Type.String(),
    tasksCreated: count,
    contactsUpdated: count,
    failedRows: count,
    formatErrors: count,
    totalLines: count,
    lastLine: Type.Integer({
      description: 'Line of the file, from 1: every row up to it has been dealt with.',
      minimum: 0,
    }),
    errorCode: text,
    errorMessage: text,
    createdAt: Time,
    updatedAt: Time,
  },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a17',
        engagementId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a13',
        ...{ status: 'CompletedWithErrors', fileName: 'contacts.csv', tasksCreated: 59 },
        ...{ contactsUpdated: 0, failedRows: 1, formatErrors: 0, totalLines: 60, lastLine: 61 },
        ...{ errorCode: null, errorMessage: null },
        createdAt: '2026-03-02T15:00:00.000Z',
        updatedAt: '2026-03-02T15:00:01.000Z',
      },
    ],
  },
);
export const BatchPage = pageOf(Batch);
export const List = Type.Object(PAGE, { additionalProperties: false });

export function batchBody(row: BatchRow) {
  return {
    id: row.id,
    engagementId: row.engagement_id,
    status: row.status,
    fileName: row.source_name,
    tasksCreated: row.tasks_created,
    contactsUpdated: row.contacts_updated,
    failedRows: row.failed_rows,
    formatErrors: row.format_errors,
    totalLines: row.total_lines,
    lastLine: row.last_line,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}

const FailedRow = Type.Object(
  {
    line: Type.Integer({ description: 'Of the file, from 1: the header is 1.' }),
    column: text,
    code: Type.String(),
    message: Type.String({ description: 'Follows "line 7 "; holds no number.' }),
  },
  {
    examples: [
      {
        line: 7,
        column: 'MobilePhoneNumber',
        code: 'InvalidPhone',
        message: 'has too few or too many digits for its country',
      },
    ],
  },
);
export const FailedRowPage = pageOf(FailedRow);

export function failedRowBody(row: BatchFailedRow) {
  return { line: row.line, column: row.column_name, code: row.code, message: row.message };
}
