/**
 * Listening to one call: a tap on its channel, and whatever listens at the moment. The port has two
 * adapters: the room itself (listening-room.ts), and a thread with a room in it (listening-thread.ts).
 */
import type { AnswerVerdict, EarlyMediaVerdict } from '../../machines/telephony-events.ts';
import type { AudioTapCapabilities, TappedChannel } from './audio-tap.port.ts';
import type { AnswerDetectorOptions } from '../amd/answer-detector.ts';

/** What is to be listened for from now on. What is left out is not listened for any more. */
export interface ListenOrder {
  /** Tones and announcements before the answer. */
  readonly earlyMedia?: true;
  /** Who answered. Begins anew when it was not ordered before, and goes on otherwise. */
  readonly answer?: AnswerDetectorOptions;
  /** Digits as tones in the audio. */
  readonly digits?: true;
  /** Voice as such: when it begins and ends. */
  readonly voice?: true;
}

/**
 * `agoMs` is how long ago it happened, by the audio that has come since: what is heard is told with the
 * delay that recognising it takes.
 */
export type Heard =
  | { readonly type: 'earlyMedia'; readonly verdict: EarlyMediaVerdict }
  | { readonly type: 'speechStarted'; readonly agoMs: number }
  | {
      readonly type: 'classified';
      readonly agoMs: number;
      readonly verdict: AnswerVerdict;
      readonly humanProbability: number;
      readonly evidence: Readonly<Record<string, number | string | null>>;
    }
  | { readonly type: 'greetingEnded'; readonly agoMs: number }
  | { readonly type: 'beep'; readonly agoMs: number; readonly frequencyHz: number }
  | { readonly type: 'voice'; readonly speaking: boolean; readonly agoMs: number }
  | { readonly type: 'digit'; readonly digit: string; readonly durationMs: number }
  /** Nothing will be heard (any more): the tap could not be had, or its thread is gone. */
  | { readonly type: 'deaf'; readonly problem: string };

export interface Listening {
  order(order: ListenOrder): void;
  /** Frees everything; nothing is told any more. May be called twice. */
  stop(): void;
}

export interface ListeningPort {
  /** Of the taps that are used. */
  readonly capabilities: AudioTapCapabilities;
  listen(channel: TappedChannel, tell: (heard: Heard) => void): Listening;
}
