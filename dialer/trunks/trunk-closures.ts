/**
 * Trunks that take no calls, as rows. An operator's word is one row for all gateways, and is kept when it
 * is taken back: a gateway that was away then still has to hear of it. What a gateway found by itself
 * (numbers that do not exist, refused credentials) is a row of that gateway.
 */
import type { Kysely, Transaction } from 'kysely';
import type { TrunkClosure } from '../../machines/gateway-events.ts';
import type { Database } from '../store/schema/database.ts';
import type { TrunkClosureRow } from '../store/schema/edge-tables.ts';

/** In the place of a gateway's id. */
export const ALL_GATEWAYS = '';

/** Times by the dialer's clock, epoch ms. */
export interface StoredClosure extends TrunkClosure {
  readonly trunk: string;
  readonly gatewayId: string;
  readonly detail: string;
  /** Null: it was not taken back. */
  readonly resumedAtMs: number | null;
}

export async function readClosures(db: Kysely<Database>): Promise<StoredClosure[]> {
  const rows = await db.selectFrom('trunk_closures').selectAll().execute();
  return rows.map((row) => ({
    ...{ trunk: row.trunk, gatewayId: row.gateway_id, detail: row.detail },
    cause: row.cause as StoredClosure['cause'],
    ...{ sinceMs: row.since_ms, untilMs: row.until_ms, resumedAtMs: row.resumed_at_ms },
  }));
}

export async function writeClosure(
  tx: Transaction<Database>,
  closure: StoredClosure,
): Promise<void> {
  const values = {
    ...{ cause: closure.cause, detail: closure.detail, since_ms: closure.sinceMs },
    ...{ until_ms: closure.untilMs, resumed_at_ms: closure.resumedAtMs },
  } satisfies Partial<TrunkClosureRow>;
  await tx
    .insertInto('trunk_closures')
    .values({ trunk: closure.trunk, gateway_id: closure.gatewayId, ...values })
    .onConflict((conflict) => conflict.columns(['trunk', 'gateway_id']).doUpdateSet(values))
    .execute();
}

export async function removeClosure(
  tx: Transaction<Database>,
  { trunk, gatewayId }: Pick<StoredClosure, 'trunk' | 'gatewayId'>,
): Promise<void> {
  await tx
    .deleteFrom('trunk_closures')
    .where('trunk', '=', trunk)
    .where('gateway_id', '=', gatewayId)
    .execute();
}

/** An operator's word that it takes calls again, everywhere and whatever had closed it. */
export async function writeResumed(
  tx: Transaction<Database>,
  trunk: string,
  nowMs: number,
): Promise<void> {
  await tx.deleteFrom('trunk_closures').where('trunk', '=', trunk).execute();
  await writeClosure(tx, {
    ...{ trunk, gatewayId: ALL_GATEWAYS, cause: 'operator', detail: 'resumed by an operator' },
    ...{ sinceMs: nowMs, untilMs: null, resumedAtMs: nowMs },
  });
}

export function isInForce({ untilMs, resumedAtMs }: StoredClosure, nowMs: number): boolean {
  return resumedAtMs === null && (untilMs === null || untilMs > nowMs);
}
