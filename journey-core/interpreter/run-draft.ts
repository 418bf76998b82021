/** One run while it is being advanced: what changes, and the effects in their order. */
import type { Journey } from '../definition/journey.schema.ts';
import type { StepGraph } from '../validation/step-graph.ts';
import type { JourneyEffect } from './effects.ts';
import type { Facts } from './facts.ts';
import { own, type JsonValue } from './json-value.ts';
import type { Known } from './judge-condition.ts';
import {
  HEARD_MAX,
  SEEN_MAX,
  type ExitReason,
  type Heard,
  type JourneyRun,
  type Waiting,
} from './run.ts';

type Changing<T> = { -readonly [K in keyof T]: T[K] };

export class RunDraft {
  readonly journey: Journey;
  readonly graph: StepGraph;
  readonly nowMs: number;
  /** When what it is told now came; not after now. */
  readonly happenedAtMs: number;
  readonly facts: Facts | undefined;
  readonly effects: JourneyEffect[] = [];
  readonly #run: Changing<JourneyRun>;

  constructor(
    journey: Journey,
    graph: StepGraph,
    run: JourneyRun,
    told: Pick<RunDraft, 'nowMs' | 'happenedAtMs' | 'facts'>,
  ) {
    this.journey = journey;
    this.graph = graph;
    this.nowMs = told.nowMs;
    this.happenedAtMs = told.happenedAtMs;
    this.facts = told.facts;
    this.#run = { ...run };
  }

  get run(): Readonly<JourneyRun> {
    return this.#run;
  }

  change(changes: Partial<JourneyRun>): void {
    Object.assign(this.#run, changes);
  }

  emit(effect: JourneyEffect): void {
    this.effects.push(effect);
  }

  /** Of the step where the run stands. */
  get visit(): number {
    return own(this.#run.visits, this.#run.stepId ?? '') ?? 0;
  }

  /** Idempotency key of what this visit of this step does. */
  get key(): string {
    return `${this.#run.runId}:${this.#run.stepId ?? ''}:${this.visit}`;
  }

  /** Whether the event is new; from then on it is not. */
  takeOnce(eventId: string): boolean {
    if (this.#run.seen.includes(eventId)) return false;
    this.#run.seen = [...this.#run.seen, eventId].slice(-SEEN_MAX);
    return true;
  }

  keep(heard: Heard): void {
    this.#run.heard = [...this.#run.heard, heard].slice(-HEARD_MAX);
  }

  waitFor(waiting: Waiting): void {
    this.#run.waiting = waiting;
    if ('timerId' in waiting) {
      const { timerId, dueAtMs } = waiting;
      this.emit({ type: 'setTimer', timerId, dueAtMs });
    }
  }

  /** The wait is over by something else than its timer. */
  stopWaiting(): void {
    const { waiting } = this.#run;
    if (waiting !== null && 'timerId' in waiting) {
      this.emit({ type: 'cancelTimer', timerId: waiting.timerId });
    }
    this.#run.waiting = null;
  }

  exit(reason: ExitReason, detail: string | null): void {
    this.stopWaiting();
    const isCut = reason !== 'completed';
    if (isCut && this.journey.exits?.cancelConversations !== false) {
      for (const { key, outcome } of this.#run.sendings) {
        if (outcome === null) this.emit({ type: 'cancelSending', key });
      }
    }
    const exit = { reason, detail, stepId: this.#run.stepId, atMs: this.nowMs };
    this.#run.status = 'exited';
    this.#run.exit = exit;
    this.#run.heard = [];
    this.emit({ type: 'recordExit', ...exit });
  }

  /** The values that a condition of this step can ask for. */
  known(trigger?: Readonly<Record<string, JsonValue>>): Known {
    const { entry, variables } = this.#run;
    return {
      nowMs: this.nowMs,
      timeZone: this.journey.timeZone,
      valueOf: (from, attribute) => {
        if (from === 'contact') return own(this.facts?.attributes, attribute);
        if (from === 'entry') return own(entry, attribute);
        if (from === 'trigger') return own(trigger, attribute);
        return own(own(variables, from), attribute);
      },
      isMember: (segment) => this.facts?.segments.includes(segment) ?? false,
    };
  }
}
