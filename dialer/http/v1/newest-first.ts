/** What every list asks of its table: rows of the caller's business unit, newest first, a page of them. */
import { sql, type SelectQueryBuilder } from 'kysely';

export interface Page {
  readonly limit: number;
  /** Id of the last row shown; those before it are older. */
  readonly cursor?: string | undefined;
}

/** For `$call`, on a query of one table. One row more than is shown tells whether there are others. */
export function newestFirst(businessUnitId: string, { limit, cursor }: Page) {
  return <DB, TB extends keyof DB, O>(
    query: SelectQueryBuilder<DB, TB, O>,
  ): SelectQueryBuilder<DB, TB, O> => {
    const own = query.where(sql<boolean>`business_unit_id = ${businessUnitId}`);
    const page = cursor === undefined ? own : own.where(sql<boolean>`id < ${cursor}`);
    return page.orderBy(sql`id`, 'desc').limit(limit + 1);
  };
}
