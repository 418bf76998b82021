/** Asynchronous work that no caller awaits: counted, so that a stop can wait for the last of it. */
export class WorkInHand {
  readonly #onFailure: (error: unknown) => void;
  #count = 0;
  #waiting: (() => void)[] = [];

  /** `onFailure` hears what the work itself did not handle: a defect, not an operating error. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  get count(): number {
    return this.#count;
  }

  run(work: () => Promise<void>): void {
    this.#count += 1;
    void work()
      .catch(this.#onFailure)
      .finally(() => {
        this.#count -= 1;
        if (this.#count > 0) return;
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const resolve of waiting) resolve();
      });
  }

  /** Resolves when nothing is in hand, at once if that is so. */
  settled(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
