/** `tone_stream://` and `silence_stream://`, as FreeSWITCH plays them. */
import { SAMPLES_PER_MS, SAMPLE_RATE_HZ } from './audio-format.ts';
import type { AudioSource } from './audio-source.ts';
import { MediaError } from './media-error.ts';
import {
  FREQUENCIES_MAX,
  parseToneScript,
  VOLUME_MAX_DBM0,
  VOLUME_MIN_DBM0,
  type ToneSegment,
} from './tone-script.ts';

const SINE_BITS = 13;
const SINE_ENTRIES = 2 ** SINE_BITS;
const sine = Float32Array.from({ length: SINE_ENTRIES }, (_, i) =>
  Math.sin((2 * Math.PI * i) / SINE_ENTRIES),
);
/** Phases are unsigned 32-bit fractions of a turn: they wrap by themselves, and stay integers. */
const PHASE_PER_HZ = 2 ** 32 / SAMPLE_RATE_HZ;
const SINE_SHIFT = 32 - SINE_BITS;
/** A sine at full scale is +3.14 dBm0 (ITU-T G.711, µ-law). */
const FULL_SCALE_DBM0 = 3.14;

/** True for what `openStream` takes. */
export function isStreamUri(uri: string): boolean {
  return /^(?:tone_stream|silence_stream):\/\//i.test(uri);
}

/**
 * Opens either kind. Throws `INVALID_TONE_STREAM`.
 *
 * - `tone_stream://SCRIPT[;loops=N]`: the script is played N times; -1 = without end. The script's
 *   grammar is in tone-script.ts.
 * - `silence_stream://MS[,DIVISOR]`: 0 or less = without end. With a divisor there is noise in place
 *   of digital silence, the softer the larger it is; 1400 is customary.
 */
export function openStream(uri: string): AudioSource {
  const [, scheme = '', rest = ''] = /^(\w+):\/\/([^]*)$/.exec(uri) ?? [];
  if (scheme.toLowerCase() === 'silence_stream') return openSilence(rest);
  if (scheme.toLowerCase() === 'tone_stream') return openTones(rest);
  throw new MediaError('INVALID_TONE_STREAM', `not a tone or silence stream: ${uri}`);
}

function openTones(rest: string): AudioSource {
  const loopsAt = rest.search(/;\s*loops=/i);
  const script = loopsAt < 0 ? rest : rest.slice(0, loopsAt);
  let loops = 1;
  if (loopsAt >= 0) {
    const text = rest.slice(rest.indexOf('=', loopsAt) + 1).trim();
    if (!/^-?\d{1,9}$/.test(text)) {
      throw new MediaError('INVALID_TONE_STREAM', `tone stream: loops=${text} is no number`);
    }
    loops = Number(text);
  }
  // FreeSWITCH counts a first playing in any case, and takes every negative number for endless.
  return new ToneSource(parseToneScript(script), loops < 0 ? Infinity : Math.max(1, loops));
}

/** Plays segments sample by sample; nothing is rendered in advance, so endless tones cost nothing. */
export class ToneSource implements AudioSource {
  readonly #segments: readonly ToneSegment[];
  #loopsLeft: number;
  #index = -1;
  #segment: ToneSegment | undefined;
  /** Samples of the segment that are played. */
  #at = 0;
  #amplitude = 0;
  #volumeDbm0 = 0;
  readonly #phases = new Uint32Array(FREQUENCIES_MAX);
  #ended = false;

  constructor(segments: readonly ToneSegment[], loops = 1) {
    this.#segments = segments;
    this.#loopsLeft = segments.some((segment) => lengthOf(segment) > 0) ? loops : 0;
    this.#nextSegment();
  }

  read(into: Int16Array): boolean {
    if (this.#ended) return false;
    let filled = 0;
    while (filled < into.length && this.#segment !== undefined) {
      filled += this.#play(this.#segment, into, filled);
    }
    this.#ended = this.#segment === undefined;
    into.fill(0, filled);
    return filled > 0;
  }

  /** Plays what the frame has room for, up to the segment's end; returns the number of samples. */
  #play(segment: ToneSegment, into: Int16Array, from: number): number {
    const on = segment.frequenciesHz.length === 0 ? 0 : segment.onSamples;
    const count = Math.min(into.length - from, on + segment.offSamples - this.#at);
    const toneCount = Math.max(0, Math.min(count, on - this.#at));
    into.fill(0, from, from + count);
    if (segment.decay === undefined) this.#mix(segment.frequenciesHz, into, from, toneCount);
    else {
      for (let i = 0; i < toneCount; i += 1) {
        this.#decay(segment.decay, this.#at + i);
        this.#mix(segment.frequenciesHz, into, from + i, 1);
      }
    }
    this.#at += count;
    if (this.#at >= on + segment.offSamples) this.#nextSegment();
    return count;
  }

  /** Adds the segment's tones to `count` samples, and moves their phases on. */
  #mix(frequenciesHz: readonly number[], into: Int16Array, from: number, count: number): void {
    const level = this.#amplitude / frequenciesHz.length;
    for (let tone = 0; tone < frequenciesHz.length; tone += 1) {
      const step = Math.round((frequenciesHz[tone] as number) * PHASE_PER_HZ) | 0;
      let phase = (this.#phases[tone] as number) | 0;
      for (let i = from; i < from + count; i += 1) {
        const sample = level * (sine[phase >>> SINE_SHIFT] as number);
        into[i] = (into[i] as number) + Math.floor(sample + 0.5);
        phase = (phase + step) | 0;
      }
      this.#phases[tone] = phase;
    }
  }

  #decay({ stepSamples, stepDb }: NonNullable<ToneSegment['decay']>, at: number): void {
    if (at === 0 || at % Math.max(1, stepSamples) !== 0) return;
    const volume = this.#volumeDbm0 + stepDb;
    if (volume < VOLUME_MIN_DBM0 || volume > VOLUME_MAX_DBM0) return;
    this.#volumeDbm0 = volume;
    this.#amplitude = amplitudeOf(volume);
  }

  #nextSegment(): void {
    this.#segment = undefined;
    while (this.#loopsLeft > 0) {
      this.#index += 1;
      if (this.#index === this.#segments.length) {
        this.#index = -1;
        this.#loopsLeft -= 1;
        continue;
      }
      const segment = this.#segments[this.#index] as ToneSegment;
      if (lengthOf(segment) === 0) continue;
      this.#segment = segment;
      this.#at = 0;
      this.#phases.fill(0);
      this.#volumeDbm0 = segment.volumeDbm0;
      this.#amplitude = amplitudeOf(segment.volumeDbm0);
      return;
    }
  }
}

function lengthOf({ frequenciesHz, onSamples, offSamples }: ToneSegment): number {
  return (frequenciesHz.length === 0 ? 0 : onSamples) + offSamples;
}

function amplitudeOf(volumeDbm0: number): number {
  return 32_767 * 10 ** ((volumeDbm0 - FULL_SCALE_DBM0) / 20);
}

function openSilence(rest: string): AudioSource {
  const match = /^\s*(-?\d{1,9})\s*(?:,\s*(-?\d{1,9})\s*)?$/.exec(rest);
  if (match === null) {
    throw new MediaError('INVALID_TONE_STREAM', `silence stream: not MS[,DIVISOR]: ${rest}`);
  }
  const ms = Number(match[1]);
  const divisor = Number(match[2] ?? 0);
  return new SilenceSource(ms > 0 ? ms : Infinity, Math.max(0, divisor));
}

/** Silence, or noise when there is a divisor: the sum of six random 16-bit values divided by it. */
export class SilenceSource implements AudioSource {
  #samplesLeft: number;
  readonly #noise: Int16Array | undefined;
  #at = 0;

  constructor(lengthMs: number, divisor = 0) {
    this.#samplesLeft = lengthMs * SAMPLES_PER_MS;
    this.#noise = divisor === 0 ? undefined : noiseOf(divisor);
  }

  read(into: Int16Array): boolean {
    if (this.#samplesLeft <= 0) return false;
    const count = Math.min(into.length, this.#samplesLeft);
    this.#samplesLeft -= count;
    const noise = this.#noise;
    if (noise === undefined) {
      into.fill(0);
      return true;
    }
    const at = this.#at;
    for (let i = 0; i < count; i += 1) into[i] = noise[(at + i) & NOISE_MASK] as number;
    if (count < into.length) into.fill(0, count);
    this.#at = (at + count) & NOISE_MASK;
    return true;
  }
}

/** The generator has 2^16 states, so that six of them to a sample come round after half as many. */
const NOISE_SAMPLES = 2 ** 15;
const NOISE_MASK = NOISE_SAMPLES - 1;
const NOISE_SEED = 0x5eed;
/** Divisors whose noise is kept, 64 KiB each: one is customary. */
const NOISES_MAX = 4;
const noises = new Map<number, Int16Array>();

/** All there is of it, made once and shared by every leg: to draw it anew costs more than to send it. */
function noiseOf(divisor: number): Int16Array {
  const known = noises.get(divisor);
  if (known !== undefined) return known;
  let random = NOISE_SEED;
  const noise = Int16Array.from({ length: NOISE_SAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < 6; i += 1) {
      random = (random * 31_821 + 13_849) & 0xffff;
      sum += (random << 16) >> 16;
    }
    return Math.max(-32_768, Math.min(32_767, Math.trunc(sum / divisor)));
  });
  if (noises.size === NOISES_MAX) noises.clear();
  noises.set(divisor, noise);
  return noise;
}
