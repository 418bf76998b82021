/** Frames in; levels, cadence and tones out: what both the verdict and its training look at. */
import { AnswerTones, isSurelyTone, type AnswerTone } from './answer-tones.ts';
import { FRAME_MS, FrameAnalysis } from './frame-analysis.ts';
import { SpeechCadence } from './speech-cadence.ts';
import { SpeechLevels, UNHEARD_DB } from './speech-levels.ts';
import { ToneTracker, type Tone } from './tone-tracker.ts';

/**
 * Where between floor and peak speech begins, for two readings of the same levels. The sensitive
 * one hears the end of a word; only the strict one hears a pause in noise or before a television.
 */
const SENSITIVE_SHARE = 0.42;
const STRICT_SHARE = 0.66;
/** What is looked back on: the verdict's 7 s and the noise before it. */
const LOOK_BACK_FRAMES = 400;
/** Floor and peak move slowly, once there is something to measure. */
const MEASURE_FRAMES = 3;
const MEASURE_ALWAYS_FRAMES = 50;

export class SpeechListener {
  readonly analysis = new FrameAnalysis();
  readonly tracker = new ToneTracker();
  readonly levels = new SpeechLevels();
  readonly sensitive = new SpeechCadence();
  readonly strict = new SpeechCadence();
  /** The tone that ended with the last frame. */
  endedTone: Tone | undefined;
  #isSettled = false;
  readonly #tones = new AnswerTones();

  get nowMs(): number {
    return this.analysis.frames * FRAME_MS;
  }

  /** Null for a frame that did not arrive. What a tone means, when that has become clear. */
  feed(frame: Int16Array | null): AnswerTone | undefined {
    const { analysis, levels, tracker } = this;
    if (frame === null) analysis.lost();
    else analysis.feed(frame, levels.floorDb);
    levels.add(frame === null ? UNHEARD_DB : analysis.levelDb);
    const ended = tracker.feed(analysis);
    this.endedTone = ended;
    if (ended !== undefined && isSurelyTone(ended)) {
      const from = Math.floor(ended.startMs / FRAME_MS);
      levels.markTone(from, Math.ceil(ended.endMs / FRAME_MS) - 1);
    } else if (tracker.isSteady) {
      levels.markTone(tracker.soundingFrom, analysis.frames - 1);
    }
    const tone = this.#tones.feed(analysis, tracker, ended, this.sensitive.activeMs);
    this.#read();
    return tone;
  }

  /** The audio is over. */
  end(): readonly AnswerTone[] {
    const ended = this.tracker.end(this.analysis);
    const last = this.#tones.feed(this.analysis, this.tracker, ended, this.sensitive.activeMs);
    return [last, this.#tones.end()].filter((tone) => tone !== undefined);
  }

  /** The verdict has been given: only the greeting's end is still of interest. */
  settle(): void {
    this.#isSettled = true;
  }

  #read(): void {
    const { levels } = this;
    const from = Math.max(0, levels.count - LOOK_BACK_FRAMES);
    const isTurn = this.analysis.frames % MEASURE_FRAMES === 0;
    if (isTurn || levels.count < MEASURE_ALWAYS_FRAMES) levels.measure(from);
    if (this.#isSettled && !isTurn) return;
    this.sensitive.read(levels, from, levels.threshold(SENSITIVE_SHARE));
    if (!this.#isSettled) this.strict.read(levels, from, levels.threshold(STRICT_SHARE));
  }
}
