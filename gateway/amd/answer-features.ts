/** The numbers that P(human) is a function of. */
import type { SpeechListener } from './speech-listener.ts';

export interface FeatureDefinition {
  readonly name: string;
  /** More of it speaks for a person (1), for a machine (-1), or either way (0): the trees keep to it. */
  readonly trend: 1 | 0 | -1;
}

/**
 * Cadence alone. Left out on purpose, since they differ between a corpus and life: how long it took
 * until somebody spoke, how loud, how noisy, how high the voice. `strict…` are read at the higher
 * threshold (speech-listener.ts).
 */
export const ANSWER_FEATURES: readonly FeatureDefinition[] = [
  { name: 'elapsedMs', trend: -1 },
  { name: 'speechMs', trend: -1 },
  { name: 'pauseMs', trend: 1 },
  { name: 'utterances', trend: 0 },
  { name: 'firstUtteranceMs', trend: 0 },
  { name: 'longestUtteranceMs', trend: -1 },
  { name: 'lastUtteranceMs', trend: -1 },
  { name: 'longestPauseMs', trend: 0 },
  { name: 'activeMs', trend: -1 },
  { name: 'syllables', trend: -1 },
  { name: 'burstMs', trend: -1 },
  { name: 'rangeDb', trend: 0 },
  { name: 'strictSpeechMs', trend: -1 },
  { name: 'strictPauseMs', trend: 1 },
  { name: 'strictUtterances', trend: 0 },
  { name: 'strictLongestUtteranceMs', trend: -1 },
  { name: 'strictLongestPauseMs', trend: 0 },
  { name: 'strictBurstMs', trend: -1 },
];

export function readFeatures(listener: SpeechListener, into: Float64Array): void {
  const { sensitive, strict, levels } = listener;
  into[0] = sensitive.elapsedMs;
  into[1] = sensitive.speechMs;
  into[2] = sensitive.pauseMs;
  into[3] = sensitive.utterances;
  into[4] = sensitive.firstUtteranceMs;
  into[5] = sensitive.longestUtteranceMs;
  into[6] = sensitive.lastUtteranceMs;
  into[7] = sensitive.longestPauseMs;
  into[8] = sensitive.activeMs;
  into[9] = sensitive.syllables;
  into[10] = sensitive.burstMs;
  into[11] = levels.rangeDb;
  into[12] = strict.speechMs;
  into[13] = strict.pauseMs;
  into[14] = strict.utterances;
  into[15] = strict.longestUtteranceMs;
  into[16] = strict.longestPauseMs;
  into[17] = strict.burstMs;
}
