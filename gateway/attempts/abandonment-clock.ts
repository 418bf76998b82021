/**
 * The abandonment clock of one answered attempt (`attempt.dial.failsafe`), run by the gateway alone: it
 * works when the dialer is dead, slow or out of reach, and the dialer runs no second one.
 *
 * A person must be connected within `connectWithinMs` of the clock's start, and in any case before the
 * ceiling. Where the clock starts at the greeting's end, silence starts it too (there is no greeting
 * that could end), and a call in which nothing is detected starts it at the answer: it errs towards
 * speaking early. For a machine only the ceiling counts, and nothing is said at it.
 */
import type { Failsafe } from '../../machines/telephony-commands.ts';
import type { AnswerVerdict } from '../../machines/telephony-events.ts';
import type { GatewayClock } from '../clock.ts';

export interface AbandonmentClockParts {
  readonly failsafe: Failsafe;
  readonly clock: GatewayClock;
  /** Whether a verdict and the greeting's end can be expected. */
  readonly isDetected: boolean;
  /** Once. `isPerson` is false for a machine, a fax or an announcement; undecided means a person. */
  readonly onExpired: (isPerson: boolean, waitedMs: number) => void;
}

const NOBODY: ReadonlySet<AnswerVerdict> = new Set(['machine', 'fax', 'sit']);

/** Whether a verdict means that no person is there. Undecided and silent calls are people's (J.7). */
export function isNobody(verdict: AnswerVerdict | undefined): boolean {
  return verdict !== undefined && NOBODY.has(verdict);
}

export class AbandonmentClock {
  readonly #parts: AbandonmentClockParts;
  readonly #answeredAtMs: number;
  #startedAtMs: number | undefined;
  #isPerson = true;
  #timer: unknown;
  #over = false;

  constructor(parts: AbandonmentClockParts) {
    this.#parts = parts;
    this.#answeredAtMs = parts.clock.now();
    if (parts.failsafe.clockFrom === 'answer' || !parts.isDetected) {
      this.#startedAtMs = this.#answeredAtMs;
    }
    this.#arm();
  }

  /** It has run out, or was stopped. */
  get isOver(): boolean {
    return this.#over;
  }

  classified(verdict: AnswerVerdict): void {
    if (this.#over) return;
    this.#isPerson = !isNobody(verdict);
    if (verdict === 'silence') this.#startedAtMs ??= this.#parts.clock.now();
    this.#arm();
  }

  /** `atMs`: the end of the speech, which is a moment before it was known to be one. */
  greetingEnded(atMs: number): void {
    if (this.#over || this.#startedAtMs !== undefined) return;
    this.#startedAtMs = atMs;
    this.#arm();
  }

  /** Somebody is connected, or the call has ended: it says nothing any more. */
  stop(): void {
    this.#over = true;
    this.#parts.clock.clearTimeout(this.#timer);
  }

  #arm(): void {
    const { clock } = this.#parts;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => this.#expire(), Math.max(0, this.#dueAtMs - clock.now()));
  }

  get #dueAtMs(): number {
    const { connectWithinMs, ceilingAfterAnswerMs } = this.#parts.failsafe;
    const ceilingAtMs = this.#answeredAtMs + ceilingAfterAnswerMs;
    if (this.#startedAtMs === undefined || !this.#isPerson) return ceilingAtMs;
    return Math.min(ceilingAtMs, this.#startedAtMs + connectWithinMs);
  }

  #expire(): void {
    if (this.#over) return;
    this.stop();
    const { clock, onExpired } = this.#parts;
    const sinceMs = this.#startedAtMs ?? this.#answeredAtMs;
    onExpired(this.#isPerson, Math.max(0, Math.round(clock.now() - sinceMs)));
  }
}
