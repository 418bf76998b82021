import { callSpacingMs } from '../../machines/call-spacing.ts';

/**
 * Calls per second, spaced evenly: a bucket that holds one token. A bucket that held a second's worth
 * would let twice the rate through in its first second, and carriers count by the second and bar who
 * exceeds. So the next call gets a moment, and waits for it if the dial allows that.
 *
 * A moment is a promise of when; `leave` has the last word: after the process stood still, all calls
 * whose moments passed meanwhile would leave at once.
 */
export class CallRate {
  readonly #spacingMs: number;
  #nextFreeAtMs = 0;
  #lastLeftAtMs = Number.NEGATIVE_INFINITY;

  /** 0 lets nothing through. */
  constructor(callsPerSecondMax: number) {
    this.#spacingMs = callSpacingMs(callsPerSecondMax);
  }

  /**
   * Takes the next free moment, epoch ms, when it is not later than `notAfterMs`; else undefined, and
   * nothing is taken. A moment taken and not used is lost: the error falls on fewer calls.
   */
  take(nowMs: number, notAfterMs: number): number | undefined {
    const atMs = Math.max(nowMs, this.#nextFreeAtMs);
    if (this.#spacingMs === Number.POSITIVE_INFINITY || atMs > notAfterMs) return undefined;
    this.#nextFreeAtMs = atMs + this.#spacingMs;
    return atMs;
  }

  /** 0: the call leaves now, and counts. Else how long it has to wait, ms, and to ask again. */
  leave(nowMs: number): number {
    // A clock that was set back must not hold a trunk for as long.
    const sinceMs = Math.max(0, nowMs - this.#lastLeftAtMs);
    // Timers may fire a fraction of a millisecond early.
    const waitMs = this.#spacingMs - sinceMs;
    if (waitMs >= 1) return waitMs;
    this.#lastLeftAtMs = nowMs;
    return 0;
  }
}
