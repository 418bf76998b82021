/**
 * The tasks of an engagement in a simulated future: which may be dialled when, and what becomes of
 * each after its calls. The walk over numbers, the retries and the windows are the dialer's own.
 */
import assert from 'node:assert/strict';
import type { EngagementFacts } from '../../dialer/engagements/engagement-facts.ts';
import { queueFactOf } from '../../dialer/engagements/engagement-facts.ts';
import type { QueueFact } from '../../dialer/eligibility/eligibility.ts';
import { windowAt } from '../../dialer/eligibility/window.ts';
import type { PendingTask } from '../../dialer/forecast/forecast-input.ts';
import { afterAttempt } from '../../dialer/tasks/after-attempt.ts';
import type { WalkMeaning } from '../../dialer/tasks/attempt-meaning.ts';
import { meaningOf } from '../../dialer/tasks/attempt-meaning.ts';
import { currentStep, type ChainTarget } from '../../dialer/tasks/chain-walk.ts';
import { windowsFor } from '../../dialer/tasks/task-windows.ts';
import type { Result, RetryClass } from '../../machines/result.ts';
import { DueQueue } from './due-queue.ts';

/** A task that is being dialled, at one of its numbers. */
export interface DialedTask {
  readonly task: ListedTask;
  readonly target: ChainTarget;
}

/** What a call came to: its Result, and what that means for dialing again. */
export interface CallFate {
  readonly result: Result;
  readonly retryClass: RetryClass;
}

export interface TaskListOptions {
  readonly facts: EngagementFacts;
  readonly tasks: readonly PendingTask[];
  readonly nowMs: number;
  /** Least time between two calls to one number. */
  readonly numberGapMs: number;
}

/** Its own calls, by number: rows that stand for several tasks share their numbers with nobody. */
interface ListedTask extends PendingTask {
  readonly dialedAtMs: Readonly<Record<string, number>>;
}

/** Chains go on at once, before anything new. */
const AT_ONCE = -1;
const MINUTE_MS = 60_000;

export class TaskList {
  readonly #options: TaskListOptions;
  readonly #ready = new DueQueue<ListedTask>();
  readonly #waiting = new DueQueue<ListedTask>();
  #queue: { readonly minute: number; readonly fact: QueueFact } | undefined;
  #working = 0;
  #reached = 0;
  #expired = 0;
  #finished = 0;
  #lastEndMs: number;

  constructor(options: TaskListOptions) {
    this.#options = options;
    this.#lastEndMs = options.nowMs;
    for (const task of options.tasks) {
      this.#wait({ ...task, dialedAtMs: {} }, Math.max(options.nowMs, task.dueAtMs));
    }
  }

  get reached(): number {
    return this.#reached;
  }

  get expired(): number {
    return this.#expired;
  }

  get finished(): number {
    return this.#finished;
  }

  /** When the last task of all was over, so far. */
  get lastEndMs(): number {
    return this.#lastEndMs;
  }

  get isOver(): boolean {
    return this.#working === 0 && this.#ready.size === 0 && this.#waiting.size === 0;
  }

  isOpen(nowMs: number): boolean {
    return this.#queueAt(nowMs).kind !== 'closed';
  }

  /** Hours are written in whole minutes: within one the queue stays as it is. */
  #queueAt(nowMs: number): QueueFact {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (this.#queue?.minute !== minute) {
      this.#queue = { minute, fact: queueFactOf(this.#options.facts, nowMs) };
    }
    return this.#queue.fact;
  }

  /** Whether a call could start now, as far as the list goes. */
  hasReady(nowMs: number): boolean {
    this.#promote(nowMs);
    return this.#ready.size > 0;
  }

  /**
   * When something may be dialled, at the earliest: now, when a task falls due, when the queue opens.
   * Undefined: never, or not before what is in work is over.
   */
  nextStartMs(nowMs: number): number | undefined {
    const dueMs = this.hasReady(nowMs) ? nowMs : this.#waiting.first?.dueAtMs;
    if (dueMs === undefined) return undefined;
    const fact = this.#queueAt(dueMs);
    return fact.kind === 'closed' ? (fact.opensAtMs ?? undefined) : dueMs;
  }

  /** The next one to dial; those whose windows are over, or not open yet, are put where they belong. */
  take(nowMs: number): DialedTask | undefined {
    this.#promote(nowMs);
    for (;;) {
      const head = this.#ready.pop();
      if (head === undefined) return undefined;
      const one = this.#one(head);
      const target = this.#targetOf(one, nowMs);
      if (target === undefined) continue;
      this.#working += 1;
      const dialedAtMs = { ...one.dialedAtMs, [target.contactPointId]: nowMs };
      return { task: { ...one, dialedAtMs }, target };
    }
  }

  /** Everything that is left expires: the queue does not open again. */
  giveUp(): void {
    for (const queue of [this.#ready, this.#waiting]) {
      for (let task = queue.pop(); task !== undefined; task = queue.pop()) this.#expire(task);
    }
  }

  ended({ task, target }: DialedTask, { result, retryClass }: CallFate, nowMs: number): void {
    this.#working -= 1;
    assert(this.#working >= 0, 'a call ended that was not begun');
    const { reattempt } = this.#options.facts.config;
    const meaning: WalkMeaning = meaningOf({ result, retryClass }, reattempt);
    const ended = { result, contactPointId: target.contactPointId };
    const times = { nowMs, unknownGapMs: 0, untriedGapMs: 0 };
    const next = afterAttempt(task, reattempt, meaning, ended, times);
    const after = { ...task, progress: next.progress, lastResult: result };
    switch (next.kind) {
      case 'goOn':
        return this.#ready.push(after, AT_ONCE, 0);
      case 'wait':
        return this.#wait({ ...after, retryClass: next.retryClass }, next.dueAtMs);
      case 'finish':
        if (retryClass === 'connected') this.#reached += 1;
        else if (next.reason === 'expires_before_next_start') this.#expired += 1;
        return this.#finish(1, nowMs);
    }
  }

  /** Of a row that stands for several, one of them: each goes its own way from here. */
  #one(task: ListedTask): ListedTask {
    if (task.count === 1) return task;
    const { retryClass, orderKey } = task;
    this.#ready.push({ ...task, count: task.count - 1 }, retryClass, orderKey);
    return { ...task, count: 1 };
  }

  /** Undefined: it is over, or waits. */
  #targetOf(task: ListedTask, nowMs: number): ChainTarget | undefined {
    const step = currentStep(task.chain, task.progress, this.#options.facts.config.reattempt);
    if (task.isCancelled || task.isQuarantined || step.kind !== 'dial') {
      this.#finish(1, nowMs);
      return undefined;
    }
    const { target } = step;
    const window = windowAt(windowsFor(task.windows, target.contactId), nowMs);
    if (nowMs >= task.expiresAtMs || window.kind === 'over') {
      this.#expire(task);
      return undefined;
    }
    const dialedAtMs = task.dialedAtMs[target.contactPointId] ?? Number.NEGATIVE_INFINITY;
    const restedMs = dialedAtMs + this.#options.numberGapMs;
    const startMs = window.kind === 'opensAt' ? window.atMs : Math.max(nowMs, restedMs);
    if (startMs === nowMs) return target;
    this.#wait(task, startMs);
    return undefined;
  }

  #promote(nowMs: number): void {
    for (let task = this.#waiting.first; task !== undefined; task = this.#waiting.first) {
      if (task.dueAtMs > nowMs) return;
      this.#waiting.pop();
      this.#ready.push(task, task.retryClass, task.orderKey);
    }
  }

  #wait(task: ListedTask, dueAtMs: number): void {
    this.#waiting.push({ ...task, dueAtMs }, dueAtMs);
  }

  #expire(task: ListedTask): void {
    this.#expired += task.count;
    this.#finish(task.count, task.expiresAtMs);
  }

  #finish(count: number, atMs: number): void {
    this.#finished += count;
    this.#lastEndMs = Math.max(this.#lastEndMs, atMs);
  }
}
