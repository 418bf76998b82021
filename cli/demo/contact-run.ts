/**
 * Dials a list: as many calls in flight as allowed, each a call attempt machine, until every task
 * has its outcome. Copilot's shape without an agent: a free slot takes the next task.
 */
import { createActor, type Actor } from 'xstate';
import type { CallAttemptInput, CallAttemptOutput } from '../../machines/call-attempt.events.ts';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import type { RefusalCode } from '../../machines/command-reply.ts';
import type { TelephonyActors } from '../../machines/telephony-actor.ts';
import type { ContactTask } from './contact-tasks.ts';
import {
  outcomeOfAttempt,
  outcomeOfRefusal,
  outcomeWithoutAttempt,
  wasHeard,
  type TaskOutcome,
} from './task-outcome.ts';

export interface RunClock {
  now(): number;
  setTimeout(fire: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export interface ContactRunParts {
  readonly tasks: readonly ContactTask[];
  readonly telephony: TelephonyActors['logic'];
  readonly clock: RunClock;
  /** Calls in flight at one moment. */
  readonly concurrencyMax: number;
  /** Calls started per second, evenly spaced. */
  readonly callsPerSecondMax: number;
  readonly attemptOf: (task: ContactTask) => CallAttemptInput;
  /** Asked right before each start. */
  readonly mayStart: (task: ContactTask) => boolean;
  readonly onChange: () => void;
  /** An attempt that broke an invariant: it ends as Error, the others go on. */
  readonly onFault: (task: ContactTask, error: unknown) => void;
}

/** Attempts without any answer from the far side after which the trunk counts as dead. */
const SILENT_ATTEMPTS_MAX = 3;
/** Refusals that pass: the trunk or the switch is busy at this moment. */
const PASSING_REFUSALS: readonly RefusalCode[] = [
  'TRUNK_CHANNELS_EXHAUSTED',
  'TRUNK_RATE_LIMITED',
  'SWITCH_DOWN',
];
const REFUSAL_PAUSE_MS = 1_000;
const REFUSALS_IN_A_ROW_MAX = 30;

type AttemptActor = Actor<typeof callAttemptMachine>;

export class ContactRun {
  readonly #parts: ContactRunParts;
  readonly #waiting: ContactTask[];
  readonly #live = new Set<AttemptActor>();
  readonly #outcomes = new Map<ContactTask, TaskOutcome>();
  readonly #done: Promise<void>;
  #finish: () => void = () => undefined;
  #nextStartAtMs = 0;
  #timer: unknown;
  #isStopped = false;
  #refusalsInARow = 0;
  #silentAttempts = 0;
  #isFarSideHeard = false;

  constructor(parts: ContactRunParts) {
    this.#parts = parts;
    this.#waiting = [];
    for (const task of parts.tasks) {
      const outcome = outcomeOfRefusal(task);
      if (outcome === undefined) this.#waiting.push(task);
      else this.#outcomes.set(task, outcome);
    }
    this.#done = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Resolves with the outcomes in the order of the tasks. */
  async run(): Promise<TaskOutcome[]> {
    this.#pump();
    await this.#done;
    return this.outcomes;
  }

  /** Those known so far, in the order of the tasks. */
  get outcomes(): TaskOutcome[] {
    return this.#parts.tasks.flatMap((task) => this.#outcomes.get(task) ?? []);
  }

  get inFlight(): number {
    return this.#live.size;
  }

  /** Set once the trunk has given no sign of life: nothing more was started. */
  get isTrunkSilent(): boolean {
    return !this.#isFarSideHeard && this.#silentAttempts >= this.#silentMax;
  }

  get #silentMax(): number {
    return Math.min(SILENT_ATTEMPTS_MAX, this.#parts.tasks.length);
  }

  /** Starts nothing more. With `hangUp` live calls are given up too; `run` then resolves soon. */
  stop({ hangUp }: { readonly hangUp: boolean }): void {
    this.#isStopped = true;
    this.#parts.clock.clearTimeout(this.#timer);
    for (const task of this.#waiting.splice(0)) {
      const reason = { status: 'Cancelled', result: 'Cancelled', subReason: 'cancelled' } as const;
      this.#outcomes.set(task, outcomeWithoutAttempt(task, reason));
    }
    if (hangUp) {
      for (const actor of this.#live) actor.send({ type: 'dialer.cancel', reason: 'cancelled' });
    }
    this.#pump();
  }

  #pump(): void {
    const { clock, concurrencyMax, callsPerSecondMax, mayStart } = this.#parts;
    clock.clearTimeout(this.#timer);
    while (this.#live.size < concurrencyMax) {
      const task = this.#waiting[0];
      if (task === undefined) break;
      const waitMs = this.#nextStartAtMs - clock.now();
      if (waitMs > 0) {
        this.#timer = clock.setTimeout(() => this.#pump(), Math.ceil(waitMs));
        break;
      }
      this.#waiting.shift();
      if (mayStart(task)) {
        this.#nextStartAtMs = clock.now() + 1_000 / callsPerSecondMax;
        this.#start(task);
      } else {
        const expired = { status: 'Expired', result: 'Expired', subReason: 'too_late' } as const;
        const reason = 'outside the calling hours of the contact';
        this.#outcomes.set(task, outcomeWithoutAttempt(task, { ...expired, reason }));
      }
    }
    this.#parts.onChange();
    if (this.#live.size === 0 && this.#waiting.length === 0) this.#finish();
  }

  #start(task: ContactTask): void {
    const { telephony, clock, attemptOf } = this.#parts;
    const machine = callAttemptMachine.provide({ actors: { telephony } });
    const actor = createActor(machine, { input: attemptOf(task), clock });
    this.#live.add(actor);
    actor.subscribe({
      complete: () => {
        const { output } = actor.getSnapshot();
        if (output !== undefined) this.#ended(task, actor, output);
      },
      error: (error) => {
        this.#live.delete(actor);
        this.#parts.onFault(task, error);
        const fault = { status: 'Error', result: 'Error', subReason: null } as const;
        this.#outcomes.set(task, outcomeWithoutAttempt(task, fault));
        this.#pump();
      },
    });
    actor.start();
  }

  #ended(task: ContactTask, actor: AttemptActor, output: CallAttemptOutput): void {
    this.#live.delete(actor);
    const outcome = outcomeOfAttempt(task, output);
    if (this.#isWorthAnotherTry(output)) {
      this.#refusalsInARow += 1;
      this.#waiting.unshift(task);
      this.#nextStartAtMs = this.#parts.clock.now() + REFUSAL_PAUSE_MS;
    } else {
      this.#refusalsInARow = 0;
      this.#outcomes.set(task, outcome);
      this.#learn(output);
    }
    this.#pump();
  }

  /** Refused before any INVITE, for a reason that passes. */
  #isWorthAnotherTry({ evidence }: CallAttemptOutput): boolean {
    const code = evidence.refused?.code;
    return (
      code !== undefined &&
      PASSING_REFUSALS.includes(code) &&
      evidence.cancelReason === null &&
      !this.#isStopped &&
      this.#refusalsInARow < REFUSALS_IN_A_ROW_MAX
    );
  }

  #learn(output: CallAttemptOutput): void {
    if (wasHeard(output)) this.#isFarSideHeard = true;
    const { subReason } = output;
    if (subReason === 'trunk_timeout' || subReason === 'trunk_down') this.#silentAttempts += 1;
    // Those in flight are let to their own end: a CANCEL cannot leave before a provisional response.
    if (this.isTrunkSilent && !this.#isStopped) this.stop({ hangUp: false });
  }
}
