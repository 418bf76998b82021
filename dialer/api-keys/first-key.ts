/** A store that nobody could ask for anything gets a business unit and a key, when it is first served. */
import type { Transaction } from 'kysely';
import { createBusinessUnit, type Writer } from '../engagements/create-engagement.ts';
import type { Database } from '../store/schema/database.ts';
import { keyOf } from './api-key.ts';
import { adminKeys, createKeyIn, revokeKeyIn } from './api-keys.ts';

export interface FirstKeyOptions extends Omit<Writer, 'businessUnitId'> {
  /** From the configuration; empty: one is made when there is none. */
  readonly configuredKey: string;
}

export interface FirstKey {
  /** Of the keys that this start made or took from the configuration. */
  readonly businessUnitId: string;
  /** To be shown once; null when no key had to be made. */
  readonly adminKey: string | null;
}

const FIRST_UNIT_NAME = 'default';

/**
 * The configured key holds for as long as it is configured. Without one, a key is made when no admin
 * key is left: on the first start, and after the last one was lost and revoked in the store.
 */
export async function firstKey(options: FirstKeyOptions): Promise<FirstKey> {
  const businessUnitId = await firstUnit(options);
  const writer: Writer = { ...options, businessUnitId };
  const { database, configuredKey } = options;
  const adminKey = await database.db.transaction().execute(async (tx) => {
    await keepConfigured(tx, writer, configuredKey);
    const left = await adminKeys(tx, businessUnitId);
    if (left.length > 0) return null;
    const input = { name: 'first admin key', role: 'admin', showsNumbers: true } as const;
    return (await createKeyIn(tx, writer, { ...input, origin: 'firstStart' })).key;
  });
  return { businessUnitId, adminKey };
}

async function firstUnit(options: FirstKeyOptions): Promise<string> {
  const { db } = options.database;
  const unit = await db.selectFrom('business_units').select('id').orderBy('id').executeTakeFirst();
  return unit?.id ?? createBusinessUnit(options, FIRST_UNIT_NAME);
}

async function keepConfigured(
  tx: Transaction<Database>,
  writer: Writer,
  configuredKey: string,
): Promise<void> {
  const wanted = configuredKey === '' ? undefined : keyOf(configuredKey);
  const known = await tx
    .selectFrom('api_keys')
    .select(['id', 'key_hash'])
    .where('origin', '=', 'configuration')
    .where('revoked_at_ms', 'is', null)
    .execute();
  for (const { id, key_hash: hash } of known) {
    if (hash !== wanted?.hash) await revokeKeyIn(tx, writer, id);
  }
  if (wanted === undefined || known.some(({ key_hash: hash }) => hash === wanted.hash)) return;
  // The same key may have been configured before, and revoked when it was taken out.
  await tx.deleteFrom('api_keys').where('key_hash', '=', wanted.hash).execute();
  const input = { name: 'configured key', role: 'admin', showsNumbers: true } as const;
  await createKeyIn(tx, writer, { ...input, origin: 'configuration' }, wanted);
}
