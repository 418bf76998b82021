/**
 * What becomes of journeys by itself: scheduled ones open, doors close at their date or once a one-time
 * round is through, those that are stopped tell everybody inside, and the last one out ends them.
 */
import { sql, type Transaction } from 'kysely';
import type { OpenDatabase } from '../../store/open-database.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRow, JourneyVersionRow } from '../../store/schema/journey-tables.ts';
import { runTogether } from '../../store/run-together.ts';
import { withdrawQueries } from '../effects/withdraw-sendings.ts';
import { inTransaction } from '../in-transaction.ts';
import type { JourneyChore } from '../journey-chore.ts';
import { tellRuns } from '../runs/tell-runs.ts';
import { closeEntry } from './end-journey.ts';
import { definitionIn, journeyToChange, versionRow, writeJourney } from './journey-row.ts';

type Tx = Transaction<Database>;

export interface LifecycleOptions {
  readonly database: OpenDatabase;
  readonly nowMs: () => number;
}

const ACTOR = 'system';
/** Runs told in one transaction. */
const TOLD_AT_ONCE = 1_000;

export function lifecycleChore(options: LifecycleOptions): JourneyChore {
  const unending = new Set<string>();
  return {
    name: 'lifecycle',
    turn: () => turn(options, unending),
    nextAtMs: () => nextAtMs(options),
  };
}

/** `unending`: versions that are known to have more than one round. */
async function turn({ database, nowMs }: LifecycleOptions, unending: Set<string>): Promise<number> {
  const atMs = nowMs();
  const due = [
    ...(await toOpen(database, atMs)).map((id) => ({ id, work: open })),
    ...(await toClose(database, atMs, unending)).map((id) => ({ id, work: close })),
    ...(await toStop(database)).map((id) => ({ id, work: stop })),
    ...(await toComplete(database)).map((id) => ({ id, work: complete })),
    ...(await withFinishing(database)).map((id) => ({ id, work: finish })),
  ];
  let done = 0;
  for (const { id, work } of due) {
    done += await inTransaction(database, async (tx) => {
      const found = await tx
        .selectFrom('journeys')
        .select('business_unit_id')
        .where('id', '=', id)
        .executeTakeFirst();
      if (found === undefined) return 0;
      const writer = {
        businessUnitId: found.business_unit_id,
        nowMs: atMs,
        actor: ACTOR,
        database,
      };
      return work(tx, writer, await journeyToChange(tx, writer, id));
    });
  }
  return done;
}

interface ChoreWriter {
  readonly businessUnitId: string;
  readonly nowMs: number;
  readonly actor: string;
}

async function toOpen({ db }: OpenDatabase, nowMs: number): Promise<string[]> {
  const rows = await db
    .selectFrom('journeys as j')
    .innerJoin('journey_versions as v', (join) =>
      join.onRef('v.journey_id', '=', 'j.id').onRef('v.number', '=', 'j.live_version'),
    )
    .select('j.id')
    .where('j.state', '=', 'scheduled')
    .where('v.opens_at_ms', '<=', nowMs)
    .execute();
  return rows.map(({ id }) => id);
}

async function open(tx: Tx, writer: ChoreWriter, row: JourneyRow): Promise<number> {
  if (row.state !== 'scheduled') return 0;
  await writeJourney(tx, writer, row, { state: 'live' }, { type: 'journey.opened' });
  return 1;
}

async function toClose(
  database: OpenDatabase,
  nowMs: number,
  unending: Set<string>,
): Promise<string[]> {
  const rows = await database.db
    .selectFrom('journey_versions')
    .select(['journey_id', 'number', 'closes_at_ms'])
    .where('state', '=', 'live')
    .where((eb) =>
      eb.or([
        eb('closes_at_ms', '<=', nowMs),
        eb.and([
          eb('entry_kind', '=', 'segment'),
          eb('entry_due_at_ms', 'is', null),
          eb('round_at_ms', 'is not', null),
        ]),
      ]),
    )
    .execute();
  const due: string[] = [];
  for (const { journey_id: id, number, closes_at_ms: closesAtMs } of rows) {
    const key = `${id}/${number}`;
    const isOver = closesAtMs !== null && closesAtMs <= nowMs;
    if (!isOver && unending.has(key)) continue;
    if (isOver || isOnce(await versionRow(database.db, { id }, number))) due.push(id);
    else unending.add(key);
  }
  return due;
}

/** Its end has come, or its only round has let everybody in. */
function isThrough(version: JourneyVersionRow, nowMs: number): boolean {
  if ((version.closes_at_ms ?? Number.POSITIVE_INFINITY) <= nowMs) return true;
  const { round_at_ms: round, scan_after_id: scan, entry_due_at_ms: due } = version;
  return round !== null && scan === null && due === null && isOnce(version);
}

function isOnce(version: Pick<JourneyVersionRow, 'definition'>): boolean {
  const { entry } = definitionIn(version);
  return entry.kind === 'segment' && entry.frequency === 'oneTime';
}

async function close(tx: Tx, writer: ChoreWriter, row: JourneyRow): Promise<number> {
  if (row.live_version === null) return 0;
  const version = await tx
    .selectFrom('journey_versions')
    .selectAll()
    .where('journey_id', '=', row.id)
    .where('number', '=', row.live_version)
    .executeTakeFirst();
  if (version === undefined || !isThrough(version, writer.nowMs)) return 0;
  await closeEntry(tx, writer, row, { comment: '', version: version.number });
  return 1;
}

/** Somebody inside has not been told, or nobody is inside. */
async function toStop({ db }: OpenDatabase): Promise<string[]> {
  const rows = await db
    .selectFrom('journeys as j')
    .select('j.id')
    .where('j.state', '=', 'stopping')
    .where(
      sql<boolean>`(exists (select 1 from journey_runs as r
          where r.journey_id = j.id and r.status = 'active' and ${UNTOLD})
        or not exists (select 1 from journey_runs as r
          where r.journey_id = j.id and r.status = 'active'))`,
    )
    .execute();
  return rows.map(({ id }) => id);
}

/** Of `journey_runs as r`. */
const UNTOLD = sql<boolean>`not exists (select 1 from journey_run_events as told
  where told.id = 'stop:' || r.id)`;

async function toComplete({ db }: OpenDatabase): Promise<string[]> {
  const rows = await db
    .selectFrom('journeys as j')
    .select('j.id')
    .where('j.state', '=', 'completing')
    .where(
      sql<boolean>`not exists (select 1 from journey_runs as r
        where r.journey_id = j.id and r.status = 'active' and r.is_test = 0)`,
    )
    .execute();
  return rows.map(({ id }) => id);
}

/** Those inside are told a page at a time; once the last has left it has ended. Nobody is called for it. */
async function stop(tx: Tx, writer: ChoreWriter, row: JourneyRow): Promise<number> {
  if (row.state !== 'stopping') return 0;
  await runTogether(tx, withdrawQueries(tx, 'journey_id', [row.id], writer.nowMs));
  const runs = await tx
    .selectFrom('journey_runs as r')
    .select(['r.id'])
    .where('r.journey_id', '=', row.id)
    .where('r.status', '=', 'active')
    .where(UNTOLD)
    .limit(TOLD_AT_ONCE)
    .execute();
  if (runs.length > 0) {
    const told = runs.map(({ id }) => ({ runId: id, id: `stop:${id}`, event: STOP }));
    await tellRuns(tx, writer, told);
    return runs.length;
  }
  if (await isAnybodyInside(tx, row.id, 'all')) return 0;
  await writeJourney(tx, writer, row, { state: 'stopped' }, { type: 'journey.ended' });
  return 1;
}

const STOP = { type: 'stop', reason: 'the journey was stopped' } as const;

async function complete(tx: Tx, writer: ChoreWriter, row: JourneyRow): Promise<number> {
  if (row.state !== 'completing' || (await isAnybodyInside(tx, row.id, 'inEarnest'))) return 0;
  await endVersions(tx, row, writer.nowMs);
  await writeJourney(tx, writer, row, { state: 'completed' }, { type: 'journey.ended' });
  return 1;
}

/** `which`: all, those that are no tests, or those of a version. Who lets people in holds its row. */
async function isAnybodyInside(
  tx: Tx,
  journeyId: string,
  which: 'all' | 'inEarnest' | number,
): Promise<boolean> {
  const inside = tx
    .selectFrom('journey_runs')
    .select('id')
    .where('journey_id', '=', journeyId)
    .where('status', '=', 'active')
    .limit(1);
  const asked = which === 'inEarnest' ? inside.where('is_test', '=', 0) : inside;
  const rows = await (
    typeof which === 'number' ? asked.where('version', '=', which) : asked
  ).execute();
  return rows.length > 0;
}

async function withFinishing({ db }: OpenDatabase): Promise<string[]> {
  const rows = await db
    .selectFrom('journey_versions as v')
    .innerJoin('journeys as j', 'j.id', 'v.journey_id')
    .select('v.journey_id')
    .distinct()
    .where('v.state', '=', 'finishing')
    .where('j.state', 'in', ['live', 'scheduled'])
    .where(
      sql<boolean>`not exists (select 1 from journey_runs as r where r.journey_id = v.journey_id
        and r.version = v.number and r.status = 'active')`,
    )
    .execute();
  return rows.map(({ journey_id: id }) => id);
}

/** An earlier version whose last person has left, while people enter a later one. */
async function finish(tx: Tx, { nowMs }: ChoreWriter, row: JourneyRow): Promise<number> {
  return endVersions(tx, row, nowMs);
}

async function endVersions(tx: Tx, { id }: JourneyRow, nowMs: number): Promise<number> {
  const rows = await tx
    .selectFrom('journey_versions')
    .select('number')
    .where('journey_id', '=', id)
    .where('state', '=', 'finishing')
    .execute();
  let ended = 0;
  for (const { number } of rows) {
    if (await isAnybodyInside(tx, id, number)) continue;
    await tx
      .updateTable('journey_versions')
      .set({ state: 'done', ended_at_ms: nowMs })
      .where('journey_id', '=', id)
      .where('number', '=', number)
      .execute();
    ended += 1;
  }
  return ended;
}

async function nextAtMs({ database: { db }, nowMs }: LifecycleOptions): Promise<number | null> {
  const rows = await db
    .selectFrom('journey_versions')
    .select(['opens_at_ms', 'closes_at_ms'])
    .where('state', '=', 'live')
    .where((eb) => eb.or([eb('opens_at_ms', '>', nowMs()), eb('closes_at_ms', 'is not', null)]))
    .execute();
  const times = rows
    .flatMap(({ opens_at_ms: opens, closes_at_ms: closes }) => [opens ?? 0, closes ?? 0])
    .filter((at) => at > nowMs());
  return times.length === 0 ? null : Math.min(...times);
}
