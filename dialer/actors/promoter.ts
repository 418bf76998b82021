/**
 * Makes waiting tasks ready when they are due, and ends those whose last window has passed. Time is
 * exact: it sleeps until the next due task, and is woken when an earlier one is written.
 */
import { sql } from 'kysely';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';

export interface PromoterOptions {
  readonly database: OpenDatabase;
  readonly clock: {
    now(): number;
    setTimeout(fire: () => void, delayMs: number): unknown;
    clearTimeout(timer: unknown): void;
  };
  readonly actor: string;
  /** Rows moved in one transaction. */
  readonly batchMax: number;
  /** Looks again at least this often: another process may have written an earlier due time. */
  readonly recheckMs: number;
  /** Engagements that have something new to start. */
  readonly onReady: (engagementIds: readonly string[]) => void;
  readonly onFailure: (error: unknown) => void;
}

export interface Promotion {
  readonly promoted: number;
  readonly expired: number;
  readonly engagementIds: readonly string[];
  /** When the next waiting task is due; null when none waits. */
  readonly nextDueAtMs: number | null;
}

export class Promoter {
  readonly #options: PromoterOptions;
  #timer: unknown;
  #running: Promise<void> | undefined;
  #isStopped = false;
  #wokenWhileRunning = false;

  constructor(options: PromoterOptions) {
    this.#options = options;
  }

  /** Looks now. Called at start, and whenever a task was made to wait. */
  wake(): void {
    if (this.#isStopped) return;
    if (this.#running !== undefined) {
      this.#wokenWhileRunning = true;
      return;
    }
    this.#options.clock.clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#wokenWhileRunning) {
        this.#wokenWhileRunning = false;
        this.wake();
      }
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { database, clock, actor, batchMax, recheckMs, onReady, onFailure } = this.#options;
    let sleepMs = recheckMs;
    try {
      for (let more = true; more && !this.#isStopped;) {
        const nowMs = clock.now();
        const done = await promoteDue({ database, actor, batchMax, nowMs });
        if (done.engagementIds.length > 0) onReady(done.engagementIds);
        more = done.promoted + done.expired >= batchMax;
        if (done.nextDueAtMs !== null) {
          sleepMs = Math.min(recheckMs, Math.max(0, done.nextDueAtMs - nowMs));
        }
      }
    } catch (error) {
      onFailure(error);
    }
    if (!this.#isStopped) this.#timer = clock.setTimeout(() => this.wake(), sleepMs);
  }
}

export interface PromoteRequest {
  readonly database: OpenDatabase;
  readonly nowMs: number;
  readonly actor: string;
  readonly batchMax: number;
}

/** One batch, in one transaction. */
export async function promoteDue(request: PromoteRequest): Promise<Promotion> {
  const { database, nowMs, batchMax } = request;
  return database.db.transaction().execute(async (tx) => {
    const due = await database
      .lockForClaim(
        tx
          .selectFrom('tasks')
          .select(['id', 'business_unit_id', 'engagement_id', 'expires_at_ms', 'last_result'])
          .where('state', '=', 'waiting')
          .where('due_at_ms', '<=', nowMs)
          .orderBy('due_at_ms')
          .limit(batchMax),
      )
      .execute();
    const expired = due.filter((task) => task.expires_at_ms <= nowMs);
    const ready = due.filter((task) => task.expires_at_ms > nowMs);
    const set = tx.updateTable('tasks').set({ updated_at_ms: nowMs });
    if (ready.length > 0) {
      await set.set({ state: 'ready' }).where('id', 'in', idsOf(ready)).execute();
    }
    if (expired.length > 0) {
      // A task that was tried keeps its last Result; one that never was is Expired (spec E.4).
      await set
        .set({
          state: 'final',
          status: sql<string>`case when last_result is null then 'Expired' else 'Complete' end`,
          last_result: sql<string>`coalesce(last_result, 'Expired')`,
        })
        .where('id', 'in', idsOf(expired))
        .execute();
      for (const task of expired) {
        await appendEvents(tx, task.business_unit_id, nowMs, [
          {
            streamId: `task:${task.id}`,
            type: 'task.finished',
            actor: request.actor,
            after: { status: task.last_result === null ? 'Expired' : 'Complete' },
            payload: { result: task.last_result ?? 'Expired', reason: 'window_over' },
          },
        ]);
      }
    }
    for (const engagementId of new Set(due.map((task) => task.engagement_id))) {
      const became = (tasks: typeof due): number =>
        tasks.filter((task) => task.engagement_id === engagementId).length;
      await tx
        .updateTable('engagements')
        .set((eb) => ({
          tasks_waiting: eb('tasks_waiting', '-', became(due)),
          tasks_ready: eb('tasks_ready', '+', became(ready)),
          tasks_final: eb('tasks_final', '+', became(expired)),
        }))
        .where('id', '=', engagementId)
        .execute();
    }
    const next = await tx
      .selectFrom('tasks')
      .select('due_at_ms')
      .where('state', '=', 'waiting')
      .orderBy('due_at_ms')
      .limit(1)
      .executeTakeFirst();
    return {
      promoted: ready.length,
      expired: expired.length,
      engagementIds: [...new Set(ready.map((task) => task.engagement_id))],
      nextDueAtMs: next?.due_at_ms ?? null,
    };
  });
}

function idsOf(tasks: readonly { readonly id: string }[]): string[] {
  return tasks.map(({ id }) => id);
}
