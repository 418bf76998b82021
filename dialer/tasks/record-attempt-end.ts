/**
 * The end of an attempt: one transaction that writes what became of it, frees its number, and says
 * what the task does next. Done twice for one attempt, the second time changes nothing.
 */
import assert from 'node:assert/strict';
import type { Transaction } from 'kysely';
import type { AttemptOutcome } from '../../machines/attempt-result.ts';
import type { EngagementConfig } from '../engagements/engagement-config.schema.ts';
import { appendEvents } from '../store/event-log.ts';
import { releaseNumber } from '../store/number-guards.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { AttemptRow, TaskRow } from '../store/schema/task-tables.ts';
import { meaningOf, type WalkMeaning } from './attempt-meaning.ts';
import { afterAttempt, type NextForTask } from './after-attempt.ts';
import { describeTasks } from './ready-heads.ts';

export interface AttemptEnd {
  readonly attemptId: string;
  readonly outcome: AttemptOutcome;
  /** False when no INVITE left: nobody was rung, and no attempt is used up. */
  readonly wasTried: boolean;
  /** JSON for the delivery row (at most 1000 characters) and for the account of it. */
  readonly sipDiagnostics: string | null;
  readonly evidence: string;
  readonly customerConnectedAtMs: number | null;
  /** The AI agent took this call, well or badly: the base of the failure rate. */
  readonly wasAiHandled: boolean;
}

export interface RecordContext {
  readonly database: OpenDatabase;
  readonly nowMs: number;
  readonly actor: string;
  /** Pause before anything of a task whose last Result is Unknown: the person may have been rung. */
  readonly unknownGapMs: number;
  /** Pause before a number is tried again when no INVITE left. */
  readonly untriedGapMs: number;
}

/** What the task does now; undefined when this end had been recorded before. */
export async function recordAttemptEnd(
  context: RecordContext,
  config: EngagementConfig,
  end: AttemptEnd,
): Promise<NextForTask | undefined> {
  return context.database.db.transaction().execute(async (tx) => {
    const attempt = await closeAttempt(context, tx, end);
    if (attempt === undefined) return undefined;
    const task = await readTask(context.database, tx, attempt.task_id);
    const meaning = meaningOf(end.outcome, config.reattempt);
    await closeDelivery(context, tx, attempt, end);
    await freeNumber(tx, context.nowMs, attempt, end, meaning);
    const { heads } = await describeTasks(tx, [task], {
      businessUnitId: task.business_unit_id,
      phoneTypes: config.phoneTypes,
    });
    const head = heads[0];
    assert(head !== undefined, `task ${task.id} cannot be described`);
    const next = afterAttempt(head, config.reattempt, meaning, end.outcome, context);
    await moveTask(context, tx, task, end, next, meaning);
    await countEnd(tx, attempt.engagement_id, end, next);
    await tell(context, tx, attempt, end, next);
    return next;
  });
}

async function closeAttempt(
  { nowMs }: RecordContext,
  tx: Transaction<Database>,
  { attemptId, outcome, evidence }: AttemptEnd,
): Promise<AttemptRow | undefined> {
  return tx
    .updateTable('attempts')
    .set({
      phase: 'ended',
      ended_at_ms: nowMs,
      result: outcome.result,
      sub_reason: outcome.subReason,
      evidence,
    })
    .where('id', '=', attemptId)
    .where('ended_at_ms', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

async function readTask(
  { kind }: OpenDatabase,
  tx: Transaction<Database>,
  taskId: string,
): Promise<TaskRow> {
  const query = tx.selectFrom('tasks').selectAll().where('id', '=', taskId);
  return (kind === 'postgres' ? query.forUpdate() : query).executeTakeFirstOrThrow();
}

async function closeDelivery(
  { nowMs }: RecordContext,
  tx: Transaction<Database>,
  attempt: AttemptRow,
  end: AttemptEnd,
): Promise<void> {
  await tx
    .updateTable('deliveries')
    .set({
      status: 'Complete',
      result: end.outcome.result,
      sub_reason: end.outcome.subReason,
      result_at_ms: nowMs,
      end_at_ms: nowMs,
      call_id: attempt.call_id,
      customer_connected_at_ms: end.customerConnectedAtMs,
      sip_diagnostics: end.sipDiagnostics,
      updated_at_ms: nowMs,
    })
    .where('id', '=', attempt.delivery_id)
    .execute();
}

async function freeNumber(
  tx: Transaction<Database>,
  nowMs: number,
  attempt: AttemptRow,
  { attemptId, wasTried }: AttemptEnd,
  meaning: WalkMeaning,
): Promise<void> {
  const point = await tx
    .selectFrom('contact_points')
    .select('value')
    .where('id', '=', attempt.contact_point_id)
    .executeTakeFirstOrThrow();
  await releaseNumber(tx, { number: point.value, attemptId, wasTried });
  if (meaning !== 'dropNumber') return;
  await tx
    .updateTable('contact_points')
    .set({ invalid_since_ms: nowMs })
    .where('id', '=', attempt.contact_point_id)
    .where('invalid_since_ms', 'is', null)
    .execute();
}

async function moveTask(
  { nowMs }: RecordContext,
  tx: Transaction<Database>,
  task: TaskRow,
  { outcome }: AttemptEnd,
  next: NextForTask,
  meaning: WalkMeaning,
): Promise<void> {
  const common = {
    progress: JSON.stringify(next.progress),
    loop: next.progress.loop,
    last_result: outcome.result,
    last_sub_reason: outcome.subReason,
    customer_reached: meaning === 'reached' && outcome.retryClass === 'connected' ? 1 : 0,
    updated_at_ms: nowMs,
  };
  const moved = {
    goOn: {},
    wait: { state: 'waiting', status: 'Pending', owner_epoch: null },
    finish: { state: 'final', owner_epoch: null },
  }[next.kind];
  await tx
    .updateTable('tasks')
    .set({
      ...common,
      ...moved,
      ...(next.kind === 'wait' ? { due_at_ms: next.dueAtMs, retry_class: next.retryClass } : {}),
      ...(next.kind === 'finish' ? { status: next.status } : {}),
    })
    .where('id', '=', task.id)
    .execute();
}

async function countEnd(
  tx: Transaction<Database>,
  engagementId: string,
  { outcome, wasAiHandled }: AttemptEnd,
  next: NextForTask,
): Promise<void> {
  const leaves = next.kind === 'goOn' ? 0 : 1;
  await tx
    .updateTable('engagements')
    .set((eb) => ({
      in_flight: eb('in_flight', '-', 1),
      tasks_working: eb('tasks_working', '-', leaves),
      tasks_waiting: eb('tasks_waiting', '+', next.kind === 'wait' ? 1 : 0),
      tasks_final: eb('tasks_final', '+', next.kind === 'finish' ? 1 : 0),
      ai_handled_total: eb('ai_handled_total', '+', wasAiHandled ? 1 : 0),
      ai_failed_total: eb('ai_failed_total', '+', outcome.result === 'BotFailed' ? 1 : 0),
    }))
    .where('id', '=', engagementId)
    .execute();
}

async function tell(
  { nowMs, actor }: RecordContext,
  tx: Transaction<Database>,
  attempt: AttemptRow,
  { outcome, wasTried }: AttemptEnd,
  next: NextForTask,
): Promise<void> {
  const streamId = `task:${attempt.task_id}`;
  const { progress: _, ...nextInWords } = next;
  await appendEvents(tx, attempt.business_unit_id, nowMs, [
    {
      streamId,
      type: 'attempt.recorded',
      actor,
      payload: {
        attemptId: attempt.id,
        deliveryId: attempt.delivery_id,
        result: outcome.result,
        subReason: outcome.subReason,
        retryClass: outcome.retryClass,
        wasTried,
        next: nextInWords,
      },
    },
    ...(next.kind === 'finish'
      ? [
          {
            streamId,
            type: 'task.finished',
            actor,
            before: { status: 'InProcess' },
            after: { status: next.status },
            payload: { result: outcome.result, subReason: outcome.subReason, reason: next.reason },
          },
        ]
      : []),
  ]);
}
