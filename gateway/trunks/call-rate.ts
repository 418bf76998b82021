/**
 * Calls per second, spaced evenly: a bucket that holds one token. A bucket that held a second's worth
 * would let twice the rate through in its first second, and carriers count by the second and bar who
 * exceeds. So the next call gets a moment, and waits for it if the dial allows that.
 */
export class CallRate {
  readonly #intervalMs: number;
  #nextFreeAtMs = 0;

  /** 0 lets nothing through. */
  constructor(callsPerSecondMax: number) {
    this.#intervalMs = callsPerSecondMax > 0 ? 1_000 / callsPerSecondMax : Number.POSITIVE_INFINITY;
  }

  /**
   * Takes the next free moment, epoch ms, when it is not later than `notAfterMs`; else undefined, and
   * nothing is taken. A moment taken and not used is lost: the error falls on fewer calls.
   */
  take(nowMs: number, notAfterMs: number): number | undefined {
    const atMs = Math.max(nowMs, this.#nextFreeAtMs);
    if (this.#intervalMs === Number.POSITIVE_INFINITY || atMs > notAfterMs) return undefined;
    this.#nextFreeAtMs = atMs + this.#intervalMs;
    return atMs;
  }
}
