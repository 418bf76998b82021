/** A share of yes among yes-or-no events, with forgetting: the mean of a Beta distribution. */

export class ForgettingShare {
  readonly #keep: number;
  #yes: number;
  #all: number;

  /** Starts at `prior`, as if it had been seen in `weight` events; forgets over `memoryCount`. */
  constructor(prior: number, weight: number, memoryCount: number) {
    this.#keep = Math.exp(-1 / memoryCount);
    this.#yes = prior * weight;
    this.#all = weight;
  }

  get value(): number {
    return this.#yes / this.#all;
  }

  note(isYes: boolean): void {
    this.#yes = this.#yes * this.#keep + Number(isYes);
    this.#all = this.#all * this.#keep + 1;
  }
}
