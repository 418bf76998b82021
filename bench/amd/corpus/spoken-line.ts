/** One thing said: clauses of varied speed and pitch with pauses between them. */
import { addInto, amplitudeOf, joined, msOf, samplesOf, silence, type Span } from './audio.ts';
import { atSpeed } from './interpolate.ts';
import type { RawSpeech } from './raw-speech.ts';
import type { SeededRandom } from './seeded-random.ts';
import { variedVoice, type Speaker } from './speakers.ts';

export interface SpokenLine {
  readonly audio: Float32Array;
  /** One per clause, in ms from the line's start. */
  readonly spans: readonly Span[];
}

export interface Delivery {
  /** Pause at each `|` of the text. */
  readonly pauseMs: readonly [number, number];
  /** Probability that a comma becomes a pause of its own, 80 to 350 ms. */
  readonly commaPauseProbability: number;
}

export function spokenLine(
  speech: RawSpeech,
  random: SeededRandom,
  { speaker, text, delivery }: { speaker: Speaker; text: string; delivery: Delivery },
): SpokenLine {
  const parts: Float32Array[] = [];
  const spans: Span[] = [];
  let at = 0;
  const append = (audio: Float32Array): void => {
    parts.push(audio);
    at += audio.length;
  };
  for (const [index, { clause, afterComma }] of clausesOf(random, text, delivery).entries()) {
    const [low, high] = afterComma ? ([80, 350] as const) : delivery.pauseMs;
    if (index > 0) append(silence(random.between(low, high)));
    const audio = asSpoken(speech.say(clause, variedVoice(random, speaker)), random, speaker);
    spans.push({ startMs: msOf(at), endMs: msOf(at + audio.length) });
    append(audio);
  }
  return { audio: joined(parts), spans };
}

interface Clause {
  readonly clause: string;
  readonly afterComma: boolean;
}

function clausesOf(
  random: SeededRandom,
  text: string,
  { commaPauseProbability }: Delivery,
): Clause[] {
  return text.split('|').flatMap((sentence) => {
    const pieces: string[] = [];
    for (const piece of sentence.split(/(?<=, )/u)) {
      const last = pieces.pop();
      if (last === undefined) pieces.push(piece);
      else if (random.chance(commaPauseProbability)) pieces.push(last, piece);
      else pieces.push(`${last}${piece}`);
    }
    return pieces
      .filter((piece) => /\p{L}|\d/u.test(piece))
      .map((piece, i) => ({ clause: piece.trim(), afterComma: i > 0 }));
  });
}

/** Speed that wanders within the clause, a level that falls, and pauses between some words. */
function asSpoken(
  raw: Float32Array,
  random: SeededRandom,
  { speed, liveliness }: Speaker,
): Float32Array {
  let audio = raw;
  if (random.chance(0.5)) {
    const depth = 0.2 * Math.min(1, liveliness) * random.next();
    const phase = random.between(0, 6.28);
    const turns = random.between(0.5, 2);
    audio = atSpeed(audio, (share) => speed + depth * Math.sin(phase + 6.28 * turns * share));
  }
  const startDb = 3 * liveliness * random.between(-1, 1);
  const startGain = amplitudeOf(startDb);
  const endGain = amplitudeOf(startDb - 4 * liveliness * random.next());
  const slope = (endGain - startGain) / audio.length;
  const levelled = audio.map((sample, i) => sample * (startGain + slope * i));
  return random.chance(0.25 * liveliness) ? hesitant(levelled, random) : levelled;
}

/** A hesitation of 60 to 280 ms at the quietest place of the middle: between two words, most often. */
function hesitant(audio: Float32Array, random: SeededRandom): Float32Array {
  const step = samplesOf(10);
  let quietest = -1;
  let least = Infinity;
  for (let at = Math.floor(audio.length * 0.2); at + step < audio.length * 0.8; at += step) {
    let sum = 0;
    for (let i = at; i < at + step; i += 1) sum += Math.abs(audio[i] as number);
    if (sum < least) {
      least = sum;
      quietest = at;
    }
  }
  if (quietest < 0) return audio;
  const gap = samplesOf(random.between(60, 280));
  const out = new Float32Array(audio.length + gap);
  out.set(audio.subarray(0, quietest));
  addInto(out, audio.subarray(quietest), quietest + gap);
  return out;
}
