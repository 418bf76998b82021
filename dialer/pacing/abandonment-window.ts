/**
 * One legal limit on abandoned calls, as data: what counts, over what, since when. Examples: 16 CFR
 * 310.4(b)(4)(i), 3 % per campaign in each successive 30 days; Ofcom, 3 % over any 24 hours; CRTC,
 * 5 % per calendar month.
 */
import assert from 'node:assert/strict';

/** What may count as abandoned. A machine verdict on a person hangs up on a person. */
export type AbandonmentKind = 'noRepresentative' | 'amdFalsePositive';

/** Below the line: answered by a person, or only those whom a representative took. */
export type RatioDenominator = 'liveAnswers' | 'connected';

export type WindowPeriod =
  /** Successive blocks since the campaign's start; nothing unused rolls over. */
  | { readonly kind: 'tumbling'; readonly lengthMs: number; readonly startAtMs: number }
  /** Any period of that length; kept in buckets of a 288th, the oldest counted until it is gone. */
  | { readonly kind: 'rolling'; readonly lengthMs: number }
  /** Months, or whatever the operator's calendar says; starts are computed at the edge, by zone. */
  | { readonly kind: 'calendar'; readonly startsAtMs: readonly number[] };

export interface AbandonmentLimit {
  readonly name: string;
  readonly period: WindowPeriod;
  /** Abandoned over answered, a fraction. */
  readonly ratioMax: number;
  readonly numerator: readonly AbandonmentKind[];
  readonly denominator: RatioDenominator;
}

/** What happened to one person who answered; charges may be fractions (expected false positives). */
export interface LiveOutcome {
  readonly connected: number;
  readonly noRepresentative: number;
  readonly amdFalsePositive: number;
}

interface Bucket {
  readonly index: number;
  live: number;
  abandoned: number;
}

const BUCKETS_PER_PERIOD = 288;

export class AbandonmentWindow {
  readonly limit: AbandonmentLimit;
  #buckets: Bucket[] = [];
  #live = 0;
  #abandoned = 0;

  constructor(limit: AbandonmentLimit) {
    assert(limit.ratioMax >= 0 && limit.ratioMax < 1, `ratio outside [0, 1): ${limit.ratioMax}`);
    this.limit = limit;
  }

  note(atMs: number, outcome: LiveOutcome): void {
    const index = this.#indexOf(atMs);
    this.#forgetBefore(index);
    const last = this.#buckets.at(-1);
    const bucket = last?.index === index ? last : { index, live: 0, abandoned: 0 };
    if (bucket !== last) this.#buckets.push(bucket);
    const { live, abandoned } = this.#countsOf(outcome);
    bucket.live += live;
    bucket.abandoned += abandoned;
    this.#live += live;
    this.#abandoned += abandoned;
  }

  /** Counts of the window that holds `atMs`. */
  at(atMs: number): { readonly live: number; readonly abandoned: number } {
    this.#forgetBefore(this.#indexOf(atMs));
    return { live: this.#live, abandoned: this.#abandoned };
  }

  #countsOf(outcome: LiveOutcome): { live: number; abandoned: number } {
    const { numerator, denominator } = this.limit;
    const abandoned = numerator.reduce((sum, kind) => sum + outcome[kind], 0);
    const everyone = outcome.connected + outcome.noRepresentative + outcome.amdFalsePositive;
    return { live: denominator === 'liveAnswers' ? everyone : outcome.connected, abandoned };
  }

  /** Which block or bucket a moment belongs to. */
  #indexOf(atMs: number): number {
    const { period } = this.limit;
    switch (period.kind) {
      case 'tumbling':
        return Math.floor((atMs - period.startAtMs) / period.lengthMs);
      case 'rolling':
        return Math.floor((atMs * BUCKETS_PER_PERIOD) / period.lengthMs);
      case 'calendar':
        return period.startsAtMs.filter((startAtMs) => startAtMs <= atMs).length;
    }
  }

  #forgetBefore(index: number): void {
    const keeps = this.limit.period.kind === 'rolling' ? BUCKETS_PER_PERIOD : 0;
    if ((this.#buckets[0]?.index ?? index) >= index - keeps) return;
    this.#buckets = this.#buckets.filter((bucket) => bucket.index >= index - keeps);
    this.#live = this.#buckets.reduce((sum, { live }) => sum + live, 0);
    this.#abandoned = this.#buckets.reduce((sum, { abandoned }) => sum + abandoned, 0);
  }
}
