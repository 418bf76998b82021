/** Change of rate by any ratio, and change of speed at the same pitch. */
const HALF_TAPS = 32;
const PHASES = 128;
/** Of the output's rate: what a telephone passes, and no more. */
const CUTOFF = 0.46;

/** Windowed-sinc kernels by their cut-off, as the ratios of a run are few. */
const kernels = new Map<number, readonly Float32Array[]>();

/** `audio` read at `step` input samples per output sample; what would alias is filtered out. */
export function interpolated(audio: Float32Array, step: number): Float32Array {
  const kernel = kernelFor(Math.round((CUTOFF / Math.max(1, step)) * 1_000) / 1_000);
  const out = new Float32Array(Math.floor(audio.length / step));
  for (let i = 0; i < out.length; i += 1) {
    const position = i * step;
    const centre = Math.floor(position);
    const taps = kernel[Math.floor((position - centre) * PHASES)] as Float32Array;
    const start = centre - HALF_TAPS;
    const first = Math.max(0, start);
    const end = Math.min(audio.length, start + taps.length);
    let sum = 0;
    for (let k = first; k < end; k += 1) sum += (audio[k] as number) * (taps[k - start] as number);
    out[i] = sum;
  }
  return out;
}

function kernelFor(cutoff: number): readonly Float32Array[] {
  const known = kernels.get(cutoff);
  if (known !== undefined) return known;
  const made = Array.from({ length: PHASES }, (_, phase) => {
    const taps = new Float32Array(2 * HALF_TAPS + 1);
    let sum = 0;
    for (let i = 0; i < taps.length; i += 1) {
      const x = i - HALF_TAPS - phase / PHASES;
      const angle = 2 * Math.PI * cutoff * x;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (HALF_TAPS + 1));
      const tap = (x === 0 ? 1 : Math.sin(angle) / angle) * window;
      taps[i] = tap;
      sum += tap;
    }
    return taps.map((tap) => tap / sum);
  });
  kernels.set(cutoff, made);
  return made;
}

const WINDOW = 200; // 25 ms
const HOP = WINDOW / 2;
const SEARCH = 40; // 5 ms: half a period of a deep voice

/**
 * The same pitch at another speed that wanders as a speaker's does (waveform-similarity overlap-add,
 * Verhelst and Roelands 1993). `speedAt` gives the speed for the share of the audio read so far.
 */
export function atSpeed(audio: Float32Array, speedAt: (share: number) => number): Float32Array {
  if (audio.length < 4 * WINDOW) return audio;
  const out = new Float32Array(audio.length * 3);
  let read = 0;
  let natural = 0; // where the last window would go on by itself
  let written = 0;
  while (read + WINDOW + SEARCH < audio.length && written + WINDOW < out.length) {
    const from = written === 0 ? 0 : bestMatch(audio, Math.round(read), natural);
    for (let i = 0; i < WINDOW; i += 1) {
      const weight = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW);
      out[written + i] = (out[written + i] as number) + (audio[from + i] as number) * weight;
    }
    natural = from + HOP;
    written += HOP;
    read += HOP * speedAt(read / audio.length);
  }
  return out.slice(0, written + HOP);
}

function bestMatch(audio: Float32Array, near: number, natural: number): number {
  let best = near;
  let bestLikeness = -Infinity;
  const last = audio.length - WINDOW;
  for (let offset = -SEARCH; offset <= SEARCH; offset += 2) {
    const from = near + offset;
    if (from < 0 || from > last || natural + HOP > audio.length) continue;
    let likeness = 0;
    for (let i = 0; i < HOP; i += 2) {
      likeness += (audio[from + i] as number) * (audio[natural + i] as number);
    }
    if (likeness > bestLikeness) {
      bestLikeness = likeness;
      best = from;
    }
  }
  return Math.max(0, Math.min(best, last));
}
