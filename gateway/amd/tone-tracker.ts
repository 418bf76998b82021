/** Frames that hold a tone, put together to tones with a beginning, an end and a frequency. */
import {
  BLOCKS_PER_FRAME,
  BLOCK_MS,
  FINE_MS,
  FRAME_MS,
  SAMPLE_RATE_HZ,
  lobe,
  peakHz,
  type FrameAnalysis,
} from './frame-analysis.ts';

export interface Tone {
  /** From the first sample fed, to 5 ms. */
  readonly startMs: number;
  readonly endMs: number;
  /** The only, or the lower, frequency. */
  readonly hz: number;
  /** The higher of two, 0 for a single tone. */
  readonly secondHz: number;
  readonly levelDb: number;
  /** Of its frames, from their mean: mean and absolute. */
  readonly deviationHz: number;
  /** Share of the tone, or of both, in 128 ms of it; 0 when it was shorter. */
  readonly fineShare: number;
  /** Standard deviation over mean of its power in blocks of 5 ms: 0.7 for two equal tones that beat. */
  readonly ripple: number;
  /** Range of the level of its frames, the first left out. */
  readonly steadyDb: number;
  /** Mean share of its frames' power. */
  readonly purity: number;
  /** How much quieter the 40 ms before it and after it are. */
  readonly riseDb: number;
  readonly fallDb: number;
}

/** No signal of a telephone network is lower; the noise of rooms and cars is. */
const LEAST_HZ = 290;
/** A vowel is rarely this pure; a beep 5 dB over noise, the known noise taken off, is. */
const PURITY_MIN = 0.72;
const PURITY_LEAST = 0.55;
const PAIR_PURITY_MIN = 0.8;
/** Where one tone alone would do, the second counts only when it is about as strong. */
const EQUAL_MAX_DB = 6;
/** Twist: two tones of one signal are never further apart in level. */
const PAIR_BELOW_MAX_DB = 12;
/** A frame that strays further from the mean belongs to another tone, or to a voice. */
const STRAY_MAX_HZ = 13;
/** Below this two tones may be 40 Hz apart: in 32 ms they are one that wanders. */
const CLOSE_PAIRS_BELOW_HZ = 520;
const CLOSE_STRAY_MAX_HZ = 28;
/** Of the level of its frames, the first left out: a voice swells and fades more. */
const STEADY_MAX_DB = 3;
export const STEADY_LEAST_MS = 160;
const STEADY_PURITY_MIN = 0.85;
const STEADY_DEVIATION_MAX_HZ = 2.5;
/** Frames a tone may miss: lost packets. */
const MISSED_MAX = 2;
const FINE_BELOW_MAX_DB = 15;
/** A vowel's partials are more than two, and glide within 128 ms. */
export const FINE_SHARE_MIN = 0.7;
const EDGE_DB = 6;
/** A block this far below the tone is a lost packet. */
const DROPPED_SHARE = 0.01;
/** By then the tone's full level is known. */
const START_KNOWN_FRAMES = 3;

export class ToneTracker {
  /** Frames of the tone that is sounding, 0 when none is. */
  #count = 0;
  #missed = 0;
  #firstFrame = 0;
  #lastFrame = 0;
  #sumHz = 0;
  #sumSecondHz = 0;
  #sumPurity = 0;
  #pairs = 0;
  #sumDeviationHz = 0;
  #fineShare = 0;
  #levelDb = 0;
  #lastHz = 0;
  #lastDb = 0;
  #leastDb = 0;
  #mostDb = 0;
  #fineHz = 0;
  #fineSecondHz = 0;
  /** Of 5 ms, -1 until it has been found. */
  #startBlock = -1;
  #riseDb = 0;

  /** The tone that ended before this frame, when one did. */
  feed(analysis: FrameAnalysis): Tone | undefined {
    const { peakHz: firstHz, purity, secondHz, secondBelowDb } = analysis;
    const isPure = purity >= PURITY_MIN;
    const isPair =
      analysis.pairPurity >= PAIR_PURITY_MIN &&
      secondBelowDb <= (isPure ? EQUAL_MAX_DB : PAIR_BELOW_MAX_DB);
    const hz = isPair ? Math.min(firstHz, secondHz) : firstHz;
    const isTone = hz >= LEAST_HZ && (isPair || isPure);
    if (this.#count > 0) {
      const meanHz = this.#sumHz / this.#count;
      const isSameTone = isTone && Math.abs(hz - meanHz) <= strayMaxHz(hz);
      // Noise may give a single tone a second peak for one frame.
      const isStillThere =
        this.#pairs === 0 && purity >= PURITY_LEAST && Math.abs(firstHz - meanHz) <= STRAY_MAX_HZ;
      if (isSameTone || isStillThere) {
        this.#add(analysis, isStillThere ? firstHz : hz, isPair && !isStillThere);
        return undefined;
      }
      this.#missed += 1;
      if (!isTone && this.#missed <= MISSED_MAX) return undefined;
      const ended = this.#close(analysis);
      if (isTone) this.#begin(analysis, hz, isPair);
      return ended;
    }
    if (isTone) this.#begin(analysis, hz, isPair);
    return undefined;
  }

  /** How long the tone that is sounding has sounded, 0 when none is. */
  get soundingMs(): number {
    return this.#count === 0 ? 0 : (this.#lastFrame - this.#firstFrame + 1) * FRAME_MS;
  }

  get soundingHz(): number {
    return this.#count === 0 ? 0 : this.#sumHz / this.#count;
  }

  get isSoundingPair(): boolean {
    return this.#pairs * 2 > this.#count || this.#fineSecondHz > 0;
  }

  /** Long and even enough to be no vowel. */
  get isSteady(): boolean {
    if (this.soundingMs < STEADY_LEAST_MS) return false;
    if (this.#fineSecondHz > 0) {
      return this.#fineShare >= FINE_SHARE_MIN && !isHarmonic(this.#fineHz, this.#fineSecondHz);
    }
    const isEven = this.#mostDb - this.#leastDb <= STEADY_MAX_DB;
    const isPure = this.#sumPurity / this.#count >= STEADY_PURITY_MIN;
    return isEven && isPure && this.#deviationHz <= STEADY_DEVIATION_MAX_HZ;
  }

  get #deviationHz(): number {
    return this.#count < 3 ? 0 : this.#sumDeviationHz / (this.#count - 2);
  }

  /** First frame of the tone that is sounding. */
  get soundingFrom(): number {
    return this.#firstFrame;
  }

  end(analysis: FrameAnalysis): Tone | undefined {
    return this.#count > 0 ? this.#close(analysis) : undefined;
  }

  #begin(analysis: FrameAnalysis, hz: number, isPair: boolean): void {
    this.#count = 0;
    this.#firstFrame = analysis.frames - 1;
    this.#sumHz = 0;
    this.#sumSecondHz = 0;
    this.#sumPurity = 0;
    this.#pairs = 0;
    this.#sumDeviationHz = 0;
    this.#fineShare = 0;
    this.#leastDb = this.#mostDb = 0;
    this.#levelDb = analysis.levelDb;
    this.#fineHz = 0;
    this.#fineSecondHz = 0;
    this.#startBlock = -1;
    this.#add(analysis, hz, isPair);
  }

  #add(analysis: FrameAnalysis, hz: number, isPair: boolean): void {
    this.#count += 1;
    this.#missed = 0;
    this.#lastFrame = analysis.frames - 1;
    this.#sumHz += hz;
    this.#sumPurity += analysis.purity;
    if (isPair) {
      this.#pairs += 1;
      this.#sumSecondHz += Math.max(analysis.peakHz, analysis.secondHz);
    }
    // The first and the last frame hold the tone only in part: both are left out.
    if (this.#count >= 3) {
      const isSecond = this.#count === 3;
      this.#sumDeviationHz += Math.abs(this.#lastHz - this.#sumHz / this.#count);
      this.#leastDb = isSecond ? this.#lastDb : Math.min(this.#leastDb, this.#lastDb);
      this.#mostDb = isSecond ? this.#lastDb : Math.max(this.#mostDb, this.#lastDb);
    }
    this.#lastHz = hz;
    this.#lastDb = analysis.levelDb;
    this.#levelDb = Math.max(this.#levelDb, analysis.levelDb);
    if (this.#count === START_KNOWN_FRAMES) this.#findStart(analysis);
    const isLongEnough = this.soundingMs >= FINE_MS + FRAME_MS && this.#missed === 0;
    if (isLongEnough && this.#fineHz === 0) this.#look(analysis);
  }

  /** Once per tone: two frequencies too close for 32 ms. */
  #look(analysis: FrameAnalysis): void {
    const { power, size } = analysis.fineSpectrum();
    const binHz = SAMPLE_RATE_HZ / size;
    const least = Math.floor(200 / binHz);
    let peak = least;
    let total = 0;
    for (let k = least; k < size / 2 - 4; k += 1) {
      total += power[k] as number;
      if ((power[k] as number) > (power[peak] as number)) peak = k;
    }
    this.#fineShare = lobe(power, peak) / total;
    this.#fineHz = peakHz(power, peak, binHz);
    let second = -1;
    for (let k = least; k < size / 2 - 4; k += 1) {
      if (Math.abs(k - peak) <= 3) continue;
      if (second < 0 || (power[k] as number) > (power[second] as number)) second = k;
    }
    if ((power[second] as number) < (power[second - 1] as number)) return;
    if ((power[second] as number) < (power[second + 1] as number)) return;
    if (10 * Math.log10(lobe(power, peak) / lobe(power, second)) > FINE_BELOW_MAX_DB) return;
    const secondHz = peakHz(power, second, binHz);
    const multiple = secondHz / this.#fineHz;
    if (this.#fineHz >= 600 && Math.abs(multiple - Math.round(multiple)) < 0.02) return;
    this.#fineShare += lobe(power, second) / total;
    this.#fineSecondHz = Math.max(secondHz, this.#fineHz);
    this.#fineHz = Math.min(secondHz, this.#fineHz);
  }

  #close(analysis: FrameAnalysis): Tone {
    if (this.#startBlock < 0) this.#findStart(analysis);
    const start = this.#startBlock;
    const steady = 10 ** (this.#levelDb / 10);
    const edge = steady * 10 ** (-EDGE_DB / 10);
    const last = (this.#lastFrame + 2) * BLOCKS_PER_FRAME;
    let end = Math.min(last, analysis.frames * BLOCKS_PER_FRAME - 1);
    while (end > start && analysis.blockPower(end) < edge) end -= 1;
    const isPair = this.isSoundingPair;
    const isFine = this.#fineHz > 0;
    const coarseSecondHz = this.#pairs === 0 ? 0 : this.#sumSecondHz / this.#pairs;
    const tone = {
      startMs: this.#startBlock * BLOCK_MS,
      endMs: (end + 1) * BLOCK_MS,
      hz: isFine ? this.#fineHz : this.#sumHz / this.#count,
      secondHz: isPair ? this.#fineSecondHz || coarseSecondHz : 0,
      levelDb: this.#levelDb,
      deviationHz: this.#deviationHz,
      fineShare: this.#fineShare,
      steadyDb: this.#mostDb - this.#leastDb,
      purity: this.#sumPurity / this.#count,
      ripple: rippleOf(analysis, start + 2, end - 2, steady),
      riseDb: this.#riseDb,
      fallDb: quieterBy(analysis, end + 3, end + 10, steady),
    };
    this.#count = 0;
    this.#missed = 0;
    return tone;
  }

  /** While the blocks before the tone are still kept. */
  #findStart(analysis: FrameAnalysis): void {
    const steady = 10 ** (this.#levelDb / 10);
    const edge = steady * 10 ** (-EDGE_DB / 10);
    let start = Math.max(0, (this.#firstFrame - 2) * BLOCKS_PER_FRAME);
    const last = (this.#lastFrame + 1) * BLOCKS_PER_FRAME;
    while (start < last && analysis.blockPower(start) < edge) start += 1;
    this.#startBlock = start;
    this.#riseDb = quieterBy(analysis, start - 9, start - 2, steady);
  }
}

/** Partials of one voice: the second is twice or three times the first. */
export function isHarmonic(hz: number, secondHz: number): boolean {
  const multiple = secondHz / hz;
  return Math.abs(multiple - Math.round(multiple)) < 0.04;
}

function strayMaxHz(hz: number): number {
  return hz < CLOSE_PAIRS_BELOW_HZ ? CLOSE_STRAY_MAX_HZ : STRAY_MAX_HZ;
}

function rippleOf(analysis: FrameAnalysis, from: number, to: number, steady: number): number {
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let block = from; block <= to; block += 1) {
    const power = analysis.blockPower(block);
    if (power < DROPPED_SHARE * steady) continue; // too long ago, or lost
    sum += power;
    squares += power * power;
    count += 1;
  }
  if (count < 3) return 0;
  const mean = sum / count;
  return Math.sqrt(Math.max(0, squares / count - mean * mean)) / mean;
}

/** By how many dB these blocks are below the tone. */
function quieterBy(analysis: FrameAnalysis, from: number, to: number, steady: number): number {
  let sum = 0;
  let count = 0;
  for (let block = from; block <= to; block += 1) {
    if (block < 0 || block >= analysis.frames * BLOCKS_PER_FRAME) continue;
    sum += analysis.blockPower(block);
    count += 1;
  }
  if (count === 0) return 99;
  return 10 * Math.log10(steady / (sum / count + 1e-9));
}
