/** Finds what was played in what a far end received, frame by frame. */
import type { RtpFarEnd } from './rtp-far-end.ts';

const FRAME_SAMPLES = 160;
const FRAME_MS = 20;
/** G.711 keeps 38 dB: samples differ by less than 1/16 of themselves, and a little near zero. */
const RELATIVE_ERROR_MAX = 1 / 16;
const ABSOLUTE_ERROR_MAX = 40;
/** So many in a row are no accident. */
const FRAMES_TO_FIND = 8;

export interface Found {
  /** Arrival of its first and last frame, performance.now(). */
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the frames that were sought, those that came in their order. */
  readonly wholeRatio: number;
  /** How often it begins. */
  readonly times: number;
}

/** Undefined when not even its beginning was heard. The last time counts. */
export function findPlayed(far: RtpFarEnd, played: Int16Array): Found | undefined {
  const { pcm, frameAtMs } = far.heardAudio;
  const sought = Math.floor(played.length / FRAME_SAMPLES);
  const first = firstLoudFrame(played);
  const starts: number[] = [];
  for (let at = 0; at + FRAMES_TO_FIND <= frameAtMs.length; at += 1) {
    const begins = Array.from({ length: FRAMES_TO_FIND }, (_, i) =>
      sameFrame(pcm, at + i, played, first + i),
    ).every((same) => same);
    if (begins) starts.push(at);
  }
  const start = starts.at(-1);
  if (start === undefined) return undefined;
  let whole = first;
  for (let i = first; i < sought; i += 1)
    if (sameFrame(pcm, start + i - first, played, i)) whole += 1;
  const lastAt = Math.min(frameAtMs.length - 1, start + sought - first - 1);
  return {
    fromMs: (frameAtMs[start] ?? 0) - first * FRAME_MS,
    toMs: frameAtMs[lastAt] ?? 0,
    wholeRatio: whole / sought,
    times: starts.length,
  };
}

/** When the last sound of it is over, ms from its beginning. */
export function soundEndMs(pcm: Int16Array): number {
  let last = 0;
  pcm.forEach((sample, i) => {
    if (Math.abs(sample) > 500) last = i;
  });
  return last / 8;
}

export function toneOf(frequenciesHz: readonly number[], lengthMs: number): Int16Array {
  return Int16Array.from({ length: lengthMs * 8 }, (_, i) =>
    Math.round(
      frequenciesHz.reduce((sum, hz) => sum + Math.sin((2 * Math.PI * hz * i) / 8_000), 0) * 5_000,
    ),
  );
}

export function joined(...parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

export function silence(lengthMs: number): Int16Array {
  return new Int16Array(lengthMs * 8);
}

function firstLoudFrame(pcm: Int16Array): number {
  const at = pcm.findIndex((sample) => Math.abs(sample) > 1_000);
  return Math.max(0, Math.floor(at / FRAME_SAMPLES));
}

function sameFrame(
  heard: Int16Array,
  heardFrame: number,
  played: Int16Array,
  frame: number,
): boolean {
  for (let i = 0; i < FRAME_SAMPLES; i += 1) {
    const [a, b] = [heard[heardFrame * FRAME_SAMPLES + i], played[frame * FRAME_SAMPLES + i]];
    if (a === undefined || b === undefined) return false;
    if (Math.abs(a - b) > Math.max(ABSOLUTE_ERROR_MAX, Math.abs(b) * RELATIVE_ERROR_MAX))
      return false;
  }
  return true;
}
