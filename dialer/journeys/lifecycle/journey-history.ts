/** The versions of a journey: what each changed, and what whoever published it said about it. */
import type { Transaction } from 'kysely';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRow, JourneyVersionRow } from '../../store/schema/journey-tables.ts';
import { journeyChanges, type JourneyChange } from './journey-changes.ts';
import { definitionIn } from './journey-row.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

export interface PublishedVersion {
  readonly row: JourneyVersionRow;
  /** Empty: nothing was said. Of several publications of one version the last. */
  readonly comment: string;
  /** Against the version before; of the first there is none. */
  readonly changes: readonly JourneyChange[];
}

/** Newest first; snapshots of test runs are none. `before`: only those below. */
export async function publishedVersions(
  db: Db,
  { id }: Pick<JourneyRow, 'id'>,
  { limit, before }: { readonly limit: number; readonly before?: number | undefined },
): Promise<PublishedVersion[]> {
  const query = db
    .selectFrom('journey_versions')
    .selectAll()
    .where('journey_id', '=', id)
    .where('number', '>', 0)
    .orderBy('number', 'desc')
    .limit(limit + 1);
  const rows = await (before === undefined ? query : query.where('number', '<', before)).execute();
  const comments = await commentsOf(db, id);
  return rows.map((row, index) => {
    const earlier = rows[index + 1];
    const changes =
      earlier === undefined ? [] : journeyChanges(definitionIn(earlier), definitionIn(row));
    return { row, comment: comments.get(row.number) ?? '', changes };
  });
}

async function commentsOf(db: Db, id: string): Promise<ReadonlyMap<number, string>> {
  const rows = await db
    .selectFrom('events')
    .select('payload')
    .where('stream_id', '=', `journey:${id}`)
    .where('type', '=', 'journey.published')
    .orderBy('stream_seq')
    .execute();
  return new Map(
    rows.map(({ payload }) => {
      const { version, comment } = JSON.parse(payload) as { version: number; comment: string };
      return [version, comment];
    }),
  );
}
