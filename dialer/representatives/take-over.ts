/**
 * Representatives whom the process before had reserved. Whoever is on a call, or in wrap-up after one,
 * stays so: the call goes on at its gateway, and nobody else's is dealt to them. So does whoever waits in
 * the lobby, for a call that rings or for the next. Everybody else is nobody's again.
 */
import { sql, type Transaction } from 'kysely';
import type { Invitation, WorkInHand, WrapUpBlock } from '../../machines/representative.events.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { ReservationRow } from '../store/schema/representative-tables.ts';
import { lockStreams, type ReservationContext } from './reservations.ts';

/** What a reservation was made for: kept with its row as JSON. */
export interface ReservationTerms {
  readonly invitation: Invitation;
  readonly wrapUp: WrapUpBlock;
}

export interface KeptReservation {
  readonly representativeId: string;
  readonly lobbyId: string | null;
  readonly gatewayId: string | null;
  readonly inHand: Omit<WorkInHand, 'isLeaving'>;
}

export interface TakenOver {
  readonly kept: readonly KeptReservation[];
  /** As they were: their legs are to be closed. */
  readonly ended: readonly ReservationRow[];
}

type Left = ReservationRow & {
  readonly answeredAtMs: number | null;
  readonly endedAtMs: number | null;
  /** Its engagement runs, or has calls that are not over: somebody deals with them there. */
  readonly isWorked: number;
};

const MINUTE_MS = 60_000;

/** In one transaction, before any attempt is asked about. */
export function takeOverReservations(
  context: Omit<ReservationContext, 'leaseName'>,
): Promise<TakenOver> {
  const { database, fence, nowMs } = context;
  return database.db.transaction().execute(async (tx) => {
    const left = await readLeft(database, tx, fence);
    const kept: KeptReservation[] = [];
    const ended: ReservationRow[] = [];
    for (const row of left) {
      const inHand = workInHand(row, nowMs);
      if (inHand === undefined) ended.push(row);
      else {
        const { representative_id: representativeId, lobby_id: lobbyId } = row;
        kept.push({ representativeId, lobbyId, gatewayId: row.gateway_id, inHand });
        await keep(tx, row, inHand, context);
      }
    }
    await end(tx, ended, context);
    return { kept, ended };
  });
}

function readLeft(
  { kind }: OpenDatabase,
  tx: Transaction<Database>,
  fence: number,
): Promise<Left[]> {
  const query = tx
    .selectFrom('reservations')
    .leftJoin('attempts', 'attempts.id', 'reservations.attempt_id')
    .selectAll('reservations')
    .select(['attempts.answered_at_ms as answeredAtMs', 'attempts.ended_at_ms as endedAtMs'])
    .select(
      sql<number>`case when exists (select 1 from engagements where id = reservations.engagement_id
          and (status = 'running' or in_flight > 0)) then 1 else 0 end`.as('isWorked'),
    )
    .where('reservations.fence', '<', fence)
    .orderBy('representative_id');
  return (kind === 'postgres' ? query.forUpdate('reservations') : query).execute();
}

/** Undefined when there is nothing that they could go on with. */
export function workInHand(row: Left, nowMs: number): KeptReservation['inHand'] | undefined {
  const { terms, attempt_id: attemptId, answeredAtMs, endedAtMs } = row;
  if (terms === null) return undefined;
  const { invitation, wrapUp } = JSON.parse(terms) as ReservationTerms;
  const common = { invitation, wrapUp, attemptId, hasLobby: row.lobby_id !== null };
  const isOver = endedAtMs !== null || attemptId === null;
  if (row.work === 'wrapUp' || (row.work === 'connected' && isOver)) {
    const sinceMs = row.work === 'wrapUp' ? row.work_since_ms : (endedAtMs ?? row.work_since_ms);
    const wrappedUpMs = Math.max(0, nowMs - sinceMs);
    if (wrapUp.kind === 'never') return undefined;
    if (wrapUp.kind === 'minutes' && wrappedUpMs >= wrapUp.minutes * MINUTE_MS) return undefined;
    return { ...common, work: 'wrapUp', wrappedUpMs };
  }
  if (row.work === 'connected') return { ...common, work: 'connected', wrappedUpMs: 0 };
  if (row.work !== 'reserved') return undefined;
  // In the lobby for whoever is called next, or for one who waits already.
  if (invitation.kind === 'preDial' && row.isWorked === 1) {
    return { ...common, attemptId: isOver ? null : attemptId, work: 'reserved', wrappedUpMs: 0 };
  }
  if (isOver) return undefined;
  // A contact that was shown is gone with its process: only whoever answered it is still there.
  if (invitation.kind === 'agentDial') {
    if (answeredAtMs === null) return undefined;
    return { ...common, work: 'connected', wrappedUpMs: 0 };
  }
  return { ...common, work: 'reserved', wrappedUpMs: 0 };
}

async function keep(
  tx: Transaction<Database>,
  row: ReservationRow,
  { work, wrappedUpMs }: KeptReservation['inHand'],
  { fence, nowMs }: Pick<ReservationContext, 'fence' | 'nowMs'>,
): Promise<void> {
  const moved = work === row.work ? {} : { work, work_since_ms: nowMs - wrappedUpMs };
  await tx
    .updateTable('reservations')
    .set({ fence, ...moved })
    .where('representative_id', '=', row.representative_id)
    .execute();
}

async function end(
  tx: Transaction<Database>,
  rows: readonly ReservationRow[],
  { nowMs, actor }: Pick<ReservationContext, 'nowMs' | 'actor'>,
): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map((row) => row.representative_id);
  await lockStreams(tx, ids, nowMs);
  await tx.deleteFrom('reservations').where('representative_id', 'in', ids).execute();
  for (const row of rows) {
    const { engagement_id: engagementId, invitation_id: invitationId } = row;
    const event = {
      streamId: `representative:${row.representative_id}`,
      type: 'representative.released',
      actor,
      payload: { engagementId, invitationId, reason: 'shutdown' },
    };
    await appendEvents(tx, row.business_unit_id, nowMs, [event]);
  }
}
