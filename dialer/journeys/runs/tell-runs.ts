/** What runs are told: rows of their inbox, written in the transaction of what they tell. */
import type { Transaction } from 'kysely';
import type { JourneyEvent } from '../../../journey-core/interpreter/events.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import { insertMany } from '../../store/insert-many.ts';
import type { Database } from '../../store/schema/database.ts';

export interface ToldRun {
  readonly runId: string;
  /** Of this telling, over all runs: told twice by one id, it is told once. */
  readonly id: string;
  readonly event: JourneyEvent;
  /** When it happened; what came before a limit counts, though the run hears it after. Default: now. */
  readonly atMs?: number;
}

/**
 * Each run takes in what it was told in the order of the rows, one event at a time. Telling a run that
 * has ended is harmless; one that does not exist any more never hears it.
 */
export async function tellRuns(
  tx: Transaction<Database>,
  { businessUnitId, nowMs }: Pick<Writer, 'businessUnitId' | 'nowMs'>,
  told: readonly ToldRun[],
): Promise<void> {
  const rows = told.map(({ runId, id, event, atMs = nowMs }) => ({
    ...{ id, business_unit_id: businessUnitId, run_id: runId },
    ...{ event: JSON.stringify(event), created_at_ms: atMs },
  }));
  await insertMany(tx, 'journey_run_events', rows, { ending: 'on conflict (id) do nothing' });
}
