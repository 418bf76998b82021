/** From the far end's room to our tap: handset, noise, level, codec and network. */
import type { G711 } from '../../../softswitch/media/g711.ts';
import { alaw, mulaw } from '../../../softswitch/media/g711.ts';
import {
  activeRmsOf,
  addInto,
  amplitudeOf,
  FRAME_SAMPLES,
  peakOf,
  samplesOf,
  type Span,
} from './audio.ts';
import { bandPassed, reverberated } from './filters.ts';
import { lostFrames } from './packet-loss.ts';
import { NOISES, type Noise, type NoiseBeds } from './noise-beds.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Split } from './texts/script-texts.ts';

export type Codec = 'PCMU' | 'PCMA';
export const CODECS: Readonly<Record<Codec, G711>> = { PCMU: mulaw, PCMA: alaw };

/** What sounds at the far end before any of it is carried. */
export interface Performance {
  /** Through a microphone: gets the room. */
  readonly voice: Float32Array;
  /** Injected by a machine: does not. */
  readonly tones: Float32Array;
  /** Every stretch with sound, voice or tone. */
  readonly sounding: readonly Span[];
  /** Of the voice alone. */
  readonly speaking: readonly Span[];
}

export interface ChannelWishes {
  readonly noise?: Noise;
  readonly snrDb?: number;
  /** The room is heard only while a recording plays, not before and after it. */
  readonly recorded?: Span;
  /** Nothing at all is sent while nobody speaks: samples of value 0. */
  readonly zeroGaps?: boolean;
  /** Nothing arrives before this. */
  readonly mediaStartsMs?: number;
}

export interface ChannelFacts {
  readonly noise: Noise | 'none';
  /** null where there is no noise. */
  readonly snrDb: number | null;
  readonly peakDbfs: number;
  readonly clipped: boolean;
  readonly gaps: 'none' | 'zero' | 'comfortNoise';
  readonly codec: Codec;
  /** Share of packets that the network was set to lose. */
  readonly lossRatio: number;
  /** Indexes of the 20 ms frames that never came: no frame is fed, the file holds zeros there. */
  readonly lostFrames: readonly number[];
  /** Lost frames that a jitter buffer filled with what it had: fed like any other. */
  readonly concealed: boolean;
  readonly reverberationMs: number;
}

export interface Carried {
  readonly codes: Uint8Array;
  readonly facts: ChannelFacts;
}

const SNRS_DB = { none: 0.3, '20': 0.3, '10': 0.25, '5': 0.15 } as const;
const LOSS_RATIOS = { '0': 0.55, '0.01': 0.2, '0.03': 0.15, '0.05': 0.1 } as const;
/** A discontinuous transmitter goes on for this long after speech. */
const HANGOVER_MS = 180;

export function carried(
  { voice, tones, sounding, speaking }: Performance,
  wishes: ChannelWishes,
  { random, beds, split }: { random: SeededRandom; beds: NoiseBeds; split: Split },
): Carried {
  const reverberationMs = random.chance(0.35) ? Math.round(random.between(80, 450)) : 0;
  const room =
    reverberationMs === 0
      ? voice
      : reverberated(voice, {
          decayMs: reverberationMs,
          wet: random.between(0.08, 0.35),
          size: random.between(0.3, 1),
        });
  const edges = [random.between(200, 340), random.between(3_100, 3_600)] as const;
  const line = bandPassed(room, ...edges);
  addInto(line, bandPassed(tones, 200, 3_600), 0);
  const peakDbfs = Math.round(random.between(-30, -6));
  const gain = amplitudeOf(peakDbfs) / Math.max(1e-6, peakOf(line));
  for (let i = 0; i < line.length; i += 1) line[i] = (line[i] as number) * gain;

  const level = activeRmsOf(line, speaking.length > 0 ? speaking : sounding);
  const reference = level > 1e-6 ? level : amplitudeOf(peakDbfs - 14);
  const { noise, snrDb } = addNoise(line, { reference, wishes, random, beds, split });
  const gaps = gateGaps(line, sounding, { wishes, random });
  addLineNoise(line, random);
  const clipped = random.chance(0.05);
  const pcm = quantised(line, {
    gain: clipped ? amplitudeOf(-peakDbfs + random.between(3, 10)) : 1,
    offset: random.chance(0.1) ? random.between(-0.012, 0.012) : 0,
  });
  const codec = random.chance(0.5) ? 'PCMU' : 'PCMA';
  const codes = new Uint8Array(pcm.length);
  CODECS[codec].encode(pcm, codes, 0);
  const network = lossyNetwork(codes, CODECS[codec], { wishes, random });
  return {
    codes,
    facts: { noise, snrDb, peakDbfs, clipped, gaps, codec, reverberationMs, ...network },
  };
}

function addNoise(
  line: Float32Array,
  {
    reference,
    wishes,
    random,
    beds,
    split,
  }: {
    reference: number;
    wishes: ChannelWishes;
    random: SeededRandom;
    beds: NoiseBeds;
    split: Split;
  },
): { noise: Noise | 'none'; snrDb: number | null } {
  const drawn = random.weighted(SNRS_DB);
  const snrDb = wishes.snrDb ?? (drawn === 'none' ? null : Number(drawn));
  const noise = wishes.noise ?? random.pick(NOISES[split]);
  if (snrDb === null) return { noise: 'none', snrDb };
  const gain = reference * amplitudeOf(-snrDb);
  const from = samplesOf(wishes.recorded?.startMs ?? 0);
  const to = Math.min(line.length, samplesOf(wishes.recorded?.endMs ?? Infinity));
  const bed = beds.take(random, split, noise, Math.max(0, to - from));
  const ramp = wishes.recorded === undefined ? 1 : samplesOf(60);
  for (let i = 0; i < bed.length; i += 1) {
    const weight = Math.min(1, (i + 1) / ramp, (bed.length - i) / ramp);
    line[from + i] = (line[from + i] as number) + (bed[i] as number) * gain * weight;
  }
  return { noise, snrDb };
}

/** Discontinuous transmission: what is not speech becomes zeros or comfort noise. */
function gateGaps(
  line: Float32Array,
  sounding: readonly Span[],
  { wishes, random }: { wishes: ChannelWishes; random: SeededRandom },
): ChannelFacts['gaps'] {
  const drawn = random.weighted({ none: 0.78, zero: 0.1, comfortNoise: 0.12 });
  const gaps = wishes.zeroGaps === true ? 'zero' : drawn;
  const floor = amplitudeOf(random.between(-66, -54));
  if (gaps === 'none') return gaps;
  const open = new Uint8Array(line.length);
  for (const { startMs, endMs } of sounding) {
    open.fill(1, samplesOf(Math.max(0, startMs - 20)), samplesOf(endMs + HANGOVER_MS));
  }
  for (let i = 0; i < line.length; i += 1) {
    if (open[i] === 0) line[i] = gaps === 'zero' ? 0 : floor * random.between(-1, 1);
  }
  return gaps;
}

function addLineNoise(line: Float32Array, random: SeededRandom): void {
  if (random.chance(0.35)) return;
  const level = amplitudeOf(random.between(-78, -58));
  for (let i = 0; i < line.length; i += 1) {
    if (line[i] !== 0) line[i] = (line[i] as number) + level * random.between(-1, 1);
  }
}

function quantised(
  line: Float32Array,
  { gain, offset }: { gain: number; offset: number },
): Int16Array {
  const pcm = new Int16Array(line.length);
  for (let i = 0; i < pcm.length; i += 1) {
    const sample = line[i] as number;
    const level = sample === 0 && offset === 0 ? 0 : Math.round((sample * gain + offset) * 32_767);
    pcm[i] = Math.max(-32_768, Math.min(32_767, level));
  }
  return pcm;
}

function lossyNetwork(
  codes: Uint8Array,
  { silence }: G711,
  { wishes, random }: { wishes: ChannelWishes; random: SeededRandom },
): Pick<ChannelFacts, 'lossRatio' | 'lostFrames' | 'concealed'> {
  const lossRatio = Number(random.weighted(LOSS_RATIOS));
  const concealed = lossRatio > 0 && random.chance(0.5);
  const late = Math.floor((wishes.mediaStartsMs ?? 0) / 20);
  const lost = lostFrames(random, { frames: codes.length / FRAME_SAMPLES, lossRatio }).filter(
    (frame) => frame >= late,
  );
  for (let frame = 0; frame < late; frame += 1) blank(codes, frame, silence);
  for (const frame of lost) {
    const at = frame * FRAME_SAMPLES;
    if (concealed && frame > 0) codes.copyWithin(at, at - FRAME_SAMPLES, at);
    else blank(codes, frame, silence);
  }
  const missing = [
    ...Array.from({ length: late }, (_, frame) => frame),
    ...(concealed ? [] : lost),
  ];
  return { lossRatio, lostFrames: missing, concealed };
}

function blank(codes: Uint8Array, frame: number, silence: number): void {
  codes.fill(silence, frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES);
}
