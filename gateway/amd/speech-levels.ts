/** Levels of the frames heard so far, and the line between noise and speech that they suggest. */
import { SILENCE_DB } from './frame-analysis.ts';

/** 10 s: the longest stretch that a verdict looks back on. */
export const LEVELS_KEPT = 512;
const HISTOGRAM_FROM_DB = -72;
const HISTOGRAM_BINS = 76;
/** A tone, a lost frame and digital silence say nothing about the line's noise, nor about a voice. */
export const UNHEARD_DB = -200;
const FLOOR_SHARE = 0.1;
/** The peak is the level that this many frames reach: one click does not move it. */
const PEAK_FRAMES = 5;
/** Fewer frames than 300 ms tell nothing about the floor. */
export const FLOOR_FRAMES_MIN = 15;
/** Digital silence for so long after a sound: a line that hisses in speech alone, or not at all. */
const SILENCE_FRAMES = 10;
const FLOOR_LEAST_DB = -66;
/**
 * Speech is at least this much above the floor, whatever the peak: more where the noise itself
 * moves. The spread is that between the 10th and the 40th percentile, under 1 dB for hiss and 3 to
 * 5 dB for voices in the background.
 */
const ABOVE_FLOOR_BASE_DB = 3;
const ABOVE_FLOOR_PER_SPREAD = 1.2;
const ABOVE_FLOOR_LEAST_DB = 4;
const ABOVE_FLOOR_MOST_DB = 7;
const SPREAD_SHARE = 0.4;
/** The peak is at least this much above that: else nothing is speech. */
const PEAK_ABOVE_DB = 2.5;
const THRESHOLD_LEAST_DB = -56;
/**
 * A discontinuous transmitter goes on for a moment after the voice (AMR: 7 frames, 3GPP TS 26.093), then
 * sends zeros or comfort noise. The even tail before the stop is the noise of the room: without it, noise
 * that sounds only along with the voice would be taken for voice until the stop.
 */
const TAIL_FRAMES = 7;
const TAIL_RATIO_MAX = 3.2;
const STOPPED_FRAMES = 8;
const STOPPED_RATIO_MAX = 0.1;
/** Of a frame to the one before the last: most frames fall by less, and are passed over at once. */
const DROP_RATIO_MAX = 0.2;
/** A vowel's end is nearer to the peak. */
const TAIL_BELOW_PEAK_DB = 9;

/**
 * The levels are kept and read again with every frame: a floor that turns out to be higher, or a
 * voice that turns out to be louder, then also corrects what was made of the frames before. That
 * costs about 1 µs, and spares all the special cases of a floor that only follows.
 */
export class SpeechLevels {
  /** Smoothed over 60 ms; index 0 is frame `firstFrame`. */
  readonly smoothDb = new Float32Array(LEVELS_KEPT);
  count = 0;
  firstFrame = 0;
  floorDb = FLOOR_LEAST_DB;
  peakDb = SILENCE_DB;
  /** From the 10th to the 40th percentile. */
  spreadDb = 0;
  #aboveFloorDb = ABOVE_FLOOR_MOST_DB;
  readonly #powers = new Float64Array(LEVELS_KEPT);
  readonly #silent = new Uint8Array(LEVELS_KEPT);
  readonly #histogram = new Uint16Array(HISTOGRAM_BINS);

  /** `levelDb` is UNHEARD_DB for a frame that was lost, SILENCE_DB for digital silence. */
  add(levelDb: number): void {
    if (this.count === LEVELS_KEPT) this.#forget(LEVELS_KEPT / 8);
    this.#powers[this.count] = levelDb <= SILENCE_DB ? 0 : 10 ** (levelDb / 10);
    this.#silent[this.count] = levelDb <= SILENCE_DB && levelDb > UNHEARD_DB ? 1 : 0;
    this.count += 1;
    this.#smooth(this.count - 2);
    this.#smooth(this.count - 1);
  }

  /** These frames, counted from the first one fed, hold a tone. */
  markTone(fromFrame: number, toFrame: number): void {
    const from = Math.max(0, fromFrame - this.firstFrame);
    const to = Math.min(this.count - 1, toFrame - this.firstFrame);
    for (let i = from; i <= to; i += 1) this.#powers[i] = 0;
    for (let i = Math.max(0, from - 1); i <= Math.min(this.count - 1, to + 1); i += 1) {
      this.#smooth(i);
    }
  }

  /** Floor and peak of frames from index `from` on. */
  measure(from: number): void {
    this.#histogram.fill(0);
    let heard = 0;
    let silent = 0;
    let hasSilence = false;
    for (let i = from; i < this.count; i += 1) {
      const level = this.smoothDb[i] as number;
      silent = heard > 0 && this.#silent[i] === 1 ? silent + 1 : 0;
      if (silent >= SILENCE_FRAMES) hasSilence = true;
      if (level <= SILENCE_DB) continue;
      const bin = Math.min(HISTOGRAM_BINS - 1, (level - HISTOGRAM_FROM_DB) | 0);
      this.#histogram[bin] = (this.#histogram[bin] as number) + 1;
      heard += 1;
    }
    this.floorDb = this.#levelAt(Math.max(1, Math.floor(heard * FLOOR_SHARE)));
    this.peakDb = this.#levelAt(Math.max(1, heard - PEAK_FRAMES));
    this.spreadDb = this.#levelAt(Math.max(1, Math.floor(heard * SPREAD_SHARE))) - this.floorDb;
    const aboveDb = ABOVE_FLOOR_BASE_DB + ABOVE_FLOOR_PER_SPREAD * this.spreadDb;
    this.#aboveFloorDb = Math.min(ABOVE_FLOOR_MOST_DB, Math.max(ABOVE_FLOOR_LEAST_DB, aboveDb));
    if (hasSilence || heard < FLOOR_FRAMES_MIN) this.floorDb = FLOOR_LEAST_DB;
    this.floorDb = Math.max(FLOOR_LEAST_DB, this.floorDb);
    const tailDb = this.#quietestTailDb(from);
    if (tailDb <= this.peakDb - TAIL_BELOW_PEAK_DB) this.floorDb = Math.max(this.floorDb, tailDb);
  }

  get rangeDb(): number {
    return this.peakDb - this.floorDb;
  }

  /** `share` of the way from the floor to the peak; Infinity when there is nothing but noise. */
  threshold(share: number): number {
    if (this.rangeDb < this.#aboveFloorDb + PEAK_ABOVE_DB) return Infinity;
    const above = Math.max(this.#aboveFloorDb, share * this.rangeDb);
    return Math.max(THRESHOLD_LEAST_DB, this.floorDb + above);
  }

  /** Of all tails before a stop; Infinity without one. */
  #quietestTailDb(from: number): number {
    let least = Infinity;
    for (let stop = from + TAIL_FRAMES; stop + STOPPED_FRAMES <= this.count; stop += 1) {
      const before = this.#powers[stop - 2] as number;
      if ((this.#powers[stop] as number) > DROP_RATIO_MAX * before) continue;
      const mean = this.#evenPower(stop - TAIL_FRAMES, stop - 1);
      if (mean < least && this.#isBelow(STOPPED_RATIO_MAX * mean, stop)) least = mean;
    }
    return 10 * Math.log10(least);
  }

  /** Mean power of these frames; Infinity when they are not alike, or one is silent or unheard. */
  #evenPower(from: number, to: number): number {
    let low = Infinity;
    let high = 0;
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const power = this.#powers[i] as number;
      low = Math.min(low, power);
      high = Math.max(high, power);
      sum += power;
    }
    return low > 0 && high <= TAIL_RATIO_MAX * low ? sum / (to - from) : Infinity;
  }

  #isBelow(power: number, from: number): boolean {
    for (let i = from; i < from + STOPPED_FRAMES; i += 1) {
      if ((this.#powers[i] as number) >= power) return false;
    }
    return true;
  }

  #levelAt(rank: number): number {
    let seen = 0;
    for (let bin = 0; bin < HISTOGRAM_BINS; bin += 1) {
      seen += this.#histogram[bin] as number;
      if (seen >= rank) return HISTOGRAM_FROM_DB + bin + 0.5;
    }
    return HISTOGRAM_FROM_DB;
  }

  #smooth(i: number): void {
    if (i < 0) return;
    const here = this.#powers[i] as number;
    const before = i > 0 ? (this.#powers[i - 1] as number) : here;
    const after = i + 1 < this.count ? (this.#powers[i + 1] as number) : here;
    const mean = (before + here + after) / 3;
    this.smoothDb[i] = mean <= 0 ? UNHEARD_DB : 10 * Math.log10(mean);
  }

  #forget(frames: number): void {
    this.smoothDb.copyWithin(0, frames);
    this.#powers.copyWithin(0, frames);
    this.#silent.copyWithin(0, frames);
    this.count -= frames;
    this.firstFrame += frames;
  }
}
