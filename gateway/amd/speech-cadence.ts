/** Utterances and pauses, read from the levels at one threshold. */
import { FRAME_MS } from './frame-analysis.ts';
import type { SpeechLevels } from './speech-levels.ts';

/** Shorter bursts are clicks. */
const BURST_FRAMES_MIN = 4;
/** A shorter gap lies between syllables or words; it belongs to the utterance. */
const GAP_FRAMES = 10;
const SYLLABLE_DB = 2.5;

/** All in ms, up to the newest frame. Written anew with every `read`, without allocation. */
export class SpeechCadence {
  /** First frame of speech, counted from the first one fed; -1 without speech. */
  onsetFrame = -1;
  /** The frame after the last one of speech. */
  endFrame = -1;
  elapsedMs = 0;
  /** Since the last frame of speech; 0 while somebody speaks. */
  pauseMs = 0;
  /** Frames above the threshold. */
  activeMs = 0;
  /** Utterances, their inner gaps included. */
  speechMs = 0;
  utterances = 0;
  firstUtteranceMs = 0;
  longestUtteranceMs = 0;
  lastUtteranceMs = 0;
  longestPauseMs = 0;
  /** Of a burst that is too short to be called speech yet. */
  burstMs = 0;
  /** Rises by more than a ripple: about one a syllable, however fast somebody speaks. */
  syllables = 0;
  #utteranceStart = 0;

  read(levels: SpeechLevels, from: number, threshold: number): void {
    this.#reset();
    if (threshold === Infinity) return;
    const { smoothDb, count } = levels;
    let burst = 0;
    // A rise by SYLLABLE_DB after a fall by as much is a syllable.
    let turnDb = threshold;
    let isRising = false;
    let syllables = 0;
    for (let i = from; i < count; i += 1) {
      const level = smoothDb[i] as number;
      if (level <= threshold) {
        burst = 0;
        turnDb = threshold;
        isRising = false;
        continue;
      }
      if (isRising ? level > turnDb : level < turnDb) turnDb = level;
      else if (Math.abs(level - turnDb) > SYLLABLE_DB) {
        isRising = !isRising;
        turnDb = level;
        if (isRising) syllables += 1;
      }
      burst += 1;
      if (burst >= BURST_FRAMES_MIN) this.#speech(i, burst === BURST_FRAMES_MIN ? burst : 1);
    }
    this.syllables = syllables;
    if (this.onsetFrame < 0) this.burstMs = burst * FRAME_MS;
    else this.#finish(levels, burst);
  }

  /** Frames up to index `i` are speech, `newFrames` of them for the first time. */
  #speech(i: number, newFrames: number): void {
    const start = i - newFrames + 1;
    if (this.onsetFrame < 0) {
      this.onsetFrame = start;
      this.#utteranceStart = start;
      this.utterances = 1;
    } else if (start - this.endFrame >= GAP_FRAMES) {
      this.#closeUtterance();
      this.longestPauseMs = Math.max(this.longestPauseMs, (start - this.endFrame) * FRAME_MS);
      this.#utteranceStart = start;
      this.utterances += 1;
    }
    this.activeMs += newFrames * FRAME_MS;
    this.endFrame = i + 1;
  }

  #closeUtterance(): void {
    const length = (this.endFrame - this.#utteranceStart) * FRAME_MS;
    if (this.utterances === 1) this.firstUtteranceMs = length;
    this.lastUtteranceMs = length;
    this.longestUtteranceMs = Math.max(this.longestUtteranceMs, length);
    this.speechMs += length;
  }

  #finish(levels: SpeechLevels, burst: number): void {
    this.#closeUtterance();
    this.burstMs = burst < BURST_FRAMES_MIN ? burst * FRAME_MS : 0;
    this.elapsedMs = (levels.count - this.onsetFrame) * FRAME_MS;
    this.pauseMs = (levels.count - this.endFrame) * FRAME_MS;
    this.onsetFrame += levels.firstFrame;
    this.endFrame += levels.firstFrame;
  }

  #reset(): void {
    this.onsetFrame = -1;
    this.endFrame = -1;
    this.elapsedMs = 0;
    this.pauseMs = 0;
    this.activeMs = 0;
    this.speechMs = 0;
    this.utterances = 0;
    this.firstUtteranceMs = 0;
    this.longestUtteranceMs = 0;
    this.lastUtteranceMs = 0;
    this.longestPauseMs = 0;
    this.burstMs = 0;
    this.syllables = 0;
  }
}
