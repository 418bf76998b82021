/**
 * Timers for protocols that start and stop thousands of them a second.
 *
 * A SIP transaction sets a retransmission timer it nearly always cancels and a 32 s one it always
 * keeps. A hashed wheel makes both O(1) and needs a single timer of the operating system, so a
 * stopped stack leaves nothing behind that would hold the process.
 */
export interface Timer {
  /** On the wheel's own clock, comparable with `TimerWheel.nowMs()`. */
  readonly dueAtMs: number;
  /** Harmless when the timer has fired or was cancelled before. */
  cancel(): void;
}

export interface TimerWheel {
  /** Monotonic milliseconds; the origin is arbitrary. */
  nowMs(): number;
  /** Fires once, never early; a real wheel may be late by up to one tick. */
  schedule(delayMs: number, fire: () => void): Timer;
  /** Forgets every timer. Scheduling afterwards is allowed and has no effect. */
  stop(): void;
  readonly pending: number;
}

export interface RealTimerWheelOptions {
  /** Resolution in ms: timers are rounded up to it. Default 5. */
  tickMs?: number;
  /** Whether a pending timer keeps the process alive. Default false: sockets do that. */
  keepProcessAlive?: boolean;
}

const SLOT_COUNT = 1024; // power of two; one turn is 5.12 s at the default tick
const TICK_MS_DEFAULT = 5;
const OS_TIMER_DELAY_MS_MAX = 0x7fffffff; // setTimeout turns a longer delay into 1 ms

/** One pending timer, a link of its slot's doubly linked list. */
class WheelTimer implements Timer {
  readonly dueAtMs: number;
  readonly dueTick: number;
  fire: (() => void) | undefined;
  previous: WheelTimer | undefined;
  next: WheelTimer | undefined;
  readonly #wheel: HashedTimerWheel;

  constructor(wheel: HashedTimerWheel, dueAtMs: number, dueTick: number, fire: () => void) {
    this.#wheel = wheel;
    this.dueAtMs = dueAtMs;
    this.dueTick = dueTick;
    this.fire = fire;
  }

  cancel(): void {
    if (this.fire !== undefined) this.#wheel.remove(this);
  }
}

/** A hashed wheel on the monotonic clock, driven by one timer armed for the next occupied slot. */
export function realTimerWheel(options: RealTimerWheelOptions = {}): TimerWheel {
  return new HashedTimerWheel(options);
}

class HashedTimerWheel implements TimerWheel {
  readonly #slots: (WheelTimer | undefined)[] = new Array<WheelTimer | undefined>(SLOT_COUNT);
  readonly #tickMs: number;
  readonly #keepProcessAlive: boolean;
  #pending = 0;
  #lastTick: number; // every timer due at or before this tick has fired
  #armedTick = Infinity;
  #osTimer: NodeJS.Timeout | undefined;
  #firing = false;
  #stopped = false;

  constructor({ tickMs = TICK_MS_DEFAULT, keepProcessAlive = false }: RealTimerWheelOptions) {
    this.#tickMs = tickMs;
    this.#keepProcessAlive = keepProcessAlive;
    this.#lastTick = Math.floor(performance.now() / tickMs);
  }

  get pending(): number {
    return this.#pending;
  }

  nowMs(): number {
    return performance.now();
  }

  schedule(delayMs: number, fire: () => void): Timer {
    const dueAtMs = performance.now() + Math.max(0, delayMs);
    // Never in a slot already swept, or the timer would wait for a full turn of the wheel.
    const dueTick = Math.max(Math.ceil(dueAtMs / this.#tickMs), this.#lastTick + 1);
    const timer = new WheelTimer(this, dueAtMs, dueTick, fire);
    if (this.#stopped) {
      timer.fire = undefined;
      return timer;
    }
    const slot = dueTick & (SLOT_COUNT - 1);
    const head = this.#slots[slot];
    if (head !== undefined) {
      timer.next = head;
      head.previous = timer;
    }
    this.#slots[slot] = timer;
    this.#pending += 1;
    if (dueTick < this.#armedTick && !this.#firing) this.#arm(dueTick);
    return timer;
  }

  remove(timer: WheelTimer): void {
    timer.fire = undefined;
    if (timer.previous !== undefined) timer.previous.next = timer.next;
    else this.#slots[timer.dueTick & (SLOT_COUNT - 1)] = timer.next;
    if (timer.next !== undefined) timer.next.previous = timer.previous;
    timer.previous = undefined;
    timer.next = undefined;
    this.#pending -= 1;
    if (this.#pending === 0 && !this.#firing) this.#disarm();
  }

  stop(): void {
    this.#stopped = true;
    for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
      for (let head = this.#slots[slot]; head !== undefined; head = this.#slots[slot]) {
        this.remove(head);
      }
    }
    this.#disarm();
  }

  /** Fires what is due, tick by tick, so that an earlier timer runs before a later one. */
  #sweep(): void {
    this.#armedTick = Infinity;
    this.#firing = true;
    let hasThrown = true;
    try {
      // Every tick, even after a stall of many turns: an earlier timer must not run after a later one.
      const nowTick = Math.floor(performance.now() / this.#tickMs);
      while (this.#lastTick < nowTick && this.#pending > 0) {
        this.#lastTick += 1;
        this.#fireTick(this.#lastTick);
      }
      this.#lastTick = nowTick;
      hasThrown = false;
    } finally {
      // A timer that throws must not silence the others of its tick: they are still in the slot.
      if (hasThrown) this.#lastTick -= 1;
      this.#firing = false;
      if (this.#pending > 0) this.#arm(this.#nextOccupiedTick());
    }
  }

  #fireTick(tick: number): void {
    const slot = tick & (SLOT_COUNT - 1);
    // Collected first, oldest first: a timer set by a timer belongs to a later tick.
    const due: WheelTimer[] = [];
    for (let timer = this.#slots[slot]; timer !== undefined; timer = timer.next) {
      if (timer.dueTick <= tick) due.push(timer);
    }
    for (let index = due.length - 1; index >= 0; index -= 1) {
      const timer = due[index];
      const fire = timer?.fire;
      if (timer === undefined || fire === undefined) continue; // cancelled by an earlier one
      this.remove(timer);
      fire();
    }
  }

  /** The next tick whose slot holds anything; a timer of a later turn costs one idle wake-up. */
  #nextOccupiedTick(): number {
    for (let ahead = 1; ahead <= SLOT_COUNT; ahead += 1) {
      const tick = this.#lastTick + ahead;
      if (this.#slots[tick & (SLOT_COUNT - 1)] !== undefined) return tick;
    }
    return this.#lastTick + SLOT_COUNT;
  }

  #arm(tick: number): void {
    this.#disarm();
    this.#armedTick = tick;
    const delayMs = Math.ceil(tick * this.#tickMs - performance.now());
    const boundedMs = Math.min(Math.max(delayMs, 1), OS_TIMER_DELAY_MS_MAX);
    this.#osTimer = setTimeout(() => {
      this.#osTimer = undefined;
      this.#sweep();
    }, boundedMs);
    if (!this.#keepProcessAlive) this.#osTimer.unref();
  }

  #disarm(): void {
    if (this.#osTimer !== undefined) clearTimeout(this.#osTimer);
    this.#osTimer = undefined;
    this.#armedTick = Infinity;
  }
}
