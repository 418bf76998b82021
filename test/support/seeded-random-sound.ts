/** mulberry32: the same seed, the same sound. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  between(least: number, most: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return least + ((most - least) * ((t ^ (t >>> 14)) >>> 0)) / 4_294_967_296;
  }

  whole(least: number, most: number): number {
    return Math.min(most, Math.floor(this.between(least, most + 1)));
  }
}
