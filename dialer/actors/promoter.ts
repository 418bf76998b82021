/**
 * Makes waiting tasks ready when they are due, and ends those whose last window has passed. Time is
 * exact: it sleeps until the next due task, and is woken when an earlier one is written.
 */
import { sql, type Transaction } from 'kysely';
import type { Result } from '../../machines/result.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';

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
  /** There may be more of it. */
  readonly isBatchFull: boolean;
  readonly engagementIds: readonly string[];
  /** When there is something to do again; null when nothing waits and nothing can expire. */
  readonly nextDueAtMs: number | null;
}

/** What is due and was not moved is locked by another process: it is looked at again soon. */
const LOCKED_RECHECK_MS = 20;

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

  /** Resolves when it is not looking: what was due when it last looked has been moved. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
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
        more = done.isBatchFull;
        if (done.nextDueAtMs !== null) {
          const dueInMs = done.nextDueAtMs - nowMs;
          sleepMs = Math.min(recheckMs, dueInMs > 0 ? dueInMs : LOCKED_RECHECK_MS);
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

/** One batch, in one transaction: what is due becomes ready, what is past its last window ends. */
export async function promoteDue(request: PromoteRequest): Promise<Promotion> {
  const { database, nowMs, batchMax } = request;
  return database.db.transaction().execute(async (tx) => {
    const due = await readDue(database, tx, 'waiting', 'due_at_ms', request);
    const over = await readDue(database, tx, 'ready', 'expires_at_ms', request);
    const ready = due.filter((task) => task.expires_at_ms > nowMs);
    const expired = [...due.filter((task) => task.expires_at_ms <= nowMs), ...over];
    if (ready.length > 0) {
      await tx
        .updateTable('tasks')
        .set({ state: 'ready', updated_at_ms: nowMs })
        .where('id', 'in', idsOf(ready))
        .execute();
    }
    if (expired.length > 0) await expire(tx, expired, request);
    for (const engagementId of new Set([...due, ...over].map((task) => task.engagement_id))) {
      const count = (tasks: readonly Due[]): number =>
        tasks.filter((task) => task.engagement_id === engagementId).length;
      await tx
        .updateTable('engagements')
        .set((eb) => ({
          tasks_waiting: eb('tasks_waiting', '-', count(due)),
          tasks_ready: eb('tasks_ready', '+', count(ready) - count(over)),
          tasks_final: eb('tasks_final', '+', count(expired)),
        }))
        .where('id', '=', engagementId)
        .execute();
    }
    return {
      promoted: ready.length,
      expired: expired.length,
      isBatchFull: due.length >= batchMax || over.length >= batchMax,
      engagementIds: [...new Set(ready.map((task) => task.engagement_id))],
      nextDueAtMs: await nextDueAtMs(tx),
    };
  });
}

type Due = Pick<
  TaskRow,
  'id' | 'business_unit_id' | 'engagement_id' | 'expires_at_ms' | 'last_result' | 'status'
> & { readonly dial_mode: string | null };

function readDue(
  { lockForClaim }: OpenDatabase,
  tx: Transaction<Database>,
  state: 'waiting' | 'ready',
  column: 'due_at_ms' | 'expires_at_ms',
  { nowMs, batchMax }: PromoteRequest,
): Promise<Due[]> {
  return lockForClaim(
    tx
      .selectFrom('tasks')
      .select(['id', 'business_unit_id', 'engagement_id', 'expires_at_ms', 'last_result', 'status'])
      .select((eb) =>
        eb
          .selectFrom('engagements')
          .select('dial_mode')
          .whereRef('engagements.id', '=', 'tasks.engagement_id')
          .as('dial_mode'),
      )
      .where('state', '=', sql.lit(state))
      .where(column, '<=', nowMs)
      .orderBy(column)
      .limit(batchMax),
  ).execute();
}

/**
 * A task that was tried keeps its last Result; one that never was is Expired (spec E.4), and Terminated
 * where representatives choose whom they call: none has accepted it in time (DM-16).
 */
async function expire(
  tx: Transaction<Database>,
  tasks: readonly Due[],
  { nowMs, actor }: PromoteRequest,
): Promise<void> {
  for (const untried of new Set(tasks.map(untriedResult))) {
    const own = tasks.filter((task) => untriedResult(task) === untried);
    await tx
      .updateTable('tasks')
      .set({
        state: 'final',
        status: sql<string>`case when last_result is null then 'Expired' else 'Complete' end`,
        last_result: sql<string>`coalesce(last_result, ${sql.lit(untried)})`,
        updated_at_ms: nowMs,
      })
      .where('id', 'in', idsOf(own))
      .execute();
  }
  for (const businessUnitId of new Set(tasks.map((task) => task.business_unit_id))) {
    const own = tasks.filter((task) => task.business_unit_id === businessUnitId);
    await appendEvents(
      tx,
      businessUnitId,
      nowMs,
      own.map((task) => ({
        streamId: `task:${task.id}`,
        type: 'task.finished',
        actor,
        before: { status: task.status },
        after: { status: task.last_result === null ? 'Expired' : 'Complete' },
        payload: {
          result: task.last_result ?? untriedResult(task),
          ...{ subReason: null, reason: 'window_over' },
        },
      })),
    );
  }
}

function untriedResult({ dial_mode: mode }: Due): Result {
  return mode === 'preview' ? 'Terminated' : 'Expired';
}

/** When a waiting task is due, or the last window of a ready one ends, whichever is first. */
async function nextDueAtMs(tx: Transaction<Database>): Promise<number | null> {
  const first = (state: 'waiting' | 'ready', column: 'due_at_ms' | 'expires_at_ms') =>
    tx
      .selectFrom('tasks')
      .select((eb) => eb.ref(column).as('at_ms'))
      .where('state', '=', sql.lit(state))
      .orderBy(column)
      .limit(1)
      .executeTakeFirst();
  const times = [await first('waiting', 'due_at_ms'), await first('ready', 'expires_at_ms')];
  const known = times.flatMap((row) => (row === undefined ? [] : [row.at_ms]));
  return known.length === 0 ? null : Math.min(...known);
}

function idsOf(tasks: readonly { readonly id: string }[]): string[] {
  return tasks.map(({ id }) => id);
}
