/** Recursive filters and a small room, all in place of a new array. */
import { SAMPLES_PER_SECOND, samplesOf } from './audio.ts';

interface Coefficients {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
}

/** Second-order sections after R. Bristow-Johnson's cookbook; Q of a Butterworth filter. */
function section(kind: 'highPass' | 'lowPass', hz: number): Coefficients {
  const w = (2 * Math.PI * hz) / SAMPLES_PER_SECOND;
  const cos = Math.cos(w);
  const alpha = Math.sin(w) / Math.SQRT2;
  const a0 = 1 + alpha;
  const edge = kind === 'highPass' ? 1 + cos : 1 - cos;
  const b1 = kind === 'highPass' ? -edge : edge;
  return {
    b0: edge / 2 / a0,
    b1: b1 / a0,
    b2: edge / 2 / a0,
    a1: (-2 * cos) / a0,
    a2: (1 - alpha) / a0,
  };
}

function filtered(audio: Float32Array, { b0, b1, b2, a1, a2 }: Coefficients): Float32Array {
  const out = new Float32Array(audio.length);
  let x1 = 0;
  let x2 = 0;
  let y1 = 0;
  let y2 = 0;
  for (let i = 0; i < audio.length; i += 1) {
    const x = audio[i] as number;
    const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
    x2 = x1;
    x1 = x;
    y2 = y1;
    y1 = Math.abs(y) < 1e-15 ? 0 : y; // denormal numbers are slow
    out[i] = y1;
  }
  return out;
}

/** What a handset and a line pass: two sections at each edge, 24 dB an octave. */
export function bandPassed(audio: Float32Array, lowHz: number, highHz: number): Float32Array {
  const high = filtered(filtered(audio, section('highPass', lowHz)), section('highPass', lowHz));
  return filtered(filtered(high, section('lowPass', highHz)), section('lowPass', highHz));
}

const COMB_MS = [29.7, 37.1, 41.1, 43.7];
const ALL_PASS_MS = [5, 1.7];

/** Schroeder's room: four combs and two all-passes. `decayMs` is the time to fall by 60 dB. */
export function reverberated(
  audio: Float32Array,
  { decayMs, wet, size }: { decayMs: number; wet: number; size: number },
): Float32Array {
  const room = new Float32Array(audio.length);
  for (const combMs of COMB_MS) {
    const delay = samplesOf(combMs * size);
    const feedback = 10 ** ((-3 * combMs * size) / decayMs);
    const line = new Float32Array(audio.length);
    for (let i = 0; i < audio.length; i += 1) {
      line[i] = (audio[i] as number) + (i >= delay ? feedback * (line[i - delay] as number) : 0);
      if (i >= delay) room[i] = (room[i] as number) + (line[i - delay] as number) / COMB_MS.length;
    }
  }
  let diffuse: Float32Array = room;
  for (const ms of ALL_PASS_MS) diffuse = allPassed(diffuse, samplesOf(ms * size));
  return audio.map((sample, i) => sample * (1 - wet) + (diffuse[i] as number) * wet);
}

function allPassed(audio: Float32Array, delay: number): Float32Array {
  const gain = 0.7;
  const out = new Float32Array(audio.length);
  for (let i = 0; i < audio.length; i += 1) {
    const before =
      i >= delay ? (audio[i - delay] as number) + gain * (out[i - delay] as number) : 0;
    out[i] = before - gain * (audio[i] as number);
  }
  return out;
}
