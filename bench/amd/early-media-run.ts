/** One clip of early media through its detector. */
import type { EarlyMediaVerdict } from '../../machines/telephony-events.ts';
import { EarlyMediaDetector } from '../../gateway/amd/early-media-detector.ts';
import { framesOf } from './clip-run.ts';
import { FRAME_MS, FRAME_SAMPLES } from './corpus/audio.ts';
import type { TruthLine } from './corpus/corpus-files.ts';

export interface EarlyResult {
  readonly file: string;
  /** In the order in which they were recognised. */
  readonly heard: readonly EarlyMediaVerdict[];
  readonly firstAtMs: number | null;
}

export function runEarlyClip(folder: string, truth: TruthLine): EarlyResult {
  const detector = new EarlyMediaDetector();
  const heard: EarlyMediaVerdict[] = [];
  let firstAtMs: number | null = null;
  const silence = new Int16Array(FRAME_SAMPLES);
  for (const [index, frame] of framesOf(folder, truth).entries()) {
    const verdict = detector.feed(frame ?? silence);
    if (verdict === undefined) continue;
    heard.push(verdict);
    firstAtMs ??= (index + 1) * FRAME_MS;
  }
  return { file: truth.file, heard, firstAtMs };
}
