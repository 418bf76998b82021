/** Engagements as labels: their names, with what else is asked of them. */
import type { OpenDatabase } from '../store/open-database.ts';
import { NameLabels } from './name-labels.ts';

export interface EngagementLabel {
  readonly engagement: string;
  readonly mode: string;
  readonly trunk: string;
}

const KNOWN_MAX = 10_000;

export class EngagementLabels {
  readonly #database: Pick<OpenDatabase, 'db'>;
  readonly #names: NameLabels;
  readonly #known = new Map<string, Promise<EngagementLabel>>();

  constructor(database: Pick<OpenDatabase, 'db'>, namedMax: number) {
    this.#database = database;
    this.#names = new NameLabels(namedMax);
  }

  /** The name as a label; the same engagement keeps the one it got first. */
  nameOf(engagementId: string, name: string): string {
    return this.#names.nameOf(engagementId, name);
  }

  /** Read once an engagement. */
  of(engagementId: string): Promise<EngagementLabel> {
    const known = this.#known.get(engagementId);
    if (known !== undefined) return known;
    const reading = this.#read(engagementId);
    this.#known.set(engagementId, reading);
    reading.catch(() => this.#known.delete(engagementId));
    if (this.#known.size > KNOWN_MAX) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    return reading;
  }

  async #read(engagementId: string): Promise<EngagementLabel> {
    const row = await this.#database.db
      .selectFrom('engagements')
      .innerJoin('workstreams', 'workstreams.id', 'engagements.workstream_id')
      .select(['engagements.name', 'engagements.dial_mode', 'workstreams.trunk'])
      .where('engagements.id', '=', engagementId)
      .executeTakeFirstOrThrow();
    const { name, dial_mode: mode, trunk } = row;
    return { engagement: this.nameOf(engagementId, name), mode, trunk };
  }
}
