/** Special information tones: three rising tones before a network's announcement (ITU-T E.180). */
import type { Tone, ToneTracker } from './tone-tracker.ts';

/** E.180 says 950, 1400 and 1800 ± 50 Hz; the precise plan of North America lies 20 Hz lower. */
const TONES_HZ: readonly (readonly [number, number])[] = [
  [870, 1_010],
  [1_340, 1_460],
  [1_725, 1_860],
];
/** 330 ± 70 ms, short ones of 274 ms and long ones of 380 ms; packets may cut some off. */
const LENGTH_LEAST_MS = 130;
const LENGTH_MOST_MS = 470;
/** Of silence between two of them: E.180 allows 30 ms, a far end or a network that stutters more. */
export const SIT_GAP_MOST_MS = 200;
const THIRD_SURE_MS = 120;
/** Short is 276 ms, long is 380 ms. */
const LONG_FROM_MS = 328;
/** The first tone is 913.8 or 985.2 Hz, the second 1370.6 or 1428.5 Hz. */
const FIRST_HIGH_FROM_HZ = 949.5;
const SECOND_HIGH_FROM_HZ = 1_399.5;

/**
 * The code of North America's precise tones: IC intercept, VC vacant code, RO reorder, NC no
 * circuit. Elsewhere all three tones are alike and say only "not as dialled": `SIT`.
 */
export type SitCode = 'IC' | 'VC' | 'RO' | 'NC' | 'SIT';

export class SitSequence {
  #first: Tone | undefined;
  #second: Tone | undefined;

  /** What is shorter than any of the three is a piece of one, or of two that meet. */
  ended(tone: Tone): void {
    if (tone.endMs - tone.startMs < LENGTH_LEAST_MS) return;
    if (fits(tone, 0)) {
      this.#first = tone;
      this.#second = undefined;
      return;
    }
    const follows =
      this.#first !== undefined && tone.startMs - this.#first.endMs <= SIT_GAP_MOST_MS;
    this.#second = follows && fits(tone, 1) ? tone : undefined;
    if (this.#second === undefined) this.#first = undefined;
  }

  /** What was heard last may be its first tone or its second. */
  get isUnderWay(): boolean {
    return this.#first !== undefined;
  }

  /** The code, once, when the third tone has sounded for long enough. */
  sounding(tracker: ToneTracker): SitCode | undefined {
    const first = this.#first;
    const second = this.#second;
    if (first === undefined || second === undefined) return undefined;
    const [least, most] = TONES_HZ[2] as readonly [number, number];
    if (tracker.soundingMs < THIRD_SURE_MS) return undefined;
    if (tracker.soundingHz < least || tracker.soundingHz > most) return undefined;
    if (tracker.soundingFrom * 20 - second.endMs > SIT_GAP_MOST_MS) return undefined;
    this.#first = undefined;
    this.#second = undefined;
    return codeOf(first, second);
  }
}

function fits(tone: Tone, index: number): boolean {
  const [least, most] = TONES_HZ[index] as readonly [number, number];
  if (tone.endMs - tone.startMs > LENGTH_MOST_MS) return false;
  return tone.secondHz === 0 && tone.hz >= least && tone.hz <= most;
}

function codeOf(first: Tone, second: Tone): SitCode {
  const isFirstLong = first.endMs - first.startMs >= LONG_FROM_MS;
  const isSecondLong = second.endMs - second.startMs >= LONG_FROM_MS;
  const isFirstHigh = first.hz >= FIRST_HIGH_FROM_HZ;
  const isSecondHigh = second.hz >= SECOND_HIGH_FROM_HZ;
  if (!isFirstHigh && !isSecondHigh && !isFirstLong && !isSecondLong) return 'IC';
  if (isFirstHigh && !isSecondHigh && isFirstLong && !isSecondLong) return 'VC';
  if (!isFirstHigh && isSecondHigh && !isFirstLong && isSecondLong) return 'RO';
  if (isFirstHigh && isSecondHigh && isFirstLong && isSecondLong) return 'NC';
  return 'SIT';
}
