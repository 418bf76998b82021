/**
 * Inserting hundreds of rows with one statement. Kysely would build a node for every value; here the
 * text of a statement is made once, and what all rows have in common is bound once.
 */
import { CompiledQuery, PostgresAdapter, type Insertable, type Transaction } from 'kysely';
import { toBindable, type Bindable } from './bindable.ts';
import type { Database } from './schema/database.ts';

/** Values bound per statement: SQLite takes 32,766, PostgreSQL 65,535. */
const VALUES_MAX = 30_000;
const TEXTS_MAX = 200;
const texts = new Map<string, string>();

/**
 * All rows have the same columns; those that are null in every row are left out. `ending` is what
 * follows the rows (`on conflict …`, `returning …`); its rows are the answer.
 */
export async function insertMany<T extends keyof Database, R = never>(
  tx: Transaction<Database>,
  table: T,
  rows: readonly Insertable<Database[T]>[],
  ending = '',
): Promise<readonly R[]> {
  const [first] = rows as readonly Readonly<Record<string, unknown>>[];
  if (first === undefined) return [];
  const columns = Object.keys(first)
    .map((name) => columnOf(name, rows as readonly Readonly<Record<string, unknown>>[]))
    .filter(({ kind }) => kind !== 'nothing');
  const varying = columns.filter(({ isSame }) => !isSame);
  const perStatement = Math.floor((VALUES_MAX - columns.length) / Math.max(1, varying.length));
  const answers: R[] = [];
  for (let from = 0; from < rows.length; from += perStatement) {
    const count = Math.min(perStatement, rows.length - from);
    const text = textOf(table, columns, count, ending, isPostgres(tx));
    const same = columns.filter(({ isSame }) => isSame).map(({ values }) => values[0] ?? null);
    const parameters: Bindable[] = [...same];
    for (let index = from; index < from + count; index += 1) {
      for (const { values } of varying) parameters.push(values[index] ?? null);
    }
    const { rows: answered } = await tx.executeQuery<R>(CompiledQuery.raw(text, parameters));
    answers.push(...answered);
  }
  return answers;
}

interface Column {
  readonly name: string;
  readonly kind: 'text' | 'integer' | 'real' | 'nothing';
  readonly values: readonly Bindable[];
  readonly isSame: boolean;
}

function columnOf(name: string, rows: readonly Readonly<Record<string, unknown>>[]): Column {
  const values: Bindable[] = [];
  // A single row has nothing in common with others, and needs at least one value of its own.
  let isSame = rows.length > 1;
  let kind: Column['kind'] = 'nothing';
  for (const row of rows) {
    const value = toBindable(row[name] ?? null);
    values.push(value);
    isSame &&= value === values[0];
    if (typeof value === 'string') kind = 'text';
    else if (value === null || kind === 'real') continue;
    else kind = Number.isSafeInteger(value) ? 'integer' : 'real';
  }
  return { name, kind, values, isSame };
}

const CAST = { integer: 'bigint', real: 'double precision' } as const;

/** Both databases name the columns of a list of values `column1`, `column2` and so on. */
function textOf(
  table: string,
  columns: readonly Column[],
  count: number,
  ending: string,
  isPostgres: boolean,
): string {
  const layout = columns.map(({ name, kind, isSame }) => `${name}:${kind}:${isSame ? 1 : 0}`);
  const key = `${isPostgres ? 1 : 0}/${table}/${count}/${layout.join()}/${ending}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  let bound = 0;
  const hole = (): string => {
    bound += 1;
    return isPostgres ? `$${bound}` : '?';
  };
  // To PostgreSQL what is bound outside its column is text until it is cast.
  const cast = (value: string, { kind }: Column): string =>
    kind === 'integer' || kind === 'real' ? `cast(${value} as ${CAST[kind]})` : value;
  let varying = 0;
  const same = new Map(columns.filter((one) => one.isSame).map(({ name }) => [name, hole()]));
  const selected = columns.map((column) => {
    const value = same.get(column.name) ?? `column${(varying += 1)}`;
    return isPostgres ? cast(value, column) : value;
  });
  const row = (): string => `(${Array.from({ length: varying }, hole).join(', ')})`;
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const from =
    varying === 0
      ? `(values ${Array.from({ length: count }, () => '(1)').join(', ')})`
      : `(values ${Array.from({ length: count }, row).join(', ')})`;
  const text = `insert into ${table} (${names}) select ${selected.join(', ')} from ${from} as given where true ${ending}`;
  const oldest = texts.keys().next();
  if (texts.size >= TEXTS_MAX && oldest.value !== undefined) texts.delete(oldest.value);
  texts.set(key, text);
  return text;
}

function isPostgres(tx: Transaction<Database>): boolean {
  return tx.getExecutor().adapter instanceof PostgresAdapter;
}
