/** Works changed call orders in, a few tasks at a time, for as long as engagements have some to move. */
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { engagementsToReorder, reorderStep } from '../tasks/reorder-tasks.ts';
import type { WorkInHand } from '../work-in-hand.ts';

export interface OrderKeeperParts {
  readonly database: OpenDatabase;
  readonly clock: DialerClock;
  readonly work: WorkInHand;
  readonly log: DialerLog;
  readonly actor: string;
  /** Tasks moved in one transaction. */
  readonly batchMax: number;
  /** Pause between two transactions: calls are claimed in it. ms */
  readonly pauseMs: number;
  /** Pause before a store that failed is asked again, ms. */
  readonly storeRetryMs: number;
  /** Its new order is in force. */
  readonly onReordered: (engagementId: string) => Promise<void>;
}

export class OrderKeeper {
  readonly #parts: OrderKeeperParts;
  #timer: unknown;
  #isRunning = false;
  #isWanted = false;
  #isStopped = false;

  constructor(parts: OrderKeeperParts) {
    this.#parts = parts;
  }

  /** Looks for engagements whose order was changed. Said while it looks, it looks again. */
  wake(): void {
    if (this.#isStopped) return;
    this.#isWanted = true;
    if (!this.#isRunning) this.#next(0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#parts.clock.clearTimeout(this.#timer);
  }

  #next(delayMs: number): void {
    if (this.#isStopped) return;
    this.#isRunning = true;
    const { clock, work } = this.#parts;
    const step = (): void => work.run(() => this.#step());
    if (delayMs === 0) step();
    else this.#timer = clock.setTimeout(step, delayMs);
  }

  async #step(): Promise<void> {
    const { log, pauseMs, storeRetryMs } = this.#parts;
    try {
      this.#isWanted = false;
      const isMore = await this.#moveSome();
      this.#isRunning = isMore || this.#isWanted;
      if (this.#isRunning) this.#next(pauseMs);
    } catch (error) {
      log.warn({ error }, 'a changed call order was not worked in, and is again soon');
      this.#next(storeRetryMs);
    }
  }

  /** A batch of each: a large list keeps no small one waiting. */
  async #moveSome(): Promise<boolean> {
    const { database, clock, actor, batchMax, onReordered } = this.#parts;
    let isMore = false;
    for (const engagementId of await engagementsToReorder(database)) {
      if (this.#isStopped) return false;
      const context = { database, actor, batchMax, nowMs: clock.now() };
      if ((await reorderStep(context, engagementId)) === 'more') isMore = true;
      else await onReordered(engagementId);
    }
    return isMore;
  }
}
