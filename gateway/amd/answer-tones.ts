/** What the tones on an answered call mean: a beep, a fax, an announcement's SIT, or call progress. */
import type { FrameAnalysis } from './frame-analysis.ts';
import { SIT_GAP_MOST_MS, SitSequence } from './sit-sequence.ts';
import {
  FINE_SHARE_MIN,
  STEADY_LEAST_MS,
  isHarmonic,
  type Tone,
  type ToneTracker,
} from './tone-tracker.ts';

export type AnswerTone =
  | { readonly kind: 'beep'; readonly tone: Tone }
  | { readonly kind: 'fax'; readonly signal: 'CED' | 'CNG' }
  | { readonly kind: 'sit'; readonly code: string }
  /** Ringback, busy and the like: the far end is a network, not a voice. */
  | { readonly kind: 'progress'; readonly tone: Tone };

/** No standard says what a beep is: any single tone (notes of docs/amd.md). */
const BEEP_LEAST_HZ = 330;
const BEEP_MOST_HZ = 2_550;
const BEEP_MOST_MS = 1_750;
const DEVIATION_MAX_HZ = 6;
/** Down here it may be the fundamental of a child's oo or ee, which is pure but glides. */
const VOICED_BELOW_HZ = 600;
const LOW_DEVIATION_MAX_HZ = 3;
const LEVEL_LEAST_DB = -46;
/**
 * What a tone must be to be no piece of a vowel; the shorter, the purer and the steadier. Of the
 * tones found in synthetic speech none of 60 ms and more was purer than 0.86 with a ripple below
 * 0.18; beeps at 10 dB over noise had 0.89 and 0.13.
 */
const GRADES: readonly Grade[] = [
  { lengthMs: 60, purity: 0.88, rippleMax: 0.16, edgesDb: 5 },
  { lengthMs: 200, purity: 0.8, rippleMax: 0.24, edgesDb: 4 },
  { lengthMs: 320, purity: 0.74, rippleMax: 0.32, edgesDb: 3 },
  { lengthMs: 480, purity: 0.7, rippleMax: 0.4, edgesDb: 0 },
];
/** Two equal tones that beat have 0.7. */
const BEATING_FROM = 0.5;
/** Another tone within this time makes it a melody, a SIT or a cadence. */
const ALONE_MS = 100;
const MELODY_RANGE_DB = 12;
/** Single-tone call progress of most of the world (ITU-T E.180 supplement 2: 425 ± 15 Hz, and 400). */
const PROGRESS_TONES_HZ = [400, 425, 440, 450];
const PROGRESS_WITHIN_HZ = 8;
const PROGRESS_LEAST_MS = 180;
/** Once somebody has spoken for this long, a tone of 425 Hz is a beep like any other. */
const GREETING_LEAST_MS = 900;
/** ITU-T T.30: CED is 2100 ± 15 Hz for 2.6 to 4 s; CNG 1100 ± 38 Hz, 0.5 s on and 3 s off. */
const CED_HZ = 2_100;
const CED_WITHIN_HZ = 20;
/** Less than the 450 ms after which an answering modem turns the phase (ITU-T V.8). */
const CED_SURE_MS = 400;
const CNG_HZ = 1_100;
const CNG_WITHIN_HZ = 30;
const CNG_LEAST_MS = 410;
const CNG_MOST_MS = 600;

interface Grade {
  readonly lengthMs: number;
  readonly purity: number;
  readonly rippleMax: number;
  /** Of its beginning and its end. */
  readonly edgesDb: number;
}

export class AnswerTones {
  readonly #sit = new SitSequence();
  #held: Tone | undefined;
  #faxTold = false;
  #sitTold = false;
  /** End of the last tone of any kind, for the melody test. */
  #lastEndMs = -10_000;
  #lastHz = 0;
  #lastDb = 0;

  /** `speechMs`: what has been spoken so far. */
  feed(
    analysis: FrameAnalysis,
    tracker: ToneTracker,
    ended: Tone | undefined,
    speechMs: number,
  ): AnswerTone | undefined {
    const nowMs = analysis.frames * 20;
    if (ended !== undefined) {
      const told = this.#ended(ended, speechMs);
      if (told !== undefined) return told;
    }
    if (this.#isCed(tracker, speechMs)) {
      this.#faxTold = true;
      this.#held = undefined;
      return { kind: 'fax', signal: 'CED' };
    }
    const code = this.#sit.sounding(tracker);
    if (code !== undefined) {
      this.#sitTold = true;
      this.#held = undefined;
      return { kind: 'sit', code };
    }
    return this.#release(nowMs, tracker, speechMs);
  }

  /** No more audio: a beep that was waiting for what comes next is one. */
  end(): AnswerTone | undefined {
    const tone = this.#held;
    this.#held = undefined;
    return tone === undefined ? undefined : { kind: 'beep', tone };
  }

  #ended(tone: Tone, speechMs: number): AnswerTone | undefined {
    const isMelody =
      tone.startMs - this.#lastEndMs < ALONE_MS &&
      Math.abs(tone.hz - this.#lastHz) > 15 &&
      Math.abs(tone.levelDb - this.#lastDb) <= MELODY_RANGE_DB;
    if (isEven(tone)) {
      this.#lastEndMs = tone.endMs;
      this.#lastHz = tone.hz;
      this.#lastDb = tone.levelDb;
    }
    this.#sit.ended(tone);
    if (isMelody) {
      this.#held = undefined;
      return undefined;
    }
    if (this.#isCng(tone, speechMs)) {
      this.#faxTold = true;
      return { kind: 'fax', signal: 'CNG' };
    }
    if (isProgress(tone, speechMs)) return { kind: 'progress', tone };
    // What follows a fax's first tone, or a SIT, is more of the same.
    if (isBeep(tone) && !this.#faxTold && !this.#sitTold) this.#held = tone;
    return undefined;
  }

  #release(nowMs: number, tracker: ToneTracker, speechMs: number): AnswerTone | undefined {
    const tone = this.#held;
    if (tone === undefined) return undefined;
    // A beep comes behind a greeting; where there was none, the rest of a SIT is waited for.
    const mayBeSit = this.#sit.isUnderWay && speechMs < GREETING_LEAST_MS;
    const aloneMs = mayBeSit ? SIT_GAP_MOST_MS : ALONE_MS;
    if (nowMs < tone.endMs + aloneMs) return undefined;
    // Another tone has begun close behind it: wait for what that one turns out to be.
    if (tracker.soundingMs > 0 && tracker.soundingFrom * 20 < tone.endMs + aloneMs) {
      if (tracker.soundingMs < STEADY_LEAST_MS) return undefined;
      if (tracker.isSteady && Math.abs(tracker.soundingHz - tone.hz) > 15) {
        this.#held = undefined;
        return undefined;
      }
    }
    this.#held = undefined;
    return { kind: 'beep', tone };
  }

  #isCed(tracker: ToneTracker, speechMs: number): boolean {
    return (
      !this.#faxTold &&
      speechMs < GREETING_LEAST_MS &&
      tracker.soundingMs >= CED_SURE_MS &&
      !tracker.isSoundingPair &&
      Math.abs(tracker.soundingHz - CED_HZ) <= CED_WITHIN_HZ
    );
  }

  #isCng(tone: Tone, speechMs: number): boolean {
    const lengthMs = tone.endMs - tone.startMs;
    return (
      !this.#faxTold &&
      speechMs < GREETING_LEAST_MS &&
      tone.secondHz === 0 &&
      Math.abs(tone.hz - CNG_HZ) <= CNG_WITHIN_HZ &&
      lengthMs >= CNG_LEAST_MS &&
      lengthMs <= CNG_MOST_MS
    );
  }
}

/** Taken out of what counts as speech. */
export function isSurelyTone(tone: Tone): boolean {
  if (tone.secondHz === 0) return isEven(tone) && tone.levelDb >= LEVEL_LEAST_DB;
  if (tone.levelDb < LEVEL_LEAST_DB || isHarmonic(tone.hz, tone.secondHz)) return false;
  return tone.fineShare >= FINE_SHARE_MIN;
}

function isProgress(tone: Tone, speechMs: number): boolean {
  if (tone.endMs - tone.startMs < PROGRESS_LEAST_MS) return false;
  if (tone.secondHz > 0 || tone.ripple > BEATING_FROM) return tone.hz < 700;
  if (speechMs >= GREETING_LEAST_MS) return false;
  return PROGRESS_TONES_HZ.some((hz) => Math.abs(tone.hz - hz) <= PROGRESS_WITHIN_HZ);
}

/** A tone as a generator makes it, not one cut out of a voice or of noise. */
function isEven(tone: Tone): boolean {
  const isLow = tone.hz < VOICED_BELOW_HZ;
  if (tone.deviationHz > (isLow ? LOW_DEVIATION_MAX_HZ : DEVIATION_MAX_HZ)) return false;
  const lengthMs = tone.endMs - tone.startMs;
  const edgesDb = Math.min(tone.riseDb, tone.fallDb);
  return GRADES.some(
    (grade) =>
      lengthMs >= grade.lengthMs &&
      tone.purity >= grade.purity &&
      tone.ripple <= grade.rippleMax &&
      edgesDb >= grade.edgesDb,
  );
}

function isBeep(tone: Tone): boolean {
  if (tone.secondHz > 0 || tone.hz < BEEP_LEAST_HZ || tone.hz > BEEP_MOST_HZ) return false;
  if (tone.endMs - tone.startMs > BEEP_MOST_MS || tone.levelDb < LEVEL_LEAST_DB) return false;
  return isEven(tone);
}
