/** What is heard before the answer (183 with SDP): what rings, refuses, or speaks already. */
import type { EarlyMediaVerdict } from '../../machines/telephony-events.ts';
import { isSurelyTone, type AnswerTone } from './answer-tones.ts';
import { CallProgressListener } from './call-progress.ts';
import { MelodyMeter } from './melody-meter.ts';
import { SpeechListener } from './speech-listener.ts';

/** A recording speaks for this long; nobody else can, before the answer. */
const VOICEMAIL_SPEECH_MS = 2_400;
const VOICEMAIL_SYLLABLES = 6;
/** A beep behind this much speech is a voicemail's. */
const GREETING_LEAST_MS = 900;
/** Sound that is neither a known tone nor speech: music instead of ringing. */
const OTHER_SOUND_MS = 3_600;
/** Speech this far below the network's tones comes from the background. */
const BACKGROUND_DB = 8;
/** After a special information tone somebody explains it: that is no greeting. */
const FINAL: ReadonlySet<EarlyMediaVerdict> = new Set(['sit_vacant', 'sit_no_circuit']);

export class EarlyMediaDetector {
  readonly #listener = new SpeechListener();
  readonly #progress = new CallProgressListener();
  readonly #melody = new MelodyMeter();
  /** Of the loudest tone so far. */
  #toneDb = -Infinity;
  #last: EarlyMediaVerdict | undefined;

  /** A verdict that differs from the last one: ringback may be followed by another. */
  feed(frame: Int16Array): EarlyMediaVerdict | undefined {
    return this.#advance(frame);
  }

  /** 20 ms that did not arrive. */
  lost(): EarlyMediaVerdict | undefined {
    return this.#advance(null);
  }

  #advance(frame: Int16Array | null): EarlyMediaVerdict | undefined {
    const listener = this.#listener;
    const tone = listener.feed(frame);
    const ended = listener.endedTone;
    if (ended !== undefined && isSurelyTone(ended)) {
      this.#toneDb = Math.max(this.#toneDb, ended.levelDb);
    }
    this.#melody.feed(listener.analysis, listener.tracker);
    if (this.#last !== undefined && FINAL.has(this.#last)) return undefined;
    const verdict =
      (tone === undefined ? undefined : this.#ofTone(tone)) ??
      this.#progress.feed(listener.analysis, listener.tracker, listener.endedTone) ??
      this.#ofSound();
    if (verdict === undefined || verdict === this.#last) return undefined;
    // Two bursts of a busy tone with one lost between them are no ringing.
    if (verdict === 'ringback' && this.#isRefused) return undefined;
    this.#last = verdict;
    return verdict;
  }

  get #isRefused(): boolean {
    return this.#last === 'busy' || this.#last === 'reorder';
  }

  #ofTone(tone: AnswerTone): EarlyMediaVerdict | undefined {
    if (tone.kind === 'sit') {
      return tone.code === 'NC' || tone.code === 'RO' ? 'sit_no_circuit' : 'sit_vacant';
    }
    if (this.#isRefused) return undefined;
    const { speechMs } = this.#listener.sensitive;
    const isVoicemail = tone.kind === 'beep' && speechMs >= GREETING_LEAST_MS;
    return isVoicemail && !this.#melody.isMusic ? 'voicemail' : undefined;
  }

  #ofSound(): EarlyMediaVerdict | undefined {
    if (this.#isRefused) return undefined;
    const { sensitive, levels } = this.#listener;
    if (levels.peakDb < this.#toneDb - BACKGROUND_DB) return undefined;
    if (this.#melody.isMusic) {
      return sensitive.speechMs + this.#melody.tonalMs >= OTHER_SOUND_MS ? 'other' : undefined;
    }
    const isSpeech =
      sensitive.speechMs >= VOICEMAIL_SPEECH_MS && sensitive.syllables >= VOICEMAIL_SYLLABLES;
    return isSpeech ? 'voicemail' : undefined;
  }
}
