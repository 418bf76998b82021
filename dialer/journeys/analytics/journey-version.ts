/** A published version of a journey, as reports are asked of it. */
import type { Transaction } from 'kysely';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import { DialerError } from '../../../machines/errors.ts';
import { ownRow } from '../../store/own-row.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRow, JourneyVersionRow } from '../../store/schema/journey-tables.ts';

export type Db = Pick<Transaction<Database>, 'selectFrom'>;

export interface JourneyVersion {
  readonly journeyId: string;
  readonly number: number;
  readonly state: string;
  readonly publishedAtMs: number;
  readonly endedAtMs: number | null;
  readonly journey: Journey;
}

/** Of the caller's business unit; throws NOT_FOUND. */
export function journeyOf(db: Db, businessUnitId: string, id: string): Promise<JourneyRow> {
  return ownRow(db, businessUnitId, { table: 'journeys', words: 'journey' }, id);
}

/** The one asked for, else the latest; throws NOT_FOUND, also where nothing was published yet. */
export async function versionOf(
  db: Db,
  businessUnitId: string,
  id: string,
  asked: number | undefined,
): Promise<JourneyVersion> {
  const { latest_version: latest } = await journeyOf(db, businessUnitId, id);
  const number = asked ?? latest;
  const row = await db
    .selectFrom('journey_versions')
    .selectAll()
    .where('journey_id', '=', id)
    .where('number', '=', number)
    .executeTakeFirst();
  if (row !== undefined) return readVersion(row);
  const what = latest === 0 ? 'has not been published' : `has no version ${number}`;
  throw new DialerError('NOT_FOUND', `the journey ${id} ${what}`);
}

/** The latest first; snapshots of test runs, whose numbers are below 1, are none. */
export async function versionsOf(
  db: Db,
  businessUnitId: string,
  id: string,
  page: { readonly limit: number; readonly before?: number | undefined },
): Promise<JourneyVersion[]> {
  await journeyOf(db, businessUnitId, id);
  let query = db
    .selectFrom('journey_versions')
    .selectAll()
    .where('journey_id', '=', id)
    .where('number', '>', 0);
  if (page.before !== undefined) query = query.where('number', '<', page.before);
  const rows = await query.orderBy('number', 'desc').limit(page.limit).execute();
  return rows.map(readVersion);
}

function readVersion(row: JourneyVersionRow): JourneyVersion {
  return {
    journeyId: row.journey_id,
    number: row.number,
    state: row.state,
    publishedAtMs: row.published_at_ms,
    endedAtMs: row.ended_at_ms,
    journey: JSON.parse(row.definition) as Journey,
  };
}
