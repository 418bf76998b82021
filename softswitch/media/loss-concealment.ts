/**
 * What is played where packets are missing. In the manner of G.711 Appendix I, simplified: the last
 * pitch period is repeated, fading to silence in 60 ms, and joined to the next good frame over 5 ms.
 */
import type { SampleRing } from './sample-ring.ts';

/** Pitch is looked for between 66 and 200 Hz, as in Appendix I. */
const PITCH_MIN = 40;
const PITCH_MAX = 120;
const CORRELATION_SAMPLES = 160;
const HISTORY_SAMPLES = PITCH_MAX + CORRELATION_SAMPLES;

/** The first 10 ms are at full level, then 20 % less for each further 10 ms (Appendix I §2.6). */
const FULL_LEVEL_SAMPLES = 80;
const FADE_PER_SAMPLE = 0.2 / 80;
const JOIN_SAMPLES = 40;

export class LossConcealment {
  /** Where what was played last is found; looked at only when something is missing. */
  readonly #played: SampleRing;
  readonly #history = new Int16Array(HISTORY_SAMPLES);
  /** One pitch period, being repeated. */
  readonly #period = new Int16Array(PITCH_MAX);
  #periodSamples = 0;
  #at = 0;
  /** Samples made up since the last good one; 0 = nothing missing. */
  #concealedSamples = 0;

  constructor(played: SampleRing) {
    this.#played = played;
  }

  /** A frame was received whole: it is joined to what was made up before it. */
  good(frame: Int16Array): void {
    if (this.#concealedSamples === 0) return;
    for (let i = 0; i < JOIN_SAMPLES; i += 1) {
      const share = (i + 1) / (JOIN_SAMPLES + 1);
      frame[i] = Math.round((frame[i] as number) * share + this.#next() * (1 - share));
    }
    this.#concealedSamples = 0;
  }

  /**
   * Fills the samples of `frame`, which is played at time `at`, that `present` does not mark with 1.
   * Returns false when the concealment has faded out, so that only silence is left to add.
   */
  conceal(at: number, frame: Int16Array, present: Uint8Array): boolean {
    if (this.#concealedSamples === 0) this.#begin(at);
    const audible = this.#level() > 0;
    for (let i = 0; i < frame.length; i += 1) {
      if (present[i] !== 1) frame[i] = this.#next();
    }
    return audible;
  }

  /** Another sender, or a new talk spurt: what was heard before says nothing about it. */
  reset(): void {
    this.#concealedSamples = 0;
  }

  #level(): number {
    const fading = this.#concealedSamples - FULL_LEVEL_SAMPLES;
    return fading <= 0 ? 1 : Math.max(0, 1 - fading * FADE_PER_SAMPLE);
  }

  #next(): number {
    const level = this.#level();
    this.#concealedSamples += 1;
    if (level === 0) return 0;
    const sample = this.#period[this.#at] as number;
    this.#at = this.#at + 1 === this.#periodSamples ? 0 : this.#at + 1;
    return Math.round(sample * level);
  }

  #begin(at: number): void {
    this.#played.copyBefore(at, this.#history);
    this.#periodSamples = this.#pitchPeriod();
    const start = HISTORY_SAMPLES - this.#periodSamples;
    for (let i = 0; i < this.#periodSamples; i += 1) {
      this.#period[i] = this.#history[start + i] as number;
    }
    this.#at = 0;
  }

  /** Lag with the highest normalised correlation over the last 20 ms; run once per gap. */
  #pitchPeriod(): number {
    const history = this.#history;
    const start = HISTORY_SAMPLES - CORRELATION_SAMPLES;
    let best = PITCH_MIN;
    let bestScore = -Infinity;
    for (let lag = PITCH_MIN; lag <= PITCH_MAX; lag += 1) {
      let product = 0;
      let energy = 1;
      for (let i = start; i < HISTORY_SAMPLES; i += 1) {
        const delayed = history[i - lag] as number;
        product += (history[i] as number) * delayed;
        energy += delayed * delayed;
      }
      const score = product / Math.sqrt(energy);
      if (score > bestScore) {
        bestScore = score;
        best = lag;
      }
    }
    return best;
  }
}
