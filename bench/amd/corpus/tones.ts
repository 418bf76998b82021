/** What exchanges, voicemail systems and fax machines sound: at 8 kHz, each component of amplitude 1. */
import { addInto, faded, joined, samplesOf, SAMPLES_PER_SECOND, silence } from './audio.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Sines of `frequenciesHz` together for `ms`, with ends of 3 ms. */
export function tone(ms: number, ...frequenciesHz: readonly number[]): Float32Array {
  const out = new Float32Array(samplesOf(ms));
  for (const frequencyHz of frequenciesHz) {
    const step = (2 * Math.PI * frequencyHz) / SAMPLES_PER_SECOND;
    for (let i = 0; i < out.length; i += 1) out[i] = (out[i] as number) + Math.sin(step * i);
  }
  return faded(out, 3);
}

export interface Cadence {
  readonly frequenciesHz: readonly number[];
  /** Sound and silence in turn. */
  readonly onOffMs: readonly number[];
}

/** `on` and `off` in turn, until `ms` have passed. */
export function cadence(ms: number, { frequenciesHz, onOffMs }: Cadence): Float32Array {
  const out = silence(ms);
  let atMs = 0;
  for (let turn = 0; atMs < ms; turn += 1) {
    const lengthMs = onOffMs[turn % onOffMs.length] as number;
    if (turn % 2 === 0) {
      addInto(out, tone(Math.min(lengthMs, ms - atMs), ...frequenciesHz), samplesOf(atMs));
    }
    atMs += lengthMs;
  }
  return out;
}

/** ITU-T E.180 supplement 2, a few national plans that differ in kind. */
export const RINGBACKS = [
  { frequenciesHz: [440, 480], onOffMs: [2_000, 4_000] },
  { frequenciesHz: [400, 450], onOffMs: [400, 200, 400, 2_000] },
  { frequenciesHz: [425], onOffMs: [1_000, 4_000] },
  { frequenciesHz: [425], onOffMs: [1_500, 3_000] },
] as const;

export const BUSY_TONES = [
  { frequenciesHz: [480, 620], onOffMs: [500, 500] },
  { frequenciesHz: [400], onOffMs: [375, 375] },
  { frequenciesHz: [425], onOffMs: [500, 500] },
  { frequenciesHz: [425], onOffMs: [480, 480] },
] as const;

export const REORDER_TONES = [
  { frequenciesHz: [480, 620], onOffMs: [250, 250] },
  { frequenciesHz: [425], onOffMs: [240, 240] },
  { frequenciesHz: [425], onOffMs: [200, 200] },
] as const;

/** Special information tones: NANP's four codes (precise), and E.180's plain one. Hz and ms in turn. */
export const SITS = {
  intercept: [913.8, 274, 1370.6, 274, 1776.7, 380],
  vacant: [985.2, 380, 1370.6, 274, 1776.7, 380],
  reorder: [913.8, 274, 1428.5, 380, 1776.7, 380],
  noCircuit: [985.2, 380, 1428.5, 380, 1776.7, 380],
  plain: [950, 330, 1400, 330, 1800, 330],
} as const;

export type Sit = keyof typeof SITS;

export function sitTones(random: SeededRandom, sit: Sit): Float32Array {
  const parts: Float32Array[] = [];
  for (let i = 0; i < 6; i += 2) {
    const hz = (SITS[sit][i] as number) * (1 + 0.002 * random.between(-1, 1)); // ±0.2 %
    const ms = (SITS[sit][i + 1] as number) * (1 + 0.05 * random.between(-1, 1)); // ±5 %
    parts.push(tone(ms, hz));
    if (i < 4) parts.push(silence(random.between(0, 20)));
  }
  return joined(parts);
}

/** A fax machine that answers: CED, 2100 Hz (ITU-T T.30), then V.21 flags. */
export function faxAnswer(random: SeededRandom): Float32Array {
  const answerTone = tone(random.between(2_600, 4_000), 2_100 + random.between(-15, 15));
  const reversing = random.chance(0.5); // V.8's ANSam: phase reversals every 450 ms, 20 % AM at 15 Hz
  const ced = !reversing
    ? answerTone
    : answerTone.map((sample, i) => {
        const turned = Math.floor(i / samplesOf(450)) % 2 === 0 ? 1 : -1;
        return sample * turned * (1 + 0.2 * Math.sin((2 * Math.PI * 15 * i) / SAMPLES_PER_SECOND));
      });
  return joined([ced, silence(75), v21Flags(random.between(900, 1_400))]);
}

/** A fax machine that calls: CNG, 1100 Hz, half a second every 3.5 s. */
export function faxCalling(ms: number): Float32Array {
  return cadence(ms, { frequenciesHz: [1_100], onOffMs: [500, 3_000] });
}

/** HDLC flags at 300 bit/s: 1650 Hz for 1, 1850 Hz for 0 (ITU-T V.21 channel 2). */
function v21Flags(ms: number): Float32Array {
  const out = new Float32Array(samplesOf(ms));
  const flag = [0, 1, 1, 1, 1, 1, 1, 0];
  let phase = 0;
  for (let i = 0; i < out.length; i += 1) {
    const bit = flag[Math.floor((i * 300) / SAMPLES_PER_SECOND) % 8] as number;
    phase += (2 * Math.PI * (bit === 1 ? 1_650 : 1_850)) / SAMPLES_PER_SECOND;
    out[i] = Math.sin(phase);
  }
  return out;
}

export interface Beep {
  readonly frequencyHz: number;
  readonly lengthMs: number;
}

/** Heard in the USA: T-Mobile, Verizon, Sprint (short and long), AT&T. No standard exists. */
const KNOWN_BEEPS: readonly Beep[] = [
  { frequencyHz: 1_250, lengthMs: 250 },
  { frequencyHz: 1_500, lengthMs: 550 },
  { frequencyHz: 1_400, lengthMs: 120 },
  { frequencyHz: 1_400, lengthMs: 600 },
  { frequencyHz: 1_700, lengthMs: 300 },
];

export function drawBeep(random: SeededRandom): Beep {
  if (random.chance(0.35)) return random.pick(KNOWN_BEEPS);
  return {
    frequencyHz: Math.round(random.between(400, 2_400)),
    lengthMs: Math.round(random.chance(0.7) ? random.between(150, 600) : random.between(80, 1_200)),
  };
}

/** Chords of a scale, broken or struck; the timbres of the two splits differ. */
export function music(
  random: SeededRandom,
  ms: number,
  timbre: 'plucked' | 'sustained',
): Float32Array {
  const out = silence(ms);
  const beatMs = random.between(220, 520);
  const root = random.between(150, 330);
  const scale = random.pick([
    [0, 2, 4, 5, 7, 9, 11],
    [0, 2, 3, 5, 7, 8, 10],
    [0, 2, 4, 7, 9],
  ]);
  for (let atMs = 0; atMs < ms; atMs += beatMs) {
    const voices = random.whole(1, 3);
    for (let voice = 0; voice < voices; voice += 1) {
      const semitones = random.pick(scale) + 12 * random.whole(0, 1);
      const note = noteOf(root * 2 ** (semitones / 12), beatMs * random.pick([1, 1, 2]), timbre);
      addInto(out, note, samplesOf(atMs), 0.3);
    }
  }
  return out;
}

function noteOf(hz: number, ms: number, timbre: 'plucked' | 'sustained'): Float32Array {
  const out = new Float32Array(samplesOf(ms));
  const step = (2 * Math.PI * hz) / SAMPLES_PER_SECOND;
  for (let i = 0; i < out.length; i += 1) {
    const share = i / out.length;
    const angle = step * i;
    out[i] =
      timbre === 'plucked'
        ? (Math.sin(angle) + 0.5 * Math.sin(2 * angle) + 0.25 * Math.sin(3 * angle)) *
          (1 - share) ** 2
        : Math.sin(angle + 1.5 * Math.sin(2 * angle)) * Math.min(1, 8 * share, 8 * (1 - share));
  }
  return faded(out, 4);
}
