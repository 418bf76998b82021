/**
 * Cancelling tasks (spec F.5): all later loops and chain members stop. A task that nobody works ends
 * here, in one transaction; one in work is marked, which makes the record of its attempt's end its
 * last, and whoever works it is told to hang up. So it ends as Cancelled once, whichever comes first.
 */
import { sql, type Transaction } from 'kysely';
import { appendEvents, type NewEvent } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';

export type CancelOutcome =
  | 'cancelled'
  /** In work: its call is being ended, and the task ends as Cancelled with it. */
  | 'ending'
  | 'alreadyFinal'
  /** No such task in this business unit. */
  | 'unknown';

/** `queued`: waiting and ready tasks only. `open`: those in work as well. */
export type CancelScope = 'queued' | 'open';

export interface CancelContext {
  readonly database: OpenDatabase;
  readonly businessUnitId: string;
  readonly nowMs: number;
  /** Who asked for it: `operator:<name>`, `key:<prefix>`, `policy:<id>`. */
  readonly actor: string;
  /** For people. */
  readonly reason: string;
}

export interface TaskInWork {
  readonly id: string;
  readonly engagementId: string;
}

/** What became of those that were asked for; a final or foreign one is in neither. */
export interface CancelledTasks {
  readonly cancelled: readonly string[];
  /** Marked now or before. */
  readonly inWork: readonly TaskInWork[];
}

/**
 * Tasks that are claimed, postponed or promoted meanwhile are asked again until each has ended or is
 * marked. Queued tasks are locked before their engagement, as every other transaction does, and a
 * task in work without it: the chain that goes on to its next number has them the other way round.
 */
export async function cancelTasks(
  context: CancelContext,
  taskIds: readonly string[],
  scope: CancelScope = 'open',
): Promise<CancelledTasks> {
  const { db } = context.database;
  const cancelled: string[] = [];
  const inWork: TaskInWork[] = [];
  for (let left = taskIds; left.length > 0;) {
    const ids = left;
    const ended = await db.transaction().execute((tx) => cancelQueued(context, tx, ids));
    const marked =
      scope === 'queued' || ended.length === ids.length
        ? []
        : await db.transaction().execute((tx) => markInWork(context, tx, ids));
    cancelled.push(...ended);
    inWork.push(...marked);
    const done = new Set([...ended, ...marked.map(({ id }) => id)]);
    left = await stillOpen(
      context,
      ids.filter((id) => !done.has(id)),
      scope,
    );
  }
  return { cancelled, inWork };
}

/** What is to be said of one task; the tasks in work beside it are to be told. */
export async function cancelTask(
  context: CancelContext,
  taskId: string,
): Promise<{ readonly outcome: CancelOutcome; readonly inWork: TaskInWork | undefined }> {
  const { cancelled, inWork } = await cancelTasks(context, [taskId]);
  if (cancelled.length > 0) return { outcome: 'cancelled', inWork: undefined };
  const [working] = inWork;
  if (working !== undefined) return { outcome: 'ending', inWork: working };
  const known = await context.database.db
    .selectFrom('tasks')
    .select('id')
    .where('id', '=', taskId)
    .where('business_unit_id', '=', context.businessUnitId)
    .executeTakeFirst();
  return { outcome: known === undefined ? 'unknown' : 'alreadyFinal', inWork: undefined };
}

/** Tasks of one transaction: short, so that claims get their turn between two. */
const BATCH = 500;

/** Every open task of an engagement, in batches; those written meanwhile as well. */
export async function* cancelEngagementTasks(
  context: CancelContext,
  engagementId: string,
  scope: CancelScope,
): AsyncGenerator<CancelledTasks> {
  for (let after = ''; ;) {
    const rows = await openTasks(context, scope)
      .where('engagement_id', '=', engagementId)
      .where('id', '>', after)
      .orderBy('id')
      .limit(BATCH)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
    const ids = rows.map(({ id }) => id);
    yield await cancelTasks(context, ids, scope);
  }
}

/** A task in work that was marked before needs nothing more. */
function openTasks({ database, businessUnitId }: CancelContext, scope: CancelScope) {
  return database.db
    .selectFrom('tasks')
    .select('id')
    .where('business_unit_id', '=', businessUnitId)
    .where((eb) => {
      const isQueued = eb('state', 'in', ['waiting', 'ready']);
      if (scope === 'queued') return isQueued;
      const isUnmarked = eb('cancel_requested_at_ms', 'is', null);
      return eb.or([isQueued, eb.and([eb('state', '=', 'working'), isUnmarked])]);
    });
}

async function stillOpen(
  context: CancelContext,
  ids: readonly string[],
  scope: CancelScope,
): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const rows = await openTasks(context, scope)
    .where('id', 'in', [...ids])
    .execute();
  return rows.map(({ id }) => id);
}

type Queued = Pick<TaskRow, 'id' | 'engagement_id' | 'state' | 'status'>;

async function cancelQueued(
  context: CancelContext,
  tx: Transaction<Database>,
  ids: readonly string[],
): Promise<readonly string[]> {
  const { database, businessUnitId, nowMs } = context;
  const query = tx
    .selectFrom('tasks')
    .select(['id', 'engagement_id', 'state', 'status'])
    .where('id', 'in', [...ids])
    .where('business_unit_id', '=', businessUnitId)
    .where('state', 'in', ['waiting', 'ready'])
    .orderBy('id');
  const tasks = await (database.kind === 'postgres' ? query.forUpdate() : query).execute();
  if (tasks.length === 0) return [];
  const found = tasks.map(({ id }) => id);
  await tx
    .updateTable('tasks')
    .set({ ...CANCELLED, cancel_requested_at_ms: nowMs, updated_at_ms: nowMs })
    .where('id', 'in', found)
    .execute();
  for (const engagementId of new Set(tasks.map((task) => task.engagement_id))) {
    await countCancelled(tx, engagementId, tasks);
  }
  const events = tasks.map((task) => finishedEvent(task, context));
  await appendEvents(tx, businessUnitId, nowMs, events);
  return found;
}

/** How a task stands that was cancelled while nobody worked it. */
export const CANCELLED = {
  state: 'final',
  status: 'Cancelled',
  last_result: 'Cancelled',
  last_sub_reason: 'cancelled',
  owner_epoch: null,
} as const;

async function countCancelled(
  tx: Transaction<Database>,
  engagementId: string,
  tasks: readonly Queued[],
): Promise<void> {
  const own = tasks.filter((task) => task.engagement_id === engagementId);
  const waiting = own.filter(({ state }) => state === 'waiting').length;
  await tx
    .updateTable('engagements')
    .set((eb) => ({
      tasks_waiting: eb('tasks_waiting', '-', waiting),
      tasks_ready: eb('tasks_ready', '-', own.length - waiting),
      tasks_final: eb('tasks_final', '+', own.length),
    }))
    .where('id', '=', engagementId)
    .execute();
}

/** `because` is what whoever asked for it said. */
export function finishedEvent(
  { id, status }: Pick<TaskRow, 'id' | 'status'>,
  { actor, reason }: { readonly actor: string; readonly reason: string | null },
): NewEvent {
  return {
    streamId: `task:${id}`,
    type: 'task.finished',
    actor,
    before: { status },
    after: { status: CANCELLED.status },
    payload: {
      result: CANCELLED.last_result,
      subReason: CANCELLED.last_sub_reason,
      reason: 'cancelled',
      ...(reason === null ? {} : { because: reason }),
    },
  };
}

async function markInWork(
  { businessUnitId, nowMs, actor, reason }: CancelContext,
  tx: Transaction<Database>,
  ids: readonly string[],
): Promise<readonly TaskInWork[]> {
  const isWorking = sql<boolean>`state = 'working'`;
  const marked = await tx
    .updateTable('tasks')
    .set({ cancel_requested_at_ms: nowMs, updated_at_ms: nowMs })
    .where('id', 'in', [...ids])
    .where('business_unit_id', '=', businessUnitId)
    .where(isWorking)
    .where('cancel_requested_at_ms', 'is', null)
    .returning('id')
    .execute();
  const payload = { reason };
  const events = marked.map(({ id }): NewEvent => {
    return { streamId: `task:${id}`, type: 'task.cancelRequested', actor, payload };
  });
  await appendEvents(tx, businessUnitId, nowMs, events);
  return tx
    .selectFrom('tasks')
    .select(['id', 'engagement_id as engagementId'])
    .where('id', 'in', [...ids])
    .where('business_unit_id', '=', businessUnitId)
    .where(isWorking)
    .where('cancel_requested_at_ms', 'is not', null)
    .execute();
}
