/** Arrays of samples at 8 kHz, full scale 1. */
export const SAMPLES_PER_SECOND = 8_000;
export const SAMPLES_PER_MS = 8;
/** One RTP packet of G.711 at the usual 20 ms. */
export const FRAME_SAMPLES = 160;
export const FRAME_MS = 20;

/** A stretch of a clip in which the far end speaks or sounds, in ms from its first sample. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export function samplesOf(ms: number): number {
  return Math.round(ms * SAMPLES_PER_MS);
}

export function msOf(samples: number): number {
  return Math.round(samples / SAMPLES_PER_MS);
}

export function amplitudeOf(decibels: number): number {
  return 10 ** (decibels / 20);
}

export function peakOf(audio: Float32Array): number {
  let peak = 0;
  for (const sample of audio) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

export function rmsOf(audio: Float32Array, from = 0, to = audio.length): number {
  let sum = 0;
  for (let i = from; i < to; i += 1) sum += (audio[i] as number) ** 2;
  return Math.sqrt(sum / Math.max(1, to - from));
}

/** Level while it sounds: the root mean square over the spans alone (ITU-T P.56 in spirit). */
export function activeRmsOf(audio: Float32Array, spans: readonly Span[]): number {
  let sum = 0;
  let count = 0;
  for (const { startMs, endMs } of spans) {
    const end = Math.min(audio.length, samplesOf(endMs));
    for (let i = samplesOf(startMs); i < end; i += 1) sum += (audio[i] as number) ** 2;
    count += Math.max(0, end - samplesOf(startMs));
  }
  return count === 0 ? 0 : Math.sqrt(sum / count);
}

export function scaled(audio: Float32Array, gain: number): Float32Array {
  return audio.map((sample) => sample * gain);
}

export function addInto(into: Float32Array, audio: Float32Array, at: number, gain = 1): void {
  const end = Math.min(audio.length, into.length - at);
  for (let i = 0; i < end; i += 1)
    into[at + i] = (into[at + i] as number) + (audio[i] as number) * gain;
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function silence(ms: number): Float32Array {
  return new Float32Array(samplesOf(ms));
}

const TRIM_BELOW_PEAK = 0.01; // 40 dB

/** Without what lies 40 dB below the peak before the first and after the last sound, in steps of 5 ms. */
export function trimmed(audio: Float32Array): Float32Array {
  const limit = peakOf(audio) * TRIM_BELOW_PEAK;
  const step = 5 * SAMPLES_PER_MS;
  let first = 0;
  while (first + step < audio.length && peakOf(audio.subarray(first, first + step)) < limit)
    first += step;
  let last = audio.length;
  while (last - step > first && peakOf(audio.subarray(last - step, last)) < limit) last -= step;
  return audio.slice(first, last);
}

/** Raised-cosine ends of `ms`, in place: a tone that starts at once clicks. */
export function faded(audio: Float32Array, ms: number): Float32Array {
  const length = Math.min(samplesOf(ms), audio.length >> 1);
  for (let i = 0; i < length; i += 1) {
    const weight = 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / length);
    audio[i] = (audio[i] as number) * weight;
    const j = audio.length - 1 - i;
    audio[j] = (audio[j] as number) * weight;
  }
  return audio;
}
