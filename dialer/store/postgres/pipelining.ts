/**
 * Statements of `runTogether` on PostgreSQL: sent one behind the other without waiting, so that all of
 * them take one trip to the server. The driver's connection must have been opened with `pipeline`.
 */
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { partsOf, type Answer } from '../run-together.ts';

/** Teaches a connection that has just been opened. */
export function pipelining(connection: DatabaseConnection): Promise<void> {
  const one = connection.executeQuery.bind(connection);
  connection.executeQuery = <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
    const parts = partsOf(query);
    return parts === undefined ? one<R>(query) : all<R>(one, parts);
  };
  return Promise.resolve();
}

/** Rejects as the first that failed: those behind it only say that the transaction was given up. */
async function all<R>(
  one: DatabaseConnection['executeQuery'],
  parts: readonly CompiledQuery[],
): Promise<QueryResult<R>> {
  const answers = await Promise.allSettled(parts.map((part) => one(part)));
  const rows = answers.map((answer): Answer => {
    if (answer.status === 'rejected') throw answer.reason;
    const { rows, numAffectedRows } = answer.value;
    return { rows, changes: Number(numAffectedRows ?? rows.length) };
  });
  return { rows: rows as R[] };
}
