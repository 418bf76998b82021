/** Counts what is played of a source, and ends it at a limit. */
import { FRAME_SAMPLES } from '../../media/audio-format.ts';
import type { AudioSource } from '../../media/audio-source.ts';

/** FreeSWITCH reads a file in blocks of 16384 samples (2048 ms at 8 kHz). */
const BLOCK_SAMPLES = 16_384;

export class CountedSource implements AudioSource {
  readonly #source: AudioSource;
  readonly #lengthSamples: number | undefined;
  readonly #limitSamples: number;
  #framesSamples = 0;
  #ended = false;

  /** `lengthSamples` when it is known beforehand; counting alone is exact only to a frame of 20 ms. */
  constructor(source: AudioSource, lengthSamples: number | undefined, limitSamples: number) {
    this.#source = source;
    this.#lengthSamples = lengthSamples;
    this.#limitSamples = limitSamples;
  }

  get playedSamples(): number {
    return Math.min(this.#framesSamples, this.#lengthSamples ?? Infinity);
  }

  get limitReached(): boolean {
    return this.#framesSamples >= this.#limitSamples;
  }

  read(into: Int16Array): boolean {
    if (this.limitReached || !this.#source.read(into)) {
      this.#ended = true;
      return false;
    }
    this.#framesSamples += into.length;
    return true;
  }

  /** What FreeSWITCH would have read by now. Uses the source up: only for one that was cut off. */
  readAheadSamples(): number {
    const blocks = Math.max(1, Math.ceil(this.#framesSamples / BLOCK_SAMPLES));
    const target = blocks * BLOCK_SAMPLES;
    if (this.#lengthSamples !== undefined) return Math.min(target, this.#lengthSamples);
    const frame = new Int16Array(FRAME_SAMPLES);
    let samples = this.#framesSamples;
    while (!this.#ended && samples < target && this.#source.read(frame)) samples += FRAME_SAMPLES;
    return Math.min(samples, target);
  }
}
