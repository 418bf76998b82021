/**
 * The outer loop: how much abandonment the legal windows still allow, and how bold the inner
 * forecast may be so that it is used and not passed.
 *
 * Each window asks for a ratio over the answers to come that leads it back to its set point, a
 * margin below the limit. The strictest wins. A credit account (that ratio per answer, less what was
 * abandoned) then trims the risk that a call may carry: the model need not be right, only
 * monotone. Credit is capped, so that a quiet morning buys no reckless noon.
 */
import {
  AbandonmentWindow,
  type AbandonmentLimit,
  type LiveOutcome,
} from './abandonment-window.ts';

export interface AbandonmentBudgetOptions {
  readonly limits: readonly AbandonmentLimit[];
  /** Set point over limit, in (0, 1]: the margin for what is found out late. */
  readonly setPointShare: number;
  /** Answers within which a window should be back at its set point. */
  readonly recoveryAnswers: number;
  /** Change of the permitted risk per abandoned call of credit, as an exponent. */
  readonly trimPerCall: number;
  /** Credit at most, calls. */
  readonly creditMax: number;
  /** Debt at most that the trim remembers, calls; the windows remember all of it. */
  readonly debtMax: number;
}

export interface BudgetState {
  /** Abandoned over live answers to aim for from here on. */
  readonly ratio: number;
  /** Factor on the risk that one call may carry. */
  readonly trim: number;
  /** The window that asked for that ratio. */
  readonly window: string;
}

/** How one legal window stands: its counts, and what it allows. */
export interface WindowStanding {
  readonly window: string;
  /** Live answers, as this window counts them. */
  readonly live: number;
  readonly abandoned: number;
  /** Abandoned over live answers at most, a fraction. */
  readonly ratioMax: number;
}

const MINUTE_MS = 60_000;
/** No legal window is longer than a year. */
const LEDGER_MS = 367 * 86_400_000;

export class AbandonmentBudget {
  #windows: readonly AbandonmentWindow[];
  /** Everything that was counted, by the minute: limits that come later count it too. */
  readonly #ledger: (LiveOutcome & { readonly atMs: number })[] = [];
  readonly #options: AbandonmentBudgetOptions;
  #credit = 0;
  #live = 0;

  constructor(options: AbandonmentBudgetOptions) {
    this.#options = options;
    this.#windows = options.limits.map((limit) => new AbandonmentWindow(limit));
  }

  /** Live answers since the start of this pacer. */
  get liveAnswers(): number {
    return this.#live;
  }

  note(atMs: number, outcome: LiveOutcome): void {
    const { ratio } = this.at(atMs);
    for (const window of this.#windows) window.note(atMs, outcome);
    this.#enter(atMs, outcome);
    const lost = outcome.noRepresentative + outcome.amdFalsePositive;
    const live = outcome.connected + lost;
    this.#live += live;
    const { creditMax, debtMax } = this.#options;
    const credit = this.#credit + ratio * live - lost;
    this.#credit = Math.max(-debtMax, Math.min(creditMax, credit));
  }

  /** Other limits from here on, on what has been counted so far. */
  limit(limits: readonly AbandonmentLimit[]): void {
    this.#windows = limits.map((limit) => new AbandonmentWindow(limit));
    for (const { atMs, ...outcome } of this.#ledger) {
      for (const window of this.#windows) window.note(atMs, outcome);
    }
  }

  #enter(atMs: number, outcome: LiveOutcome): void {
    const minuteMs = atMs - (((atMs % MINUTE_MS) + MINUTE_MS) % MINUTE_MS);
    const last = this.#ledger.at(-1);
    if (last?.atMs !== minuteMs) {
      while ((this.#ledger[0]?.atMs ?? atMs) < atMs - LEDGER_MS) this.#ledger.shift();
      this.#ledger.push({ ...outcome, atMs: minuteMs });
      return;
    }
    this.#ledger[this.#ledger.length - 1] = {
      atMs: minuteMs,
      connected: last.connected + outcome.connected,
      noRepresentative: last.noRepresentative + outcome.noRepresentative,
      amdFalsePositive: last.amdFalsePositive + outcome.amdFalsePositive,
    };
  }

  standings(atMs: number): readonly WindowStanding[] {
    return this.#windows.map((window) => {
      const { name, ratioMax } = window.limit;
      return { window: name, ratioMax, ...window.at(atMs) };
    });
  }

  at(atMs: number): BudgetState {
    const { setPointShare, recoveryAnswers, trimPerCall } = this.#options;
    let ratio = Number.POSITIVE_INFINITY;
    let name = '';
    for (const window of this.#windows) {
      const { live, abandoned } = window.at(atMs);
      const { ratioMax } = window.limit;
      const left = ratioMax * setPointShare * (live + recoveryAnswers) - abandoned;
      const asked = Math.max(0, Math.min(ratioMax * setPointShare, left / recoveryAnswers));
      if (asked < ratio) {
        ratio = asked;
        name = window.limit.name;
      }
    }
    return { ratio, trim: Math.exp(trimPerCall * this.#credit), window: name };
  }

  /**
   * The window that these calls could push so far over its limit that `recoveryAnswers` without a
   * loss would not repair it; undefined when there is none.
   */
  exhausted(atMs: number, expectedOver: number, expectedAnswers: number): string | undefined {
    const { recoveryAnswers } = this.#options;
    return this.#windows.find((window) => {
      const { live, abandoned } = window.at(atMs);
      const allowed = window.limit.ratioMax * (live + expectedAnswers + recoveryAnswers);
      return abandoned + expectedOver > allowed;
    })?.limit.name;
  }
}
