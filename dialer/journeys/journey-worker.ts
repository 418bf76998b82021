/**
 * Runs the journeys of a store: chores in turn until none has anything left, then until the next timer
 * or the next look. Any number of workers, in as many processes, may work one store.
 */
import type { DialerLog } from '../dialer-log.ts';
import type { JourneyChore } from './journey-chore.ts';

export interface JourneyWorkerOptions {
  readonly chores: readonly JourneyChore[];
  readonly log: DialerLog;
  readonly nowMs: () => number;
  /** Between two looks at what nobody tells of. Default 1,000. */
  readonly pollMs?: number;
}

const POLL_MS = 1_000;

export class JourneyWorker {
  readonly #options: JourneyWorkerOptions;
  #loop: Promise<void> | undefined;
  #rouse = (): void => undefined;
  #isAsked = false;
  #isRunning = false;

  constructor(options: JourneyWorkerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (const chore of this.#options.chores) chore.start?.(() => this.wake());
    this.#loop = this.#work();
  }

  /** Something may be due. */
  wake(): void {
    this.#isAsked = true;
    this.#rouse();
  }

  /** Resolves when nothing is written any more. What was begun goes on where it stood. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#rouse();
    for (const chore of this.#options.chores) await chore.stop?.();
    await this.#loop;
  }

  /**
   * All chores until nothing is left. One that fails is left alone until the next time, and holds up
   * no other. Answers how much was done.
   */
  async turn(isStopped: () => boolean = () => false): Promise<number> {
    const failed = new Set<JourneyChore>();
    for (let total = 0; ;) {
      let done = 0;
      for (const chore of this.#options.chores) {
        if (isStopped()) return total + done;
        if (!failed.has(chore)) done += await this.#do(chore, failed);
      }
      if (done === 0) return total;
      total += done;
    }
  }

  async #do(chore: JourneyChore, failed: Set<JourneyChore>): Promise<number> {
    try {
      return await chore.turn();
    } catch (error) {
      failed.add(chore);
      this.#options.log.warn({ error, chore: chore.name }, 'a chore of the journeys failed');
      return 0;
    }
  }

  async #work(): Promise<void> {
    while (this.#isRunning) {
      this.#isAsked = false;
      await this.turn(() => !this.#isRunning);
      await this.#rest(await this.#restMs());
    }
  }

  /** Not at all when there was something new meanwhile. */
  async #rest(restMs: number): Promise<void> {
    if (this.#isAsked || !this.#isRunning) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, restMs).unref();
      this.#rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Until the next timer, but no longer than until the next look. */
  async #restMs(): Promise<number> {
    const { chores, nowMs, pollMs = POLL_MS } = this.#options;
    const atMs = nowMs();
    let untilMs = atMs + pollMs;
    for (const chore of chores) {
      try {
        const next = (await chore.nextAtMs?.()) ?? untilMs;
        // What is due and was not done waits for somebody else: no use in asking at once.
        if (next > atMs) untilMs = Math.min(untilMs, next);
      } catch {
        // The store does not answer: the next look will tell.
      }
    }
    return Math.max(1, untilMs - atMs);
  }
}
