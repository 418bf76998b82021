/**
 * What happened to people, for whoever acts on it: in order for each person, each once. Several workers
 * may take from it side by side.
 */
import { sql, type Selectable, type Transaction } from 'kysely';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { TriggerOccurrenceRow } from '../store/schema/segment-tables.ts';

export type Occurrence = Selectable<TriggerOccurrenceRow>;

/**
 * The oldest occurrence of each of up to `limit` people, held until the transaction ends: mark it
 * consumed in the same transaction, with what came of it. Somebody else's person is passed over.
 *
 * Of two that were written by transactions running side by side the one that was committed first may
 * be taken first: neither happened before the other.
 */
export async function takeOccurrences(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Transaction<Database>,
  limit: number,
): Promise<readonly Occurrence[]> {
  const heads = tx
    .selectFrom('trigger_occurrences as o')
    .selectAll('o')
    .where('o.consumed_at_ms', 'is', null)
    .where(
      sql<boolean>`not exists (select 1 from trigger_occurrences as earlier
        where earlier.contact_id = o.contact_id and earlier.consumed_at_ms is null
          and earlier.seq < o.seq)`,
    )
    .orderBy('o.seq')
    .limit(limit);
  return (kind === 'postgres' ? heads.forUpdate().skipLocked() : heads).execute();
}

export async function consumeOccurrences(
  tx: Transaction<Database>,
  occurrences: readonly Pick<Occurrence, 'seq'>[],
  nowMs: number,
): Promise<void> {
  if (occurrences.length === 0) return;
  const seqs = occurrences.map(({ seq }) => seq);
  await tx
    .updateTable('trigger_occurrences')
    .set({ consumed_at_ms: nowMs })
    .where('seq', 'in', seqs)
    .execute();
}

const FORGOTTEN_AT_ONCE = 5_000;

/** What has been kept for its time, consumed or not. To be called from time to time. */
export async function forgetOccurrences(
  { db }: Pick<OpenDatabase, 'db'>,
  nowMs: number,
): Promise<number> {
  for (let forgotten = 0; ;) {
    const gone = await db
      .deleteFrom('trigger_occurrences')
      .where('seq', 'in', (eb) =>
        eb
          .selectFrom('trigger_occurrences')
          .select('seq')
          .where('kept_until_ms', '<', nowMs)
          .limit(FORGOTTEN_AT_ONCE),
      )
      .executeTakeFirst();
    const count = Number(gone.numDeletedRows);
    forgotten += count;
    if (count < FORGOTTEN_AT_ONCE) return forgotten;
  }
}
