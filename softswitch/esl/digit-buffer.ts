/** Digits received and not yet used by an application, and the application that wants the next. */

/** FreeSWITCH keeps no more either; a far end that holds a key cannot fill the memory. */
const DIGITS_MAX = 1_000;

export class DigitBuffer {
  #digits = '';
  #taker: (() => void) | undefined;

  /** Nobody takes digits while parked: they are only reported, then dropped. */
  push(digit: string, keep: boolean): void {
    if (this.#taker === undefined && !keep) return;
    if (this.#digits.length < DIGITS_MAX) this.#digits += digit;
    this.#taker?.();
  }

  /** The oldest digit, taken out. */
  shift(): string | undefined {
    const digit = this.#digits[0];
    this.#digits = this.#digits.slice(1);
    return digit;
  }

  get isEmpty(): boolean {
    return this.#digits === '';
  }

  clear(): void {
    this.#digits = '';
  }

  /** Calls `taker` for every digit that comes (at once when one waits) until the returned function is called. */
  listen(taker: () => void): () => void {
    const outer = this.#taker;
    this.#taker = taker;
    if (!this.isEmpty) queueMicrotask(() => this.#taker === taker && taker());
    return () => {
      if (this.#taker === taker) this.#taker = outer;
    };
  }
}
