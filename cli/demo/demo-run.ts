/** A run of the demo beside the dialer: sees it through to its end, or brings it to one. */
import type { DialerClock } from '../../dialer/clock.ts';
import type { DialerNews } from '../../dialer/dialer-news.ts';
import type { Dialer } from '../../dialer/main.ts';
import type { EventOf, TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { DEMO_ACTOR, type DemoWork } from './demo-engagement.ts';
import type { RunState } from './progress.ts';

export interface DemoRunParts {
  readonly dialer: Dialer;
  readonly telephony: Pick<TelephonyPort, 'subscribe'>;
  readonly clock: DialerClock;
  readonly work: DemoWork;
  /** Tasks that the dialer was given. */
  readonly taskCount: number;
  readonly onChange: () => void;
}

/** Attempts without any answer from the far side after which the trunk counts as dead. */
const SILENT_ATTEMPTS_MAX = 3;
/** Tasks that end without a call make no news: the store is asked for them. */
const LOOK_MS = 1_000;

export class DemoRun {
  readonly #parts: DemoRunParts;
  readonly #outcomes = new Map<string, RunState['outcomes'][number]>();
  readonly #done: Promise<void>;
  readonly #unsubscribe: readonly (() => void)[];
  #finish: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #timer: unknown;
  #isLooking = false;
  #looksAgain = false;
  #isStopped = false;
  #silentAttempts = 0;
  #isFarSideHeard = false;

  constructor(parts: DemoRunParts) {
    this.#parts = parts;
    this.#done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.#done.catch(() => undefined); // heard by whoever runs it
    this.#unsubscribe = [
      parts.dialer.subscribe((news) => this.#hear(news)),
      parts.telephony.subscribe((event) => this.#listen(event)),
    ];
  }

  /** Resolves when every task has come to its end. */
  async run(): Promise<void> {
    this.#look();
    try {
      await this.#done;
    } finally {
      this.#parts.clock.clearTimeout(this.#timer);
      for (const unsubscribe of this.#unsubscribe) unsubscribe();
    }
  }

  /** Of the tasks that are done, as far as news tell. */
  get outcomes(): RunState['outcomes'] {
    return [...this.#outcomes.values()];
  }

  get inFlight(): number {
    return this.#parts.dialer.live;
  }

  /** Set once the trunk has given no sign of life: nothing more was started. */
  get isTrunkSilent(): boolean {
    const silentMax = Math.min(SILENT_ATTEMPTS_MAX, this.#parts.taskCount);
    return !this.#isFarSideHeard && this.#silentAttempts >= silentMax;
  }

  /** Starts nothing more and cancels what is left, live calls too; `run` then resolves soon. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#cancel('open', 'the run was interrupted');
    this.#look();
  }

  async #cancel(scope: 'queued' | 'open', reason: string): Promise<void> {
    const { dialer, work } = this.#parts;
    await dialer.cancelEngagementTasks({ ...work, scope, actor: DEMO_ACTOR, reason });
  }

  #hear(news: DialerNews): void {
    if (news.type === 'attempt.recorded') {
      const { taskId, result, subReason } = news;
      this.#outcomes.set(taskId, { result, status: 'Complete' });
      if (subReason === 'trunk_timeout' || subReason === 'trunk_down') this.#silentAttempts += 1;
    }
    if (news.type === 'task.left') {
      if (news.left === 'waiting') this.#outcomes.delete(news.taskId);
      this.#look();
    }
    this.#parts.onChange();
  }

  #listen(event: TelephonyEvent): void {
    const isAnswer = event.type === 'attempt.alerting' || event.type === 'attempt.answered';
    const isEnd = event.type === 'attempt.ended';
    if (isAnswer || (isEnd && isOfNetwork(event))) this.#isFarSideHeard = true;
  }

  /** One look at a time; what happens during it is looked at again. */
  #look(): void {
    this.#looksAgain = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    void this.#lookOnce();
  }

  async #lookOnce(): Promise<void> {
    const { clock } = this.#parts;
    clock.clearTimeout(this.#timer);
    try {
      while (this.#looksAgain) {
        this.#looksAgain = false;
        // A dead trunk: calls in the air are let to their own end, since a CANCEL cannot leave
        // before a provisional response. What comes back to be tried again is cancelled then.
        if (this.isTrunkSilent && !this.#isStopped) {
          await this.#cancel('queued', 'the trunk does not answer');
        }
        if (await this.#isOver()) {
          this.#finish();
          return;
        }
      }
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#isLooking = false;
    this.#timer = clock.setTimeout(() => this.#look(), LOOK_MS);
  }

  async #isOver(): Promise<boolean> {
    const { dialer, work } = this.#parts;
    const left = await dialer.database.db
      .selectFrom('engagements')
      .select(['tasks_waiting', 'tasks_ready', 'tasks_working'])
      .where('id', '=', work.engagementId)
      .executeTakeFirstOrThrow();
    return left.tasks_waiting + left.tasks_ready + left.tasks_working === 0;
  }
}

function isOfNetwork({ sip }: EventOf<'attempt.ended'>): boolean {
  return sip.origin === 'network';
}
