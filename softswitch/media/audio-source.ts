/** Audio that is pulled a frame at a time: the pull model keeps pacing in one place, the media clock. */
import assert from 'node:assert/strict';
import { FRAME_SAMPLES, SAMPLES_PER_MS } from './audio-format.ts';

export interface AudioSource {
  /**
   * Fills the whole of `into` with the next samples (mono, 8 kHz) and answers true. A source that
   * ends inside the frame fills the rest with silence and still answers true; the next call answers
   * false and leaves `into` untouched. After false it never answers true again.
   */
  read(into: Int16Array): boolean;
}

/** Plays samples held in memory. The samples are shared, not copied: one prompt serves every leg. */
export class PcmSource implements AudioSource {
  readonly #pcm: Int16Array;
  #at: number;

  constructor(pcm: Int16Array, startMs = 0) {
    this.#pcm = pcm;
    this.#at = Math.min(pcm.length, Math.max(0, Math.round(startMs * SAMPLES_PER_MS)));
  }

  /** Where the next read begins, in samples from the start of the audio. */
  get positionSamples(): number {
    return this.#at;
  }

  read(into: Int16Array): boolean {
    const left = this.#pcm.length - this.#at;
    if (left <= 0) return false;
    const taken = Math.min(left, into.length);
    for (let i = 0; i < taken; i += 1) into[i] = this.#pcm[this.#at + i] as number;
    if (taken < into.length) into.fill(0, taken);
    this.#at += taken;
    return true;
  }
}

/** Plays the same samples over and over, with no gap at the seam. Never ends. */
export class LoopedPcmSource implements AudioSource {
  readonly #pcm: Int16Array;
  #at = 0;

  constructor(pcm: Int16Array) {
    assert(pcm.length > 0, 'cannot loop audio of no length');
    this.#pcm = pcm;
  }

  read(into: Int16Array): boolean {
    for (let i = 0; i < into.length; i += 1) {
      into[i] = this.#pcm[this.#at] as number;
      this.#at = this.#at + 1 === this.#pcm.length ? 0 : this.#at + 1;
    }
    return true;
  }
}

/** Reads a source to its end into one array; refuses to go past `limitMs`, since sources may be endless. */
export function renderSource(source: AudioSource, limitMs: number): Int16Array {
  const frames: Int16Array[] = [];
  const frameCountMax = Math.ceil((limitMs * SAMPLES_PER_MS) / FRAME_SAMPLES);
  for (let frame = new Int16Array(FRAME_SAMPLES); source.read(frame);) {
    assert(frames.length < frameCountMax, `the source is longer than ${limitMs} ms`);
    frames.push(frame);
    frame = new Int16Array(FRAME_SAMPLES);
  }
  const pcm = new Int16Array(frames.length * FRAME_SAMPLES);
  frames.forEach((frame, index) => pcm.set(frame, index * FRAME_SAMPLES));
  return pcm;
}
