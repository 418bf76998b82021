/** The attempts of one pacer, from the start to the representative or the end. */
import { RING_BIN_MS, type AnswerTable } from './answer-hazard.ts';
import type { AnswerEstimate } from './answer-estimate.ts';
import type { EventGroup } from './blocking-risk.ts';

type Phase =
  /** Started; it need not alert yet. */
  | 'ringing'
  /** Something answered; person or machine is being found out. */
  | 'detecting'
  /** A person talks to the AI agent. */
  | 'withAgent'
  /** A person is to have a representative, and has none. */
  | 'waiting';

/** A class, so that all of them have one shape: hundreds are walked at every decision. */
class Attempt {
  readonly id: string;
  readonly startedAtMs: number;
  phase: Phase | 'over' = 'ringing';
  alertingAtMs = Number.POSITIVE_INFINITY;
  agentSinceMs = 0;
  /** Exposure has been told to the estimate up to here. */
  notedMs: number;
  cancelled = false;

  constructor(id: string, startedAtMs: number) {
    this.id = id;
    this.startedAtMs = startedAtMs;
    this.notedMs = startedAtMs;
  }

  get isRinging(): boolean {
    return this.phase === 'ringing' || this.phase === 'detecting';
  }
}

/** Calls of one age, by id. */
export interface AlertingGroup extends EventGroup {
  readonly ids: readonly string[];
}

export class AttemptBoard {
  readonly #attempts = new Map<string, Attempt>();
  /** In order of their start; those that ring no more are dropped at the next `advance`. */
  readonly #ringing: Attempt[] = [];
  readonly #withAgent = new Set<Attempt>();
  /** With a representative: of no interest but for being known. */
  readonly #connected = new Set<string>();
  readonly #estimate: AnswerEstimate;
  readonly #counts: Record<Phase, number> = {
    ringing: 0,
    detecting: 0,
    withAgent: 0,
    waiting: 0,
  };

  constructor(estimate: AnswerEstimate) {
    this.#estimate = estimate;
  }

  /** Started, and neither a person's nor ended. */
  get ringing(): number {
    return this.#counts.ringing + this.#counts.detecting;
  }

  get detecting(): number {
    return this.#counts.detecting;
  }

  get withAgent(): number {
    return this.#counts.withAgent;
  }

  get waiting(): number {
    return this.#counts.waiting;
  }

  /** Started, and neither with a representative nor ended. */
  get inFlight(): number {
    return this.ringing + this.withAgent + this.waiting;
  }

  /** Returns whether it was not known before. */
  started(atMs: number, id: string): boolean {
    if (this.#attempts.has(id) || this.#connected.has(id)) return false;
    const attempt = new Attempt(id, atMs);
    this.#attempts.set(id, attempt);
    this.#ringing.push(attempt);
    this.#counts.ringing += 1;
    return true;
  }

  alerting(atMs: number, id: string): void {
    const attempt = this.#attempts.get(id);
    if (attempt?.alertingAtMs === Number.POSITIVE_INFINITY) attempt.alertingAtMs = atMs;
  }

  detectionBegan(id: string): void {
    const attempt = this.#attempts.get(id);
    if (attempt?.phase === 'ringing') this.#enter(attempt, 'detecting');
  }

  /** A person answered, to talk to the agent first or to a representative. */
  answered(atMs: number, id: string, next: 'withAgent' | 'waiting'): void {
    const attempt = this.#attempts.get(id);
    if (attempt === undefined || !attempt.isRinging) return;
    this.#expose(attempt, atMs);
    if (attempt.phase === 'detecting') this.#estimate.detected(true);
    this.#enter(attempt, next);
    attempt.agentSinceMs = atMs;
    this.#estimate.answered(atMs, atMs - attempt.startedAtMs);
  }

  /** The agent has asked for a representative. */
  escalated(atMs: number, id: string): void {
    const attempt = this.#attempts.get(id);
    if (attempt?.phase !== 'withAgent') return;
    this.#estimate.agentDone(atMs - attempt.agentSinceMs, true);
    this.#enter(attempt, 'waiting');
  }

  /** Returns whether somebody was waiting; a repetition changes nothing. */
  connected(id: string): boolean {
    const attempt = this.#attempts.get(id);
    if (attempt?.phase !== 'waiting') return false;
    this.#enter(attempt, 'over');
    this.#attempts.delete(id);
    this.#connected.add(id);
    return true;
  }

  /** Gone, for whatever reason. Returns the phase that it left. */
  ended(atMs: number, id: string): Phase | 'connected' | undefined {
    if (this.#connected.delete(id)) return 'connected';
    const attempt = this.#attempts.get(id);
    if (attempt === undefined) return undefined;
    const { phase } = attempt;
    if (phase === 'withAgent') this.#estimate.agentDone(atMs - attempt.agentSinceMs, false);
    if (phase === 'detecting') this.#estimate.detected(false);
    if (attempt.isRinging) {
      this.#expose(attempt, atMs);
      // Taken back by us: a censored ring, not a failed one.
      if (!attempt.cancelled) this.#estimate.failed(atMs - attempt.startedAtMs);
    }
    this.#enter(attempt, 'over');
    this.#attempts.delete(id);
    return phase === 'over' ? undefined : phase;
  }

  /** Tells the estimate how long all have rung. O(ringing). */
  advance(atMs: number): void {
    let kept = 0;
    for (const attempt of this.#ringing) {
      if (!attempt.isRinging) continue;
      this.#ringing[kept] = attempt;
      kept += 1;
      this.#expose(attempt, atMs);
    }
    this.#ringing.length = kept;
    this.#estimate.advance(atMs);
  }

  /** Those who may still ask for a representative, by how likely that is. */
  demandGroups(atMs: number, table: AnswerTable): EventGroup[] {
    const { bins, horizonS, within } = table;
    const counts = new Float64Array(bins);
    for (const attempt of this.#ringing) {
      if (attempt.phase !== 'ringing' || attempt.cancelled) continue;
      const age = ageOf(atMs - attempt.startedAtMs, bins);
      counts[age] = (counts[age] ?? 0) + 1;
    }
    const groups: EventGroup[] = [];
    for (let age = 0; age < bins; age += 1) {
      const count = counts[age] ?? 0;
      if (count > 0) groups.push({ count, within, offset: age * (horizonS + 1) });
    }
    if (this.detecting > 0) groups.push(this.#estimate.detectionGroup(this.detecting));
    return [...groups, ...this.#agentGroups(atMs)];
  }

  /**
   * Calls that have alerted for so long, those already being taken back aside, by age; the one
   * that rings longest first. They are in order of their start, so the walk ends early.
   */
  alertingFor(atMs: number, ringMinMs: number, table: AnswerTable): AlertingGroup[] {
    const { bins, horizonS, within } = table;
    const groups = new Map<number, string[]>();
    for (const attempt of this.#ringing) {
      if (atMs - attempt.startedAtMs < ringMinMs) break;
      if (attempt.phase !== 'ringing' || attempt.cancelled) continue;
      if (atMs - attempt.alertingAtMs < ringMinMs) continue;
      const age = ageOf(atMs - attempt.startedAtMs, bins);
      const ids = groups.get(age);
      if (ids === undefined) groups.set(age, [attempt.id]);
      else ids.push(attempt.id);
    }
    return Array.from(groups, ([age, ids]) => {
      return { ids, count: ids.length, within, offset: age * (horizonS + 1) };
    });
  }

  /** Asked to end: reckoned as gone at once, though it may be answered all the same. */
  cancelling(id: string): void {
    const attempt = this.#attempts.get(id);
    if (attempt !== undefined) attempt.cancelled = true;
  }

  #agentGroups(atMs: number): EventGroup[] {
    const counts = new Map<number, number>();
    for (const { agentSinceMs } of this.#withAgent) {
      const second = Math.floor((atMs - agentSinceMs) / 1_000);
      counts.set(second, (counts.get(second) ?? 0) + 1);
    }
    return Array.from(counts, ([second, count]) => this.#estimate.agentGroup(second, count));
  }

  #enter(attempt: Attempt, phase: Phase | 'over'): void {
    if (attempt.phase !== 'over') this.#counts[attempt.phase] -= 1;
    if (phase !== 'over') this.#counts[phase] += 1;
    if (phase === 'withAgent') this.#withAgent.add(attempt);
    else this.#withAgent.delete(attempt);
    attempt.phase = phase;
  }

  #expose(attempt: Attempt, atMs: number): void {
    const { startedAtMs, notedMs } = attempt;
    attempt.notedMs = atMs;
    this.#estimate.exposed(notedMs - startedAtMs, atMs - startedAtMs);
  }
}

function ageOf(ringMs: number, bins: number): number {
  return Math.min(bins - 1, Math.floor(ringMs / RING_BIN_MS));
}
