/** Events told lately, to be told again when Redis lost them. Whoever heard them drops the repeats. */
export interface KeptEvent {
  readonly queueGroup: string;
  readonly text: string;
  readonly atMs: number;
}

export class EventReplay {
  readonly #told: KeptEvent[] = [];
  readonly #keptMs: number;
  readonly #max: number;
  #first = 0;

  constructor(limits: { readonly keptMs: number; readonly max: number }) {
    this.#keptMs = limits.keptMs;
    this.#max = limits.max;
  }

  add(event: KeptEvent): void {
    this.#told.push(event);
    this.#forget(event.atMs);
  }

  /** Oldest first. */
  of(queueGroup: string, nowMs: number): readonly KeptEvent[] {
    this.#forget(nowMs);
    return this.#told.slice(this.#first).filter((event) => event.queueGroup === queueGroup);
  }

  #forget(nowMs: number): void {
    const { length } = this.#told;
    let first = Math.max(this.#first, length - this.#max);
    while (first < length && (this.#told[first]?.atMs ?? nowMs) < nowMs - this.#keptMs) first += 1;
    this.#first = first;
    if (first < 1_024 || first * 2 < length) return;
    this.#told.splice(0, first);
    this.#first = 0;
  }
}
