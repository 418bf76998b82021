/** Change of sample rate by a polyphase FIR filter, for files: whole arrays at a time. */
import assert from 'node:assert/strict';

/**
 * Taps on each side of the centre, counted at the lower of the two rates. 48 with this window give a
 * transition band of about 0.045 of the lower rate: to 8 kHz flat to 3.6 kHz, and more than 70 dB
 * down from 4 kHz on (measured in softswitch-media-files.test.ts).
 */
const HALF_TAPS = 48;
/** Shape of the Kaiser window: about 80 dB of stop-band attenuation. */
const KAISER_BETA = 8;
/** Centre of the transition band, of the lower rate's half: its end lies at the half itself. */
const CUTOFF = 0.945;
const RATE_MAX_HZ = 384_000;

/**
 * One change of rate, done in as many steps as the caller likes: 44.1 to 8 kHz costs about 530
 * multiplications per sample given out (some 5 ms per second of audio), which a thread that paces
 * calls must not spend in one go.
 */
export class Resampling {
  readonly out: Int16Array;
  readonly #pcm: Int16Array;
  readonly #up: number;
  readonly #down: number;
  readonly #phases: readonly Float64Array[];
  readonly #reach: number;
  #done = 0;

  constructor(pcm: Int16Array, fromHz: number, toHz: number) {
    assert(fromHz > 0 && fromHz <= RATE_MAX_HZ && toHz > 0, `rates ${fromHz} to ${toHz} Hz`);
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.#pcm = pcm;
    this.#up = toHz / divisor;
    this.#down = fromHz / divisor;
    const { phases, reach } = polyphase(this.#up, fromHz, toHz);
    this.#phases = phases;
    this.#reach = reach;
    this.out = new Int16Array(Math.ceil((pcm.length * this.#up) / this.#down));
  }

  /** Makes up to `count` further samples; false when all are made. */
  advance(count: number): boolean {
    const end = Math.min(this.out.length, this.#done + count);
    for (; this.#done < end; this.#done += 1) this.out[this.#done] = this.#sample(this.#done);
    return this.#done < this.out.length;
  }

  #sample(index: number): number {
    const position = index * this.#down;
    const start = Math.floor(position / this.#up) - this.#reach;
    const taps = this.#phases[position % this.#up] as Float64Array;
    const first = Math.max(0, start);
    const end = Math.min(this.#pcm.length, start + taps.length);
    let sum = 0;
    for (let k = first; k < end; k += 1) {
      sum += (this.#pcm[k] as number) * (taps[k - start] as number);
    }
    return Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
}

/** `pcm` at another rate, in one go. */
export function resample(pcm: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return pcm;
  const resampling = new Resampling(pcm, fromHz, toHz);
  resampling.advance(resampling.out.length);
  return resampling.out;
}

/** One set of taps per position between two input samples; each sums to 1, so levels are kept. */
function polyphase(
  up: number,
  fromHz: number,
  toHz: number,
): { phases: Float64Array[]; reach: number } {
  const lowerHz = Math.min(fromHz, toHz);
  const cutoffHz = (lowerHz / 2) * CUTOFF;
  const reach = Math.ceil((HALF_TAPS * fromHz) / lowerHz);
  const phases = Array.from({ length: up }, (_, phase) => {
    const taps = new Float64Array(2 * reach + 1);
    let sum = 0;
    for (let i = 0; i < taps.length; i += 1) {
      // Distance in input samples from the output's position to the sample this tap weighs.
      const distance = i - reach - phase / up;
      const tap = sinc((2 * cutoffHz * distance) / fromHz) * kaiser(distance / (reach + 1));
      taps[i] = tap;
      sum += tap;
    }
    return taps.map((tap) => tap / sum);
  });
  return { phases, reach };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1
    ? 0
    : besselI0(KAISER_BETA * Math.sqrt(1 - x * x)) / besselI0(KAISER_BETA);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
