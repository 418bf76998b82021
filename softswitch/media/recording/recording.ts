/**
 * One recording of a leg: mixes or sets side by side what was heard and what was sent, and knows when
 * it is over. What FreeSWITCH's variables mean for it is decided by who starts it.
 */
import { FRAME_MS, FRAME_SAMPLES } from '../audio-format.ts';
import type { FrameTap } from '../frame-taps.ts';
import type { AudioSink } from './audio-sink.ts';

export interface RecordingOptions {
  readonly sides: 'both' | 'received' | 'sent';
  /** `stereo` has the far end on the left, what it hears on the right. */
  readonly layout: 'mono' | 'stereo' | 'stereoSwapped';
  /**
   * Frames held back after the first one, then written together (FreeSWITCH's 25): the gap of half a
   * second at the beginning of a live stream. Nothing is lost by it.
   */
  readonly preBufferFrames: number;
  /** Mean level below which a frame counts as silence, 0 = silence is not looked for. */
  readonly silenceLevel: number;
  /** Silence after which the recording ends, before and after the first speech; 0 = never. */
  readonly initialSilenceMs: number;
  readonly finalSilenceMs: number;
}

/** In FreeSWITCH's words, as `Record-Completion-Cause` reports them. */
export type CompletionCause =
  | 'success-silence'
  | 'no-input-timeout'
  | 'uri-failure'
  | 'empty-file'
  | 'input-too-short'
  | 'success-maxtime';

export class Recording implements FrameTap {
  /** Written or held back, per channel. */
  samples = 0;
  /** Silence is written instead of the call. */
  masked = false;
  /** Nothing is written. */
  paused = false;
  speechDetected = false;
  /** Ends by itself: silence went on too long. */
  onOver: ((cause: CompletionCause) => void) | undefined;
  readonly #sink: AudioSink;
  readonly #options: RecordingOptions;
  readonly #frame: Int16Array;
  #held: Int16Array[] = [];
  #framesSeen = 0;
  #silenceMs = 0;

  constructor(sink: AudioSink, options: RecordingOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#frame = new Int16Array(FRAME_SAMPLES * (options.layout === 'mono' ? 1 : 2));
  }

  frame(received: Int16Array, sent: Int16Array): void {
    if (this.paused) return;
    const frame = this.#framed(received, sent);
    this.samples += FRAME_SAMPLES;
    this.#framesSeen += 1;
    const { preBufferFrames } = this.#options;
    if (this.#framesSeen > 1 && this.#framesSeen <= preBufferFrames + 1) {
      this.#held.push(frame.slice());
    } else {
      if (this.#held.length > 0) this.#release();
      this.#sink.write(frame);
    }
    this.#listenForSilence(frame);
  }

  /** Writes what is held back. */
  finish(): void {
    this.#release();
  }

  #release(): void {
    for (const frame of this.#held.splice(0)) this.#sink.write(frame);
  }

  /** What is recorded of this moment, valid until the next. */
  #framed(received: Int16Array, sent: Int16Array): Int16Array {
    const { sides, layout } = this.#options;
    if (this.masked) return this.#frame.fill(0);
    if (layout === 'mono' && sides !== 'both') return sides === 'received' ? received : sent;
    this.#combine(received, sent);
    return this.#frame;
  }

  #combine(received: Int16Array, sent: Int16Array): void {
    const { sides, layout } = this.#options;
    const far = sides === 'sent' ? SILENCE : received;
    const near = sides === 'received' ? SILENCE : sent;
    const out = this.#frame;
    if (layout === 'mono') {
      for (let i = 0; i < FRAME_SAMPLES; i += 1) {
        out[i] = clip((far[i] as number) + (near[i] as number));
      }
      return;
    }
    const [left, right] = layout === 'stereo' ? [far, near] : [near, far];
    for (let i = 0; i < FRAME_SAMPLES; i += 1) {
      out[2 * i] = left[i] as number;
      out[2 * i + 1] = right[i] as number;
    }
  }

  #listenForSilence(frame: Int16Array): void {
    const { silenceLevel, initialSilenceMs, finalSilenceMs } = this.#options;
    if (silenceLevel === 0 || meanLevel(frame) >= silenceLevel) {
      this.speechDetected = true;
      this.#silenceMs = 0;
      return;
    }
    this.#silenceMs += FRAME_MS;
    const limitMs = this.speechDetected ? finalSilenceMs : initialSilenceMs;
    if (limitMs === 0 || this.#silenceMs < limitMs) return;
    this.onOver?.(this.speechDetected ? 'success-silence' : 'no-input-timeout');
  }
}

const SILENCE = new Int16Array(FRAME_SAMPLES);

/** FreeSWITCH's measure of loudness: the mean of the samples' magnitudes. */
export function meanLevel(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += Math.abs(sample);
  return pcm.length === 0 ? 0 : sum / pcm.length;
}

/** To 16 bits, without wrapping round. */
export function clip(sample: number): number {
  return sample > 32_767 ? 32_767 : sample < -32_768 ? -32_768 : sample;
}
