/** A clip while it is put together: who speaks, what sounds, and when; in order, without overlap. */
import { addInto, FRAME_MS, msOf, peakOf, samplesOf, silence, type Span } from './audio.ts';
import type { ChannelWishes, Performance } from './channel.ts';
import type { RawSpeech } from './raw-speech.ts';
import { drawLine } from './script-lines.ts';
import type { SeededRandom } from './seeded-random.ts';
import { drawSpeaker, type Speaker, type SpeakerKind } from './speakers.ts';
import { spokenLine, type Delivery } from './spoken-line.ts';
import type { LanguageCode, Sayings, Split } from './texts/script-texts.ts';

/** Of the voice's peak, which is the measure of every level on the stage. */
const VOICE_PEAK = 0.5;

export class Stage {
  readonly random: SeededRandom;
  readonly split: Split;
  readonly language: LanguageCode;
  readonly #speech: RawSpeech;
  readonly #voices: { audio: Float32Array; at: number }[] = [];
  readonly #tones: { audio: Float32Array; at: number; gain: number }[] = [];
  readonly #sounding: Span[] = [];
  readonly #speaking: Span[] = [];
  #samples = 0;

  constructor(
    speech: RawSpeech,
    { random, split, language }: { random: SeededRandom; split: Split; language: LanguageCode },
  ) {
    this.#speech = speech;
    this.random = random;
    this.split = split;
    this.language = language;
  }

  get nowMs(): number {
    return msOf(this.#samples);
  }

  speaker(kind: SpeakerKind): Speaker {
    return drawSpeaker(this.random, { split: this.split, language: this.language, kind });
  }

  pause(lowMs: number, highMs = lowMs): void {
    this.#samples += samplesOf(this.random.between(lowMs, highMs));
  }

  /** One thing said, from now on. Returns when its first clause begins and its last one ends. */
  say(speaker: Speaker, saying: keyof Sayings, delivery: Delivery): Span {
    const text = drawLine(this.random, { split: this.split, language: this.language, saying });
    const { audio, spans } = spokenLine(this.#speech, this.random, { speaker, text, delivery });
    const startMs = this.nowMs;
    this.#voices.push({ audio, at: this.#samples });
    for (const span of spans) {
      const absolute = { startMs: startMs + span.startMs, endMs: startMs + span.endMs };
      this.#speaking.push(absolute);
      this.#sounding.push(absolute);
    }
    this.#samples += audio.length;
    return { startMs, endMs: this.nowMs };
  }

  /** A sound that no voice makes, `levelDb` against the voice's peak. */
  sound(audio: Float32Array, levelDb: number): Span {
    const startMs = this.nowMs;
    const gain = (VOICE_PEAK * 10 ** (levelDb / 20)) / Math.max(1e-6, peakOf(audio));
    this.#tones.push({ audio, at: this.#samples, gain });
    this.#samples += audio.length;
    const span = { startMs, endMs: this.nowMs };
    this.#sounding.push(span);
    return span;
  }

  /** The whole, a whole number of frames long. */
  performance(): Performance {
    const frameSamples = samplesOf(FRAME_MS);
    const ms = msOf(Math.ceil(this.#samples / frameSamples) * frameSamples);
    const voice = silence(ms);
    const tones = silence(ms);
    for (const { audio, at } of this.#voices) addInto(voice, audio, at);
    for (const { audio, at, gain } of this.#tones) addInto(tones, audio, at, gain);
    return { voice, tones, sounding: this.#sounding, speaking: this.#speaking };
  }
}

export const CLIP_CLASSES = ['human', 'machine', 'fax', 'sit', 'silence'] as const;
export type ClipClass = (typeof CLIP_CLASSES)[number];

/** What a scene says of itself. Spans are null where there is no such thing. */
export interface SceneTruth {
  readonly greeting: Span | null;
  readonly beep: (Span & { readonly frequencyHz: number }) | null;
  readonly wishes?: ChannelWishes;
}
