/** Everything one leg of the lab heard, frame by frame with its time: an ear for tones. */
import { FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../softswitch/media/audio-format.ts';

interface Frame {
  readonly atMs: number;
  readonly pcm: Int16Array;
}

/** An hour; older ones are forgotten. */
const FRAMES_MAX = 180_000;
/** Of the energy that lies at a tone, for it to count as heard. */
const SHARE_MIN = 0.7;
/** Below -46 dBFS a frame is silence, whatever its share: comfort noise is no tone. */
const LEVEL_MIN = 165;

export class HeardAudio {
  readonly #frames: Frame[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #nowMs: () => number;

  /** `nowMs`: the clock that times are to be compared by. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  take(pcm: Int16Array): void {
    this.#frames.push({ atMs: this.#nowMs(), pcm: pcm.slice() });
    if (this.#frames.length > FRAMES_MAX) this.#frames.shift();
    for (const check of [...this.#waiting]) check();
  }

  get lengthMs(): number {
    return this.#frames.length * FRAME_MS;
  }

  /** When the tone was first heard, of those frames that came since; undefined: not yet. */
  firstMs(hz: number, sinceMs = 0): number | undefined {
    return this.#since(sinceMs).find((frame) => isTone(frame.pcm, hz))?.atMs;
  }

  /** For how long in all it was heard since. */
  toneMs(hz: number, sinceMs = 0): number {
    return this.#since(sinceMs).filter(({ pcm }) => isTone(pcm, hz)).length * FRAME_MS;
  }

  /**
   * Energy at that frequency among the last `forMs`, against a full-scale sine of it: 0 to 1. Tells
   * several tones at once apart, where `toneMs` asks for one that is alone.
   */
  levelOf(hz: number, forMs = 200): number {
    const frames = this.#frames.slice(-Math.ceil(forMs / FRAME_MS));
    if (frames.length === 0) return 0;
    const powers = frames.map(({ pcm }) => powerAt(pcm, hz));
    const mean = powers.reduce((sum, power) => sum + power, 0) / powers.length;
    return Math.sqrt(mean) / 32_767;
  }

  /** Resolves with the time at which the tone has been heard for `forMs` without a gap. */
  until(hz: number, forMs = 60, sinceMs = 0): Promise<number> {
    return this.#untilTrue(() => {
      const since = this.#since(sinceMs).slice(-Math.ceil(forMs / FRAME_MS));
      const isLongEnough = since.length * FRAME_MS >= forMs;
      return isLongEnough && since.every(({ pcm }) => isTone(pcm, hz)) ? since[0]?.atMs : undefined;
    });
  }

  /** Resolves when `levelOf` is as wished for each of these, in one moment. */
  untilLevels(isSo: (levelOf: (hz: number) => number) => boolean): Promise<true> {
    return this.#untilTrue(() => (isSo((hz) => this.levelOf(hz)) ? true : undefined));
  }

  #since(sinceMs: number): readonly Frame[] {
    if (sinceMs === 0) return this.#frames;
    let from = this.#frames.length;
    while (from > 0 && (this.#frames[from - 1]?.atMs ?? 0) >= sinceMs) from -= 1;
    return this.#frames.slice(from);
  }

  #untilTrue<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const check = (): void => {
        const found = look();
        if (found === undefined) return;
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      check();
    });
  }
}

function isTone(pcm: Int16Array, hz: number): boolean {
  let energy = 0;
  for (const sample of pcm) energy += sample * sample;
  if (energy < FRAME_SAMPLES * LEVEL_MIN ** 2) return false;
  return (powerAt(pcm, hz) * pcm.length) / 2 / energy > SHARE_MIN;
}

/** Square of the amplitude of a sine at that frequency (Goertzel); a frame tells 50 Hz apart. */
function powerAt(pcm: Int16Array, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE_HZ);
  let [previous, before] = [0, 0];
  for (const sample of pcm) {
    [before, previous] = [previous, sample + coefficient * previous - before];
  }
  const power = previous ** 2 + before ** 2 - coefficient * previous * before;
  return (4 * power) / pcm.length ** 2;
}
