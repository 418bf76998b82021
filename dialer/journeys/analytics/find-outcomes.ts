/** What came of what a journey sent, person by person: the newest first, page by page (JRN-64). */
import { sql, type RawBuilder } from 'kysely';
import type { Values } from '../../../journey-core/interpreter/json-value.ts';
import type { OpenDatabase } from '../../store/open-database.ts';

export interface OutcomeQuery {
  readonly journeyId: string;
  readonly version?: number | undefined;
  readonly stepId?: string | undefined;
  /** `attempted`, `notAttempted`, `blocked`, `sent`, `notSent`. */
  readonly outcome?: string | undefined;
  /** The reason, or the Result. */
  readonly code?: string | undefined;
  /** When it came, half open. Epoch ms. */
  readonly fromMs?: number | undefined;
  readonly beforeMs?: number | undefined;
  /** With those of tests; they say so. */
  readonly tests: boolean;
  readonly limit: number;
  readonly after?: PathPlace | undefined;
}

/** Of a row, in the order of time. */
export interface PathPlace {
  readonly atMs: number;
  readonly runId: string;
  readonly n: number;
}

export interface FoundOutcome extends PathPlace {
  readonly version: number;
  readonly stepId: string;
  readonly visit: number;
  readonly isTest: boolean;
  readonly contactId: string;
  /** Null: the contact is gone. */
  readonly uniqueIdentifier: string | null;
  /** The one that is called first; null: none, empty: erased. Never shown as it is. */
  readonly number: string | null;
  readonly outcome: string;
  /** The reason or the Result in a word; null: none was told. */
  readonly code: string | null;
  /** All that was told, as conditions of the journey see it. */
  readonly values: Values;
}

/** The journey is one of the caller's business unit. */
export async function findOutcomes(
  { db }: Pick<OpenDatabase, 'db'>,
  query: OutcomeQuery,
): Promise<FoundOutcome[]> {
  const { journeyId, version, stepId, outcome, code, fromMs, beforeMs, tests, after } = query;
  let found = db
    .selectFrom('journey_path as path')
    .leftJoin('contacts as contact', 'contact.id', 'path.contact_id')
    .leftJoin('contact_points as point', (join) =>
      join.on((eb) =>
        eb(
          'point.id',
          '=',
          eb.fn.coalesce(
            'contact.mobile_point_id',
            'contact.business_point_id',
            'contact.home_point_id',
          ),
        ),
      ),
    )
    .selectAll('path')
    .select(['contact.unique_identifier', 'point.value as number'])
    .where('path.journey_id', '=', journeyId)
    .where('path.kind', '=', 'outcome');
  if (outcome !== undefined) found = found.where('path.place', '=', outcome);
  if (version !== undefined) found = found.where('path.version', '=', version);
  if (stepId !== undefined) found = found.where('path.step_id', '=', stepId);
  if (code !== undefined) found = found.where('path.code', '=', code);
  if (fromMs !== undefined) found = found.where('path.at_ms', '>=', fromMs);
  if (beforeMs !== undefined) found = found.where('path.at_ms', '<', beforeMs);
  if (!tests) found = found.where('path.is_test', '=', 0);
  if (after !== undefined) found = found.where(isBehind(after));
  const rows = await found
    .orderBy('path.at_ms', 'desc')
    .orderBy('path.run_id', 'desc')
    .orderBy('path.n', 'desc')
    .limit(query.limit)
    .execute();
  return rows.map((row) => ({
    ...{ atMs: row.at_ms, runId: row.run_id, n: row.n, version: row.version },
    ...{ stepId: row.step_id ?? '', visit: row.visit ?? 0, isTest: row.is_test !== 0 },
    ...{ contactId: row.contact_id, uniqueIdentifier: row.unique_identifier, number: row.number },
    ...{ outcome: row.place ?? '', code: row.code },
    values: (JSON.parse(row.detail) as { values?: Values }).values ?? {},
  }));
}

/** Of rows called `path`: behind this place in descending order. */
export function isBehind({ atMs, runId, n }: PathPlace): RawBuilder<boolean> {
  return sql<boolean>`(path.at_ms, path.run_id, path.n) < (${atMs}, ${runId}, ${n})`;
}

/** `<base 36 time>-<run>-<n>`: opaque to callers. */
export function cursorOf({ atMs, runId, n }: PathPlace): string {
  return `${atMs.toString(36)}-${runId}-${n}`;
}

/** Undefined: no cursor of ours. */
export function placeOf(cursor: string): PathPlace | undefined {
  const [, at = '', runId = '', n = ''] =
    /^([0-9a-z]{1,10})-([0-9a-z][0-9a-z-]{0,59})-(\d{1,9})$/.exec(cursor) ?? [];
  if (n === '') return undefined;
  return { atMs: Number.parseInt(at, 36), runId, n: Number(n) };
}
