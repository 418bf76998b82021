/** Who speaks: no voice variant of one split is in the other. */
import type { Voice } from './raw-speech.ts';
import { SeededRandom } from './seeded-random.ts';
import { LANGUAGES, type LanguageCode, type Split } from './texts/script-texts.ts';

/** espeak-ng's variants; those that are robots, or that it cannot make understood, are left out. */
export const VARIANTS: Readonly<Record<Split, readonly string[]>> = {
  train: [
    ...['m1', 'm2', 'm4', 'm6', 'm7', 'f1', 'f3', 'f5', 'croak', 'Andy', 'adam', 'linda', 'Alicia'],
    ...['edward', 'David', 'Denis', 'Gene', 'grandpa', 'steph', 'Hugo', 'Michael', 'iven', 'Lee'],
    ...['Miguel', 'john', 'mike', 'victor', 'zac'],
  ],
  test: [
    ...['m3', 'm5', 'm8', 'f2', 'f4', 'grandma', 'Andrea', 'Annie', 'belinda', 'anika', 'aunty'],
    ...['Diogo', 'Henrique', 'Jacky', 'marcelo', 'Marco', 'max', 'Mr serious', 'Nguyen', 'pablo'],
    ...[
      'paul',
      'pedro',
      'quincy',
      'rob',
      'shelby',
      'sandro',
      'travis',
      'norbert',
      'robert',
      'Alex',
    ],
  ],
};

export const WHISPERERS: Readonly<Record<Split, string>> = { train: 'whisper', test: 'whisperf' };

export type SpeakerKind = 'adult' | 'receptionist' | 'child' | 'whisperer' | 'announcer';

export interface Speaker {
  readonly voice: Voice;
  /** Of the speaker's usual one, at the same pitch. */
  readonly speed: number;
  /** How far speed, pitch and level wander from clause to clause; an announcer's hardly do. */
  readonly liveliness: number;
}

/**
 * Speakers of each kind per language and split. Few, because every clause of each is synthesised once
 * and kept; how each clip bends pitch and speed again is what makes them many.
 */
const SPEAKERS_PER_KIND = 8;
/** A receptionist has said it a thousand times. */
const WORDS_PER_MINUTE: Readonly<Record<SpeakerKind, readonly [number, number]>> = {
  adult: [125, 215],
  receptionist: [185, 245],
  child: [125, 190],
  whisperer: [125, 200],
  announcer: [135, 175],
};
/** Ways in which a speaker says the same clause. */
const RENDITIONS = 2;

export function drawSpeaker(
  random: SeededRandom,
  { split, language, kind }: { split: Split; language: LanguageCode; kind: SpeakerKind },
): Speaker {
  const number = random.whole(1, SPEAKERS_PER_KIND);
  const self = new SeededRandom(`speaker/${split}/${language}/${kind}/${number}`);
  const variant = kind === 'whisperer' ? WHISPERERS[split] : self.pick(VARIANTS[split]);
  const [slowest, fastest] = WORDS_PER_MINUTE[kind];
  const [lowest, highest] = kind === 'child' ? [60, 90] : [20, 80];
  const wordGap = self.pick([0, 0, 0, 1, 2, 4]);
  return {
    voice: {
      name: `${self.pick(LANGUAGES[language].accents[split])}+${variant}`,
      wordsPerMinute: self.whole(slowest, fastest),
      pitch: self.whole(lowest, highest),
      wordGap: kind === 'receptionist' ? 0 : wordGap,
      formantRatio: kind === 'child' ? random.between(1.18, 1.36) : random.between(0.93, 1.07),
    },
    speed: random.between(0.88, 1.15),
    liveliness: kind === 'announcer' ? random.between(0.1, 0.4) : random.between(0.5, 1.2),
  };
}

/** As the speaker says one clause: never twice quite the same. */
export function variedVoice(random: SeededRandom, { voice, liveliness }: Speaker): Voice {
  const rendition = random.whole(0, RENDITIONS - 1) / RENDITIONS - 0.25; // -0.25 or 0.25
  const lively = liveliness > 0.45 ? rendition : 0;
  return {
    ...voice,
    wordsPerMinute: Math.round(voice.wordsPerMinute * (1 + 0.4 * lively)),
    pitch: Math.max(0, Math.min(99, Math.round(voice.pitch + 24 * lively))),
    formantRatio: voice.formantRatio * (1 + 0.02 * liveliness * random.between(-1, 1)),
  };
}
