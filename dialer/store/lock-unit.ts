/** One at a time in a business unit, for what is judged over several rows and may not change meanwhile. */
import type { Transaction } from 'kysely';
import type { OpenDatabase } from './open-database.ts';
import type { Database } from './schema/database.ts';

/** Until the transaction ends. Taken before what it guards is read. */
export async function lockUnit(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Transaction<Database>,
  businessUnitId: string,
): Promise<void> {
  if (kind !== 'postgres') return; // SQLite has one writer
  const unit = tx.selectFrom('business_units').select('id').where('id', '=', businessUnitId);
  await unit.forUpdate().execute();
}
