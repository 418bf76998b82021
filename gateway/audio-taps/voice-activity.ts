/**
 * Whether there is voice, or any other sound far above the noise: enough to know that a greeting goes on
 * or is over, and nothing for deciding who speaks. Adaptive: the floor follows the quietest of the last
 * seconds, and once voice was heard, what is 15 dB below it (an echo of our own text) is none.
 */
import { FRAME_MS } from './audio-tap.port.ts';

/** Above the noise floor. */
const ABOVE_FLOOR_DB = 10;
const BELOW_VOICE_DB = 15;
/** Quieter than this is nobody's voice: dBFS of a frame. */
const VOICE_DBFS_MIN = -48;
/** Of frames that are voice: one click is none. */
const BEGINS_AFTER_MS = 60;
/** Longer than the gaps between words, shorter than those between sentences. */
const ENDS_AFTER_MS = 300;
/** The floor rises by so much per second at the most, so that a long sentence does not become one. */
const FLOOR_RISE_DB_PER_S = 3;
const FLOOR_DBFS_START = -60;
/** Level of voice: follows slowly. */
const VOICE_LEVEL_SHARE = 0.05;

export interface VoiceChange {
  readonly speaking: boolean;
  /** When it began or ended, before the frame that told it. */
  readonly agoMs: number;
}

export class VoiceActivity {
  #floorDb = FLOOR_DBFS_START;
  #voiceDb: number | undefined;
  #speaking: boolean | undefined;
  /** Of frames in a row that say otherwise than what was told last. */
  #otherMs = 0;

  /** What has changed; the first state is told too, as soon as it is one. */
  feed(frame: Int16Array): VoiceChange | undefined {
    const levelDb = levelOf(frame);
    const isVoice = levelDb >= this.#thresholdDb;
    this.#adapt(levelDb, isVoice);
    if (isVoice === this.#speaking) {
      this.#otherMs = 0;
      return undefined;
    }
    this.#otherMs += FRAME_MS;
    if (this.#otherMs < (isVoice ? BEGINS_AFTER_MS : ENDS_AFTER_MS)) return undefined;
    const agoMs = this.#otherMs;
    this.#speaking = isVoice;
    this.#otherMs = 0;
    return { speaking: isVoice, agoMs };
  }

  get #thresholdDb(): number {
    const aboveFloor = Math.max(VOICE_DBFS_MIN, this.#floorDb + ABOVE_FLOOR_DB);
    if (this.#voiceDb === undefined) return aboveFloor;
    return Math.max(aboveFloor, this.#voiceDb - BELOW_VOICE_DB);
  }

  #adapt(levelDb: number, isVoice: boolean): void {
    const riseDb = (FLOOR_RISE_DB_PER_S * FRAME_MS) / 1_000;
    this.#floorDb = Math.min(levelDb, this.#floorDb + riseDb);
    if (!isVoice) return;
    this.#voiceDb ??= levelDb;
    this.#voiceDb += (levelDb - this.#voiceDb) * VOICE_LEVEL_SHARE;
  }
}

/** dBFS of a frame's mean square; silence is -96. */
function levelOf(frame: Int16Array): number {
  let sum = 0;
  for (const sample of frame) sum += sample * sample;
  const meanSquare = sum / Math.max(1, frame.length);
  return meanSquare < 0.27 ? -96 : 10 * Math.log10(meanSquare / 32_768 ** 2);
}
