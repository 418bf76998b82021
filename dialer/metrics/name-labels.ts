/**
 * Names as labels. An id says nothing to people and grows without bound, so the label is the name; a
 * name may hold anything, so numbers in it are masked; and only so many things get a label of their
 * own, those after them share `other`.
 */
import { redactText } from '../../machines/redaction.ts';

export const OTHER = 'other';
const NAME_MAX = 60;

export class NameLabels {
  readonly #namedMax: number;
  readonly #named = new Map<string, string>();

  constructor(namedMax: number) {
    this.#namedMax = namedMax;
  }

  /** The name as a label; the same thing keeps the one it got first. */
  nameOf(id: string, name: string): string {
    const known = this.#named.get(id);
    if (known !== undefined) return known;
    if (this.#named.size >= this.#namedMax) return OTHER;
    const label = labelOf(name);
    this.#named.set(id, label);
    return label;
  }
}

/** Digits that might be part of a telephone number are left out, however short. */
function labelOf(name: string): string {
  const masked = redactText(name).replaceAll(/\d{5,}/g, '…');
  return masked.trim().slice(0, NAME_MAX) || 'unnamed';
}
