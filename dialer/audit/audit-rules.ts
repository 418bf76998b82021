/**
 * What may never be true of a call that was made. Judged from what was written down, after the fact and
 * by other code than what decides who is called: a defect there is not repeated here.
 */
import { DateTime } from 'luxon';

export const AUDIT_RULES = {
  outside_window: 'The INVITE left before or after the window in which the call might be made.',
  opted_out: 'The number was on the do-not-call list when the call was begun.',
  two_at_once: 'Another call to the number was still up.',
  number_gap: 'The last call to the number was begun less than `dialer.numberGapMinMs` before.',
  cancelled: 'The delivery had been cancelled when the call was begun.',
  too_often: 'The number was tried more often for one task than its engagement allows.',
} as const satisfies Readonly<Record<string, string>>;
export type AuditRule = keyof typeof AUDIT_RULES;

/** An INVITE that left, and what held then. Times are epoch ms. */
export interface SentCall {
  readonly attemptId: string;
  /** In the transaction that put it on disk, before any INVITE. */
  readonly claimedAtMs: number;
  /** Of this INVITE: a group of trunks may have been sent several. Null: nobody was there to note it. */
  readonly sentAtMs: number | null;
  /** Half open. Null: not known. */
  readonly window: { readonly startMs: number; readonly endMs: number } | null;
  /** When the opt-out was taken down that held at the claim; null: there was none. */
  readonly optedOutAtMs: number | null;
  readonly cancelRequestedAtMs: number | null;
  /** The call before it to the same number, of any business unit. */
  readonly previous: PreviousCall | undefined;
  /** Calls to this number for this task, this one included; null: not to be judged. */
  readonly tries: { readonly count: number; readonly max: number } | null;
}

export interface PreviousCall {
  readonly attemptId: string;
  /** Of the same business unit: to others its id is not told. */
  readonly isOwn: boolean;
  readonly claimedAtMs: number;
  /** Null: its end has not been recorded. */
  readonly recordedAtMs: number | null;
}

export interface Violation {
  readonly rule: AuditRule;
  /** For people; times and ids, never a number. */
  readonly detail: string;
}

export interface AuditSettings {
  readonly numberGapMinMs: number;
}

/**
 * Who asks not to be called, or cancels, in the very moment in which a call is begun may be too late by a
 * transaction: both are stamped when they are asked for, and one waits for the other.
 */
const UNDER_WAY_MS = 2_000;

export function violationsOf(call: SentCall, { numberGapMinMs }: AuditSettings): Violation[] {
  const { claimedAtMs, sentAtMs, window, optedOutAtMs, cancelRequestedAtMs, tries } = call;
  const found: Violation[] = [];
  const tell = (rule: AuditRule, detail: string): void => void found.push({ rule, detail });
  if (window !== null && sentAtMs !== null && !isWithin(window, sentAtMs)) {
    const open = `${time(window.startMs)} to ${time(window.endMs)}`;
    tell('outside_window', `sent at ${time(sentAtMs)}, the window was open from ${open}`);
  }
  if (optedOutAtMs !== null && optedOutAtMs < claimedAtMs - UNDER_WAY_MS) {
    tell('opted_out', `begun at ${time(claimedAtMs)}, opted out at ${time(optedOutAtMs)}`);
  }
  if (cancelRequestedAtMs !== null && cancelRequestedAtMs < claimedAtMs - UNDER_WAY_MS) {
    tell('cancelled', `begun at ${time(claimedAtMs)}, cancelled at ${time(cancelRequestedAtMs)}`);
  }
  if (tries !== null && tries.count > tries.max) {
    tell('too_often', `call ${tries.count} to the number for this task, ${tries.max} are allowed`);
  }
  return [...found, ...ofPrevious(call, numberGapMinMs)];
}

function isWithin({ startMs, endMs }: NonNullable<SentCall['window']>, atMs: number): boolean {
  return atMs >= startMs && atMs < endMs;
}

function ofPrevious({ attemptId, claimedAtMs, previous }: SentCall, gapMs: number): Violation[] {
  if (previous === undefined || previous.attemptId === attemptId) return [];
  const before = previous.isOwn
    ? `attempt ${previous.attemptId}`
    : 'an attempt of another business unit';
  if (previous.recordedAtMs === null) {
    return [{ rule: 'two_at_once', detail: `${before} had not ended` }];
  }
  const apartMs = claimedAtMs - previous.claimedAtMs;
  if (apartMs >= gapMs) return [];
  const detail = `${apartMs} ms after ${before}, ${gapMs} ms is the least`;
  return [{ rule: 'number_gap', detail }];
}

function time(atMs: number): string {
  return DateTime.fromMillis(atMs, { zone: 'utc' }).toISO() ?? String(atMs);
}
