import { callSpacingMs } from '../../machines/call-spacing.ts';

/**
 * How many calls may be started on a trunk now: its channels and its calls per second, shared by all
 * engagements that use it. The gateway enforces both; asked here first, a start is not claimed only
 * to be refused there.
 */
export interface TrunkLimits {
  readonly name: string;
  readonly channelsMax: number;
  readonly callsPerSecondMax: number;
}

/** Pause after a refusal: doubled with each one that follows, until a dial is taken again. */
const REFUSED_PAUSE_MIN_MS = 1_000;
const REFUSED_PAUSE_MAX_MS = 60_000;

/** Starts are granted this far ahead, so that they come in batches; the gateway spaces them. */
const AHEAD_MS = 200;

export type TrunkGrant =
  | { readonly granted: number }
  /** None now. `atMs` null: when a call on the trunk ends. */
  | { readonly granted: 0; readonly atMs: number | null };

export class TrunkBudget {
  readonly #limits: TrunkLimits;
  readonly #intervalMs: number;
  readonly #waiting = new Set<() => void>();
  #inUse = 0;
  #nextFreeAtMs = 0;
  #refusals = 0;
  #pausedUntilMs = 0;
  #isClosed = false;

  constructor(limits: TrunkLimits) {
    this.#limits = limits;
    this.#intervalMs = callSpacingMs(limits.callsPerSecondMax);
  }

  /** Takes up to `wanted` starts; those not made are given back. */
  take(wanted: number, nowMs: number): TrunkGrant {
    const channels = this.#limits.channelsMax - this.#inUse;
    if (channels < 1 || this.#intervalMs === Number.POSITIVE_INFINITY) {
      return { granted: 0, atMs: null };
    }
    if (this.#isClosed) return { granted: 0, atMs: null };
    if (nowMs < this.#pausedUntilMs) return { granted: 0, atMs: this.#pausedUntilMs };
    this.#nextFreeAtMs = Math.max(this.#nextFreeAtMs, nowMs);
    const moments = Math.ceil((nowMs + AHEAD_MS - this.#nextFreeAtMs) / this.#intervalMs);
    // After a refusal one call finds out whether it holds still.
    const most = this.#refusals > 0 ? 1 : wanted;
    const granted = Math.min(most, channels, moments);
    if (granted < 1) return { granted: 0, atMs: Math.ceil(this.#nextFreeAtMs - AHEAD_MS) + 1 };
    this.#inUse += granted;
    this.#nextFreeAtMs += granted * this.#intervalMs;
    return { granted };
  }

  /** The gateway takes no dials for this trunk now: nothing is asked of it for a while. */
  refused(nowMs: number): void {
    if (nowMs < this.#pausedUntilMs) return; // one of the batch that learnt it first
    const pauseMs = Math.min(REFUSED_PAUSE_MAX_MS, REFUSED_PAUSE_MIN_MS * 2 ** this.#refusals);
    this.#refusals += 1;
    this.#pausedUntilMs = nowMs + pauseMs;
  }

  /** The gateway gives no calls to this trunk until it says otherwise: nothing is claimed for it. */
  close(): void {
    this.#isClosed = true;
  }

  /** It may be tried again; whether it works shows the first call. */
  open(): void {
    if (!this.#isClosed) return;
    this.#isClosed = false;
    this.#wake();
  }

  /** A dial was taken, or the trunk is said to be up. */
  works(): void {
    if (this.#refusals === 0) return;
    this.#refusals = 0;
    this.#pausedUntilMs = 0;
    this.#wake();
  }

  /** A call that is up whoever allowed it: one that recovery found. */
  occupy(): void {
    this.#inUse += 1;
  }

  /** A chain that keeps its channel dials another number: only the rate is used. */
  countStart(nowMs: number): void {
    if (this.#intervalMs === Number.POSITIVE_INFINITY) return;
    this.#nextFreeAtMs = Math.max(this.#nextFreeAtMs, nowMs) + this.#intervalMs;
  }

  /** Starts that were granted and not made. */
  giveBack(starts: number): void {
    this.#nextFreeAtMs -=
      starts * (this.#intervalMs === Number.POSITIVE_INFINITY ? 0 : this.#intervalMs);
    this.free(starts);
  }

  /** Channels that are free again. Whoever waits for one looks again. */
  free(channels: number): void {
    if (channels < 1) return;
    this.#inUse -= channels;
    this.#wake();
  }

  /** Calls `wake` once, when a channel is free or a pause is over early. */
  whenFree(wake: () => void): void {
    this.#waiting.add(wake);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

/** Budgets of the trunks that are known; of an unknown one nothing is limited here. */
export class TrunkBudgets {
  readonly #budgets: Map<string, TrunkBudget>;

  constructor(trunks: readonly TrunkLimits[]) {
    this.#budgets = new Map(trunks.map((trunk) => [trunk.name, new TrunkBudget(trunk)]));
  }

  of(name: string): TrunkBudget {
    const known = this.#budgets.get(name);
    if (known !== undefined) return known;
    const budget = new TrunkBudget({
      name,
      channelsMax: Number.MAX_SAFE_INTEGER,
      callsPerSecondMax: UNLIMITED_PER_SECOND,
    });
    this.#budgets.set(name, budget);
    return budget;
  }
}

const UNLIMITED_PER_SECOND = 1_000_000;
