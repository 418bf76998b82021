/**
 * Never two attempts in flight to one number, and a pause between two: over all engagements of all
 * business units. Taken in the transaction that writes the attempt, so that neither is without the
 * other.
 */
import type { Transaction } from 'kysely';
import type { Database } from './schema/database.ts';

export interface NumberFacts {
  readonly isInFlight: boolean;
  readonly lastAttemptAtMs: number | null;
}

/** What is known of the numbers now. Numbers never dialled are not in the answer. */
export async function readNumberFacts(
  tx: Transaction<Database>,
  numbers: readonly string[],
): Promise<ReadonlyMap<string, NumberFacts>> {
  if (numbers.length === 0) return new Map();
  const rows = await tx
    .selectFrom('number_guards')
    .selectAll()
    .where('number', 'in', [...numbers])
    .execute();
  return new Map(
    rows.map((row) => [
      row.number,
      { isInFlight: row.in_flight_attempt_id !== null, lastAttemptAtMs: row.last_attempt_at_ms },
    ]),
  );
}

export interface GuardRequest {
  readonly number: string;
  readonly attemptId: string;
  readonly nowMs: number;
  readonly gapMinMs: number;
}

/** True when the number is now ours alone; false when another attempt has it, or had it just now. */
export async function takeNumber(
  tx: Transaction<Database>,
  { number, attemptId, nowMs, gapMinMs }: GuardRequest,
): Promise<boolean> {
  const taken = await tx
    .insertInto('number_guards')
    .values({
      number,
      in_flight_attempt_id: attemptId,
      last_attempt_at_ms: nowMs,
      previous_attempt_at_ms: 0,
    })
    .onConflict((conflict) =>
      conflict
        .column('number')
        .doUpdateSet((eb) => ({
          in_flight_attempt_id: attemptId,
          last_attempt_at_ms: nowMs,
          previous_attempt_at_ms: eb.ref('number_guards.last_attempt_at_ms'),
        }))
        .where('number_guards.in_flight_attempt_id', 'is', null)
        .where('number_guards.last_attempt_at_ms', '<=', nowMs - gapMinMs),
    )
    .returning('number')
    .executeTakeFirst();
  return taken !== undefined;
}

/**
 * The attempt is over: the number may be dialled again after its gap. When no INVITE left
 * (`wasTried` false) the gap counts from the attempt before it, since nobody was rung. Done twice,
 * or for an attempt that does not hold the number, it changes nothing.
 */
export async function releaseNumber(
  tx: Transaction<Database>,
  { number, attemptId, wasTried }: { number: string; attemptId: string; wasTried: boolean },
): Promise<void> {
  await tx
    .updateTable('number_guards')
    .set((eb) => ({
      in_flight_attempt_id: null,
      ...(wasTried ? {} : { last_attempt_at_ms: eb.ref('previous_attempt_at_ms') }),
    }))
    .where('number', '=', number)
    .where('in_flight_attempt_id', '=', attemptId)
    .execute();
}
