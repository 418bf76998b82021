/** Inserting rows that are numbered on, within their group, from the last one that the table has. */
import assert from 'node:assert/strict';
import type { CompiledQuery, Insertable, Transaction } from 'kysely';
import { insertQueries, type InsertShape } from './insert-many.ts';
import type { Database } from './schema/database.ts';

export interface Numbering {
  /** The column that counts: 1, 2 and so on. */
  readonly column: string;
  /** The column that rows of one group share. */
  readonly within: string;
  /** So few that their values fill no more than one: its rows do not see those of another one's numbering. */
  readonly rowsPerStatement: number;
}

/**
 * Statements for `runTogether`, in this order; rows come without their number. The caller holds each group
 * locked: two who write to one at once would be given the same numbers.
 */
export function numberedInserts<T extends keyof Database, N extends Numbering>(
  tx: Transaction<Database>,
  table: T,
  rows: readonly Omit<Insertable<Database[T]>, N['column']>[],
  numbering: N,
): CompiledQuery[] {
  const { column, within, rowsPerStatement } = numbering;
  const shape: InsertShape = {
    computed: {
      column,
      from: (count, valueOf) =>
        `${count} + coalesce((select max(known.${column}) from ${table} as known
          where known.${within} = ${valueOf(within)}), 0)`,
    },
  };
  const queries: CompiledQuery[] = [];
  for (let from = 0; from < rows.length; from += rowsPerStatement) {
    const some = countedWithin(rows.slice(from, from + rowsPerStatement), numbering);
    const statements = insertQueries(tx, table, some as Insertable<Database[T]>[], shape);
    assert(statements.length === 1, "a second statement would count the first one's rows twice");
    queries.push(...statements);
  }
  return queries;
}

/** Each by its place in its group among these; the statement adds what the group has already. */
function countedWithin(rows: readonly object[], { column, within }: Numbering): object[] {
  const counts = new Map<unknown, number>();
  return rows.map((row) => {
    const group = (row as Readonly<Record<string, unknown>>)[within];
    const count = (counts.get(group) ?? 0) + 1;
    counts.set(group, count);
    return { ...row, [column]: count };
  });
}
