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
   * process was held up for longer than the clock catches up: timestamps move on by them. `late` is
   * set on every tick of a wake-up that came a frame late or more: what has arrived in the
   * meantime has not been read from the sockets yet.
   */
  tick(skippedTicks: number, late: boolean): void;
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

/** The host's monotonic clock and timers. */
export const realMediaTime: MediaTime = {
  nowMs: () => performance.now(),
  schedule: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

interface Member {
  readonly ticking: Ticking;
  removed: boolean;
}

/**
 * Calls every member once per 20 ms of absolute time: slot k is due at t0 + k × 5 ms, whatever
 * happened to the slots before, so lateness never adds up to drift. One timer serves all members,
 * and none runs while there are no members.
 */
export class MediaClock {
  readonly #time: MediaTime;
  /** Replaced, never changed in place: a member may leave or join while its slot is being run. */
  readonly #slots: Member[][] = Array.from({ length: SLOTS }, () => []);
  #memberCount = 0;
  #timer: { cancel(): void } | undefined;
  #startedAtMs = 0;
  /** Number of the next slot to run, counted from `#startedAtMs`. */
  #nextSlot = 0;
  /** Counts starts: a member's tick may empty the clock and start it again with a new t0. */
  #runs = 0;
  /** Frames given up, told to a slot's members with their next tick. */
  readonly #skipped = new Int32Array(SLOTS);
  #ticks = 0;
  #skippedTicks = 0;
  #wakeUps = 0;
  #latenessSumMs = 0;
  #latenessMaxMs = 0;

  constructor(time: MediaTime = realMediaTime) {
    this.#time = time;
  }

  nowMs(): number {
    return this.#time.nowMs();
  }

  /** Adds a member to the emptiest slot; its first tick comes within 20 ms. Returns its removal. */
  add(ticking: Ticking): () => void {
    let slot = 0;
    for (let i = 1; i < SLOTS; i += 1) {
      if (this.#membersOf(i).length < this.#membersOf(slot).length) slot = i;
    }
    const member: Member = { ticking, removed: false };
    this.#slots[slot] = [...this.#membersOf(slot), member];
    this.#memberCount += 1;
    if (this.#memberCount === 1) this.#start();
    else this.#schedule();
    return () => {
      if (member.removed) return;
      member.removed = true;
      this.#slots[slot] = this.#membersOf(slot).filter((other) => other !== member);
      this.#memberCount -= 1;
      if (this.#memberCount === 0) this.#halt();
    };
  }

  /** Members. */
  get legs(): number {
    return this.#memberCount;
  }

  /** Until members are to be called, ms: 0 when it is time or past it, Infinity without members. */
  get msToNextSlot(): number {
    if (this.#memberCount === 0) return Infinity;
    const dueAtMs = this.#startedAtMs + this.#nextOccupiedSlot * SLOT_MS;
    return Math.max(0, dueAtMs - this.#time.nowMs());
  }

  lateness(): MediaClockLateness {
    return {
      ticks: this.#ticks,
      skippedTicks: this.#skippedTicks,
      latenessMeanMs: this.#wakeUps === 0 ? 0 : this.#latenessSumMs / this.#wakeUps,
      latenessMaxMs: this.#latenessMaxMs,
    };
  }

  /** Stops for good: members are let go and get no further tick. */
  stop(): void {
    for (let slot = 0; slot < SLOTS; slot += 1) {
      for (const member of this.#membersOf(slot)) member.removed = true;
      this.#slots[slot] = [];
    }
    this.#memberCount = 0;
    this.#halt();
  }

  #membersOf(slot: number): Member[] {
    return this.#slots[slot] as Member[];
  }

  #start(): void {
    this.#startedAtMs = this.#time.nowMs();
    this.#nextSlot = 1;
    this.#runs += 1;
    this.#skipped.fill(0);
    this.#schedule();
  }

  #halt(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Only while there are members. */
  get #nextOccupiedSlot(): number {
    let slot = this.#nextSlot;
    while (this.#membersOf(slot % SLOTS).length === 0) slot += 1;
    return slot;
  }

  #schedule(): void {
    this.#timer?.cancel();
    // Rounded up: the host's timers count whole ms, and one that fires early has to be set again.
    this.#timer = this.#time.schedule(Math.ceil(this.msToNextSlot), () => this.#run());
  }

  #run(): void {
    this.#timer = undefined;
    const elapsedMs = this.#time.nowMs() - this.#startedAtMs;
    const lastDue = Math.floor(elapsedMs / SLOT_MS);
    const latenessMs = elapsedMs - this.#nextSlot * SLOT_MS;
    this.#giveUpBeyondCatchUp(lastDue);
    if (latenessMs >= 0) this.#recordLateness(latenessMs);
    const run = this.#runs;
    while (this.#nextSlot <= lastDue && this.#memberCount > 0 && this.#runs === run) {
      const slot = this.#nextSlot % SLOTS;
      this.#nextSlot += 1;
      this.#runSlot(slot, latenessMs >= FRAME_MS);
    }
    if (this.#memberCount > 0) this.#schedule();
  }

  #runSlot(slot: number, late: boolean): void {
    const skipped = this.#skipped[slot] as number;
    this.#skipped[slot] = 0;
    const members = this.#membersOf(slot);
    for (const member of members) {
      if (member.removed) continue;
      this.#ticks += 1;
      member.ticking.tick(skipped, late);
    }
  }

  /** Whole frames are given up, so that every slot gives up the same number. */
  #giveUpBeyondCatchUp(lastDue: number): void {
    const excessSlots = lastDue - this.#nextSlot + 1 - CATCH_UP_SLOTS_MAX;
    if (excessSlots <= 0) return;
    const frames = Math.ceil(excessSlots / SLOTS);
    this.#nextSlot += frames * SLOTS;
    this.#skippedTicks += frames * this.#memberCount;
    for (let slot = 0; slot < SLOTS; slot += 1) {
      this.#skipped[slot] = (this.#skipped[slot] as number) + frames;
    }
  }

  #recordLateness(latenessMs: number): void {
    this.#wakeUps += 1;
    this.#latenessSumMs += latenessMs;
    if (latenessMs > this.#latenessMaxMs) this.#latenessMaxMs = latenessMs;
  }
}
