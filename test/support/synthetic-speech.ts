/** Speech-like sound without a speech program: pulses through three formants, syllable by syllable. */
import { SeededRandom } from './seeded-random-sound.ts';

const RATE = 8_000;
/** First three formants of a, e, i, o, u. */
const VOWELS_HZ = [
  [730, 1_090, 2_440],
  [530, 1_840, 2_480],
  [300, 2_200, 2_900],
  [570, 840, 2_410],
  [320, 870, 2_240],
] as const;

export interface Voice {
  readonly seed: number;
  readonly pitchHz: number;
  /** Peak of full scale. */
  readonly level?: number;
}

/** Runs of syllables of 160 to 230 ms with pauses of 20 to 130 ms, for about `ms`. */
export function speech(ms: number, { seed, pitchHz, level = 0.3 }: Voice): Int16Array {
  const random = new SeededRandom(seed);
  const parts: Int16Array[] = [];
  let madeMs = 0;
  while (madeMs < ms) {
    const syllableMs = Math.min(ms - madeMs, random.between(160, 230));
    const gapMs = Math.min(ms - madeMs - syllableMs, random.between(20, 130));
    parts.push(syllable(syllableMs, pitchHz * random.between(0.85, 1.2), level, random));
    parts.push(silence(gapMs));
    madeMs += syllableMs + gapMs;
  }
  return joined(...parts);
}

function syllable(ms: number, pitchHz: number, level: number, random: SeededRandom): Int16Array {
  const count = Math.round((ms * RATE) / 1_000);
  const source = new Float64Array(count);
  const glide = random.between(-0.25, 0.25);
  let phase = 0;
  for (let i = 0; i < count; i += 1) {
    phase += (pitchHz * (1 + (glide * i) / count)) / RATE;
    if (phase >= 1) {
      phase -= 1;
      source[i] = 1;
    }
    source[i] = (source[i] as number) + random.between(-0.01, 0.01);
  }
  const formants = VOWELS_HZ[random.whole(0, VOWELS_HZ.length - 1)] as readonly number[];
  const out = new Float64Array(count);
  formants.forEach((hz, k) => addResonance(source, hz, 1 / (k + 1), out));
  const peak = out.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
  return Int16Array.from(out, (x, i) => {
    const envelope = Math.min(1, i / 160, (count - i) / 320);
    return Math.round((x / peak) * envelope * level * random.between(0.98, 1.02) * 32_767);
  });
}

function addResonance(source: Float64Array, hz: number, gain: number, out: Float64Array): void {
  const r = Math.exp((-Math.PI * 90) / RATE);
  const a1 = 2 * r * Math.cos((2 * Math.PI * hz) / RATE);
  let y1 = 0;
  let y2 = 0;
  for (let i = 0; i < source.length; i += 1) {
    const y = (source[i] as number) + a1 * y1 - r * r * y2;
    y2 = y1;
    y1 = y;
    out[i] = (out[i] as number) + gain * y;
  }
}

/** Sines of these frequencies together, each of this peak of full scale. */
export function tone(ms: number, frequenciesHz: readonly number[], level = 0.2): Int16Array {
  return Int16Array.from({ length: Math.round((ms * RATE) / 1_000) }, (_, i) => {
    let sum = 0;
    for (const hz of frequenciesHz) sum += Math.sin((2 * Math.PI * hz * i) / RATE);
    return Math.round(Math.max(-1, Math.min(1, sum * level)) * 32_767);
  });
}

export function silence(ms: number): Int16Array {
  return new Int16Array(Math.max(0, Math.round((ms * RATE) / 1_000)));
}

export function joined(...parts: readonly Int16Array[]): Int16Array {
  const out = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** White noise added to all of it; `level` is its standard deviation in steps of 16 bits. */
export function noisy(pcm: Int16Array, level: number, seed = 1): Int16Array {
  const random = new SeededRandom(seed);
  return pcm.map((x) => {
    const noise = level * Math.sqrt(3) * random.between(-1, 1);
    return Math.max(-32_768, Math.min(32_767, Math.round(x + noise)));
  });
}
