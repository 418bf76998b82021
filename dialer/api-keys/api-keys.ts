/** Keys in the store: made, found by what a request brings, revoked. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { ApiKeyRow } from '../store/schema/access-tables.ts';
import type { Database } from '../store/schema/database.ts';
import { hashOf, newKey, ROLES, type NewKey, type Role } from './api-key.ts';

export interface KeyInput {
  readonly name: string;
  /** Null: nothing may be done with it, not even asked. */
  readonly role: Role | null;
  readonly showsNumbers: boolean;
  readonly origin: 'firstStart' | 'configuration' | 'api';
}

export async function createKeyIn(
  tx: Transaction<Database>,
  { ids, nowMs, businessUnitId, actor }: Writer,
  { name, role, showsNumbers, origin }: KeyInput,
  made: NewKey = newKey(),
): Promise<{ readonly row: ApiKeyRow; readonly key: string }> {
  const row: ApiKeyRow = {
    ...{ id: ids.id(), business_unit_id: businessUnitId, name, prefix: made.prefix },
    ...{ key_hash: made.hash, role, shows_numbers: showsNumbers ? 1 : 0, origin },
    ...{ created_by: actor, created_at_ms: nowMs, revoked_at_ms: null },
  };
  await tx.insertInto('api_keys').values(row).execute();
  const payload = { prefix: made.prefix, role, showsNumbers };
  await appendEvents(tx, businessUnitId, nowMs, [
    { streamId: `key:${row.id}`, type: 'key.created', actor, payload },
  ]);
  return { row, key: made.key };
}

/** Who asks, as far as the dialer cares. */
export interface Caller {
  readonly keyId: string;
  readonly businessUnitId: string;
  readonly prefix: string;
  readonly role: Role;
  readonly showsNumbers: boolean;
}

/** Undefined for a key that is unknown, revoked, or without a role. */
export async function callerOf(
  { db }: Pick<OpenDatabase, 'db'>,
  key: string,
): Promise<Caller | undefined> {
  const row = await db
    .selectFrom('api_keys')
    .selectAll()
    .where('key_hash', '=', hashOf(key))
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
  const role = ROLES.find((known) => known === row?.role);
  if (row === undefined || role === undefined) return undefined;
  const { id: keyId, business_unit_id: businessUnitId, prefix } = row;
  return { keyId, businessUnitId, prefix, role, showsNumbers: row.shows_numbers === 1 };
}

export async function findKey(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  id: string,
): Promise<ApiKeyRow> {
  const row = await db
    .selectFrom('api_keys')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw new DialerError('NOT_FOUND', `there is no key ${id}`);
  return row;
}

/** Once revoked it stays so. False when it was already. */
export async function revokeKeyIn(
  tx: Transaction<Database>,
  { businessUnitId, nowMs, actor }: Omit<Writer, 'database' | 'ids'>,
  id: string,
): Promise<boolean> {
  const revoked = await tx
    .updateTable('api_keys')
    .set({ revoked_at_ms: nowMs })
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .where('revoked_at_ms', 'is', null)
    .returning('id')
    .execute();
  if (revoked.length === 0) return false;
  await appendEvents(tx, businessUnitId, nowMs, [
    { streamId: `key:${id}`, type: 'key.revoked', actor },
  ]);
  return true;
}

/** Keys that may make keys, of one business unit. */
export async function adminKeys(
  tx: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
): Promise<readonly ApiKeyRow[]> {
  return tx
    .selectFrom('api_keys')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where('role', '=', 'admin' satisfies Role)
    .where('revoked_at_ms', 'is', null)
    .execute();
}
