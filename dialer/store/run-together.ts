/**
 * Statements of a transaction that do not need each other's answers. They go to the database in one
 * message (to SQLite's thread) or one behind the other without waiting (to a PostgreSQL server): the
 * way there and back is most of what a small statement costs.
 */
import { CompiledQuery, PostgresAdapter, type Compilable, type Transaction } from 'kysely';
import type { Database } from './schema/database.ts';

export type Runnable = Compilable | CompiledQuery;

/** What the drivers find under a query that stands for several. */
const parts = new WeakMap<CompiledQuery, readonly CompiledQuery[]>();

export function partsOf(query: CompiledQuery): readonly CompiledQuery[] | undefined {
  return parts.get(query);
}

/** Of one of the statements. */
export interface Answer {
  readonly rows: readonly unknown[];
  /** Rows that it inserted, changed or deleted; of a query how many there are. */
  readonly changes: number;
}

/**
 * In the given order. Answers the rows of each: none, unless it selects or returns. When one fails
 * those behind it may have run, and the transaction must be given up.
 */
export async function runTogether(
  tx: Transaction<Database>,
  queries: readonly Runnable[],
): Promise<readonly (readonly unknown[])[]> {
  return (await countTogether(tx, queries)).map(({ rows }) => rows);
}

/** The same for those who only want to know how many rows a statement has changed. */
export async function countTogether(
  tx: Transaction<Database>,
  queries: readonly Runnable[],
): Promise<readonly Answer[]> {
  const compiled = queries.map((query) => ('compile' in query ? query.compile() : query));
  const all = CompiledQuery.raw(`-- ${compiled.length} statements`);
  parts.set(all, compiled);
  return (await tx.executeQuery<Answer>(all)).rows;
}

export function isPostgres(tx: Transaction<Database>): boolean {
  return tx.getExecutor().adapter instanceof PostgresAdapter;
}
