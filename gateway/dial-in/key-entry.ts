/** Digits that are entered one by one, up to the hash or a pause; the star begins anew. */
import type { GatewayClock } from '../clock.ts';

export interface KeyEntryParts {
  readonly clock: GatewayClock;
  /** After the last digit it is taken as a whole, ms. */
  readonly pauseMs: number;
  /** From the end of the question to the first digit, ms. */
  readonly patienceMs: number;
  readonly digitsMax: number;
  /** Once; empty: nothing was entered. */
  readonly onDone: (digits: string) => void;
}

export class KeyEntry {
  readonly #parts: KeyEntryParts;
  #digits = '';
  #timer: unknown;
  #over = false;

  constructor(parts: KeyEntryParts) {
    this.#parts = parts;
  }

  /** The question is over. */
  asked(): void {
    if (this.#digits === '') this.#wait(this.#parts.patienceMs);
  }

  press(key: string): void {
    if (this.#over) return;
    if (key === '#') {
      this.end();
      return;
    }
    if (key === '*') this.#digits = '';
    else if (/^[0-9]$/.test(key)) this.#digits += key;
    const { digitsMax, pauseMs, patienceMs } = this.#parts;
    if (this.#digits.length >= digitsMax) this.end();
    else this.#wait(this.#digits === '' ? patienceMs : pauseMs);
  }

  /** What there is, is all. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    const { clock, onDone } = this.#parts;
    clock.clearTimeout(this.#timer);
    onDone(this.#digits);
  }

  #wait(ms: number): void {
    if (this.#over) return;
    const { clock } = this.#parts;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => this.end(), ms);
  }
}
