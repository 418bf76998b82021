/**
 * Gives the open tasks of an engagement their places by a call order, or a retry priority, that was
 * changed while they wait. Some at a time, in transactions of their own: claims go on by the order
 * before, until the last task has its place, and by the new one from then on.
 */
import { sql, type Transaction } from 'kysely';
import type { RetryPriority } from '../engagements/engagement-config.schema.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { NEW_DELIVERY_CLASS, RETRY_CLASS_OF } from './after-attempt.ts';
import { readProgress } from './chain-progress.codec.ts';
import { valueKindOf } from './order-key.ts';
import { hasCustomOrder, orderColumns, placedTask, type OrderState } from './order-places.ts';

/** Sorts before every id. */
const FROM_THE_BEGINNING = '';

type Settings = Pick<EngagementRow, 'call_order' | 'config'>;

/** What an edit sets beside the settings themselves: nothing when no task moves by it. */
export function reordering(
  row: Settings & Pick<EngagementRow, 'order_in_force'>,
  wanted: Settings,
): Partial<Pick<EngagementRow, 'reorder_after_id' | 'order_in_force'>> {
  const isSamePriority = retryPriorityOf(row) === retryPriorityOf(wanted);
  if (row.call_order === wanted.call_order && isSamePriority) return {};
  const inForce = row.order_in_force ?? row.call_order;
  return {
    reorder_after_id: FROM_THE_BEGINNING,
    order_in_force: inForce === wanted.call_order ? null : inForce,
  };
}

/** An SMS engagement has none. */
function retryPriorityOf({ config }: Pick<EngagementRow, 'config'>): RetryPriority {
  const { reattempt } = JSON.parse(config) as { reattempt?: { priority?: RetryPriority } };
  return reattempt?.priority ?? 'same';
}

export interface ReorderContext {
  readonly database: OpenDatabase;
  readonly nowMs: number;
  readonly actor: string;
  /** Tasks looked at in one transaction. */
  readonly batchMax: number;
}

/** Those whose tasks are not all where they belong. */
export async function engagementsToReorder({ db }: OpenDatabase): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('engagements')
    .select('id')
    .where('reorder_after_id', 'is not', null)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * The next of its tasks. Answers `done` when none is left, and the new order is in force. A task that
 * another transaction holds at this moment is not waited for: the next step begins with it.
 */
export function reorderStep(
  context: ReorderContext,
  engagementId: string,
): Promise<'more' | 'done'> {
  return context.database.db.transaction().execute(async (tx) => {
    const engagement = await lockedEngagement(context, tx, engagementId);
    if (engagement?.reorder_after_id == null) return 'done';
    const { ids, tasks } = await nextTasks(context, tx, engagement, engagement.reorder_after_id);
    if (ids.length === 0) {
      await putInForce(context, tx, engagement);
      return 'done';
    }
    const isHere = new Set(tasks.map(({ id }) => id));
    const held = ids.findIndex((id) => !isHere.has(id));
    const inHand = held === -1 ? ids : ids.slice(0, held);
    const last = inHand.at(-1);
    if (last === undefined) return 'more';
    const open = tasks.filter(({ id, state }) => id <= last && state !== 'final');
    const order = withValueKind(engagement, open);
    await writePlaces(tx, open, order, retryPriorityOf(engagement), context.nowMs);
    await tx
      .updateTable('engagements')
      .set({ reorder_after_id: last, order_value_kind: order.order_value_kind })
      .where('id', '=', engagementId)
      .execute();
    return 'more';
  });
}

/** First of all: whoever holds a task waits for it, and we never wait for a task. */
function lockedEngagement(
  { database }: ReorderContext,
  tx: Transaction<Database>,
  engagementId: string,
): Promise<EngagementRow | undefined> {
  const query = tx.selectFrom('engagements').selectAll().where('id', '=', engagementId);
  return (database.kind === 'postgres' ? query.forUpdate() : query).executeTakeFirst();
}

async function nextTasks(
  { database, batchMax }: ReorderContext,
  tx: Transaction<Database>,
  { id: engagementId, business_unit_id: businessUnitId }: EngagementRow,
  afterId: string,
): Promise<{ readonly ids: readonly string[]; readonly tasks: readonly TaskRow[] }> {
  const page = await tx
    .selectFrom('tasks')
    .select('id')
    .where('business_unit_id', '=', businessUnitId)
    .where('engagement_id', '=', engagementId)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(batchMax)
    .execute();
  const ids = page.map(({ id }) => id);
  if (ids.length === 0) return { ids, tasks: [] };
  const query = tx.selectFrom('tasks').selectAll().where('id', 'in', ids).orderBy('id');
  return { ids, tasks: await database.lockForClaim(query).execute() };
}

function withValueKind(order: OrderState, open: readonly TaskRow[]): OrderState {
  if (order.order_value_kind !== null || !hasCustomOrder(order)) return order;
  return { ...order, order_value_kind: valueKindOf(open.map((task) => task.priority_value)) };
}

/** One statement for all. What is bound in a list of values is text to PostgreSQL until it is cast. */
async function writePlaces(
  tx: Transaction<Database>,
  tasks: readonly TaskRow[],
  order: OrderState,
  priority: RetryPriority,
  nowMs: number,
): Promise<void> {
  if (tasks.length === 0) return;
  const values = tasks.map((task) => {
    const { contactIndex, loop } = readProgress(task.progress);
    const atMs = task.state === 'waiting' ? Math.max(task.due_at_ms, nowMs) : nowMs;
    const place = orderColumns(order, placedTask(task, contactIndex), atMs);
    const retryClass = loop > 1 ? RETRY_CLASS_OF[priority] : NEW_DELIVERY_CLASS;
    return sql`(${task.id}, ${place.order_key}, ${place.order_key_other}, ${place.priority_fallback}, ${retryClass})`;
  });
  await sql`with places (id, order_key, order_key_other, priority_fallback, retry_class)
      as (values ${sql.join(values)})
    update tasks set order_key = cast(places.order_key as double precision),
      order_key_other = cast(places.order_key_other as double precision),
      priority_fallback = cast(places.priority_fallback as integer),
      retry_class = cast(places.retry_class as integer)
    from places where tasks.id = places.id`.execute(tx);
}

/** All have their places, those too that were written meanwhile: they were given both. */
async function putInForce(
  { nowMs, actor }: ReorderContext,
  tx: Transaction<Database>,
  engagement: EngagementRow,
): Promise<void> {
  const { id, business_unit_id: businessUnitId, order_in_force: from } = engagement;
  const { call_order: to, order_slot: slot } = engagement;
  const isCustom = to.startsWith('custom');
  await tx
    .updateTable('engagements')
    .set({
      ...{ reorder_after_id: null, order_in_force: null },
      order_slot: from === null ? slot : 1 - slot,
      ...(isCustom ? {} : { order_value_kind: null }),
    })
    .where('id', '=', id)
    .execute();
  if (from === null) return;
  const streamId = `engagement:${id}`;
  const payload = { from, to };
  const event = { streamId, type: 'engagement.reordered', actor, payload };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
}
