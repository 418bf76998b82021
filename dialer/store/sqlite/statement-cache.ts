/** Prepared statements by their text: preparing costs more than most of our statements take. */
import type Libsql from 'libsql';
import { crossed, crossing, type SentResult, type SentStatement } from './sqlite-messages.ts';

const STATEMENTS_MAX = 500;

export class StatementCache {
  readonly #database: Libsql.Database;
  readonly #statements = new Map<string, Libsql.Statement>();

  constructor(database: Libsql.Database) {
    this.#database = database;
  }

  run({ sql, parameters }: SentStatement): SentResult {
    const statement = this.#prepared(sql);
    const bound = crossed(parameters);
    if (statement.reader) {
      const rows = statement.all(bound);
      return { rows: crossing(rows), changes: rows.length };
    }
    return { rows: [], changes: statement.run(bound).changes };
  }

  #prepared(sql: string): Libsql.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    // Oldest first: texts of bulk inserts with odd row counts come once and make room again.
    const oldest = this.#statements.keys().next();
    if (this.#statements.size >= STATEMENTS_MAX && oldest.value !== undefined) {
      this.#statements.delete(oldest.value);
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}
