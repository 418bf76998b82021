/**
 * With hundreds of legs a packet comes every 60 µs, and to be woken for each of them costs more than all
 * that is done with it. So the thread takes what has come and then rests for a moment, as network cards
 * do before they interrupt (moderation), and finds many at once. Whatever else comes, commands too, waits
 * as long; the clock's next slot does not.
 */
import type { MediaClock } from './media-clock.ts';

/** A tenth of a frame: nothing beside the jitter that a far end's own clock makes. */
const REST_MS = 2;
/** Fewer send less than six packets meanwhile. */
const LEGS_MIN = 60;

/** For a thread that has nothing to do but media. */
export class ReceiveRest {
  readonly #clock: Pick<MediaClock, 'legs' | 'msToNextSlot'>;
  readonly #never = new Int32Array(new SharedArrayBuffer(4));
  #isDue = false;

  constructor(clock: Pick<MediaClock, 'legs' | 'msToNextSlot'>) {
    this.#clock = clock;
  }

  /** A packet was received: there is a rest behind all that came with it. */
  received(): void {
    if (this.#isDue || this.#clock.legs < LEGS_MIN) return;
    this.#isDue = true;
    setImmediate(() => this.#rest());
  }

  #rest(): void {
    this.#isDue = false;
    const restMs = Math.min(REST_MS, this.#clock.msToNextSlot);
    if (restMs > 0) Atomics.wait(this.#never, 0, 0, restMs);
  }
}
