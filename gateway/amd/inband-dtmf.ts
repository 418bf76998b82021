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
/** From squares of samples to powers of full scale. */
const OF_FULL_SCALE = 2 ** -30;
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
  /** Sum of the block's squares so far. */
  #energy = 0;
  #digit = '';
  #blocks = 0;
  #missed = 0;

  /** The digit that ended, when one did. */
  feed(frame: Int16Array): HeardDigit | undefined {
    let heard: HeardDigit | undefined;
    const block = this.#block;
    let filled = this.#filled;
    let energy = this.#energy;
    for (let i = 0; i < frame.length; i += 1) {
      const sample = frame[i] as number;
      block[filled] = sample;
      energy += sample * sample;
      filled += 1;
      if (filled < BLOCK_SAMPLES) continue;
      heard = this.#follow(this.#digitOfBlock(energy)) ?? heard;
      filled = 0;
      energy = 0;
    }
    this.#filled = filled;
    this.#energy = energy;
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

  #digitOfBlock(energy: number): string {
    const total = (energy * OF_FULL_SCALE) / BLOCK_SAMPLES;
    if (total < 2 * POWER_MIN) return '';
    this.#measureGroup(0);
    const row = this.#strongest(0);
    if (row < 0) return '';
    this.#measureGroup(ROWS_HZ.length);
    const column = this.#strongest(ROWS_HZ.length);
    if (column < 0) return '';
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

  /** Goertzel at the four frequencies of a group at once: their sums do not wait for each other. */
  #measureGroup(from: number): void {
    const block = this.#block;
    const a = this.#coefficients[from] as number;
    const b = this.#coefficients[from + 1] as number;
    const c = this.#coefficients[from + 2] as number;
    const d = this.#coefficients[from + 3] as number;
    let aLast = 0;
    let bLast = 0;
    let cLast = 0;
    let dLast = 0;
    let aBefore = 0;
    let bBefore = 0;
    let cBefore = 0;
    let dBefore = 0;
    for (let i = 0; i < BLOCK_SAMPLES; i += 1) {
      const x = block[i] as number;
      const aNext = x + a * aLast - aBefore;
      const bNext = x + b * bLast - bBefore;
      const cNext = x + c * cLast - cBefore;
      const dNext = x + d * dLast - dBefore;
      aBefore = aLast;
      bBefore = bLast;
      cBefore = cLast;
      dBefore = dLast;
      aLast = aNext;
      bLast = bNext;
      cLast = cNext;
      dLast = dNext;
    }
    this.#powers[from] = powerOf(a, aLast, aBefore);
    this.#powers[from + 1] = powerOf(b, bLast, bBefore);
    this.#powers[from + 2] = powerOf(c, cLast, cBefore);
    this.#powers[from + 3] = powerOf(d, dLast, dBefore);
  }

  /** The same at one frequency. */
  #powerAt(coefficient: number): number {
    const block = this.#block;
    let before = 0;
    let last = 0;
    for (let i = 0; i < BLOCK_SAMPLES; i += 1) {
      const next = (block[i] as number) + coefficient * last - before;
      before = last;
      last = next;
    }
    return powerOf(coefficient, last, before);
  }
}

/** Of a sine in the block, full scale = 1. */
function powerOf(coefficient: number, last: number, before: number): number {
  const squared = last * last + before * before - coefficient * last * before;
  return (2 * squared * OF_FULL_SCALE) / (BLOCK_SAMPLES * BLOCK_SAMPLES);
}

function coefficientsOf(frequenciesHz: readonly number[]): Float64Array {
  return Float64Array.from(
    frequenciesHz,
    (hz) => 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE_HZ),
  );
}
