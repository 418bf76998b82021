/** Digits pressed on a phone, heard in the audio (ITU-T Q.23, Q.24), for lines without RFC 4733. */
import { SAMPLE_RATE_HZ } from './frame-analysis.ts';

const ROWS_HZ = [697, 770, 852, 941];
const COLUMNS_HZ = [1_209, 1_336, 1_477, 1_633];
const KEYS = ['123A', '456B', '789C', '*0#D'];
const FREQUENCIES_HZ = [...ROWS_HZ, ...COLUMNS_HZ];
/** 12.75 ms: takes the rows apart, and fits three times into Q.24's shortest tone of 40 ms. */
const BLOCK_SAMPLES = 102;
const BLOCK_MS = (BLOCK_SAMPLES * 1_000) / SAMPLE_RATE_HZ;
const BLOCKS_MIN = 3;
/** A gap shorter than that is a lost packet, not the end of the key (Q.24: 10 to 40 ms). */
const MISSED_MAX = 1;
/** Of full scale: -43 dBm0 a tone. Echoes of our own prompts are quieter than what is pressed. */
const POWER_MIN = 4e-5;
/** 8 dB: how much the two tones may differ in level. */
const TWIST_MAX = 6.3;
/** 8 dB: by how much the tone of a group is above the group's other tones. */
const ABOVE_OTHERS = 6.3;
/** Of the block's power: voices have more than two partials. */
const SHARE_MIN = 0.78;
/** -9 dB: a voice's second partial is stronger, a key's is distortion at most. */
const HARMONIC_MAX = 0.12;

export interface HeardDigit {
  readonly digit: string;
  readonly durationMs: number;
}

/** Two resonators a frequency: the tone, and twice the tone. */
export class InbandDtmf {
  readonly #coefficients = coefficientsOf(FREQUENCIES_HZ);
  readonly #harmonics = coefficientsOf(FREQUENCIES_HZ.map((hz) => 2 * hz));
  readonly #block = new Float64Array(BLOCK_SAMPLES);
  readonly #powers = new Float64Array(FREQUENCIES_HZ.length);
  #filled = 0;
  #digit = '';
  #blocks = 0;
  #missed = 0;

  /** The digit that ended, when one did. */
  feed(frame: Int16Array): HeardDigit | undefined {
    let heard: HeardDigit | undefined;
    for (const sample of frame) {
      this.#block[this.#filled] = sample / 32_768;
      this.#filled += 1;
      if (this.#filled < BLOCK_SAMPLES) continue;
      this.#filled = 0;
      heard = this.#follow(this.#digitOfBlock()) ?? heard;
    }
    return heard;
  }

  #follow(digit: string): HeardDigit | undefined {
    if (digit !== '' && digit === this.#digit) {
      this.#blocks += 1 + this.#missed;
      this.#missed = 0;
      return undefined;
    }
    if (this.#digit !== '' && digit === '' && this.#missed < MISSED_MAX) {
      this.#missed += 1;
      return undefined;
    }
    const ended =
      this.#blocks >= BLOCKS_MIN
        ? { digit: this.#digit, durationMs: Math.round(this.#blocks * BLOCK_MS) }
        : undefined;
    this.#digit = digit;
    this.#blocks = digit === '' ? 0 : 1;
    this.#missed = 0;
    return ended;
  }

  #digitOfBlock(): string {
    let total = 0;
    for (const x of this.#block) total += x * x;
    total /= BLOCK_SAMPLES;
    if (total < 2 * POWER_MIN) return '';
    for (let f = 0; f < this.#powers.length; f += 1) {
      this.#powers[f] = this.#powerAt(this.#coefficients[f] as number);
    }
    const row = this.#strongest(0);
    const column = this.#strongest(ROWS_HZ.length);
    if (row < 0 || column < 0) return '';
    const low = this.#powers[row] as number;
    const high = this.#powers[column] as number;
    if (low < POWER_MIN || high < POWER_MIN) return '';
    if (low > TWIST_MAX * high || high > TWIST_MAX * low) return '';
    if (low + high < SHARE_MIN * total) return '';
    if (this.#powerAt(this.#harmonics[row] as number) > HARMONIC_MAX * low) return '';
    if (this.#powerAt(this.#harmonics[column] as number) > HARMONIC_MAX * high) return '';
    return (KEYS[row] as string)[column - ROWS_HZ.length] as string;
  }

  /** Index of a group's strongest tone, -1 when another comes close. */
  #strongest(from: number): number {
    let best = from;
    for (let f = from + 1; f < from + ROWS_HZ.length; f += 1) {
      if ((this.#powers[f] as number) > (this.#powers[best] as number)) best = f;
    }
    for (let f = from; f < from + ROWS_HZ.length; f += 1) {
      const isClose = (this.#powers[f] as number) * ABOVE_OTHERS > (this.#powers[best] as number);
      if (f !== best && isClose) return -1;
    }
    return best;
  }

  /** Goertzel: power of a sine at this frequency in the block. */
  #powerAt(coefficient: number): number {
    const block = this.#block;
    let before = 0;
    let last = 0;
    for (let i = 0; i < BLOCK_SAMPLES; i += 1) {
      const next = (block[i] as number) + coefficient * last - before;
      before = last;
      last = next;
    }
    const squared = last * last + before * before - coefficient * last * before;
    return (2 * squared) / (BLOCK_SAMPLES * BLOCK_SAMPLES);
  }
}

function coefficientsOf(frequenciesHz: readonly number[]): Float64Array {
  return Float64Array.from(
    frequenciesHz,
    (hz) => 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE_HZ),
  );
}
