/** The counts of one version of a journey, to be asked by what was counted. */
import type { Db } from './journey-version.ts';

export class Counted {
  readonly #counts = new Map<string, Map<string, number>>();

  add(stepId: string, place: string, count: number): void {
    const own = this.#counts.get(stepId) ?? new Map<string, number>();
    this.#counts.set(stepId, own.set(place, (own.get(place) ?? 0) + count));
  }

  /** 0: never counted. The whole journey's are those of the step ''. */
  of(stepId: string, place: string): number {
    return this.#counts.get(stepId)?.get(place) ?? 0;
  }

  /** What follows a prefix such as `exit:`, with its count; the most frequent first. */
  by(stepId: string, prefix: string): Readonly<Record<string, number>> {
    const found = [...(this.#counts.get(stepId) ?? [])]
      .filter(([place]) => place.startsWith(prefix) && !place.includes(':', prefix.length))
      .map(([place, count]) => [place.slice(prefix.length), count] as const);
    return Object.fromEntries(found.toSorted(([, one], [, other]) => other - one));
  }

  /** Over all that follows a prefix. */
  sum(stepId: string, prefix: string): number {
    return sumOf(Object.values(this.by(stepId, prefix)));
  }

  /** By what follows the prefix, over all steps, `''` left out: who never came to one was not inside. */
  overSteps(prefix: string): Readonly<Record<string, number>> {
    return addedUp(
      [...this.#counts.keys()]
        .filter((stepId) => stepId !== '')
        .map((stepId) => this.by(stepId, prefix)),
    );
  }
}

export function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

export function addedUp(
  all: readonly Readonly<Record<string, number>>[],
): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) {
      sums.set(name, (sums.get(name) ?? 0) + count);
    }
  }
  return Object.fromEntries([...sums].toSorted(([, one], [, other]) => other - one));
}

/** One look: the counts of a version are a few rows a step. */
export async function readCounted(
  db: Db,
  journeyId: string,
  versions: readonly number[],
): Promise<(version: number) => Counted> {
  const rows =
    versions.length === 0
      ? []
      : await db
          .selectFrom('journey_counts')
          .select(['version', 'step_id', 'place', 'count'])
          .where('journey_id', '=', journeyId)
          .where('version', 'in', [...versions])
          .execute();
  const counted = new Map(versions.map((version) => [version, new Counted()]));
  for (const { version, step_id, place, count } of rows) {
    counted.get(version)?.add(step_id, place, count);
  }
  return (version) => counted.get(version) ?? new Counted();
}
