/** Writes what became of runs, hundreds with one statement. */
import { CompiledQuery, type Transaction } from 'kysely';
import type { Bindable } from '../../store/bindable.ts';
import { isPostgres, type Answer } from '../../store/run-together.ts';
import type { Database } from '../../store/schema/database.ts';
import type { AdvancedRun } from './advance-taken.ts';

type Column = readonly [name: string, type: 'text' | 'bigint'];

/** What a run has that goes on as it did, in the order in which it is bound. */
const MOVED: readonly Column[] = [
  ['step_id', 'text'],
  ['waits_for', 'text'],
  ['state', 'text'],
  ['wake_at_ms', 'bigint'],
];
/** All of it: SQLite writes the indexes of every column that is set, whether or not it changes. */
const CHANGED: readonly Column[] = [
  ...MOVED,
  ['status', 'text'],
  ['goal_at_ms', 'bigint'],
  ['exited_at_ms', 'bigint'],
  ['exit_reason', 'text'],
  ['fault', 'text'],
];
const ROWS_MAX = 1_000;
const texts = new Map<string, string>();

/** When a run with a fault is tried again. */
export const RETRY_MS = 900_000;

interface Written {
  readonly one: AdvancedRun;
  readonly moved: readonly Bindable[];
  /** Null: as it was. */
  readonly changed: readonly Bindable[] | null;
}

/** What they change is counted; see `assertWritten`. */
export function runQueries(
  tx: Transaction<Database>,
  advanced: readonly AdvancedRun[],
  nowMs: number,
): CompiledQuery[] {
  const all = advanced.map((one) => writtenOf(one, nowMs));
  return [
    ...updates(
      tx,
      MOVED,
      all.filter(({ changed }) => changed === null),
    ),
    ...updates(
      tx,
      CHANGED,
      all.filter(({ changed }) => changed !== null),
    ),
  ];
}

/** Throws when one of them was written by somebody else since it was read. */
export function assertWritten(advanced: readonly AdvancedRun[], answers: readonly Answer[]): void {
  const written = answers.reduce((sum, { changes }) => sum + changes, 0);
  if (written === advanced.length) return;
  const ids = advanced.map(({ row }) => row.id).join(', ');
  const lost = `${advanced.length - written} of ${advanced.length}`;
  throw new Error(`runs were written by somebody else meanwhile, ${lost}: ${ids}`);
}

function updates(
  tx: Transaction<Database>,
  columns: readonly Column[],
  all: readonly Written[],
): CompiledQuery[] {
  const queries: CompiledQuery[] = [];
  for (let from = 0; from < all.length; from += ROWS_MAX) {
    const some = all.slice(from, from + ROWS_MAX);
    const values: Bindable[] = [];
    for (const { one, moved, changed } of some) {
      values.push(one.row.id, one.row.revision, ...moved, ...(changed ?? []));
    }
    queries.push(CompiledQuery.raw(updateText(isPostgres(tx), columns, some.length), values));
  }
  return queries;
}

function writtenOf(one: AdvancedRun, nowMs: number): Written {
  const { row, run, fault } = one;
  if (fault !== null) {
    const moved = [row.step_id, row.waits_for, row.state, nowMs + RETRY_MS];
    const kept = [row.status, row.goal_at_ms, row.exited_at_ms, row.exit_reason];
    return { one, moved, changed: [...kept, fault.slice(0, 500)] };
  }
  const { status, stepId, waiting, goalAtMs, exit } = run;
  const wakeAtMs = waiting !== null && 'timerId' in waiting ? waiting.dueAtMs : null;
  const moved = [stepId, waiting?.kind ?? null, JSON.stringify(run), wakeAtMs];
  const isAsItWas =
    status === 'active' &&
    row.status === 'active' &&
    row.fault === null &&
    goalAtMs === row.goal_at_ms &&
    row.exited_at_ms === null;
  if (isAsItWas) return { one, moved, changed: null };
  const next = status === 'exited' ? 'exited' : 'active';
  const changed = [next, goalAtMs, exit?.atMs ?? null, exit?.reason ?? null, null];
  return { one, moved, changed };
}

function updateText(isShared: boolean, columns: readonly Column[], count: number): string {
  const key = `${isShared ? 1 : 0}/${columns.length}/${count}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  const types = ['text', 'bigint', ...columns.map(([, type]) => type)];
  let bound = 0;
  // To PostgreSQL what is bound outside its column is text until it is cast.
  const hole = (type: string): string => {
    bound += 1;
    return isShared ? `cast($${bound} as ${type})` : `?${bound}`;
  };
  const rows = Array.from({ length: count }, () => `(${types.map(hole).join(', ')})`).join(', ');
  const sets = columns.map(([name], index) => `${name} = given.column${index + 3}`).join(', ');
  const text =
    `update journey_runs set ${sets}, revision = revision + 1 ` +
    `from (values ${rows}) as given where journey_runs.id = given.column1 ` +
    `and journey_runs.revision = given.column2`;
  if (texts.size >= 200) texts.clear();
  texts.set(key, text);
  return text;
}
