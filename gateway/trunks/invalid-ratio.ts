/** How many of the numbers dialled of late do not exist, as the trunk says. */
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import { decidingCauseOf } from '../../machines/deciding-cause.ts';
import { sipRowOf } from '../../machines/outcome-rows.ts';

/** Attempts looked back at: few enough to stop soon, enough that 30 % is no accident of a good list. */
const WINDOW = 50;

export class InvalidRatio {
  readonly #max: number;
  readonly #recent: boolean[] = [];

  /** `max` is a fraction; 1 never exceeds. */
  constructor(max: number) {
    this.#max = max;
  }

  /** In words when, with this attempt, more than the share of the last 50 met `InvalidAddress`. */
  excessWith(ended: AttemptEnded): string | undefined {
    const { statusCode, origin } = ended.sip;
    // What the network said nothing about is no evidence for or against the list.
    if (statusCode === null || origin !== 'network') return undefined;
    this.#recent.push(!ended.answered && isInvalidAddress(ended, statusCode));
    if (this.#recent.length > WINDOW) this.#recent.shift();
    const invalid = this.#recent.filter(Boolean).length;
    if (this.#recent.length < WINDOW || invalid <= WINDOW * this.#max) return undefined;
    this.clear();
    return `${invalid} of the last ${WINDOW} numbers do not exist, says the trunk`;
  }

  /** A new list, or a repaired trunk, begins with a clean record. */
  clear(): void {
    this.#recent.length = 0;
  }
}

function isInvalidAddress(ended: AttemptEnded, statusCode: number): boolean {
  return (decidingCauseOf(ended)?.row ?? sipRowOf(statusCode)).result === 'InvalidAddress';
}
