/**
 * Attempts by id: those at work, and those that have ended for a bounded time after, so that a dialer
 * that restarted can ask what became of them and a command delivered twice stays without effect.
 */
import type { GatewayClock } from '../clock.ts';
import type { Attempt } from './attempt.ts';
import type { CommandGate } from './command-gate.ts';
import type { EventOutlet } from './event-outlet.ts';

export interface KnownAttempt {
  readonly gate: CommandGate;
  /** Absent when the dial was refused: nothing was started. */
  attempt: Attempt | undefined;
  events: EventOutlet | undefined;
}

export interface RegistryLimits {
  /** How long an ended attempt can still be asked about. */
  readonly endedKeptMs: number;
  readonly endedKeptMax: number;
}

export class AttemptRegistry {
  readonly #clock: GatewayClock;
  readonly #limits: RegistryLimits;
  readonly #known = new Map<string, KnownAttempt>();
  readonly #active = new Set<Attempt>();
  /** Oldest first. */
  readonly #ended: { attemptId: string; atMs: number }[] = [];
  #endedHead = 0;

  constructor(clock: GatewayClock, limits: RegistryLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get active(): ReadonlySet<Attempt> {
    return this.#active;
  }

  get(attemptId: string): KnownAttempt | undefined {
    return this.#known.get(attemptId);
  }

  add(attemptId: string, known: KnownAttempt): void {
    this.#known.set(attemptId, known);
    if (known.attempt !== undefined) this.#active.add(known.attempt);
  }

  /** From now on it is only remembered. */
  end(attemptId: string, attempt: Attempt | undefined): void {
    if (attempt !== undefined) this.#active.delete(attempt);
    this.#ended.push({ attemptId, atMs: this.#clock.now() });
    this.#forgetOld();
  }

  #forgetOld(): void {
    const { endedKeptMs, endedKeptMax } = this.#limits;
    const keptSinceMs = this.#clock.now() - endedKeptMs;
    for (;;) {
      const oldest = this.#ended[this.#endedHead];
      const kept = this.#ended.length - this.#endedHead;
      if (oldest === undefined || (oldest.atMs >= keptSinceMs && kept <= endedKeptMax)) break;
      this.#endedHead += 1;
      const known = this.#known.get(oldest.attemptId);
      // A refused dial may have been dialled again since, under the same id.
      if (known?.attempt === undefined || !this.#active.has(known.attempt)) {
        this.#known.delete(oldest.attemptId);
      }
    }
    if (this.#endedHead < 1_024) return;
    this.#ended.splice(0, this.#endedHead);
    this.#endedHead = 0;
  }
}
