/** Drafts that were asked for: kept with their answer, the verdict on it, and what became of them. */
import type { Transaction } from 'kysely';
import { DAY_MS } from '../../../journey-core/definition/duration.ts';
import type { JourneyDraft } from '../../../journey-core/draft/draft-answer.ts';
import { DialerError } from '../../../machines/errors.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import type { OpenDatabase } from '../../store/open-database.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyDraftRequestRow } from '../../store/schema/journey-tables.ts';
import type { CheckOptions } from '../lifecycle/check-journey.ts';
import { createJourneyIn, type EditedJourney } from '../lifecycle/edit-journey.ts';
import type { MadeDraft } from './draft-with-model.ts';

type Tx = Transaction<Database>;

export interface StoredAnswer {
  readonly draft: JourneyDraft;
  readonly model: MadeDraft['model'];
}

export async function keepDraft(
  tx: Tx,
  { ids, businessUnitId, nowMs }: Writer,
  prompt: string,
  { draft, madeBy, model }: MadeDraft,
): Promise<JourneyDraftRequestRow> {
  const answer: StoredAnswer = { draft, model };
  const row: JourneyDraftRequestRow = {
    // PostgreSQL takes no NUL.
    ...{ id: ids.id(), business_unit_id: businessUnitId, prompt: withoutNul(prompt) },
    ...{ made_by: madeBy, answer: withoutNul(JSON.stringify(answer)), journey_id: null },
    ...{ feedback: null, comment: null, created_at_ms: nowMs, updated_at_ms: nowMs },
  };
  await tx.insertInto('journey_draft_requests').values(row).execute();
  return row;
}

function withoutNul(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').replaceAll('\\u0000', '\\ufffd');
}

/** Throws NOT_FOUND. */
export async function draftRequest(
  db: Pick<Tx, 'selectFrom'>,
  businessUnitId: string,
  id: string,
): Promise<JourneyDraftRequestRow> {
  const row = await db
    .selectFrom('journey_draft_requests')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw new DialerError('NOT_FOUND', `there is no journey draft ${id}`);
  return row;
}

export function answerOf(row: JourneyDraftRequestRow): StoredAnswer {
  return JSON.parse(row.answer) as StoredAnswer;
}

export interface AskedJourney {
  readonly id: string;
  /** Default: that of the draft. */
  readonly name?: string | undefined;
  readonly owner?: string | undefined;
}

/**
 * Makes a journey of it: an unpublished one. Throws NOT_CHANGEABLE when the draft has no journey, or one was made of
 * it already; REQUEST_INVALID when the name is taken.
 */
export async function journeyOfDraft(
  tx: Tx,
  writer: Writer,
  { id, name, owner }: AskedJourney,
  options: CheckOptions,
): Promise<EditedJourney> {
  const request = await draftRequest(tx, writer.businessUnitId, id);
  if (request.journey_id !== null) {
    const detail = `journey ${request.journey_id} was made of this draft already`;
    throw new DialerError('NOT_CHANGEABLE', detail);
  }
  const { journey } = answerOf(request).draft;
  if (journey === null) {
    const detail = 'nothing to do was understood in the text: there is no journey to make';
    throw new DialerError('NOT_CHANGEABLE', detail);
  }
  const definition = { ...journey, ...(name === undefined ? {} : { name }) };
  const made = await createJourneyIn(tx, writer, { definition, owner }, options);
  await tx
    .updateTable('journey_draft_requests')
    .set({ journey_id: made.row.id, updated_at_ms: writer.nowMs })
    .where('id', '=', id)
    .execute();
  return made;
}

export interface DraftFeedback {
  readonly verdict: 'up' | 'down';
  readonly comment?: string | undefined;
}

/** The last one given holds. Throws NOT_FOUND. */
export async function giveFeedback(
  tx: Tx,
  { businessUnitId, nowMs }: Writer,
  id: string,
  { verdict, comment = '' }: DraftFeedback,
): Promise<JourneyDraftRequestRow> {
  const row = await draftRequest(tx, businessUnitId, id);
  const set = {
    feedback: verdict,
    comment: comment === '' ? null : withoutNul(comment),
    updated_at_ms: nowMs,
  };
  await tx.updateTable('journey_draft_requests').set(set).where('id', '=', id).execute();
  return { ...row, ...set };
}

export const DRAFT_KEPT_DAYS = 90;

/**
 * Those that nobody has touched for so long: neither made, judged nor turned into a journey. The journeys
 * stay. Answers how many were forgotten. To be called from time to time.
 */
export async function forgetDrafts(
  { db }: Pick<OpenDatabase, 'db'>,
  nowMs: number,
  keptDays = DRAFT_KEPT_DAYS,
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('journey_draft_requests')
    .where('updated_at_ms', '<', nowMs - keptDays * DAY_MS)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
