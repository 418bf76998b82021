/**
 * The store is looked at by writing into it: a database that can only be read would pass every other
 * look, and take no call. One row of the leases, under a name that no queue group has.
 */
import type { OpenDatabase } from '../store/open-database.ts';
import type { HealthCheck } from './readiness.ts';

export function storeCheck(
  { db, kind }: Pick<OpenDatabase, 'db' | 'kind'>,
  dialerId: string,
  nowMs: () => number,
): HealthCheck {
  const name = `health:${dialerId}`;
  return {
    name: 'store',
    look: async () => {
      const startedMs = performance.now();
      const expiresAtMs = nowMs();
      await db
        .insertInto('leases')
        .values({ name, owner: dialerId, epoch: 0, expires_at_ms: expiresAtMs })
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet({ expires_at_ms: expiresAtMs }),
        )
        .execute();
      const tookMs = Math.round(performance.now() - startedMs);
      const store = kind === 'sqlite' ? 'SQLite' : 'PostgreSQL';
      return { ok: true, detail: `${store} took a write in ${tookMs} ms` };
    },
  };
}
