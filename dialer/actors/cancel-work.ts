/** Cancelling while calls are made: what the store has marked, its chain is told. */
import { sql } from 'kysely';
import {
  cancelEngagementTasks,
  cancelTask,
  type CancelContext,
  type CancelOutcome,
  type CancelScope,
  type TaskInWork,
} from '../tasks/cancel-task.ts';
import type { ChainRegistry } from './chain-registry.ts';
import type { DialerParts } from './dialer-parts.ts';
import type { EngagementRuntimes } from './engagement-runtimes.ts';

export interface CancelTaskRequest extends Pick<
  CancelContext,
  'businessUnitId' | 'actor' | 'reason'
> {
  readonly taskId: string;
}

export interface CancelEngagementTasksRequest extends Omit<CancelTaskRequest, 'taskId'> {
  readonly engagementId: string;
  /** Default `open`. With `queued` calls that are being made, and their chains, go on. */
  readonly scope?: CancelScope;
}

export interface CancelledCounts {
  readonly cancelled: number;
  /** In work: each ends as Cancelled with the call that is being ended. */
  readonly ending: number;
}

export interface CancelWorkParts extends Pick<DialerParts, 'database' | 'clock'> {
  readonly registry: ChainRegistry;
  readonly runtimes: EngagementRuntimes;
}

export class CancelWork {
  readonly #parts: CancelWorkParts;

  constructor(parts: CancelWorkParts) {
    this.#parts = parts;
  }

  async task({ taskId, ...request }: CancelTaskRequest): Promise<CancelOutcome> {
    const { outcome, inWork } = await cancelTask(this.#context(request), taskId);
    if (inWork !== undefined) this.#end(inWork);
    return outcome;
  }

  async engagement(request: CancelEngagementTasksRequest): Promise<CancelledCounts> {
    const { engagementId, scope = 'open', ...asked } = request;
    let cancelled = 0;
    let ending = 0;
    for await (const batch of cancelEngagementTasks(this.#context(asked), engagementId, scope)) {
      for (const task of batch.inWork) this.#end(task);
      cancelled += batch.cancelled.length;
      ending += batch.inWork.length;
    }
    return { cancelled, ending };
  }

  /** Tasks in work that another process has marked: their chains have not heard of it. */
  async recheck(): Promise<void> {
    const marked = await this.#parts.database.db
      .selectFrom('tasks')
      .select(['id', 'engagement_id as engagementId'])
      .where('state', '=', sql.lit('working')) // a bound value would not match the partial index
      .where('cancel_requested_at_ms', 'is not', null)
      .execute();
    for (const task of marked) this.#end(task);
  }

  /** No chain yet: it is being claimed. Neither: another process's, or a chain that broke. */
  #end({ id, engagementId }: TaskInWork): void {
    const { registry, runtimes } = this.#parts;
    if (!registry.cancel(id, 'cancelled')) runtimes.get(engagementId)?.cancelClaimed(id);
  }

  #context(asked: Pick<CancelContext, 'businessUnitId' | 'actor' | 'reason'>): CancelContext {
    const { database, clock } = this.#parts;
    return { ...asked, database, nowMs: clock.now() };
  }
}
