/** Which runs have something to take in: they were told something, or their timer is due. */
import { sql, type Transaction } from 'kysely';
import type { OpenDatabase } from '../../store/open-database.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRunEventRow, JourneyRunRow } from '../../store/schema/journey-tables.ts';

type Tx = Transaction<Database>;

export interface TakenRun {
  readonly row: JourneyRunRow;
  /** In the order in which it was told. */
  readonly inbox: readonly (Omit<JourneyRunEventRow, 'seq'> & { readonly seq: number })[];
}

export interface TakeOptions {
  readonly nowMs: number;
  /** Runs of one transaction; up to as many again that were told something. */
  readonly limit: number;
}

/**
 * Held until the transaction ends: another worker passes them over. Those with a fault are left out,
 * whatever they are told.
 */
export async function takeRuns(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Tx,
  { nowMs, limit }: TakeOptions,
): Promise<readonly TakenRun[]> {
  const due = tx
    .selectFrom('journey_runs')
    .select('id')
    .where('wake_at_ms', '<=', nowMs)
    .where('fault', 'is', null)
    .orderBy('wake_at_ms')
    .orderBy('id')
    .limit(limit);
  const told = tx
    .selectFrom('journey_run_events as e')
    .select('e.run_id as id')
    .where(
      sql<boolean>`not exists (select 1 from journey_run_events as earlier
        where earlier.run_id = e.run_id and earlier.seq < e.seq)`,
    )
    .where(
      sql<boolean>`not exists (select 1 from journey_runs as broken
        where broken.id = e.run_id and broken.fault is not null)`,
    )
    .orderBy('e.seq')
    .limit(limit);
  const isShared = kind === 'postgres';
  const found = [
    ...(await (isShared ? due.forUpdate().skipLocked() : due).execute()),
    ...(await (isShared ? told.forUpdate('e').skipLocked() : told).execute()),
  ];
  return holdRuns({ kind }, tx, [...new Set(found.map(({ id }) => id))]);
}

/** One that could not be gone on with, once it is to be tried again. */
export async function takeBrokenRun(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Tx,
  nowMs: number,
): Promise<readonly TakenRun[]> {
  const due = tx
    .selectFrom('journey_runs')
    .select('id')
    .where('wake_at_ms', '<=', nowMs)
    .where('fault', 'is not', null)
    .orderBy('wake_at_ms')
    .orderBy('id')
    .limit(1);
  const found = await (kind === 'postgres' ? due.forUpdate().skipLocked() : due).execute();
  return holdRuns(
    { kind },
    tx,
    found.map(({ id }) => id),
  );
}

/** Those of them that no other worker holds, with all that they were told. */
export async function holdRuns(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Tx,
  ids: readonly string[],
): Promise<readonly TakenRun[]> {
  if (ids.length === 0) return [];
  const query = tx.selectFrom('journey_runs').selectAll().where('id', 'in', ids).orderBy('id');
  const rows = await (kind === 'postgres' ? query.forUpdate().skipLocked() : query).execute();
  const inbox = await tx
    .selectFrom('journey_run_events')
    .selectAll()
    .where('run_id', 'in', ids)
    .orderBy('seq')
    .execute();
  if (rows.length < ids.length) await forgetStrangers(tx, ids);
  const inboxOf = new Map<string, TakenRun['inbox'][number][]>();
  for (const event of inbox) {
    const known = inboxOf.get(event.run_id);
    if (known === undefined) inboxOf.set(event.run_id, [event]);
    else known.push(event);
  }
  return rows.map((row) => ({ row, inbox: inboxOf.get(row.id) ?? [] }));
}

/** What runs were told that are not there any more. */
async function forgetStrangers(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx
    .deleteFrom('journey_run_events')
    .where('run_id', 'in', [...ids])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('journey_runs as r')
            .select('r.id')
            .whereRef('r.id', '=', 'journey_run_events.run_id'),
        ),
      ),
    )
    .execute();
}
