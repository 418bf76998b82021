/** Which runs have something to take in: they were told something, or their timer is due. */
import { sql, type Transaction } from 'kysely';
import type { OpenDatabase } from '../../store/open-database.ts';
import { runTogether } from '../../store/run-together.ts';
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
    .selectAll()
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
  const [dueRows, toldRows] = (await runTogether(tx, [
    isShared ? due.forUpdate().skipLocked() : due,
    isShared ? told.forUpdate('e').skipLocked() : told,
  ])) as readonly [JourneyRunRow[], { readonly id: string }[]];
  const held = new Set(dueRows.map(({ id }) => id));
  const toldIds = toldRows.map(({ id }) => id);
  // With one writer these are all that were told anything; with several, others may hold some more.
  const isAll = !isShared && toldIds.length < limit;
  return withInbox(kind, tx, {
    held: dueRows,
    others: toldIds.filter((id) => !held.has(id)),
    told: isAll ? toldIds : [...held, ...toldIds],
  });
}

/** Whether one that could not be gone on with is to be tried again. */
export async function isBrokenRunDue(
  { db }: Pick<OpenDatabase, 'db'>,
  nowMs: number,
): Promise<boolean> {
  return (await brokenRunDue(db, nowMs).executeTakeFirst()) !== undefined;
}

/** One that could not be gone on with, once it is to be tried again. */
export async function takeBrokenRun(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Tx,
  nowMs: number,
): Promise<readonly TakenRun[]> {
  const due = brokenRunDue(tx, nowMs);
  const found = await (kind === 'postgres' ? due.forUpdate().skipLocked() : due).execute();
  return holdRuns(
    { kind },
    tx,
    found.map(({ id }) => id),
  );
}

function brokenRunDue(db: Pick<Tx, 'selectFrom'>, nowMs: number) {
  return db
    .selectFrom('journey_runs')
    .select('id')
    .where('wake_at_ms', '<=', nowMs)
    .where('fault', 'is not', null)
    .orderBy('wake_at_ms')
    .orderBy('id')
    .limit(1);
}

/** Those of them that no other worker holds, with all that they were told. */
export function holdRuns(
  { kind }: Pick<OpenDatabase, 'kind'>,
  tx: Tx,
  ids: readonly string[],
): Promise<readonly TakenRun[]> {
  return withInbox(kind, tx, { held: [], others: ids, told: ids });
}

interface Found {
  readonly held: readonly JourneyRunRow[];
  readonly others: readonly string[];
  /** Of which of both there may be an inbox. */
  readonly told: readonly string[];
}

/** Those that are held, and of the others those that no other worker holds. */
async function withInbox(
  kind: OpenDatabase['kind'],
  tx: Tx,
  { held, others, told }: Found,
): Promise<readonly TakenRun[]> {
  if (told.length === 0) return inOrder(held, []);
  const runs = tx.selectFrom('journey_runs').selectAll().where('id', 'in', others).orderBy('id');
  const inbox = tx
    .selectFrom('journey_run_events')
    .selectAll()
    .where('run_id', 'in', told)
    .orderBy('seq');
  const ask = others.length > 0;
  // The inbox last: what a worker has taken in that has just let a run go is not there any more.
  const answers = await runTogether(tx, [
    ...(ask ? [kind === 'postgres' ? runs.forUpdate().skipLocked() : runs] : []),
    inbox,
  ]);
  const events = answers.at(-1) as TakenRun['inbox'];
  const more = ask ? (answers[0] as readonly JourneyRunRow[]) : [];
  if (more.length < others.length) await forgetStrangers(tx, others);
  return inOrder([...held, ...more], events);
}

function inOrder(rows: readonly JourneyRunRow[], events: TakenRun['inbox']): readonly TakenRun[] {
  const inboxOf = new Map<string, TakenRun['inbox'][number][]>();
  for (const event of events) {
    const known = inboxOf.get(event.run_id);
    if (known === undefined) inboxOf.set(event.run_id, [event]);
    else known.push(event);
  }
  return rows
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
    .map((row) => ({ row, inbox: inboxOf.get(row.id) ?? [] }));
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
