/** Writes what happened to runs, and counts it, with the transaction in which it happened. */
import { sql, type CompiledQuery, type Transaction } from 'kysely';
import { insertQueries } from '../../store/insert-many.ts';
import { numberedInserts } from '../../store/insert-numbered.ts';
import { runTogether } from '../../store/run-together.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyCountRow } from '../../store/schema/journey-tables.ts';
import { countsOf, type PathEntry } from './path-entry.ts';

type Tx = Transaction<Database>;

/** Few enough that most statements are full and have one text, which is prepared once. */
const IN_PATH = { column: 'n', within: 'run_id', rowsPerStatement: 250 } as const;

/**
 * In the order given, behind what each run's path has already. The runs' rows are locked by the
 * caller: two that write one path at once would be given the same places.
 */
export async function recordPath(tx: Tx, entries: readonly PathEntry[]): Promise<void> {
  if (entries.length > 0) await runTogether(tx, pathQueries(tx, entries));
}

/** For those who write more beside it, and in this order; see `runTogether`. */
export function pathQueries(tx: Tx, entries: readonly PathEntry[]): CompiledQuery[] {
  return [
    ...numberedInserts(tx, 'journey_path', entries, IN_PATH),
    ...countQueries(tx, entries),
    ...goalQueries(tx, entries),
  ];
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
