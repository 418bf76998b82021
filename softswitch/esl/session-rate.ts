/** How many sessions began in the current second, and the limit FreeSWITCH calls sessions-per-second. */

export class SessionRate {
  readonly max: number | undefined;
  readonly #nowMs: () => number;
  #second = 0;
  #begun = 0;
  #last = 0;
  peak = 0;

  /** `nowMs` is monotonic. */
  constructor(max: number | undefined, nowMs: () => number) {
    this.max = max;
    this.#nowMs = nowMs;
  }

  /** Counts one session; false when this second already had its share. */
  admit(): boolean {
    this.#turn();
    if (this.max !== undefined && this.#begun >= this.max) return false;
    this.#begun += 1;
    this.peak = Math.max(this.peak, this.#begun);
    return true;
  }

  /** Sessions of the last full second. */
  get lastSecond(): number {
    this.#turn();
    return this.#last;
  }

  #turn(): void {
    const second = Math.floor(this.#nowMs() / 1_000);
    if (second === this.#second) return;
    this.#last = second === this.#second + 1 ? this.#begun : 0;
    this.#second = second;
    this.#begun = 0;
  }
}
