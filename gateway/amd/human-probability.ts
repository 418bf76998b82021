/** P(a person speaks), from how long and how often somebody has spoken. */
import type { SpeechCadence } from './speech-cadence.ts';

export function humanProbability(cadence: SpeechCadence): number {
  const score = 3.5 - cadence.speechMs / 330 + Math.max(0, cadence.pauseMs - 200) / 120;
  return 1 / (1 + Math.exp(-score));
}
