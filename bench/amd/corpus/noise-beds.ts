/**
 * Sound behind the voice: half a minute of each kind, made once per process and split, from which every
 * clip takes a part. No kind of one split is in the other; the babble of each is of its own voices.
 */
import { addInto, rmsOf, samplesOf, SAMPLES_PER_SECOND, scaled } from './audio.ts';
import { bandPassed } from './filters.ts';
import type { RawSpeech } from './raw-speech.ts';
import { SeededRandom } from './seeded-random.ts';
import { drawSpeaker } from './speakers.ts';
import { spokenLine } from './spoken-line.ts';
import { LANGUAGE_CODES, LANGUAGES, type Split } from './texts/script-texts.ts';
import { music, tone } from './tones.ts';
import { withoutSlots } from './script-lines.ts';

export const NOISES = {
  train: ['white', 'pink', 'babble', 'hum50', 'street'],
  test: ['brown', 'crowd', 'hum60', 'car', 'fan'],
} as const satisfies Record<Split, readonly string[]>;

export type Noise = (typeof NOISES)[Split][number] | 'radio';

const BED_MS = 30_000;
const BEDS_PER_KIND = 2;

export class NoiseBeds {
  readonly #beds = new Map<string, Float32Array>();
  readonly #speech: RawSpeech;
  readonly #seed: string;

  constructor(speech: RawSpeech, seed: string) {
    this.#speech = speech;
    this.#seed = seed;
  }

  /** `samples` of the kind from a random place on, its root mean square about 1 in the voice band. */
  take(random: SeededRandom, split: Split, noise: Noise, samples: number): Float32Array {
    const bed = this.#bed(split, noise, random.whole(1, BEDS_PER_KIND));
    const start = random.whole(0, bed.length - 1);
    const out = new Float32Array(samples);
    for (let i = 0; i < samples; i += 1) out[i] = bed[(start + i) % bed.length] as number;
    return out;
  }

  #bed(split: Split, noise: Noise, number: number): Float32Array {
    const name = `${split}/${noise}/${number}`;
    const known = this.#beds.get(name);
    if (known !== undefined) return known;
    const random = new SeededRandom(`${this.#seed}/noise/${name}`);
    const banded = bandPassed(this.#make(random, split, noise), 250, 3_500);
    const made = scaled(banded, 1 / rmsOf(banded));
    this.#beds.set(name, made);
    return made;
  }

  #make(random: SeededRandom, split: Split, noise: Noise): Float32Array {
    switch (noise) {
      case 'white':
        return coloured(random, 0);
      case 'pink':
        return pink(random);
      case 'brown':
        return coloured(random, 0.98);
      case 'car':
        return withPulses(coloured(random, 0.9), random, {
          perSecond: 0.4,
          frequenciesHz: [90, 180, 410],
        });
      case 'fan':
        return withHum(bandPassed(coloured(random, 0), 400, 1_200), 117, 0.2);
      case 'street':
        return swelling(pink(random), random);
      case 'hum50':
        return withHum(scaled(coloured(random, 0), 0.1), 50, 1);
      case 'hum60':
        return withHum(scaled(coloured(random, 0), 0.1), 60, 1);
      case 'babble':
        return this.#voices(random, split, 6);
      case 'crowd':
        return withPulses(this.#voices(random, split, 8), random, {
          perSecond: 2,
          frequenciesHz: [2_300, 3_100],
        });
      case 'radio':
        return this.#radio(random, split);
    }
  }

  /** People talking at once, each on and on. */
  #voices(random: SeededRandom, split: Split, people: number): Float32Array {
    const out = new Float32Array(samplesOf(BED_MS));
    for (let person = 0; person < people; person += 1) {
      const language = random.pick(LANGUAGE_CODES);
      const speaker = drawSpeaker(random, { split, language, kind: 'adult' });
      const { voicemail, ivr } = LANGUAGES[language].sayings[split];
      const gain = random.between(0.4, 1);
      for (let at = 0; at < out.length;) {
        const text = withoutSlots(random.pick([...voicemail, ...ivr]));
        const delivery = { pauseMs: [150, 900], commaPauseProbability: 0.5 } as const;
        const { audio } = spokenLine(this.#speech, random, { speaker, text, delivery });
        addInto(out, audio, at, gain);
        at += audio.length + samplesOf(random.between(100, 1_200));
      }
    }
    return out;
  }

  /** One voice and music under it: a television in the room. */
  #radio(random: SeededRandom, split: Split): Float32Array {
    const out = this.#voices(random, split, 1);
    addInto(out, music(random, BED_MS, split === 'train' ? 'plucked' : 'sustained'), 0, 0.08);
    return out;
  }
}

/** White noise through one pole: 0 leaves it white, 0.98 makes it brown. */
function coloured(random: SeededRandom, pole: number): Float32Array {
  const out = new Float32Array(samplesOf(BED_MS));
  let y = 0;
  for (let i = 0; i < out.length; i += 1) {
    y = pole * y + random.between(-1, 1);
    out[i] = y;
  }
  return out;
}

/** 3 dB an octave, by Paul Kellet's sum of three poles. */
function pink(random: SeededRandom): Float32Array {
  const out = new Float32Array(samplesOf(BED_MS));
  let [a, b, c] = [0, 0, 0];
  for (let i = 0; i < out.length; i += 1) {
    const white = random.between(-1, 1);
    a = 0.99765 * a + white * 0.099;
    b = 0.963 * b + white * 0.2965164;
    c = 0.57 * c + white * 1.0526913;
    out[i] = a + b + c + white * 0.1848;
  }
  return out;
}

/** Vehicles that pass: 3 to 8 s of rise and fall each. */
function swelling(audio: Float32Array, random: SeededRandom): Float32Array {
  const level = new Float32Array(audio.length).fill(0.35);
  for (let at = 0; at < audio.length; at += samplesOf(random.between(1_500, 6_000))) {
    const length = samplesOf(random.between(3_000, 8_000));
    const peak = random.between(0.5, 1.6);
    for (let i = 0; i < length; i += 1) {
      const j = (at + i) % level.length;
      level[j] = (level[j] as number) + peak * Math.sin((Math.PI * i) / length) ** 2;
    }
  }
  return audio.map((sample, i) => sample * (level[i] as number));
}

/** Mains and its harmonics as they reach a line; the fundamental itself lies below the voice band. */
function withHum(audio: Float32Array, mainsHz: number, gain: number): Float32Array {
  const out = Float32Array.from(audio);
  for (let harmonic = 3; harmonic <= 13; harmonic += 2) {
    const step = (2 * Math.PI * mainsHz * harmonic) / SAMPLES_PER_SECOND;
    for (let i = 0; i < out.length; i += 1) {
      out[i] = (out[i] as number) + (gain / harmonic) * Math.sin(step * i);
    }
  }
  return out;
}

/** Clatter or bumps: damped tones at random times. */
function withPulses(
  audio: Float32Array,
  random: SeededRandom,
  { perSecond, frequenciesHz }: { perSecond: number; frequenciesHz: readonly number[] },
): Float32Array {
  const level = 6 * rmsOf(audio);
  const count = Math.round((perSecond * BED_MS) / 1_000);
  for (let pulse = 0; pulse < count; pulse += 1) {
    const ring = tone(random.between(30, 120), random.pick(frequenciesHz));
    const damped = ring.map((sample, i) => sample * Math.exp((-6 * i) / ring.length));
    addInto(audio, damped, random.whole(0, audio.length - ring.length), level * random.next());
  }
  return audio;
}
