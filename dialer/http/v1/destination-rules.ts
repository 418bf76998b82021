/** Which numbers can be dialled: the trunk of the workstream says. */
import type { Transaction } from 'kysely';
import type { DestinationRules } from '../../intake/destination.ts';
import type { Database } from '../../store/schema/database.ts';
import type { ApiTrunk } from './api-context.ts';

/** A trunk that is not configured any more takes E.164, as trunks do by default. */
export async function rulesOfWorkstream(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  trunks: readonly ApiTrunk[],
  workstreamId: string,
): Promise<DestinationRules> {
  const row = await db
    .selectFrom('workstreams')
    .select('trunk')
    .where('id', '=', workstreamId)
    .executeTakeFirst();
  const trunk = trunks.find(({ name }) => name === row?.trunk);
  return { format: trunk?.destinationFormat ?? 'e164' };
}

/** Of a contact that belongs to no engagement yet: what at least one trunk takes. */
export function rulesOfAnyTrunk(trunks: readonly ApiTrunk[]): DestinationRules {
  return { format: trunks.some(({ destinationFormat: f }) => f === 'any') ? 'any' : 'e164' };
}
