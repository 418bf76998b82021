/**
 * Engagements as labels. An id says nothing to people and grows without bound, so the label is the
 * name; a name may hold anything, so numbers in it are masked; and only so many engagements get a
 * label of their own, those after them share `other`.
 */
import { redactText } from '../../machines/redaction.ts';
import type { OpenDatabase } from '../store/open-database.ts';

export interface EngagementLabel {
  readonly engagement: string;
  readonly mode: string;
  readonly trunk: string;
}

export const OTHER = 'other';
const NAME_MAX = 60;
const KNOWN_MAX = 10_000;

export class EngagementLabels {
  readonly #database: Pick<OpenDatabase, 'db'>;
  readonly #namedMax: number;
  readonly #named = new Map<string, string>();
  readonly #known = new Map<string, Promise<EngagementLabel>>();

  constructor(database: Pick<OpenDatabase, 'db'>, namedMax: number) {
    this.#database = database;
    this.#namedMax = namedMax;
  }

  /** The name as a label; the same engagement keeps the one it got first. */
  nameOf(engagementId: string, name: string): string {
    const known = this.#named.get(engagementId);
    if (known !== undefined) return known;
    if (this.#named.size >= this.#namedMax) return OTHER;
    const label = labelOf(name);
    this.#named.set(engagementId, label);
    return label;
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

/** Digits that might be part of a telephone number are left out, however short. */
function labelOf(name: string): string {
  const masked = redactText(name).replaceAll(/\d{5,}/g, '…');
  return masked.trim().slice(0, NAME_MAX) || 'unnamed';
}
