/**
 * Who works a queue group. The epoch is the fence: it is raised by the transaction that grants the
 * lease, so that whatever an earlier owner still does can be told from what the new one does.
 */
import type { Kysely, Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { OpenDatabase } from './open-database.ts';
import type { Database } from './schema/database.ts';

export interface Lease {
  readonly name: string;
  readonly owner: string;
  readonly epoch: number;
  readonly expiresAtMs: number;
}

export interface LeaseRequest {
  readonly name: string;
  readonly owner: string;
  readonly nowMs: number;
  readonly leaseMs: number;
}

/**
 * Grants, or answers undefined while somebody else holds it. An owner that asks again after its own
 * lease lapsed, or after a restart, gets a new epoch: what it sent before is of the past.
 */
export async function acquireLease(
  db: Kysely<Database>,
  { name, owner, nowMs, leaseMs }: LeaseRequest,
): Promise<Lease | undefined> {
  const expiresAtMs = nowMs + leaseMs;
  await db
    .insertInto('leases')
    .values({ name, owner: '', epoch: 0, expires_at_ms: 0 })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const granted = await db
    .updateTable('leases')
    .set((eb) => ({ owner, epoch: eb('epoch', '+', 1), expires_at_ms: expiresAtMs }))
    .where('name', '=', name)
    .where((eb) => eb.or([eb('owner', '=', owner), eb('expires_at_ms', '<=', nowMs)]))
    .returning('epoch')
    .executeTakeFirst();
  return granted === undefined ? undefined : { name, owner, epoch: granted.epoch, expiresAtMs };
}

/**
 * Reads a lease, and keeps it from being granted to another until the transaction ends: a new owner
 * finds everything that the old one has begun.
 */
export function leaseQuery(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Transaction<Database>,
  name: string,
) {
  const query = tx.selectFrom('leases').select('epoch').where('name', '=', name);
  return kind === 'postgres' ? query.forShare() : query;
}

/** Throws LEASE_LOST unless what was read still has this epoch. */
export function confirmEpoch(name: string, rows: readonly unknown[] = [], epoch: number): void {
  const [row] = rows as readonly { readonly epoch: number }[];
  if (row?.epoch === epoch) return;
  const detail = `${name} has another owner: epoch ${row?.epoch ?? 'none'}, ours was ${epoch}`;
  throw new DialerError('LEASE_LOST', detail);
}

/** Extends a lease that is still ours. False when it has been granted to another since. */
export async function renewLease(
  db: Kysely<Database>,
  lease: Lease,
  nowMs: number,
  leaseMs: number,
): Promise<boolean> {
  const renewed = await db
    .updateTable('leases')
    .set({ expires_at_ms: nowMs + leaseMs })
    .where('name', '=', lease.name)
    .where('owner', '=', lease.owner)
    .where('epoch', '=', lease.epoch)
    .returning('epoch')
    .executeTakeFirst();
  return renewed !== undefined;
}

/** Gives it back at once, for an orderly stop. The epoch stays, for the next owner to raise. */
export async function releaseLease(db: Kysely<Database>, lease: Lease): Promise<void> {
  await db
    .updateTable('leases')
    .set({ owner: '', expires_at_ms: 0 })
    .where('name', '=', lease.name)
    .where('owner', '=', lease.owner)
    .where('epoch', '=', lease.epoch)
    .execute();
}
