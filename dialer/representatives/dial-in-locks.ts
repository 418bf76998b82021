/**
 * Who guesses at the dial-in lobby is locked out: by the representative's number, whoever calls, and by
 * the caller, whichever numbers they try. Each try is counted before it is looked at, so that guesses
 * at one moment, at several gateways, are not more than guesses one after the other.
 */
import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../store/schema/database.ts';

/** Tries in a row that may fail for one number; one that is right begins anew. */
export const NUMBER_TRIES_MAX = 5;
/** From one caller, who may have mistyped for several people. */
export const SOURCE_TRIES_MAX = 10;
/** Failures are remembered for so long, and a lock lasts so long. ms */
export const LOCK_MS = 15 * 60_000;

export interface DialInSubjects {
  readonly number: string;
  readonly source: string;
}

/** False: one of the two is locked, and the try is not to be looked at. */
export async function countTry(
  db: Kysely<Database>,
  subjects: DialInSubjects,
  nowMs: number,
): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    // Both, in one order: two transactions never wait for each other.
    const isNumberFree = await take(tx, numberSubject(subjects), NUMBER_TRIES_MAX, nowMs);
    const isSourceFree = await take(tx, sourceSubject(subjects), SOURCE_TRIES_MAX, nowMs);
    return isNumberFree && isSourceFree;
  });
}

/** The try was right: it was no failure, and the number's earlier ones are forgotten. */
export async function forgetTries(db: Kysely<Database>, subjects: DialInSubjects): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .deleteFrom('dial_in_failures')
      .where('subject', '=', numberSubject(subjects))
      .execute();
    await tx
      .updateTable('dial_in_failures')
      .set((eb) => ({ failures: eb('failures', '-', 1) }))
      .where('subject', '=', sourceSubject(subjects))
      .where('failures', '>', 0)
      .execute();
  });
}

/** Those that have lapsed tell nothing any more, and hold (as a hash) who called. */
export async function forgetLapsed(db: Kysely<Database>, nowMs: number): Promise<void> {
  await db
    .deleteFrom('dial_in_failures')
    .where('since_ms', '<=', nowMs - LOCK_MS)
    .where('locked_until_ms', '<=', nowMs)
    .execute();
}

async function take(
  tx: Transaction<Database>,
  subject: string,
  triesMax: number,
  nowMs: number,
): Promise<boolean> {
  await tx
    .insertInto('dial_in_failures')
    .values({ subject, failures: 0, since_ms: nowMs, locked_until_ms: 0 })
    .onConflict((conflict) => conflict.column('subject').doNothing())
    .execute();
  // Changed before it is read, and so locked: another transaction waits here.
  const row = await tx
    .updateTable('dial_in_failures')
    .set((eb) => ({ failures: eb('failures', '+', 1) }))
    .where('subject', '=', subject)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (row.locked_until_ms > nowMs) return false;
  const isOld = row.since_ms <= nowMs - LOCK_MS;
  const failures = isOld || row.locked_until_ms > 0 ? 1 : row.failures;
  // The last try that may fail is still looked at; if it does, nothing is for a while.
  await tx
    .updateTable('dial_in_failures')
    .set({
      failures,
      since_ms: failures === 1 ? nowMs : row.since_ms,
      locked_until_ms: failures >= triesMax ? nowMs + LOCK_MS : 0,
    })
    .where('subject', '=', subject)
    .execute();
  return true;
}

function numberSubject({ number }: DialInSubjects): string {
  return `number:${number}`;
}

/** A caller's number is of no use here but to be told from another. */
function sourceSubject({ source }: DialInSubjects): string {
  return `source:${createHash('sha256').update(source).digest('hex')}`;
}
