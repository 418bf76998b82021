/**
 * A PostgreSQL server for a test: the one of the run when test/run.mjs started it, else one of this
 * file's own. A schema for each user keeps files that share a server apart.
 */
import { randomBytes } from 'node:crypto';
import { startPostgresCluster } from '../runner/postgres-cluster.mjs';

export interface PostgresPlace {
  readonly url: string;
  readonly schema: string;
}

export interface TestPostgres {
  readonly url: string;
  /** Another empty place in it; the store makes the schema. */
  place(): PostgresPlace;
  /** Ends the server when it is this file's own. */
  stop(): Promise<void>;
}

export async function testPostgres(): Promise<TestPostgres> {
  const ofTheRun = process.env['RINGFENCE_TEST_POSTGRES'];
  const cluster =
    ofTheRun === undefined
      ? await startPostgresCluster()
      : { url: ofTheRun, stop: () => Promise.resolve() };
  return {
    url: cluster.url,
    place: () => ({ url: cluster.url, schema: `test_${randomBytes(6).toString('hex')}` }),
    stop: () => cluster.stop(),
  };
}
