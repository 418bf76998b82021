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
}

/**
 * Takes the numbers that nobody has and that have rested for `gapMinMs`. The answer names those that
 * are now ours alone; the others another attempt has, or had just now. Rows are locked in the order
 * of the numbers, so that two transactions that want the same ones never wait for each other.
 */
export async function takeNumbers(
  tx: Transaction<Database>,
  requests: readonly GuardRequest[],
  { nowMs, gapMinMs }: { readonly nowMs: number; readonly gapMinMs: number },
): Promise<ReadonlySet<string>> {
  if (requests.length === 0) return new Set();
  const inOrder = [...requests].sort((a, b) => (a.number < b.number ? -1 : 1));
  const taken = await tx
    .insertInto('number_guards')
    .values(
      inOrder.map(({ number, attemptId }) => ({
        number,
        in_flight_attempt_id: attemptId,
        last_attempt_at_ms: nowMs,
        previous_attempt_at_ms: 0,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .column('number')
        .doUpdateSet((eb) => ({
          in_flight_attempt_id: eb.ref('excluded.in_flight_attempt_id'),
          last_attempt_at_ms: eb.ref('excluded.last_attempt_at_ms'),
          previous_attempt_at_ms: eb.ref('number_guards.last_attempt_at_ms'),
        }))
        .where('number_guards.in_flight_attempt_id', 'is', null)
        .where('number_guards.last_attempt_at_ms', '<=', nowMs - gapMinMs),
    )
    .returning('number')
    .execute();
  return new Set(taken.map(({ number }) => number));
}

/**
 * The attempt is over: the number may be dialled again after its gap. When no INVITE left
 * (`wasTried` false) the gap counts from the attempt before it, since nobody was rung. Done twice,
 * or for an attempt that holds no number, it changes nothing. Found by the attempt: its contact
 * point may have been erased while the call was up.
 */
export function releaseQuery(
  tx: Transaction<Database>,
  { attemptId, wasTried }: { readonly attemptId: string; readonly wasTried: boolean },
) {
  return tx
    .updateTable('number_guards')
    .set((eb) => ({
      in_flight_attempt_id: null,
      ...(wasTried ? {} : { last_attempt_at_ms: eb.ref('previous_attempt_at_ms') }),
    }))
    .where('in_flight_attempt_id', '=', attemptId);
}
