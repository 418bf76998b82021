/**
 * The rule of Asterisk's app_amd (apps/app_amd.c), written anew from its description, as the yardstick:
 * silence and words by a fixed level, no noise floor, no tones. Stock parameters of amd.conf.
 */
import { FRAME_MS } from './corpus/audio.ts';

export interface AsteriskVerdict {
  readonly status: 'HUMAN' | 'MACHINE' | 'NOTSURE';
  readonly cause:
    | 'INITIALSILENCE'
    | 'HUMAN'
    | 'LONGGREETING'
    | 'MAXWORDS'
    | 'MAXWORDLENGTH'
    | 'TOOLONG'
    | 'NOAUDIODATA';
  readonly atMs: number;
}

/** Words are counted with `>=`, as since Asterisk 1.6. */
export const ASTERISK_STOCK = {
  totalAnalysisMs: 5_000,
  /** Mean absolute sample of a frame, of 32,767. */
  silenceThreshold: 256,
  initialSilenceMs: 2_500,
  afterGreetingSilenceMs: 800,
  greetingMs: 1_500,
  wordMsMin: 100,
  wordMsMax: 5_000,
  betweenWordsMs: 50,
  wordsMax: 3,
} as const;

export class AsteriskAmd {
  #totalMs = 0;
  #silenceMs = 0;
  #voiceMs = 0;
  #consecutiveVoiceMs = 0;
  #words = 0;
  #inWord = true;
  #inGreeting = false;

  /** A verdict once there is one; a frame that never came counts as silence (undefined). */
  feed(frame: Int16Array | undefined): AsteriskVerdict | undefined {
    this.#totalMs += FRAME_MS;
    if (this.#totalMs >= ASTERISK_STOCK.totalAnalysisMs) return this.#verdict('NOTSURE', 'TOOLONG');
    if (frame === undefined || isSilent(frame)) return this.#silence();
    this.#silenceMs = 0;
    return this.#voice();
  }

  /** The file is over before the rule has decided. */
  end(): AsteriskVerdict {
    return this.#verdict('NOTSURE', 'NOAUDIODATA');
  }

  #silence(): AsteriskVerdict | undefined {
    this.#silenceMs += FRAME_MS;
    if (this.#silenceMs >= ASTERISK_STOCK.betweenWordsMs) {
      this.#inWord = false;
      this.#consecutiveVoiceMs = 0;
    }
    if (!this.#inGreeting && this.#silenceMs >= ASTERISK_STOCK.initialSilenceMs) {
      return this.#verdict('MACHINE', 'INITIALSILENCE');
    }
    if (this.#inGreeting && this.#silenceMs >= ASTERISK_STOCK.afterGreetingSilenceMs) {
      return this.#verdict('HUMAN', 'HUMAN');
    }
    return undefined;
  }

  #voice(): AsteriskVerdict | undefined {
    this.#consecutiveVoiceMs += FRAME_MS;
    this.#voiceMs += FRAME_MS;
    const isWord = this.#consecutiveVoiceMs >= ASTERISK_STOCK.wordMsMin;
    if (isWord && !this.#inWord) {
      this.#words += 1;
      this.#inWord = true;
    }
    if (this.#consecutiveVoiceMs >= ASTERISK_STOCK.wordMsMax) {
      return this.#verdict('MACHINE', 'MAXWORDLENGTH');
    }
    if (this.#words >= ASTERISK_STOCK.wordsMax) return this.#verdict('MACHINE', 'MAXWORDS');
    if (this.#inGreeting && this.#voiceMs >= ASTERISK_STOCK.greetingMs) {
      return this.#verdict('MACHINE', 'LONGGREETING');
    }
    if (isWord) this.#inGreeting = true;
    return undefined;
  }

  #verdict(status: AsteriskVerdict['status'], cause: AsteriskVerdict['cause']): AsteriskVerdict {
    return { status, cause, atMs: this.#totalMs };
  }
}

function isSilent(frame: Int16Array): boolean {
  let sum = 0;
  for (const sample of frame) sum += Math.abs(sample);
  return sum / frame.length < ASTERISK_STOCK.silenceThreshold;
}
