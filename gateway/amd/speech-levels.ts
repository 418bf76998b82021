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

/** Of a frame that is not in the histogram. */
const UNCOUNTED = -1;

/**
 * The levels are kept, and floor and peak are those of all of them: a floor that turns out to be higher,
 * or a voice that turns out to be louder, then also corrects what was made of the frames before. What
 * they are measured from follows each level as it comes, changes and goes, so that it costs the same
 * however long the look back is.
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
  /** Of the frames from `#from` on that are heard at all; and which bin each of them is in. */
  readonly #histogram = new Uint16Array(HISTOGRAM_BINS);
  readonly #bins = new Int8Array(LEVELS_KEPT).fill(UNCOUNTED);
  #from = 0;
  #heard = 0;
  /** At or before the first frame heard from `#from` on. */
  #firstHeard = 0;
  #silentFrames = 0;
  /** Newest frame with which a silence was SILENCE_FRAMES long or longer; -1 without one. */
  #lastSilence = -1;
  /** Frames at which a transmitter stopped, and the mean power of the tail before each. */
  #stops: { at: number; readonly tailPower: number }[] = [];

  /** `levelDb` is UNHEARD_DB for a frame that was lost, SILENCE_DB for digital silence. */
  add(levelDb: number): void {
    if (this.count === LEVELS_KEPT) this.#forget(LEVELS_KEPT / 8);
    const isSilent = levelDb <= SILENCE_DB && levelDb > UNHEARD_DB;
    this.#silentFrames = isSilent ? this.#silentFrames + 1 : 0;
    if (this.#silentFrames >= SILENCE_FRAMES) this.#lastSilence = this.count;
    this.#powers[this.count] = levelDb <= SILENCE_DB ? 0 : 10 ** (levelDb / 10);
    this.count += 1;
    this.#smooth(this.count - 2);
    this.#smooth(this.count - 1);
    this.#judgeStop(this.count - STOPPED_FRAMES);
  }

  /** These frames, counted from the first one fed, hold a tone. */
  markTone(fromFrame: number, toFrame: number): void {
    const from = Math.max(0, fromFrame - this.firstFrame);
    const to = Math.min(this.count - 1, toFrame - this.firstFrame);
    let first = -1;
    let last = -1;
    for (let i = from; i <= to; i += 1) {
      if (this.#powers[i] === 0) continue;
      this.#powers[i] = 0;
      if (first < 0) first = i;
      last = i;
    }
    if (first < 0) return;
    for (let i = Math.max(0, first - 1); i <= Math.min(this.count - 1, last + 1); i += 1) {
      this.#smooth(i);
    }
    this.#stops = this.#stops.filter(
      ({ at }) => at + STOPPED_FRAMES <= first || at - TAIL_FRAMES > last,
    );
    for (let at = first - STOPPED_FRAMES + 1; at <= last + TAIL_FRAMES; at += 1)
      this.#judgeStop(at);
  }

  /** Floor and peak of frames from index `from` on, which never goes back. */
  measure(from: number): void {
    for (; this.#from < from; this.#from += 1) this.#count(this.#from, UNCOUNTED);
    const heard = this.#heard;
    this.floorDb = this.#levelAt(Math.max(1, Math.floor(heard * FLOOR_SHARE)));
    this.peakDb = this.#levelAt(Math.max(1, heard - PEAK_FRAMES));
    this.spreadDb = this.#levelAt(Math.max(1, Math.floor(heard * SPREAD_SHARE))) - this.floorDb;
    const aboveDb = ABOVE_FLOOR_BASE_DB + ABOVE_FLOOR_PER_SPREAD * this.spreadDb;
    this.#aboveFloorDb = Math.min(ABOVE_FLOOR_MOST_DB, Math.max(ABOVE_FLOOR_LEAST_DB, aboveDb));
    if (this.#hasSilence() || heard < FLOOR_FRAMES_MIN) this.floorDb = FLOOR_LEAST_DB;
    this.floorDb = Math.max(FLOOR_LEAST_DB, this.floorDb);
    const tailDb = this.#quietestTailDb();
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

  /** A silence of SILENCE_FRAMES behind the first sound. */
  #hasSilence(): boolean {
    if (this.#heard === 0 || this.#lastSilence < this.#from) return false;
    this.#firstHeard = Math.max(this.#firstHeard, this.#from);
    while (this.#bins[this.#firstHeard] === UNCOUNTED) this.#firstHeard += 1;
    return this.#lastSilence >= this.#firstHeard + SILENCE_FRAMES;
  }

  /** Of all tails before a stop; Infinity without one. */
  #quietestTailDb(): number {
    let least = Infinity;
    for (const { at, tailPower } of this.#stops) {
      if (at - TAIL_FRAMES >= this.#from && tailPower < least) least = tailPower;
    }
    return 10 * Math.log10(least);
  }

  /** Notes frame `at` where the power stops, and an even tail was before it. */
  #judgeStop(at: number): void {
    if (at < TAIL_FRAMES || at + STOPPED_FRAMES > this.count) return;
    const before = this.#powers[at - 2] as number;
    if ((this.#powers[at] as number) > DROP_RATIO_MAX * before) return;
    const tailPower = this.#evenPower(at - TAIL_FRAMES, at - 1);
    if (tailPower === Infinity || !this.#isBelow(STOPPED_RATIO_MAX * tailPower, at)) return;
    this.#stops = this.#stops.filter((stop) => stop.at - TAIL_FRAMES >= this.#from);
    this.#stops.push({ at, tailPower });
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
    const levelDb = mean <= 0 ? UNHEARD_DB : 10 * Math.log10(mean);
    this.smoothDb[i] = levelDb;
    if (i >= this.#from) this.#count(i, binOf(this.smoothDb[i]));
  }

  /** The frame is in this bin from now on. */
  #count(i: number, bin: number): void {
    const old = this.#bins[i] as number;
    if (bin === old) return;
    this.#bins[i] = bin;
    if (old !== UNCOUNTED) this.#histogram[old] = (this.#histogram[old] as number) - 1;
    else {
      this.#heard += 1;
      this.#firstHeard = Math.min(this.#firstHeard, i);
    }
    if (bin !== UNCOUNTED) this.#histogram[bin] = (this.#histogram[bin] as number) + 1;
    else this.#heard -= 1;
  }

  #forget(frames: number): void {
    for (; this.#from < frames; this.#from += 1) this.#count(this.#from, UNCOUNTED);
    this.smoothDb.copyWithin(0, frames);
    this.#powers.copyWithin(0, frames);
    this.#bins.copyWithin(0, frames).fill(UNCOUNTED, this.count - frames);
    this.#stops = this.#stops.filter(({ at }) => at >= frames + TAIL_FRAMES);
    for (const stop of this.#stops) stop.at -= frames;
    this.#from -= frames;
    this.#firstHeard = Math.max(0, this.#firstHeard - frames);
    this.#lastSilence = Math.max(-1, this.#lastSilence - frames);
    this.count -= frames;
    this.firstFrame += frames;
  }
}

function binOf(levelDb: number): number {
  if (levelDb <= SILENCE_DB) return UNCOUNTED;
  return Math.min(HISTOGRAM_BINS - 1, (levelDb - HISTOGRAM_FROM_DB) | 0);
}
