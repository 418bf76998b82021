/** Writes what happened to runs, and counts it, with the transaction in which it happened. */
import { sql, type Transaction } from 'kysely';
import { insertMany } from '../../store/insert-many.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyCountRow, JourneyPathRow } from '../../store/schema/journey-tables.ts';
import { countsOf, type PathEntry } from './path-entry.ts';

type Tx = Transaction<Database>;

/**
 * In the order given, behind what each run's path has already. The runs' rows are locked by the
 * caller: two that write one path at once would be given the same places.
 */
export async function recordPath(tx: Tx, entries: readonly PathEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = await numbered(tx, entries);
  await insertMany(tx, 'journey_path', rows);
  const counts = new Map<string, JourneyCountRow>();
  for (const entry of entries) {
    for (const { stepId, place } of countsOf(entry)) add(counts, entry, stepId, place);
  }
  for (const { entry, stepId, variant } of await goalsOfVariants(tx, rows)) {
    add(counts, entry, stepId, `goal:${variant}`);
  }
  await addCounts(tx, [...counts.values()]);
}

async function numbered(tx: Tx, entries: readonly PathEntry[]): Promise<JourneyPathRow[]> {
  const runIds = [...new Set(entries.map(({ run_id }) => run_id))];
  const last = await tx
    .selectFrom('journey_path')
    .select((eb) => ['run_id', eb.fn.max('n').as('n')])
    .where('run_id', 'in', runIds)
    .groupBy('run_id')
    .execute();
  const lastOf = new Map(last.map(({ run_id, n }) => [run_id, n]));
  return entries.map((entry) => {
    const n = (lastOf.get(entry.run_id) ?? 0) + 1;
    lastOf.set(entry.run_id, n);
    return { ...entry, n };
  });
}

function add(
  counts: Map<string, JourneyCountRow>,
  { journey_id, version, business_unit_id }: PathEntry,
  step_id: string,
  place: string,
): void {
  const key = `${journey_id}/${version}/${step_id}/${place}`;
  const known = counts.get(key);
  if (known !== undefined) known.count += 1;
  else counts.set(key, { journey_id, version, step_id, place, business_unit_id, count: 1 });
}

/** Each variant by which a run had come when it reached its goal. */
async function goalsOfVariants(tx: Tx, rows: readonly JourneyPathRow[]) {
  const goals = rows.filter(({ kind, is_test }) => kind === 'goal' && is_test === 0);
  if (goals.length === 0) return [];
  const goalOf = new Map(goals.map((goal) => [goal.run_id, goal]));
  const choices = await tx
    .selectFrom('journey_path')
    .select(['run_id', 'n', 'step_id', 'code'])
    .where('run_id', 'in', [...goalOf.keys()])
    .where('kind', '=', 'choice')
    .where('visit', '=', 1)
    .where('code', 'is not', null)
    .execute();
  return choices.flatMap(({ run_id, n, step_id, code }) => {
    const entry = goalOf.get(run_id);
    if (entry === undefined || n > entry.n) return [];
    return [{ entry, stepId: step_id ?? '', variant: code ?? '' }];
  });
}

/** In the order of their keys, so that two who count at once do not wait for each other in a ring. */
async function addCounts(tx: Tx, counts: readonly JourneyCountRow[]): Promise<void> {
  const keyOf = ({ journey_id, version, step_id, place }: JourneyCountRow): string =>
    `${journey_id}/${String(version).padStart(10, '0')}/${step_id}/${place}`;
  const sorted = counts.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  if (sorted.length === 0) return;
  await tx
    .insertInto('journey_counts')
    .values(sorted)
    .onConflict((at) =>
      at
        .columns(['journey_id', 'version', 'step_id', 'place'])
        .doUpdateSet({ count: sql`journey_counts.count + excluded.count` }),
    )
    .execute();
}
