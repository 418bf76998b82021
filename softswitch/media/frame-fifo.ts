/** A few frames in store between two halves of the switch that tick at different moments. */
import { FRAME_SAMPLES } from './audio-format.ts';

/** Holds at most `framesMax`; above that the oldest is dropped, so that it never adds more delay. */
export class FrameFifo {
  droppedFrames = 0;
  readonly #frames: readonly Int16Array[];
  #first = 0;
  #count = 0;

  constructor(framesMax: number) {
    this.#frames = Array.from({ length: framesMax }, () => new Int16Array(FRAME_SAMPLES));
  }

  get count(): number {
    return this.#count;
  }

  push(frame: Int16Array): void {
    if (this.#count === this.#frames.length) {
      this.#first = (this.#first + 1) % this.#frames.length;
      this.#count -= 1;
      this.droppedFrames += 1;
    }
    this.#frameAt(this.#first + this.#count).set(frame);
    this.#count += 1;
  }

  /** False when there is none; `into` is untouched then. */
  shift(into: Int16Array): boolean {
    if (this.#count === 0) return false;
    into.set(this.#frameAt(this.#first));
    this.#first = (this.#first + 1) % this.#frames.length;
    this.#count -= 1;
    return true;
  }

  clear(): void {
    this.#count = 0;
  }

  #frameAt(index: number): Int16Array {
    return this.#frames[index % this.#frames.length] as Int16Array;
  }
}
