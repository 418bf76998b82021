/** The definitions that runs and entries go by, read once for each version and kept. */
import type { Transaction } from 'kysely';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import type { Database } from '../../store/schema/database.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

export interface VersionKey {
  readonly journeyId: string;
  readonly version: number;
}

export interface KnownVersion {
  /** Always the same object while the version is the same: what is derived from it is kept with it. */
  readonly journey: Journey;
  /** Of the version: `live`, `finishing`, `done` or `stopped`. */
  readonly state: string;
  readonly journeyState: string;
  /** Whom activities without an assignee are for. */
  readonly owner: string;
}

const KEPT_MAX = 500;

/** Of one process. */
export class JourneyDefinitions {
  readonly #kept = new Map<string, { readonly publishedAtMs: number; readonly journey: Journey }>();

  /** By `versionKey`; those that do not exist, or are no JSON, are left out. */
  async read(db: Db, keys: readonly VersionKey[]): Promise<ReadonlyMap<string, KnownVersion>> {
    const ids = [...new Set(keys.map(({ journeyId }) => journeyId))];
    if (ids.length === 0) return new Map();
    const wanted = new Set(keys.map(versionKey));
    const rows = await db
      .selectFrom('journey_versions as v')
      .innerJoin('journeys as j', 'j.id', 'v.journey_id')
      .select(['v.journey_id as journeyId', 'v.number as version', 'v.state as state'])
      .select(['v.published_at_ms as publishedAtMs', 'j.state as journeyState', 'j.owner as owner'])
      .where('v.journey_id', 'in', ids)
      .execute();
    const found = rows.filter((row) => wanted.has(versionKey(row)));
    await this.#load(db, found);
    return new Map(
      found.flatMap((row): [string, KnownVersion][] => {
        const journey = this.#kept.get(versionKey(row))?.journey;
        return journey === undefined ? [] : [[versionKey(row), { ...row, journey }]];
      }),
    );
  }

  /** Of a test the definition may be another one under the same number. */
  async #load(
    db: Db,
    rows: readonly (VersionKey & { readonly publishedAtMs: number })[],
  ): Promise<void> {
    for (const row of rows) {
      const key = versionKey(row);
      if (this.#kept.get(key)?.publishedAtMs === row.publishedAtMs) continue;
      const { definition } = await db
        .selectFrom('journey_versions')
        .select('definition')
        .where('journey_id', '=', row.journeyId)
        .where('number', '=', row.version)
        .executeTakeFirstOrThrow();
      const journey = parsed(definition);
      this.#kept.delete(key);
      if (journey === undefined) continue;
      const [oldest] = this.#kept.keys();
      if (this.#kept.size >= KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
      this.#kept.set(key, { publishedAtMs: row.publishedAtMs, journey });
    }
  }
}

export function versionKey({ journeyId, version }: VersionKey): string {
  return `${journeyId}/${version}`;
}

/** It was validated before it was stored; what somebody has broken since is not run. */
function parsed(definition: string): Journey | undefined {
  try {
    return JSON.parse(definition) as Journey;
  } catch {
    return undefined;
  }
}
