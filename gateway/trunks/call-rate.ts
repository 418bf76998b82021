import { callSpacingMs } from '../../machines/call-spacing.ts';

/** Calls that are late leave at most twice as close as others. */
const CATCH_UP_SPACING = 0.5;
/** A call that was let go and is not known to be sent after this long never was. */
const SENT_WITHIN_MS = 1_000;

interface Departure {
  atMs: number;
  isOnTheWire: boolean;
}

/**
 * Calls per second, spaced evenly: a bucket that holds one token. A bucket that held a second's worth
 * would let twice the rate through in its first second, and carriers count by the second and bar who
 * exceeds. So the next call gets a moment, and waits for it if the dial allows that.
 *
 * A moment is a promise of when; `leave` has the last word: after the process stood still, all calls
 * whose moments passed meanwhile would leave at once. Those that are late may catch up a little, so that
 * a busy host keeps the rate, and no second holds more than it allows.
 *
 * What leaves here takes a while to the wire, and longer where the switch is busy. So a call counts from
 * the moment it is known to have left (`hasLeft`), and the next from when it is let go: on the wire they
 * can only be farther apart.
 */
export class CallRate {
  readonly #spacingMs: number;
  #nextFreeAtMs = 0;
  /** When the last calls of one second left, oldest first. */
  readonly #left: Departure[] = [];
  readonly #perWindow: number;

  /** 0 lets nothing through. */
  constructor(callsPerSecondMax: number) {
    this.#spacingMs = callSpacingMs(callsPerSecondMax);
    this.#perWindow = Math.max(1, Math.floor(callsPerSecondMax));
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
    const newest = this.#left.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
    // A clock that was set back must not hold a trunk for as long.
    if (nowMs < newest) this.#left.length = 0;
    const isFull = this.#left.length >= this.#perWindow;
    const oldest = isFull ? (this.#left[0]?.atMs ?? 0) : Number.NEGATIVE_INFINITY;
    const waitMs = Math.max(
      oldest + this.#spacingMs * this.#perWindow - nowMs,
      newest + this.#spacingMs * CATCH_UP_SPACING - nowMs,
    );
    // Timers may fire a fraction of a millisecond early.
    if (waitMs >= 1) return waitMs;
    if (isFull) this.#left.shift();
    this.#left.push({ atMs: nowMs, isOnTheWire: false });
    return 0;
  }

  /**
   * The switch has sent the INVITE of one that left: the first of those that are not known to be out.
   * Which of them it was does not matter, since only moments in their order count.
   */
  hasLeft(nowMs: number): void {
    const first = this.#left.find(
      // One that was never sent may not stand in for others for ever.
      ({ atMs, isOnTheWire }) => !isOnTheWire && nowMs - atMs < SENT_WITHIN_MS,
    );
    if (first === undefined) return;
    first.atMs = Math.max(first.atMs, nowMs);
    first.isOnTheWire = true;
  }
}
