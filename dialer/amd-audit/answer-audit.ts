/** Somebody says who was there, and may think better of it: each answer is in the log, with who gave it. */
import type { Transaction } from 'kysely';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import { ownRow } from '../store/own-row.ts';
import type { AmdAuditRow } from '../store/schema/audit-tables.ts';
import type { Database } from '../store/schema/database.ts';
import { versionConflict } from '../store/version-conflict.ts';
import type { Heard } from './amd-sample.ts';

const WORDS = 'audit of an attempt';

export interface Answer {
  readonly id: string;
  /** What the auditor has seen. */
  readonly version: number;
  readonly heard: Heard;
}

/** Throws NOT_FOUND when this attempt of the business unit is not audited. */
export function amdAuditOf(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  id: string,
): Promise<AmdAuditRow> {
  return ownRow(db, businessUnitId, { table: 'amd_audits', words: WORDS }, id);
}

/**
 * The same answer once more changes nothing, whichever version it was made on: a request whose reply was
 * lost may be sent again. Throws NOT_FOUND, and VERSION_CONFLICT when another answer has been given since.
 */
export async function answerAmdAudit(
  tx: Transaction<Database>,
  { businessUnitId, nowMs, actor }: Writer,
  { id, version, heard }: Answer,
): Promise<AmdAuditRow> {
  const row = await amdAuditOf(tx, businessUnitId, id);
  if (row.heard === heard) return row;
  if (row.version !== version) throw versionConflict(WORDS, id, row.version);
  const after = await tx
    .updateTable('amd_audits')
    .set({ heard, heard_by: actor, heard_at_ms: nowMs, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version) // PostgreSQL: somebody else may have been faster
    .returningAll()
    .executeTakeFirst();
  if (after === undefined) throw versionConflict(WORDS, id);
  const event = {
    ...{ streamId: `amdAudit:${id}`, type: 'amdAudit.answered', actor },
    before: { heard: row.heard },
    after: { heard },
    payload: { attemptId: id, engagementId: row.engagement_id, verdict: row.verdict },
  };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return after;
}
