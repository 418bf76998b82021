/**
 * When failures of the AI agent suspend an engagement (spec B.5). Pure, over a window that is read
 * from rows, so that a crash never resets it.
 */
import type { AiFailureRule } from './engagement-config.schema.ts';

/** AI-handled calls that are looked at, the latest ones; fewer than the least decide nothing. */
export const AI_WINDOW_MAX = 100;
export const AI_WINDOW_MIN = 20;

export interface AiCallWindow {
  /** Calls that an AI agent took, well or badly, since the engagement was last resumed. */
  readonly handled: number;
  /** Of these, with the Result BotFailed. */
  readonly failed: number;
}

export type AiFailureVerdict =
  { readonly action: 'goOn' } | { readonly action: 'suspend'; readonly reason: string };

/**
 * `threshold` compares failures / handled with the rate, both sides whole numbers, so that 2 % is
 * reached at 2 of 100 and at 1 of 50, and not before. Without any failure nothing is suspended,
 * also at a rate of 0.
 */
export function aiFailureVerdict(
  { action, ratePercent }: AiFailureRule,
  { handled, failed }: AiCallWindow,
): AiFailureVerdict {
  if (action === 'none' || failed === 0) return { action: 'goOn' };
  if (action === 'suspend') return { action: 'suspend', reason: 'the AI agent failed' };
  if (handled < AI_WINDOW_MIN || failed * 100 < ratePercent * handled) return { action: 'goOn' };
  const reason = `the AI agent failed in ${failed} of the last ${handled} calls it took, the limit is ${ratePercent} %`;
  return { action: 'suspend', reason };
}
