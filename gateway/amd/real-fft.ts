/** Power spectrum of one short block of real samples, without allocation. */
import assert from 'node:assert/strict';

/**
 * A real FFT as a complex one of half the length: even samples are the real parts, odd samples the
 * imaginary ones, and one last pass takes the two spectra apart. 256 points cost about 3 µs
 * (bench of docs/amd.md).
 */
export class RealFft {
  readonly size: number;
  /** Power of bins 0 to size / 2, of the last block. */
  readonly power: Float64Array;
  readonly #half: number;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #order: Uint16Array;
  readonly #window: Float64Array;

  constructor(size: number) {
    assert(size >= 8 && size <= 8_192 && (size & (size - 1)) === 0, `FFT of ${size} points`);
    this.size = size;
    this.#half = size / 2;
    this.power = new Float64Array(this.#half + 1);
    this.#re = new Float64Array(this.#half);
    this.#im = new Float64Array(this.#half);
    this.#cos = new Float64Array(this.#half);
    this.#sin = new Float64Array(this.#half);
    for (let k = 0; k < this.#half; k += 1) {
      this.#cos[k] = Math.cos((2 * Math.PI * k) / size);
      this.#sin[k] = -Math.sin((2 * Math.PI * k) / size);
    }
    this.#order = bitReversal(this.#half);
    this.#window = hann(size);
  }

  /**
   * Spectrum of `size` samples of a ring that wraps, the oldest at `start`, under a Hann window
   * scaled so that a sine of amplitude A on a bin shows a power of (A / 2)².
   */
  analyse(ring: Float64Array, start: number): void {
    const mask = ring.length - 1;
    assert((ring.length & mask) === 0 && ring.length >= this.size, 'a ring of a power of two');
    const re = this.#re;
    const im = this.#im;
    const window = this.#window;
    const order = this.#order;
    for (let i = 0; i < re.length; i += 1) {
      const at = order[i] as number;
      const even = start + 2 * i;
      re[at] = (ring[even & mask] as number) * (window[2 * i] as number);
      im[at] = (ring[(even + 1) & mask] as number) * (window[2 * i + 1] as number);
    }
    this.#butterflies();
    this.#separate();
  }

  #butterflies(): void {
    const re = this.#re;
    const im = this.#im;
    const cos = this.#cos;
    const sin = this.#sin;
    const half = this.#half;
    pairs(re, im, half);
    for (let span = 2; span < half; span *= 2) {
      const stride = half / span; // in units of the full-size twiddles
      for (let k = 0; k < span; k += 1) {
        const wr = cos[k * stride] as number;
        const wi = sin[k * stride] as number;
        for (let a = k; a < half; a += 2 * span) {
          const b = a + span;
          const br = re[b] as number;
          const bi = im[b] as number;
          const ar = re[a] as number;
          const ai = im[a] as number;
          const tr = br * wr - bi * wi;
          const ti = br * wi + bi * wr;
          re[b] = ar - tr;
          im[b] = ai - ti;
          re[a] = ar + tr;
          im[a] = ai + ti;
        }
      }
    }
  }

  #separate(): void {
    const re = this.#re;
    const im = this.#im;
    const cos = this.#cos;
    const sin = this.#sin;
    const power = this.power;
    const half = this.#half;
    const first = (re[0] as number) + (im[0] as number);
    const last = (re[0] as number) - (im[0] as number);
    this.power[0] = first * first;
    this.power[half] = last * last;
    for (let k = 1; k < half; k += 1) {
      const m = half - k;
      const er = ((re[k] as number) + (re[m] as number)) / 2;
      const ei = ((im[k] as number) - (im[m] as number)) / 2;
      const or = ((im[k] as number) + (im[m] as number)) / 2;
      const oi = ((re[m] as number) - (re[k] as number)) / 2;
      const wr = cos[k] as number;
      const wi = sin[k] as number;
      const xr = er + or * wr - oi * wi;
      const xi = ei + or * wi + oi * wr;
      power[k] = xr * xr + xi * xi;
    }
  }
}

/** The first stage: no twiddle to multiply with. */
function pairs(re: Float64Array, im: Float64Array, length: number): void {
  for (let a = 0; a < length; a += 2) {
    const ar = re[a] as number;
    const ai = im[a] as number;
    const br = re[a + 1] as number;
    const bi = im[a + 1] as number;
    re[a] = ar + br;
    im[a] = ai + bi;
    re[a + 1] = ar - br;
    im[a + 1] = ai - bi;
  }
}

function bitReversal(length: number): Uint16Array {
  const bits = Math.log2(length);
  const order = new Uint16Array(length);
  for (let i = 0; i < length; i += 1) {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit += 1) if (i & (1 << bit)) reversed |= 1 << (bits - 1 - bit);
    order[i] = reversed;
  }
  return order;
}

/** Scaled by 1 / its sum, so that powers do not depend on the block's length. */
function hann(size: number): Float64Array {
  const window = new Float64Array(size);
  for (let i = 0; i < size; i += 1) {
    window[i] = (1 - Math.cos((2 * Math.PI * (i + 0.5)) / size)) / size;
  }
  return window;
}
