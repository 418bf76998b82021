/** The event log as its readers see it: PostgreSQL keeps back what an older transaction may still precede. */
import { sql } from 'kysely';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';

const LOOK_AGAIN_MS = 10;

/**
 * Resolves once everything that was written can be read, and to the last of it. Until then some
 * transaction of the server runs that is older, be it of another test beside this one.
 */
export async function settledEvents({
  db,
  kind,
}: Pick<OpenDatabase, 'db' | 'kind'>): Promise<number> {
  for (;;) {
    const { last } = await db
      .selectFrom('events')
      .select((eb) => eb.fn.max('seq').as('last'))
      .executeTakeFirstOrThrow();
    if (kind === 'sqlite') return last;
    const { rows } = await sql`select 1 from events
      where tx >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint limit 1`.execute(db);
    if (rows.length === 0) return last;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
