/** How often one contact point may get commercial messages (spec G.8): rolling windows. */
import type { ChannelCap } from '../definition/assets.schema.ts';
import { DAY_MS } from '../definition/duration.ts';
import type { PurposeType } from '../definition/quiet-time.schema.ts';

export const CAP_WINDOWS = [
  { limit: 'perDay', lengthMs: DAY_MS },
  { limit: 'perWeek', lengthMs: 7 * DAY_MS },
  { limit: 'perMonth', lengthMs: 30 * DAY_MS },
] as const;

export type CapReason =
  | 'room'
  | 'not_commercial' // never capped
  | 'bypassed' // by the journey
  | 'no_limit'
  | 'capped';

export interface CapDecision {
  readonly passes: boolean;
  readonly reason: CapReason;
  /** The limit that is reached, and how many were sent in its window. */
  readonly reached: {
    readonly limit: (typeof CAP_WINDOWS)[number]['limit'];
    readonly max: number;
    readonly sent: number;
    /** When there is room again, if nothing else is sent. Epoch ms. */
    readonly roomAtMs: number;
  } | null;
}

export interface CapQuestion {
  /** Undefined: the channel has no cap. */
  readonly cap: ChannelCap | undefined;
  readonly purposeType: PurposeType;
  readonly isBypassed: boolean;
  /** Commercial messages of the channel to this contact point that were started. Epoch ms. */
  readonly sentAtMs: readonly number[];
}

/** Asked when a message is about to leave, after quiet time has let it go. */
export function decideCap(question: CapQuestion, nowMs: number): CapDecision {
  const { cap, purposeType, isBypassed, sentAtMs } = question;
  if (purposeType !== 'commercial') return passing('not_commercial');
  if (isBypassed) return passing('bypassed');
  if (cap === undefined) return passing('no_limit');
  for (const { limit, lengthMs } of CAP_WINDOWS) {
    const max = cap[limit];
    if (max === undefined) continue;
    const within = sentAtMs.filter((atMs) => atMs > nowMs - lengthMs && atMs <= nowMs);
    if (within.length < max) continue;
    const newestFirst = within.sort((a, b) => b - a);
    const roomAtMs = (newestFirst[max - 1] ?? nowMs) + lengthMs;
    return {
      passes: false,
      reason: 'capped',
      reached: { limit, max, sent: within.length, roomAtMs },
    };
  }
  return passing('room');
}

function passing(reason: CapReason): CapDecision {
  return { passes: true, reason, reached: null };
}
