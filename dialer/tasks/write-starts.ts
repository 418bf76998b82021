/** Puts claimed starts and the changes found beside them into the store, in the claim's transaction. */
import { sql, type Transaction } from 'kysely';
import { eventQueries, type NewEvent } from '../store/event-log.ts';
import { insertQueries } from '../store/insert-many.ts';
import { runTogether, type Runnable } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { ClaimContext } from './claim-starts.ts';
import { KEY_COLUMN, orderColumns, orderInForce, placedTask } from './order-places.ts';
import type { PreparedStart } from './settle-heads.ts';
import type { TaskChange } from './task-changes.ts';

export async function writeStarts(
  context: ClaimContext,
  tx: Transaction<Database>,
  engagement: EngagementRow,
  starts: readonly PreparedStart[],
  changes: readonly TaskChange[],
): Promise<void> {
  const effective = changes.filter((change) => isEffective(change, context.nowMs));
  if (starts.length + effective.length === 0) return;
  const deliveries = starts.map((start) => deliveryRow(context, engagement, start));
  const attempts = starts.map((start) => attemptRow(context, engagement, start));
  const attributes = starts.flatMap((start) => inputAttributes(engagement, start));
  const events = [
    ...starts.map((start) => startedEvent(context, engagement, start)),
    ...effective.map((change) => changedEvent(context, change)),
  ];
  await runTogether(tx, [
    ...insertQueries(tx, 'deliveries', deliveries),
    ...insertQueries(tx, 'attempts', attempts),
    ...insertQueries(tx, 'delivery_attributes', attributes),
    ...(starts.length === 0 ? [] : [workingQuery(context, tx, starts)]),
    ...effective.map((change) => changeQuery(context, tx, engagement, change)),
    ...eventQueries(tx, engagement.business_unit_id, context.nowMs, events),
    countsQuery(tx, engagement, starts, effective, context.nowMs),
  ]);
}

/**
 * A postponement to a time that is not in the future leaves a ready task where it is, and nothing is
 * written. A chain in work goes back among the ready: nobody would hold it otherwise.
 */
function isEffective(change: TaskChange, nowMs: number): boolean {
  return change.kind === 'finished' || change.untilMs > nowMs || change.task.state === 'working';
}

function staysReady(change: TaskChange, nowMs: number): boolean {
  return change.kind === 'postponed' && change.untilMs <= nowMs;
}

function deliveryRow(context: ClaimContext, engagement: EngagementRow, start: PreparedStart) {
  const { nowMs } = context;
  return {
    id: start.deliveryId,
    business_unit_id: engagement.business_unit_id,
    engagement_id: engagement.id,
    task_id: start.task.id,
    batch_id: start.task.batch_id,
    contact_id: start.target.contactId,
    contact_point_id: start.target.contactPointId,
    seq_no: start.seqNo,
    channel: 'voice',
    status: 'InProcess',
    dial_mode: engagement.dial_mode,
    queue_id: engagement.queue_id,
    from_address: context.fromAddress,
    phone_type: start.phoneType,
    window_start_ms: start.window.startMs,
    window_end_ms: start.window.endMs,
    start_at_ms: nowMs,
    tracking_id: start.task.request_id,
    journey_id: start.task.journey_id,
    journey_run_id: start.task.journey_run_id,
    exceeded_customer_wait_threshold: 0,
    speech_detected: 0,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
}

function attemptRow(context: ClaimContext, engagement: EngagementRow, start: PreparedStart) {
  return {
    id: start.attemptId,
    business_unit_id: engagement.business_unit_id,
    engagement_id: engagement.id,
    task_id: start.task.id,
    delivery_id: start.deliveryId,
    contact_point_id: start.target.contactPointId,
    fence: start.fence,
    gateway_id: context.gatewayId,
    trunk: context.trunk,
    phase: 'starting',
    invites: 0,
    ai_handled: 0,
    created_at_ms: context.nowMs,
    machine_version: context.machineVersion,
  };
}

/** Each delivery shows what its request passed in (spec A.7). */
function inputAttributes({ business_unit_id }: EngagementRow, { deliveryId, task }: PreparedStart) {
  if (task.input_attributes === '{}') return [];
  const attributes = JSON.parse(task.input_attributes) as Readonly<Record<string, string>>;
  return Object.entries(attributes).map(([keyword, value]) => ({
    ...{ delivery_id: deliveryId, business_unit_id, type: 'Input', keyword, value },
  }));
}

/** One statement for all. What is bound in a list of values is text to PostgreSQL until it is cast. */
function workingQuery(
  { nowMs, fence }: ClaimContext,
  tx: Transaction<Database>,
  starts: readonly PreparedStart[],
): Runnable {
  const values = starts.map(
    ({ task, progress, seqNo }) =>
      sql`(${task.id}, ${JSON.stringify(progress)}, ${progress.loop}, ${seqNo})`,
  );
  return sql`with started (id, progress, loop, seq_no) as (values ${sql.join(values)})
    update tasks set state = 'working', status = 'InProcess', progress = started.progress,
      loop = cast(started.loop as integer), attempt_count = cast(started.seq_no as integer),
      last_attempt_at_ms = ${nowMs}, owner_epoch = ${fence}, updated_at_ms = ${nowMs}
    from started where tasks.id = started.id`.compile(tx);
}

function changeQuery(
  context: ClaimContext,
  tx: Transaction<Database>,
  engagement: EngagementRow,
  change: TaskChange,
): Runnable {
  const { task, progress } = change;
  const loop = { progress: JSON.stringify(progress), loop: progress.loop };
  const common = { ...loop, updated_at_ms: context.nowMs };
  const postponed = staysReady(change, context.nowMs)
    ? { state: 'ready', status: 'Pending' }
    : { state: 'waiting', status: 'Pending' };
  const changed =
    change.kind === 'postponed'
      ? { ...postponed, ...placeAt(engagement, change, Math.max(change.untilMs, context.nowMs)) }
      : {
          state: 'final',
          status: change.status,
          last_result: change.result,
          // The Result of its last attempt keeps its finer reason.
          last_sub_reason:
            change.result === task.last_result ? task.last_sub_reason : change.subReason,
        };
  return tx
    .updateTable('tasks')
    .set({ ...common, ...changed, owner_epoch: null })
    .where('id', '=', change.task.id);
}

/** When it is due, and its place from then on: another window may govern it by that time. */
function placeAt(engagement: EngagementRow, { task, progress }: TaskChange, dueAtMs: number) {
  const place = orderColumns(engagement, placedTask(task, progress.contactIndex), dueAtMs);
  return { due_at_ms: dueAtMs, ...place };
}

function startedEvent(
  { actor, gatewayId, trunk, machineVersion }: ClaimContext,
  engagement: EngagementRow,
  start: PreparedStart,
): NewEvent {
  const { target, window, progress } = start;
  const { order, slot } = orderInForce(engagement);
  return {
    streamId: `task:${start.task.id}`,
    type: 'attempt.claimed',
    actor,
    payload: {
      attemptId: start.attemptId,
      deliveryId: start.deliveryId,
      engagementId: engagement.id,
      fence: start.fence,
      gatewayId,
      trunk,
      machineVersion,
      contactId: target.contactId,
      contactPointId: target.contactPointId,
      phoneType: target.phoneType,
      loop: progress.loop,
      seqNo: start.seqNo,
      windowStartMs: window.startMs,
      windowEndMs: window.endMs,
      callOrder: order,
      retryClass: start.task.retry_class,
      orderKey: start.task[KEY_COLUMN[slot]],
      priority: engagement.priority,
      dialMode: engagement.dial_mode,
      ...start.because,
    },
  };
}

function changedEvent({ actor }: ClaimContext, change: TaskChange): NewEvent {
  const streamId = `task:${change.task.id}`;
  if (change.kind === 'postponed') {
    const { untilMs, reason } = change;
    return { streamId, type: 'task.postponed', actor, payload: { untilMs, reason } };
  }
  const { status, result, subReason, reason } = change;
  return {
    streamId,
    type: 'task.finished',
    actor,
    before: { status: change.task.status },
    after: { status },
    payload: { result, subReason, reason },
  };
}

/** Counts move with the rows they count. A head was ready, or working when a chain goes on. */
function countsQuery(
  tx: Transaction<Database>,
  engagement: EngagementRow,
  starts: readonly PreparedStart[],
  changes: readonly TaskChange[],
  nowMs: number,
): Runnable {
  const left = [...starts, ...changes].map(({ task }) => task.state);
  const fromReady = left.filter((state) => state === 'ready').length;
  const fromWorking = left.length - fromReady;
  const toReady = changes.filter((change) => staysReady(change, nowMs)).length;
  const toFinal = changes.filter(({ kind }) => kind === 'finished').length;
  return tx
    .updateTable('engagements')
    .set((eb) => ({
      tasks_ready: eb('tasks_ready', '+', toReady - fromReady),
      tasks_working: eb('tasks_working', '+', starts.length - fromWorking),
      tasks_waiting: eb('tasks_waiting', '+', changes.length - toReady - toFinal),
      tasks_final: eb('tasks_final', '+', toFinal),
      attempts_total: eb('attempts_total', '+', starts.length),
      in_flight: eb('in_flight', '+', starts.length),
    }))
    .where('id', '=', engagement.id);
}
