/**
 * The one row that says who has a representative. Whoever inserts it has them: over all engagements,
 * and over all dialers that share the store.
 */
import type { Transaction } from 'kysely';
import type { RepresentativeWork } from '../../machines/representative.events.ts';
import { appendEvents } from '../store/event-log.ts';
import { confirmEpoch, leaseQuery } from '../store/leases.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { runTogether } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';
import type { ReservationRow } from '../store/schema/representative-tables.ts';

export interface ReservationContext {
  readonly database: OpenDatabase;
  readonly nowMs: number;
  readonly leaseName: string;
  readonly fence: number;
  /** `dialer:<id>`, for the event log. */
  readonly actor: string;
}

export interface ReservationWanted {
  readonly representativeId: string;
  readonly businessUnitId: string;
  readonly engagementId: string;
  readonly invitationId: string;
  readonly attemptId: string | null;
  /** JSON of what it is for, for whoever takes it over. */
  readonly terms: string;
}

/**
 * Reserves those who are nobody's. The answer names them; the others somebody else has. Throws
 * LEASE_LOST when the queue group has another owner.
 */
export async function reserve(
  { database, nowMs, leaseName, fence, actor }: ReservationContext,
  wanted: readonly ReservationWanted[],
): Promise<ReadonlySet<string>> {
  if (wanted.length === 0) return new Set();
  return database.db.transaction().execute(async (tx) => {
    const [lease] = await runTogether(tx, [leaseQuery(database, tx, leaseName)]);
    confirmEpoch(leaseName, lease, fence);
    // In one order, so that two transactions that want the same ones never wait for each other.
    const rows = [...wanted]
      .sort((one, other) => (one.representativeId < other.representativeId ? -1 : 1))
      .map((one) => rowOf(one, nowMs, fence));
    const granted = await tx
      .insertInto('reservations')
      .values(rows)
      .onConflict((conflict) => conflict.column('representative_id').doNothing())
      .returning('representative_id')
      .execute();
    const ids = new Set(granted.map(({ representative_id: id }) => id));
    await lockStreams(tx, [...ids].sort(), nowMs);
    for (const one of wanted.filter(({ representativeId }) => ids.has(representativeId))) {
      await appendEvents(tx, one.businessUnitId, nowMs, [
        {
          streamId: `representative:${one.representativeId}`,
          type: 'representative.reserved',
          actor,
          payload: { engagementId: one.engagementId, invitationId: one.invitationId },
        },
      ]);
    }
    return ids;
  });
}

function rowOf(one: ReservationWanted, nowMs: number, fence: number): ReservationRow {
  return {
    representative_id: one.representativeId,
    business_unit_id: one.businessUnitId,
    engagement_id: one.engagementId,
    work: 'invited',
    invitation_id: one.invitationId,
    lobby_id: null,
    attempt_id: one.attemptId,
    fence,
    reserved_at_ms: nowMs,
    work_since_ms: nowMs,
    ...{ terms: one.terms, gateway_id: null },
  };
}

export interface WorkChange {
  readonly representativeId: string;
  readonly businessUnitId: string;
  readonly work: RepresentativeWork;
  readonly lobbyId: string | null;
  /** Where that leg is. */
  readonly gatewayId: string | null;
  readonly attemptId: string | null;
  readonly atMs: number;
  /** For the event: engagement, invitation, reason. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Writes what they do now; `free` ends the reservation. Of another owner's row nothing is touched. */
export async function writeWork(
  { database, fence, actor }: Pick<ReservationContext, 'database' | 'fence' | 'actor'>,
  change: WorkChange,
): Promise<void> {
  const { representativeId, businessUnitId, work, lobbyId, gatewayId, attemptId, atMs } = change;
  const leg = { lobby_id: lobbyId, gateway_id: gatewayId };
  await database.db.transaction().execute(async (tx) => {
    await lockStreams(tx, [representativeId], atMs);
    if (work === 'free') await removeReservation(tx, representativeId, fence);
    else {
      await tx
        .updateTable('reservations')
        .set({ work, ...leg, attempt_id: attemptId, work_since_ms: atMs })
        .where('representative_id', '=', representativeId)
        .where('fence', '=', fence)
        .execute();
    }
    await appendEvents(tx, businessUnitId, atMs, [
      {
        streamId: `representative:${representativeId}`,
        type: `representative.${EVENT_OF[work]}`,
        actor,
        payload: change.payload,
      },
    ]);
  });
}

/** A call is dialled for them, or none any more: known to whoever takes them over. */
export async function writeAssignment(
  { database, fence }: Pick<ReservationContext, 'database' | 'fence'>,
  representativeId: string,
  attemptId: string | null,
): Promise<void> {
  await database.db
    .updateTable('reservations')
    .set({ attempt_id: attemptId })
    .where('representative_id', '=', representativeId)
    .where('fence', '=', fence)
    .execute();
}

const EVENT_OF: Readonly<Record<RepresentativeWork, string>> = {
  free: 'released',
  invited: 'invited',
  joining: 'lobbyCalled',
  reserved: 'waiting',
  connected: 'connected',
  wrapUp: 'wrapUpBegan',
};

/** Each representative's events are numbered by one transaction at a time: see appendEvents. */
export async function lockStreams(
  tx: Transaction<Database>,
  representativeIds: readonly string[],
  nowMs: number,
): Promise<void> {
  for (const id of representativeIds) {
    await tx
      .updateTable('representatives')
      .set({ updated_at_ms: nowMs })
      .where('id', '=', id)
      .execute();
  }
}

async function removeReservation(
  tx: Transaction<Database>,
  representativeId: string,
  fence: number,
): Promise<void> {
  await tx
    .deleteFrom('reservations')
    .where('representative_id', '=', representativeId)
    .where('fence', '=', fence)
    .execute();
}
