/** Transactions of several workers over the same rows: PostgreSQL may end one for another's sake. */
import type { Transaction } from 'kysely';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';

/** SQLSTATE: deadlock detected, serialization failure. */
const AGAIN = ['40P01', '40001'];
const TIMES_MAX = 5;

/** `work` is done again from its beginning when the transaction was the one that had to give way. */
export async function inTransaction<T>(
  { db }: Pick<OpenDatabase, 'db'>,
  work: (tx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  for (let times = 1; ; times += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      const code = (error as { readonly code?: unknown } | null)?.code;
      if (times >= TIMES_MAX || typeof code !== 'string' || !AGAIN.includes(code)) throw error;
    }
  }
}
