/** One row of a business unit, by its id. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Database } from './schema/database.ts';

/** `words` is what people call it. Throws NOT_FOUND when the business unit has none of this id. */
export async function ownRow<Row>(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  { table, words }: { readonly table: keyof Database; readonly words: string },
  id: string,
): Promise<Row> {
  const row = await db
    .selectFrom(table as 'topics')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw new DialerError('NOT_FOUND', `there is no ${words} ${id}`);
  return row as unknown as Row;
}
