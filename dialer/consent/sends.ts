/**
 * What was started, for frequency caps: a row of its own in the transaction of the start, so that no
 * crash resets a count. And what is held until quiet time ends.
 */
import type { Transaction } from 'kysely';
import type { PurposeType } from '../../journey-core/definition/quiet-time.schema.ts';
import type { Channel } from '../../journey-core/definition/sending.schema.ts';
import { CAP_WINDOWS } from '../../journey-core/sending/frequency-cap.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { insertMany } from '../store/insert-many.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { HeldSendRow } from '../store/schema/consent-tables.ts';
import type { Database } from '../store/schema/database.ts';

type Tx = Transaction<Database>;
type Db = Pick<Tx, 'selectFrom'>;

export interface StartedSend {
  /** Of the start, such as run and step: told twice it counts once. */
  readonly id: string;
  readonly contactPointId: string;
  readonly contactId: string;
  readonly channel: Channel;
  readonly purposeId: string;
  readonly purposeType: PurposeType;
  /** `journey:<id>`, `engagement:<id>` ... */
  readonly origin: string;
}

/** In the transaction that starts them. */
export async function recordSends(
  tx: Tx,
  { businessUnitId, nowMs }: Pick<Writer, 'businessUnitId' | 'nowMs'>,
  sends: readonly StartedSend[],
): Promise<void> {
  const rows = sends.map((send) => ({
    id: send.id,
    business_unit_id: businessUnitId,
    contact_point_id: send.contactPointId,
    contact_id: send.contactId,
    channel: send.channel,
    purpose_id: send.purposeId,
    purpose_type: send.purposeType,
    origin: send.origin,
    started_at_ms: nowMs,
  }));
  await insertMany(tx, 'sends', rows, { ending: 'on conflict (id) do nothing' });
}

export interface CommercialSend {
  readonly contactPointId: string;
  readonly channel: Channel;
  readonly atMs: number;
}

const LONGEST_WINDOW_MS = Math.max(...CAP_WINDOWS.map(({ lengthMs }) => lengthMs));

/** What caps count: commercial, within the longest of their windows. */
export async function commercialSends(
  db: Db,
  contactPointIds: readonly string[],
  nowMs: number,
): Promise<CommercialSend[]> {
  if (contactPointIds.length === 0) return [];
  const rows = await db
    .selectFrom('sends')
    .select(['contact_point_id', 'channel', 'started_at_ms'])
    .where('contact_point_id', 'in', [...contactPointIds])
    .where('purpose_type', '=', 'commercial')
    .where('started_at_ms', '>', nowMs - LONGEST_WINDOW_MS)
    .orderBy('started_at_ms')
    .execute();
  return rows.map((row) => ({
    contactPointId: row.contact_point_id,
    channel: row.channel as Channel,
    atMs: row.started_at_ms,
  }));
}

/**
 * Lets no other start to these contact points be decided meanwhile: two that ask at once would both
 * find room for one. On SQLite transactions follow one another anyway.
 */
export async function lockPoints(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Tx,
  contactPointIds: readonly string[],
): Promise<void> {
  if (kind !== 'postgres' || contactPointIds.length === 0) return;
  await tx
    .selectFrom('contact_points')
    .select('id')
    .where('id', 'in', [...contactPointIds])
    .orderBy('id')
    .forUpdate()
    .execute();
}

/** What no cap counts any more. To be called from time to time. */
export async function forgetSends({ db }: Pick<OpenDatabase, 'db'>, nowMs: number): Promise<void> {
  await db
    .deleteFrom('sends')
    .where('started_at_ms', '<', nowMs - LONGEST_WINDOW_MS)
    .execute();
}

export interface Hold {
  /** Of what is held, such as run and step: held again it has its new time. */
  readonly id: string;
  readonly journeyId: string;
  readonly contactId: string;
  readonly contactPointId: string;
  readonly channel: Channel;
  readonly releaseAtMs: number;
}

export async function holdSend(
  tx: Tx,
  { businessUnitId, nowMs }: Pick<Writer, 'businessUnitId' | 'nowMs'>,
  hold: Hold,
): Promise<void> {
  const row: HeldSendRow = {
    id: hold.id,
    business_unit_id: businessUnitId,
    journey_id: hold.journeyId,
    contact_id: hold.contactId,
    contact_point_id: hold.contactPointId,
    channel: hold.channel,
    release_at_ms: hold.releaseAtMs,
    created_at_ms: nowMs,
  };
  const { release_at_ms, contact_point_id } = row;
  await tx
    .insertInto('held_sends')
    .values(row)
    .onConflict((at) => at.column('id').doUpdateSet({ release_at_ms, contact_point_id }))
    .execute();
}

/**
 * Those whose quiet time is over, the longest due first; gone from the store with this transaction.
 * Each is asked about once more before it leaves.
 */
export async function releaseSends(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Tx,
  { nowMs, limit }: { readonly nowMs: number; readonly limit: number },
): Promise<readonly HeldSendRow[]> {
  const due = tx
    .selectFrom('held_sends')
    .selectAll()
    .where('release_at_ms', '<=', nowMs)
    .orderBy('release_at_ms')
    .orderBy('id')
    .limit(limit);
  const rows = await (kind === 'postgres' ? due.forUpdate().skipLocked() : due).execute();
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  await tx.deleteFrom('held_sends').where('id', 'in', ids).execute();
  return rows;
}

/** The run has ended, or was told to stop. */
export async function dropHold(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('held_sends').where('id', '=', id).execute();
}

/** How many messages of a journey wait for the end of quiet time. */
export async function countHeld(db: Db, journeyId: string): Promise<number> {
  const { count } = await db
    .selectFrom('held_sends')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('journey_id', '=', journeyId)
    .executeTakeFirstOrThrow();
  return count;
}
