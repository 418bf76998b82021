/** What one 20 ms frame sounds like: its level, its envelope, and the one or two tones it may be. */
import { RealFft } from './real-fft.ts';

export const FRAME_SAMPLES = 160;
export const FRAME_MS = 20;
export const SAMPLE_RATE_HZ = 8_000;
/** Below this a frame is digital silence: G.711's zeros decode to at most ±8. */
export const SILENCE_DB = -68;

/** Signals and beeps are louder; whatever tone is below comes from noise. */
export const TONE_LEAST_DB = -52;
const RING_SAMPLES = 2_048;
const SPECTRUM_SAMPLES = 256;
const BIN_HZ = SAMPLE_RATE_HZ / SPECTRUM_SAMPLES;
const FINE_SAMPLES = 1_024;
export const FINE_MS = (FINE_SAMPLES * 1_000) / SAMPLE_RATE_HZ;
/** A Hann window spreads a tone over its own bin and two on either side. */
const LOBE_BINS = 2;
/** Of the telephone band: mains hum below, aliases above. */
const LOWEST_BIN = 6;
const HIGHEST_BIN = 118;
/** White noise of power 1 sums up to this over those bins; a tone's power of 1 to 0.75. */
const NOISE_IN_SPECTRUM = 0.66;
/** Real noise is not white: never take off more of a frame than this. */
const NOISE_SHARE_MAX = 0.5;
/** From here on a second and third harmonic are a clipped tone, not a voice (no voice is this high). */
const HARMONICS_FROM_HZ = 600;
/** Pole of the DC filter: 3 dB down at 64 Hz, which takes mains hum along. */
const DC_POLE = 0.95;
/** What is left in the filter below this is taken for nothing: in the end it would be denormal, and dear. */
const SETTLED_BELOW = 1e-30;
export const BLOCK_SAMPLES = 40;
export const BLOCK_MS = 5;
export const BLOCKS_PER_FRAME = FRAME_SAMPLES / BLOCK_SAMPLES;
/** Blocks that are kept: 640 ms. */
const BLOCKS_KEPT = 128;

/** Powers are of full scale = 1, so that a full-scale square wave has 0 dBFS. */
export class FrameAnalysis {
  /** Frames so far, lost ones included. */
  frames = 0;
  levelDb = SILENCE_DB;
  isSilent = true;
  peakHz = 0;
  /** The strongest tone's share of the frame's power, the noise floor taken off; 0 to 1. */
  purity = 0;
  /** Second strongest tone, 0 without one, and how far below the first it is. */
  secondHz = 0;
  secondBelowDb = 99;
  /** Share of the two strongest tones together. */
  pairPurity = 0;
  readonly #ring = new Float64Array(RING_SAMPLES);
  readonly #blocks = new Float64Array(BLOCKS_KEPT);
  readonly #spectrum = new RealFft(SPECTRUM_SAMPLES);
  readonly #fine = new RealFft(FINE_SAMPLES);
  #at = 0;
  #lastIn = 0;
  #lastOut = 0;

  /** `floorDb` is the noise known so far: its power is no argument against a tone. */
  feed(frame: Int16Array, floorDb: number): void {
    this.#filter(frame);
    this.frames += 1;
    this.#forgetTones();
    if (this.levelDb < Math.max(TONE_LEAST_DB, floorDb + 2)) return;
    this.#spectrum.analyse(this.#ring, (this.#at - SPECTRUM_SAMPLES) & (RING_SAMPLES - 1));
    this.#readTones(10 ** (floorDb / 10));
  }

  /** A frame that did not arrive: silence that says nothing about the line's noise. */
  lost(): void {
    this.#passSilence();
    this.#lastIn = 0;
    this.#lastOut = 0;
    this.frames += 1;
    this.#forgetTones();
  }

  /** Power of a block of 5 ms, counted from the first sample; 0 once it is too long ago. */
  blockPower(block: number): number {
    const newest = this.frames * BLOCKS_PER_FRAME - 1;
    if (block < 0 || block > newest || block <= newest - BLOCKS_KEPT) return 0;
    return this.#blocks[block % BLOCKS_KEPT] as number;
  }

  /** Spectrum of the last 128 ms, 7.8 Hz a bin: tells 440 + 480 Hz from one tone between them. */
  fineSpectrum(): RealFft {
    this.#fine.analyse(this.#ring, (this.#at - FINE_SAMPLES) & (RING_SAMPLES - 1));
    return this.#fine;
  }

  #filter(frame: Int16Array): void {
    if (this.#lastIn === 0 && this.#lastOut === 0 && frame.every(isZero)) {
      this.#passSilence();
      return;
    }
    const ring = this.#ring;
    let lastIn = this.#lastIn;
    let lastOut = this.#lastOut;
    let total = 0;
    let at = this.#at;
    const base = this.frames * BLOCKS_PER_FRAME;
    for (let b = 0; b < BLOCKS_PER_FRAME; b += 1) {
      let sum = 0;
      for (let i = b * BLOCK_SAMPLES; i < (b + 1) * BLOCK_SAMPLES; i += 1) {
        const x = (frame[i] as number) / 32_768;
        lastOut = x - lastIn + DC_POLE * lastOut;
        lastIn = x;
        ring[at] = lastOut;
        at = (at + 1) & (RING_SAMPLES - 1);
        sum += lastOut * lastOut;
      }
      this.#blocks[(base + b) % BLOCKS_KEPT] = sum / BLOCK_SAMPLES;
      total += sum;
    }
    this.#at = at;
    this.#lastIn = lastIn;
    this.#lastOut = Math.abs(lastOut) < SETTLED_BELOW ? 0 : lastOut;
    this.levelDb = Math.max(SILENCE_DB, 10 * Math.log10(total / FRAME_SAMPLES + 1e-12));
    this.isSilent = this.levelDb <= SILENCE_DB;
  }

  #passSilence(): void {
    const base = this.frames * BLOCKS_PER_FRAME;
    for (let i = 0; i < FRAME_SAMPLES; i += 1) this.#ring[(this.#at + i) & (RING_SAMPLES - 1)] = 0;
    for (let b = 0; b < BLOCKS_PER_FRAME; b += 1) this.#blocks[(base + b) % BLOCKS_KEPT] = 0;
    this.#at = (this.#at + FRAME_SAMPLES) & (RING_SAMPLES - 1);
    this.levelDb = SILENCE_DB;
    this.isSilent = true;
  }

  #forgetTones(): void {
    this.peakHz = 0;
    this.purity = 0;
    this.secondHz = 0;
    this.secondBelowDb = 99;
    this.pairPurity = 0;
  }

  #readTones(noisePower: number): void {
    const { power } = this.#spectrum;
    let total = 0;
    let peak = LOWEST_BIN;
    for (let k = LOWEST_BIN; k <= HIGHEST_BIN; k += 1) {
      total += power[k] as number;
      if ((power[k] as number) > (power[peak] as number)) peak = k;
    }
    const noise = Math.min(NOISE_SHARE_MAX * total, NOISE_IN_SPECTRUM * noisePower);
    const signal = total - noise;
    this.peakHz = peakHz(power, peak, BIN_HZ);
    const first = lobe(power, peak);
    let tone = first;
    if (this.peakHz >= HARMONICS_FROM_HZ) {
      for (const multiple of [2, 3]) {
        const bin = Math.round((multiple * this.peakHz) / BIN_HZ);
        if (bin <= HIGHEST_BIN - LOBE_BINS) tone += lobe(power, bin);
      }
    }
    this.purity = Math.min(1, tone / signal);
    this.#readSecond(peak, first, signal);
  }

  #readSecond(peak: number, first: number, signal: number): void {
    const { power } = this.#spectrum;
    let second = -1;
    for (let k = LOWEST_BIN; k <= HIGHEST_BIN; k += 1) {
      if (Math.abs(k - peak) <= LOBE_BINS) continue;
      if (second < 0 || (power[k] as number) > (power[second] as number)) second = k;
    }
    // A skirt of the first tone is no tone.
    if ((power[second] as number) < (power[second - 1] as number)) return;
    if ((power[second] as number) < (power[second + 1] as number)) return;
    this.secondHz = peakHz(power, second, BIN_HZ);
    this.secondBelowDb =
      10 * Math.log10((power[peak] as number) / ((power[second] as number) + 1e-18));
    let both = first;
    for (let k = second - LOBE_BINS; k <= second + LOBE_BINS; k += 1) {
      if (Math.abs(k - peak) > LOBE_BINS) both += power[k] as number;
    }
    this.pairPurity = Math.min(1, both / signal);
  }
}

function isZero(sample: number): boolean {
  return sample === 0;
}

/** Power of a tone on this bin. */
export function lobe(power: Float64Array, bin: number): number {
  let sum = 0;
  for (let k = bin - LOBE_BINS; k <= bin + LOBE_BINS; k += 1) sum += power[k] as number;
  return sum;
}

/** Frequency between the bins: for a Hann window the ratio of neighbours gives it exactly. */
export function peakHz(power: Float64Array, bin: number, binHz: number): number {
  const below = Math.sqrt(power[bin - 1] as number);
  const at = Math.sqrt(power[bin] as number);
  const above = Math.sqrt(power[bin + 1] as number);
  const isAbove = above >= below;
  const ratio = (isAbove ? above : below) / (at + 1e-18);
  const offset = (2 * ratio - 1) / (ratio + 1);
  return (bin + (isAbove ? offset : -offset)) * binHz;
}
