/** Writes what became of runs, hundreds with one statement. */
import { CompiledQuery, type Transaction } from 'kysely';
import { toBindable, type Bindable } from '../../store/bindable.ts';
import { isPostgres } from '../../store/run-together.ts';
import type { Database } from '../../store/schema/database.ts';
import type { AdvancedRun } from './advance-taken.ts';

/** What a run has after it was advanced, in the order in which it is bound. */
const CHANGED = [
  ['status', 'text'],
  ['step_id', 'text'],
  ['waits_for', 'text'],
  ['state', 'text'],
  ['wake_at_ms', 'bigint'],
  ['goal_at_ms', 'bigint'],
  ['exited_at_ms', 'bigint'],
  ['exit_reason', 'text'],
  ['fault', 'text'],
] as const;
const ROWS_MAX = 1_000;
const texts = new Map<string, string>();

/** When a run with a fault is tried again. */
export const RETRY_MS = 900_000;

/** Throws when one of them was written by somebody else since it was read. */
export async function writeRuns(
  tx: Transaction<Database>,
  advanced: readonly AdvancedRun[],
  nowMs: number,
): Promise<void> {
  for (let from = 0; from < advanced.length; from += ROWS_MAX) {
    const some = advanced.slice(from, from + ROWS_MAX);
    const values = some.flatMap((one) => valuesOf(one, nowMs));
    const query = CompiledQuery.raw(updateText(isPostgres(tx), some.length), values);
    const { rows } = await tx.executeQuery<{ id: string }>(query);
    if (rows.length === some.length) continue;
    const written = new Set(rows.map(({ id }) => id));
    const lost = some.filter(({ row }) => !written.has(row.id)).map(({ row }) => row.id);
    throw new Error(`runs were written by somebody else meanwhile: ${lost.join(', ')}`);
  }
}

function valuesOf({ row, run, fault }: AdvancedRun, nowMs: number): Bindable[] {
  const key = [row.id, row.revision];
  if (fault !== null) {
    const { status, step_id, waits_for, state, goal_at_ms, exited_at_ms, exit_reason } = row;
    const kept = [goal_at_ms, exited_at_ms, exit_reason, fault.slice(0, 500)];
    const values = [...key, status, step_id, waits_for, state, nowMs + RETRY_MS, ...kept];
    return values.map(toBindable);
  }
  const { status, stepId, waiting, goalAtMs, exit } = run;
  const wakeAtMs = waiting !== null && 'timerId' in waiting ? waiting.dueAtMs : null;
  return [
    ...key,
    ...[status === 'exited' ? 'exited' : 'active', stepId, waiting?.kind ?? null],
    ...[JSON.stringify(run), wakeAtMs, goalAtMs, exit?.atMs ?? null, exit?.reason ?? null, null],
  ].map(toBindable);
}

function updateText(isShared: boolean, count: number): string {
  const key = `${isShared ? 1 : 0}/${count}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  const types = ['text', 'bigint', ...CHANGED.map(([, type]) => type)];
  let bound = 0;
  // To PostgreSQL what is bound outside its column is text until it is cast.
  const hole = (type: string): string => {
    bound += 1;
    return isShared ? `cast($${bound} as ${type})` : `?${bound}`;
  };
  const rows = Array.from({ length: count }, () => `(${types.map(hole).join(', ')})`).join(', ');
  const sets = CHANGED.map(([name], index) => `${name} = given.column${index + 3}`).join(', ');
  const text =
    `update journey_runs set ${sets}, revision = revision + 1 ` +
    `from (values ${rows}) as given where journey_runs.id = given.column1 ` +
    `and journey_runs.revision = given.column2 returning journey_runs.id as id`;
  if (texts.size >= 200) texts.clear();
  texts.set(key, text);
  return text;
}
