/**
 * Statements of a transaction that do not need each other's answers. On SQLite they cross to the
 * store's thread in one message, which is most of what a small statement costs; on PostgreSQL, whose
 * driver wants one at a time, they run one after the other.
 */
import { CompiledQuery, PostgresAdapter, type Compilable, type Transaction } from 'kysely';
import type { Database } from './schema/database.ts';

export type Runnable = Compilable | CompiledQuery;

/** What the SQLite driver finds under a query that stands for several. */
const parts = new WeakMap<CompiledQuery, readonly CompiledQuery[]>();

export function partsOf(query: CompiledQuery): readonly CompiledQuery[] | undefined {
  return parts.get(query);
}

/**
 * In the given order. Answers the rows of each: none, unless it selects or returns. When one fails
 * those behind it may have run, and the transaction must be given up.
 */
export async function runTogether(
  tx: Transaction<Database>,
  queries: readonly Runnable[],
): Promise<readonly (readonly unknown[])[]> {
  const compiled = queries.map((query) => ('compile' in query ? query.compile() : query));
  if (!isPostgres(tx) && compiled.length > 1) {
    const all = CompiledQuery.raw(`-- ${compiled.length} statements`);
    parts.set(all, compiled);
    const { rows } = await tx.executeQuery<readonly unknown[]>(all);
    return rows;
  }
  const answers: (readonly unknown[])[] = [];
  for (const query of compiled) answers.push((await tx.executeQuery(query)).rows);
  return answers;
}

export function isPostgres(tx: Transaction<Database>): boolean {
  return tx.getExecutor().adapter instanceof PostgresAdapter;
}
