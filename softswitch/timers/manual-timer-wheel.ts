import assert from 'node:assert/strict';
import type { Timer, TimerWheel } from './timer-wheel.ts';

interface ManualTimer extends Timer {
  fire: (() => void) | undefined;
}

/**
 * The clock of tests: time moves only in `advance`, which jumps from due time to due time, so that
 * inside a timer `nowMs()` is that timer's due time and ties fire in the order they were set.
 */
export class ManualTimerWheel implements TimerWheel {
  #nowMs = 0;
  #timers: ManualTimer[] = []; // sorted by due time, then by age

  get pending(): number {
    return this.#timers.length;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, fire: () => void): Timer {
    const timer: ManualTimer = {
      dueAtMs: this.#nowMs + Math.max(0, delayMs),
      fire,
      cancel: () => {
        timer.fire = undefined;
        const index = this.#timers.indexOf(timer);
        if (index >= 0) this.#timers.splice(index, 1);
      },
    };
    let low = 0;
    for (let high = this.#timers.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle]?.dueAtMs ?? Infinity) <= timer.dueAtMs) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return timer;
  }

  /** Fires all that falls due within `ms`, including timers set by those timers. */
  advance(ms: number, firingsMax = 1_000_000): void {
    assert(ms >= 0, 'time does not run backwards');
    const untilMs = this.#nowMs + ms;
    for (let firings = 0; ; firings += 1) {
      assert(firings < firingsMax, 'a timer keeps re-arming itself with no delay');
      const next = this.#timers[0];
      if (next === undefined || next.dueAtMs > untilMs) break;
      this.#timers.shift();
      this.#nowMs = next.dueAtMs;
      const fire = next.fire;
      next.fire = undefined;
      fire?.();
    }
    this.#nowMs = untilMs;
  }

  stop(): void {
    this.#timers = [];
  }
}
