/** Pauses between tries: double each time, up to a maximum, and start afresh after a success. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #nextMs: number;

  constructor(limits: { readonly minMs: number; readonly maxMs: number }) {
    this.#minMs = limits.minMs;
    this.#maxMs = Math.max(limits.minMs, limits.maxMs);
    this.#nextMs = this.#minMs;
  }

  /** The pause before the next try. */
  take(): number {
    const pauseMs = this.#nextMs;
    this.#nextMs = Math.min(this.#maxMs, pauseMs * 2);
    return pauseMs;
  }

  reset(): void {
    this.#nextMs = this.#minMs;
  }
}
