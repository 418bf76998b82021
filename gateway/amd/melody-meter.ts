/** Tells music from speech: notes hold their pitch, voices glide. */
import { FRAME_MS, type FrameAnalysis } from './frame-analysis.ts';
import type { ToneTracker } from './tone-tracker.ts';

/** The strongest partial of a note stays within this from one frame to the next. */
const HELD_HZ = 4;
/** For this long at least; synthetic voices hold theirs for less. */
const HELD_FRAMES = 5;
const HELD_SHARE_MIN = 0.4;
const HEARD_LEAST_MS = 1_000;

export class MelodyMeter {
  #heard = 0;
  #held = 0;
  #run = 0;
  #lastHz = 0;

  /** Call progress tones hold their pitch too: they are left out while they sound. */
  feed(analysis: FrameAnalysis, tracker: ToneTracker): void {
    if (analysis.peakHz === 0 || (tracker.isSteady && analysis.purity > 0.9)) {
      this.#run = 0;
      this.#lastHz = 0;
      return;
    }
    this.#heard += 1;
    const isHeld = Math.abs(analysis.peakHz - this.#lastHz) <= HELD_HZ;
    this.#run = isHeld ? this.#run + 1 : 0;
    if (this.#run === HELD_FRAMES - 1) this.#held += HELD_FRAMES;
    else if (this.#run >= HELD_FRAMES) this.#held += 1;
    this.#lastHz = analysis.peakHz;
  }

  /** Of the frames with sound, those that hold a note. */
  get heldShare(): number {
    return this.#heard === 0 ? 0 : this.#held / this.#heard;
  }

  get tonalMs(): number {
    return this.#held * FRAME_MS;
  }

  get isMusic(): boolean {
    return this.#heard * FRAME_MS >= HEARD_LEAST_MS && this.heldShare >= HELD_SHARE_MIN;
  }
}
