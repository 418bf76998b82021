import assert from 'node:assert/strict';

interface VirtualTimer {
  readonly id: number;
  readonly dueMs: number;
  readonly fire: () => void;
}

/**
 * Discrete-event clock for createActor(logic, { clock }): time jumps from one due timer to the
 * next, and inside a timer `now()` is that timer's due time (docs/adr/0002). Milliseconds from 0.
 *
 * A binary heap ordered by due time, then by setting: setting and firing cost O(log n), cancelling
 * O(1), since a cancelled timer stays in the heap until it surfaces or until it is in the majority.
 */
export class VirtualClock {
  #nowMs = 0;
  #nextId = 1;
  #heap: VirtualTimer[] = [];
  readonly #live = new Set<number>();

  now(): number {
    return this.#nowMs;
  }

  /** Timers set and neither fired nor cancelled. */
  get pending(): number {
    return this.#live.size;
  }

  /** When the next timer is due; undefined when there is none. */
  get nextDueMs(): number | undefined {
    return this.#earliest()?.dueMs;
  }

  setTimeout(fire: () => void, delayMs: number): number {
    assert(Number.isFinite(delayMs), `delay is no finite number: ${delayMs}`);
    const id = this.#nextId++;
    this.#live.add(id);
    this.#push({ id, dueMs: this.#nowMs + Math.max(0, delayMs), fire });
    return id;
  }

  /** Safe for a timer that has fired, was cancelled before, or was never set. */
  clearTimeout(id: number): void {
    if (!this.#live.delete(id)) return;
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#live.size) this.#compact();
  }

  /** Fires all that falls due in the next `durationMs`, then stands at the end of it. */
  advanceBy(durationMs: number, firingsMax?: number): void {
    this.advanceTo(this.#nowMs + durationMs, firingsMax);
  }

  /** Fires all that falls due by `untilMs`: earliest first, ties in the order they were set. */
  advanceTo(untilMs: number, firingsMax = 1_000_000): void {
    assert(untilMs >= this.#nowMs, 'time does not run backwards');
    for (let firings = 0; ; firings += 1) {
      const timer = this.#earliest();
      if (timer === undefined || timer.dueMs > untilMs) break;
      assert(firings < firingsMax, `more than ${firingsMax} firings: does a timer re-arm itself?`);
      this.#fire(timer);
    }
    this.#nowMs = untilMs;
  }

  /** Fires until no timer is left; the clock stands at the last one. */
  runAll(firingsMax = 1_000_000): void {
    for (let firings = 0; ; firings += 1) {
      const timer = this.#earliest();
      if (timer === undefined) return;
      assert(firings < firingsMax, `more than ${firingsMax} firings: does a timer re-arm itself?`);
      this.#fire(timer);
    }
  }

  #fire(timer: VirtualTimer): void {
    this.#pop();
    this.#live.delete(timer.id);
    this.#nowMs = timer.dueMs;
    timer.fire();
  }

  #earliest(): VirtualTimer | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#live.has(top.id)) return top;
      this.#pop();
    }
    return undefined;
  }

  #compact(): void {
    // An array in order is a heap.
    this.#heap = this.#heap.filter(({ id }) => this.#live.has(id)).sort(compare);
  }

  #push(timer: VirtualTimer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || compare(parent, timer) <= 0) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const leftAt = 2 * at + 1;
      const left = heap[leftAt];
      if (left === undefined) break;
      const right = heap[leftAt + 1];
      const takesRight = right !== undefined && compare(right, left) < 0;
      const child = takesRight ? right : left;
      if (compare(last, child) <= 0) break;
      heap[at] = child;
      at = takesRight ? leftAt + 1 : leftAt;
    }
    heap[at] = last;
  }
}

function compare(a: VirtualTimer, b: VirtualTimer): number {
  return a.dueMs - b.dueMs || a.id - b.id;
}
