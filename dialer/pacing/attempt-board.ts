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
  | 'waiting'
  | 'connected';

interface Attempt {
  phase: Phase;
  readonly startedAtMs: number;
  alertingAtMs: number | undefined;
  agentSinceMs: number;
  /** Exposure has been told to the estimate up to here. */
  notedMs: number;
  cancelled: boolean;
}

/** Calls of one age, by id. */
export interface AlertingGroup extends EventGroup {
  readonly ids: readonly string[];
}

export class AttemptBoard {
  /** In order of their start. */
  readonly #attempts = new Map<string, Attempt>();
  readonly #estimate: AnswerEstimate;
  readonly #counts: Record<Phase, number> = {
    ringing: 0,
    detecting: 0,
    withAgent: 0,
    waiting: 0,
    connected: 0,
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
    if (this.#attempts.has(id)) return false;
    const times = { startedAtMs: atMs, alertingAtMs: undefined, agentSinceMs: 0, notedMs: atMs };
    this.#attempts.set(id, { ...times, phase: 'ringing', cancelled: false });
    this.#counts.ringing += 1;
    return true;
  }

  alerting(atMs: number, id: string): void {
    const attempt = this.#attempts.get(id);
    if (attempt !== undefined) attempt.alertingAtMs ??= atMs;
  }

  detectionBegan(id: string): void {
    const attempt = this.#attempts.get(id);
    if (attempt?.phase === 'ringing') this.#enter(attempt, 'detecting');
  }

  /** A person answered, to talk to the agent first or to a representative. */
  answered(atMs: number, id: string, next: 'withAgent' | 'waiting'): void {
    const attempt = this.#attempts.get(id);
    if (attempt?.phase !== 'ringing' && attempt?.phase !== 'detecting') return;
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
    this.#enter(attempt, 'connected');
    return true;
  }

  /** Gone, for whatever reason. Returns the phase that it left. */
  ended(atMs: number, id: string): Phase | undefined {
    const attempt = this.#attempts.get(id);
    if (attempt === undefined) return undefined;
    const { phase, startedAtMs, agentSinceMs } = attempt;
    this.#attempts.delete(id);
    this.#counts[phase] -= 1;
    if (phase === 'withAgent') this.#estimate.agentDone(atMs - agentSinceMs, false);
    if (phase === 'detecting') this.#estimate.detected(false);
    if (phase === 'ringing' || phase === 'detecting') {
      this.#expose(attempt, atMs);
      // Taken back by us: a censored ring, not a failed one.
      if (!attempt.cancelled) this.#estimate.failed(atMs - startedAtMs);
    }
    return phase;
  }

  /** Tells the estimate how long all have rung. O(attempts). */
  advance(atMs: number): void {
    for (const attempt of this.#attempts.values()) {
      const { phase } = attempt;
      if (phase === 'ringing' || phase === 'detecting') this.#expose(attempt, atMs);
    }
    this.#estimate.advance(atMs);
  }

  /** Those who may still ask for a representative, by how likely that is. */
  demandGroups(atMs: number, table: AnswerTable): EventGroup[] {
    const { bins, horizonS, within } = table;
    const ringing = new Float64Array(bins);
    const agents = new Map<number, number>();
    for (const { phase, startedAtMs, agentSinceMs, cancelled } of this.#attempts.values()) {
      if (phase === 'ringing' && !cancelled) {
        const age = ageOf(atMs - startedAtMs, bins);
        ringing[age] = (ringing[age] ?? 0) + 1;
      } else if (phase === 'withAgent') {
        const second = Math.floor((atMs - agentSinceMs) / 1_000);
        agents.set(second, (agents.get(second) ?? 0) + 1);
      }
    }
    const groups: EventGroup[] = [];
    ringing.forEach((count, age) => {
      if (count > 0) groups.push({ count, within, offset: age * (horizonS + 1) });
    });
    if (this.detecting > 0) groups.push(this.#estimate.detectionGroup(this.detecting));
    for (const [second, count] of agents) groups.push(this.#estimate.agentGroup(second, count));
    return groups;
  }

  /**
   * Calls that have alerted for so long, those already being taken back aside, by age; the one
   * that rings longest first.
   */
  alertingFor(atMs: number, ringMinMs: number, table: AnswerTable): AlertingGroup[] {
    const groups = new Map<number, string[]>();
    for (const [id, { phase, startedAtMs, alertingAtMs, cancelled }] of this.#attempts) {
      if (phase !== 'ringing' || cancelled || alertingAtMs === undefined) continue;
      if (atMs - alertingAtMs < ringMinMs) continue;
      const age = ageOf(atMs - startedAtMs, table.bins);
      const ids = groups.get(age);
      if (ids === undefined) groups.set(age, [id]);
      else ids.push(id);
    }
    return Array.from(groups, ([age, ids]) => {
      return { ids, count: ids.length, within: table.within, offset: age * (table.horizonS + 1) };
    });
  }

  /** Asked to end: reckoned as gone at once, though it may be answered all the same. */
  cancelling(id: string): void {
    const attempt = this.#attempts.get(id);
    if (attempt !== undefined) attempt.cancelled = true;
  }

  #enter(attempt: Attempt, phase: Phase): void {
    this.#counts[attempt.phase] -= 1;
    this.#counts[phase] += 1;
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
