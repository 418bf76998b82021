/**
 * What listens to the audio of a call, frame by frame (20 ms, 160 samples at 8 kHz). gateway/amd has
 * the real ones; whatever has this shape can stand in for them.
 */
import type { AnswerVerdict, EarlyMediaVerdict } from '../../machines/telephony-events.ts';

export interface AnswerDetectorOptions {
  /** First speech to the latest verdict, ms. */
  readonly limitMs: number;
  /** First sample to the verdict `silence`, ms. */
  readonly initialSilenceMs: number;
}

/** Times are ms of audio since the first sample that was fed. */
export type DetectorEvent =
  | { readonly type: 'speechStarted'; readonly atMs: number }
  | {
      readonly type: 'classified';
      readonly atMs: number;
      readonly verdict: AnswerVerdict;
      /** P(human) at the decision. */
      readonly humanProbability: number;
      readonly evidence: Record<string, number | string | null>;
    }
  | {
      readonly type: 'greetingEnded';
      /** End of the speech. */
      readonly atMs: number;
      readonly decidedAtMs: number;
    }
  | {
      readonly type: 'beep';
      /** Onset. */
      readonly atMs: number;
      readonly endMs: number;
      readonly frequencyHz: number;
    };

/** Who answered. `classified` comes exactly once, `greetingEnded` once at most. */
export interface AnswerListener {
  feed(frame: Int16Array): readonly DetectorEvent[];
  /** A frame that did not come. */
  lost(): readonly DetectorEvent[];
}

/** What the network plays before the answer. One verdict may follow another. */
export interface EarlyMediaListener {
  feed(frame: Int16Array): EarlyMediaVerdict | undefined;
}

export interface DigitListener {
  feed(frame: Int16Array): { readonly digit: string; readonly durationMs: number } | undefined;
}

export interface Detectors {
  answer(options: AnswerDetectorOptions): AnswerListener;
  earlyMedia(): EarlyMediaListener;
  digits(): DigitListener;
}
