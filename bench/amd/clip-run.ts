/** One clip through the detector, frame by frame as they would come from the wire. */
import type { AnswerVerdict } from '../../machines/telephony-events.ts';
import { AnswerDetector, type DetectorEvent } from '../../gateway/amd/answer-detector.ts';
import { AsteriskAmd, type AsteriskVerdict } from './asterisk-amd.ts';
import { FRAME_SAMPLES } from './corpus/audio.ts';
import { CODECS } from './corpus/channel.ts';
import { readCodes, type TruthLine } from './corpus/corpus-files.ts';

/** Limits at which the same clips are judged; at the main one all else is measured too. */
export const LIMITS_MS = [1_000, 2_000, 3_000, 5_000, 7_000] as const;
export const MAIN_LIMIT_MS = 3_000;
const INITIAL_SILENCE_MS = 2_500;

export interface Verdict {
  readonly verdict: AnswerVerdict;
  readonly humanProbability: number;
  readonly atMs: number;
}

export interface BeepHeard {
  readonly atMs: number;
  readonly endMs: number;
  readonly frequencyHz: number;
}

export interface ClipResult {
  readonly file: string;
  /** By limit, in the order of LIMITS_MS. */
  readonly verdicts: readonly Verdict[];
  readonly greetingEndMs: number | null;
  readonly beeps: readonly BeepHeard[];
  /** Of the whole clip at the main limit, decoding left out. */
  readonly cpuMs: number;
  readonly frames: number;
  readonly asterisk: AsteriskVerdict;
}

type Frames = readonly (Int16Array | undefined)[];

/** Frames of 20 ms; undefined where none came. */
export function framesOf(folder: string, truth: TruthLine): Frames {
  const codes = readCodes(folder, truth);
  const lost = new Set(truth.lostFrames);
  return Array.from({ length: Math.floor(codes.length / FRAME_SAMPLES) }, (_, index) => {
    if (lost.has(index)) return undefined;
    const frame = new Int16Array(FRAME_SAMPLES);
    CODECS[truth.codec].decode(codes, index * FRAME_SAMPLES, FRAME_SAMPLES, frame);
    return frame;
  });
}

export function runClip(folder: string, truth: TruthLine): ClipResult {
  const frames = framesOf(folder, truth);
  const cpuBefore = process.cpuUsage();
  const main = listen(frames, MAIN_LIMIT_MS, false);
  const { user, system } = process.cpuUsage(cpuBefore);
  const verdicts = LIMITS_MS.map((limitMs) =>
    verdictOf(limitMs === MAIN_LIMIT_MS ? main : listen(frames, limitMs, true), truth.file),
  );
  const greetingEnd = main.find((event) => event.type === 'greetingEnded');
  return {
    file: truth.file,
    verdicts,
    greetingEndMs: greetingEnd?.atMs ?? null,
    beeps: main.filter((event) => event.type === 'beep'),
    cpuMs: (user + system) / 1_000,
    frames: frames.length,
    asterisk: asteriskOf(frames),
  };
}

/** All that the detector says, or what it says up to its verdict. */
function listen(frames: Frames, limitMs: number, untilVerdict: boolean): DetectorEvent[] {
  const detector = new AnswerDetector({ limitMs, initialSilenceMs: INITIAL_SILENCE_MS });
  const events: DetectorEvent[] = [];
  for (const frame of frames) {
    const heard = frame === undefined ? detector.lost() : detector.feed(frame);
    events.push(...heard);
    if (untilVerdict && heard.some(({ type }) => type === 'classified')) return events;
  }
  events.push(...detector.end());
  return events;
}

function verdictOf(events: readonly DetectorEvent[], file: string): Verdict {
  const classified = events.filter((event) => event.type === 'classified');
  const [only] = classified;
  if (only === undefined || classified.length > 1) {
    throw new Error(`${classified.length} verdicts on ${file}; the detector owes exactly one`);
  }
  const { verdict, humanProbability, atMs } = only;
  return { verdict, humanProbability, atMs };
}

function asteriskOf(frames: Frames): AsteriskVerdict {
  const rule = new AsteriskAmd();
  for (const frame of frames) {
    const verdict = rule.feed(frame);
    if (verdict !== undefined) return verdict;
  }
  return rule.end();
}
