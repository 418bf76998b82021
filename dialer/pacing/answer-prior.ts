/**
 * What to believe of a campaign's answer rate before its first call: the evidence of what is like
 * it, from the general to the particular (tenant, campaign, list, hour of the week, attempt number,
 * kind of number, carrier). Each level is drawn towards the one above by a fixed weight, so that a
 * level with few calls says little and one with many says all.
 */
import assert from 'node:assert/strict';

/** One level's record: calls that ended, and those that a person answered. */
export interface AnswerRecord {
  readonly calls: number;
  readonly answers: number;
}

export interface AnswerPrior {
  /** P(a call is answered by a person). */
  readonly probability: number;
  /** Calls that this belief counts for: the last level's record, discounted. */
  readonly weightCalls: number;
}

/** Calls that a level counts for in the eyes of the next one. */
const LEVEL_WEIGHT_CALLS = 40;
/** Yesterday's evidence counts for so many calls at most: the world may have changed overnight. */
const WEIGHT_CALLS_MAX = 50;

/** Levels from the general to the particular; `overall` is believed where nothing is known. */
export function answerPrior(levels: readonly AnswerRecord[], overall = 0.3): AnswerPrior {
  assert(overall > 0 && overall < 1, `answer probability outside (0, 1): ${overall}`);
  let probability = overall;
  let calls = 0;
  for (const level of levels) {
    assert(level.answers <= level.calls, 'more answers than calls');
    const drawn = level.answers + LEVEL_WEIGHT_CALLS * probability;
    probability = drawn / (level.calls + LEVEL_WEIGHT_CALLS);
    calls = level.calls;
  }
  return { probability, weightCalls: Math.max(1, Math.min(WEIGHT_CALLS_MAX, calls)) };
}
