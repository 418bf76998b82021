/**
 * What listens to the audio of a call, frame by frame (20 ms, 160 samples at 8 kHz). gateway/amd has
 * the real ones; whatever has this shape can stand in for them.
 */
import type { EarlyMediaVerdict } from '../../machines/telephony-events.ts';
import type { AnswerDetectorOptions, DetectorEvent } from '../amd/answer-detector.ts';

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
