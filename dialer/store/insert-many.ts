/**
 * Inserting hundreds of rows with one statement. Kysely would build a node for every value; here the
 * text of a statement is made once, and what all rows have in common is bound once.
 */
import { CompiledQuery, type Insertable, type Transaction } from 'kysely';
import { toBindable, type Bindable } from './bindable.ts';
import { isPostgres } from './run-together.ts';
import type { Database } from './schema/database.ts';

/** Values bound per statement: SQLite takes 32,766, PostgreSQL 65,535. */
const VALUES_MAX = 30_000;
const TEXTS_MAX = 200;
const texts = new Map<string, string>();

export interface InsertShape {
  /** What follows the rows: `on conflict …`, `returning …`. */
  readonly ending?: string;
  /** Puts an expression around a column's value, always the same one; `valueOf` is another column's. */
  readonly computed?: {
    readonly column: string;
    readonly from: (value: string, valueOf: (column: string) => string) => string;
  };
}

type Row = Readonly<Record<string, unknown>>;

/** Answers what `ending` returns. */
export async function insertMany<T extends keyof Database, R = never>(
  tx: Transaction<Database>,
  table: T,
  rows: readonly Insertable<Database[T]>[],
  shape: InsertShape = {},
): Promise<readonly R[]> {
  const answers: R[] = [];
  for (const query of insertQueries(tx, table, rows, shape)) {
    const { rows: answered } = await tx.executeQuery<R>(query);
    answers.push(...answered);
  }
  return answers;
}

/**
 * One statement, unless there are more values than a statement takes; none without rows. All rows
 * have the same columns; those that are null in every row are left out.
 */
export function insertQueries<T extends keyof Database>(
  tx: Transaction<Database>,
  table: T,
  rows: readonly Insertable<Database[T]>[],
  shape: InsertShape = {},
): CompiledQuery[] {
  const [first] = rows as readonly Row[];
  if (first === undefined) return [];
  const columns = Object.keys(first)
    .map((name) => columnOf(name, rows as readonly Row[]))
    .filter(({ kind }) => kind !== 'nothing');
  const varying = columns.filter(({ isSame }) => !isSame);
  const same = columns.filter(({ isSame }) => isSame).map(({ values }) => values[0] ?? null);
  const rowsMax = Math.floor((VALUES_MAX - columns.length) / Math.max(1, varying.length));
  const queries: CompiledQuery[] = [];
  for (let from = 0; from < rows.length; from += rowsMax) {
    const count = Math.min(rowsMax, rows.length - from);
    const parameters: Bindable[] = [...same];
    for (let index = from; index < from + count; index += 1) {
      for (const { values } of varying) parameters.push(values[index] ?? null);
    }
    const text = textOf({ table, columns, count, shape, isPostgres: isPostgres(tx) });
    queries.push(CompiledQuery.raw(text, parameters));
  }
  return queries;
}

interface Column {
  readonly name: string;
  readonly kind: 'text' | 'integer' | 'real' | 'nothing';
  readonly values: readonly Bindable[];
  readonly isSame: boolean;
}

function columnOf(name: string, rows: readonly Row[]): Column {
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

interface TextInput {
  readonly table: string;
  readonly columns: readonly Column[];
  readonly count: number;
  readonly shape: InsertShape;
  readonly isPostgres: boolean;
}

function textOf(input: TextInput): string {
  const { table, columns, count, shape, isPostgres } = input;
  const layout = columns.map(({ name, kind, isSame }) => `${name}:${kind}:${isSame ? 1 : 0}`);
  const { ending = '', computed } = shape;
  const key = [isPostgres, table, count, layout.join(), ending, computed?.column].join('/');
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = makeText(input);
  const oldest = texts.keys().next();
  if (texts.size >= TEXTS_MAX && oldest.value !== undefined) texts.delete(oldest.value);
  texts.set(key, text);
  return text;
}

const CAST = { integer: 'bigint', real: 'double precision' } as const;

/** Both databases name the columns of a list of values `column1`, `column2` and so on. */
function makeText({ table, columns, count, shape, isPostgres }: TextInput): string {
  const mark = isPostgres ? '$' : '?';
  let bound = 0;
  const hole = (): string => `${mark}${(bound += 1)}`;
  const plain = new Map(columns.filter((one) => one.isSame).map(({ name }) => [name, hole()]));
  let varying = 0;
  for (const { name, isSame } of columns) if (!isSame) plain.set(name, `column${(varying += 1)}`);
  // To PostgreSQL what is bound outside its column is text until it is cast.
  const typed = ({ name, kind }: Column): string => {
    const value = plain.get(name) ?? 'null';
    const isNumber = kind === 'integer' || kind === 'real';
    return isPostgres && isNumber ? `cast(${value} as ${CAST[kind]})` : value;
  };
  const { computed, ending = '' } = shape;
  const selected = columns.map((column) =>
    computed?.column === column.name
      ? computed.from(typed(column), (name) => plain.get(name) ?? 'null')
      : typed(column),
  );
  const row = (): string =>
    varying === 0 ? '(1)' : `(${Array.from({ length: varying }, hole).join(', ')})`;
  const values = Array.from({ length: count }, row).join(', ');
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  return `insert into ${table} (${names}) select ${selected.join(', ')} from (values ${values}) as given where true ${ending}`;
}
