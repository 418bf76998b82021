/** Something happened to people: written in the transaction of what it tells, so that none is lost. */
import type { Transaction } from 'kysely';
import type { Values } from '../../journey-core/interpreter/json-value.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { insertMany } from '../store/insert-many.ts';
import type { Database } from '../store/schema/database.ts';

export type OccurrenceKind = 'custom' | 'business' | 'interaction' | 'segment';

export interface NewOccurrence {
  /** Default: a new one. Given twice it is written once. */
  readonly id?: string;
  /** The trigger's name, as journeys have it. */
  readonly trigger: string;
  readonly kind: OccurrenceKind;
  readonly contactId: string;
  /** Ids and typed values, never a phone number. */
  readonly payload: Values;
  /** Default: now. */
  readonly occurredAtMs?: number;
  /** Default: 30. */
  readonly keptDays?: number;
}

export const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

/** Answers their ids in order. */
export async function addOccurrences(
  tx: Transaction<Database>,
  { ids, nowMs, businessUnitId, actor }: Pick<Writer, 'ids' | 'nowMs' | 'businessUnitId' | 'actor'>,
  occurrences: readonly NewOccurrence[],
): Promise<readonly string[]> {
  const rows = occurrences.map((one) => ({
    id: one.id ?? ids.id(),
    business_unit_id: businessUnitId,
    trigger_name: one.trigger,
    kind: one.kind,
    contact_id: one.contactId,
    payload: JSON.stringify(one.payload),
    occurred_at_ms: one.occurredAtMs ?? nowMs,
    recorded_at_ms: nowMs,
    recorded_by: actor,
    kept_until_ms: nowMs + (one.keptDays ?? KEPT_DAYS) * DAY_MS,
  }));
  await insertMany(tx, 'trigger_occurrences', rows, {
    ending: 'on conflict (business_unit_id, id) do nothing',
  });
  return rows.map(({ id }) => id);
}
