/** Writes what happened to runs, and counts it, with the transaction in which it happened. */
import assert from 'node:assert/strict';
import { sql, type CompiledQuery, type Transaction } from 'kysely';
import { insertQueries, type InsertShape } from '../../store/insert-many.ts';
import { runTogether } from '../../store/run-together.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyCountRow, JourneyPathRow } from '../../store/schema/journey-tables.ts';
import { countsOf, type PathEntry } from './path-entry.ts';

type Tx = Transaction<Database>;

/**
 * In the order given, behind what each run's path has already. The runs' rows are locked by the
 * caller: two that write one path at once would be given the same places.
 */
export async function recordPath(tx: Tx, entries: readonly PathEntry[]): Promise<void> {
  if (entries.length > 0) await runTogether(tx, pathQueries(tx, entries));
}

/** For those who write more beside it, and in this order; see `runTogether`. */
export function pathQueries(tx: Tx, entries: readonly PathEntry[]): CompiledQuery[] {
  return [...rowQueries(tx, entries), ...countQueries(tx, entries), ...goalQueries(tx, entries)];
}

const NEXT_IN_PATH: InsertShape = {
  computed: {
    column: 'n',
    from: (count, valueOf) =>
      `${count} + coalesce((select max(known.n) from journey_path as known
        where known.run_id = ${valueOf('run_id')}), 0)`,
  },
};

/**
 * Fewer than fill a statement: rows of one statement do not see those of another one's numbering. Few
 * enough that most statements are full and have one text, which is prepared once.
 */
const ENTRIES_PER_STATEMENT = 250;

function rowQueries(tx: Tx, entries: readonly PathEntry[]): CompiledQuery[] {
  const queries: CompiledQuery[] = [];
  for (let from = 0; from < entries.length; from += ENTRIES_PER_STATEMENT) {
    const rows = numbered(entries.slice(from, from + ENTRIES_PER_STATEMENT));
    const statements = insertQueries(tx, 'journey_path', rows, NEXT_IN_PATH);
    assert(statements.length === 1, "a second statement would count the first one's rows twice");
    queries.push(...statements);
  }
  return queries;
}

/** Each within its run among these; the statement adds what the path has already. */
function numbered(entries: readonly PathEntry[]): JourneyPathRow[] {
  const counts = new Map<string, number>();
  return entries.map((entry) => {
    const n = (counts.get(entry.run_id) ?? 0) + 1;
    counts.set(entry.run_id, n);
    return { ...entry, n };
  });
}

/** In the order of their keys, so that two who count at once do not wait for each other in a ring. */
function countQueries(tx: Tx, entries: readonly PathEntry[]): CompiledQuery[] {
  const counts = new Map<string, JourneyCountRow>();
  for (const entry of entries) {
    for (const { stepId, place } of countsOf(entry)) {
      const { journey_id, version, business_unit_id } = entry;
      const key = `${journey_id}/${String(version).padStart(10, '0')}/${stepId}/${place}`;
      const known = counts.get(key);
      if (known === undefined) {
        const row = { journey_id, version, step_id: stepId, place, business_unit_id, count: 1 };
        counts.set(key, row);
      } else known.count += 1;
    }
  }
  const sorted = [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
  const rows = sorted.map(([, row]) => row);
  return insertQueries(tx, 'journey_counts', rows, {
    ending: `on conflict (journey_id, version, step_id, place)
      do update set count = journey_counts.count + excluded.count`,
  });
}

/**
 * Each variant by which a run had come when it reached its goal, once the goal is in its path: a run
 * reaches it once. Nothing else counts under `goal:`, so that whoever counts does it in one order: first
 * all the others, then these.
 */
function goalQueries(tx: Tx, entries: readonly PathEntry[]): CompiledQuery[] {
  const goals = entries.filter(({ kind, is_test }) => kind === 'goal' && is_test === 0);
  if (goals.length === 0) return [];
  const runIds = sql.join(goals.map(({ run_id }) => run_id));
  const counted = sql`
    insert into journey_counts (journey_id, version, step_id, place, business_unit_id, count)
    select choice.journey_id, choice.version, choice.step_id, 'goal:' || choice.code,
      choice.business_unit_id, count(*)
    from journey_path as choice
    inner join journey_path as goal on goal.run_id = choice.run_id and goal.kind = 'goal'
    where choice.run_id in (${runIds}) and choice.n < goal.n and choice.kind = 'choice'
      and choice.visit = 1 and choice.code is not null
    group by choice.journey_id, choice.version, choice.step_id, choice.code, choice.business_unit_id
    order by choice.journey_id, choice.version, choice.step_id, choice.code
    on conflict (journey_id, version, step_id, place)
      do update set count = journey_counts.count + excluded.count`;
  return [counted.compile(tx)];
}
