/** One recording through the detector, frame by frame as it would have come from the line. */
import { AnswerDetector, type AnswerDetectorOptions } from '../gateway/amd/answer-detector.ts';
import { FRAME_SAMPLES } from '../gateway/amd/frame-analysis.ts';
import type { AnswerVerdict } from '../machines/telephony-events.ts';
import { decodeWav } from '../softswitch/media/wav.ts';

export interface ClassifiedRecording {
  readonly file: string;
  readonly verdict: AnswerVerdict;
  /** Undecided is a person: who is not called a machine for sure gets a person's treatment. */
  readonly treatedAs: Exclude<AnswerVerdict, 'unknown'>;
  /** P(human) at the decision. */
  readonly probability: number;
  /** All times in ms from the first sample; null where there is no such thing. */
  readonly decisionMs: number;
  readonly greetingEndMs: number | null;
  /** Onset of the first beep. */
  readonly beepMs: number | null;
}

/**
 * The verdict never looks ahead. Listening goes on to the end of the file, for the greeting's end
 * and the beep. Stereo is averaged. Throws when the bytes are no WAV file that can be read.
 */
export function classifyRecording(
  file: string,
  bytes: Uint8Array,
  options: AnswerDetectorOptions,
): ClassifiedRecording {
  const { pcm } = decodeWav(bytes);
  const detector = new AnswerDetector(options);
  const found = {
    file,
    verdict: 'unknown' as AnswerVerdict,
    treatedAs: 'human' as ClassifiedRecording['treatedAs'],
    probability: 0.5,
    decisionMs: 0,
    greetingEndMs: null as number | null,
    beepMs: null as number | null,
  };
  const hear = (events: ReturnType<AnswerDetector['feed']>): void => {
    for (const event of events) {
      if (event.type === 'classified') {
        found.verdict = event.verdict;
        found.treatedAs = event.verdict === 'unknown' ? 'human' : event.verdict;
        found.probability = Number(event.humanProbability.toFixed(4));
        found.decisionMs = event.atMs;
      } else if (event.type === 'greetingEnded') found.greetingEndMs = event.atMs;
      else if (event.type === 'beep') found.beepMs ??= event.atMs;
    }
  };
  for (let at = 0; at < pcm.length; at += FRAME_SAMPLES) hear(detector.feed(frameAt(pcm, at)));
  hear(detector.end());
  return found;
}

/** The last frame is filled up with silence. */
function frameAt(pcm: Int16Array, at: number): Int16Array {
  if (at + FRAME_SAMPLES <= pcm.length) return pcm.subarray(at, at + FRAME_SAMPLES);
  const frame = new Int16Array(FRAME_SAMPLES);
  frame.set(pcm.subarray(at));
  return frame;
}
