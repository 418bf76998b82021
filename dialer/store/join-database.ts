/** The database that another thread of this process has opened, for a thread with work of its own. */
import type { OpenDatabase, SharedDatabase } from './open-database.ts';
import { joinPostgres } from './postgres/open-postgres.ts';
import { joinSqlite } from './sqlite/open-sqlite.ts';

/** Its tables are this release's already. Closing it closes nothing but what was opened here. */
export function joinDatabase(shared: SharedDatabase): OpenDatabase {
  return shared.kind === 'sqlite' ? joinSqlite(shared.port) : joinPostgres(shared);
}
