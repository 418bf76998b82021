/**
 * The end of an attempt: one transaction that writes what became of it, frees its number, and says
 * what the task does next. Done twice for one attempt, the second time changes nothing.
 */
import assert from 'node:assert/strict';
import type { Transaction } from 'kysely';
import { drawAmdAudit } from '../amd-audit/draw-audit.ts';
import type { Suspension } from '../engagements/suspend-engagement.ts';
import type { EngagementConfig } from '../engagements/engagement-config.schema.ts';
import { eventQueries, type NewEvent } from '../store/event-log.ts';
import { releaseQuery } from '../store/number-guards.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { runTogether, type Runnable } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';
import type { AttemptRow, TaskRow } from '../store/schema/task-tables.ts';
import type { AttemptEnd } from './attempt-end.ts';
import { meaningOf, type WalkMeaning } from './attempt-meaning.ts';
import { afterAttempt, NEW_DELIVERY_CLASS, type NextForTask } from './after-attempt.ts';
import { moveTaskQuery } from './move-task.ts';
import { ORDER_COLUMNS, type OrderState } from './order-places.ts';
import { describeTasks } from './ready-heads.ts';
import { suspendByRule } from './suspend-by-rule.ts';

export interface RecordContext {
  readonly database: OpenDatabase;
  readonly nowMs: number;
  /** Epoch of our lease. An attempt that was made under it ended in the process that began it. */
  readonly fence: number;
  readonly actor: string;
  /** Pause before anything of a task whose last Result is Unknown: the person may have been rung. */
  readonly unknownGapMs: number;
  /** Pause before a number is tried again when no INVITE left. */
  readonly untriedGapMs: number;
  /** Share of attempts whose machine verdict is drawn for an audit. */
  readonly amdAuditShare: number;
}

export interface RecordedEnd {
  readonly taskId: string;
  readonly next: NextForTask;
  /** Set when this end suspended the engagement: nothing that is claimed later starts. */
  readonly suspension: Suspension | null;
}

/** What the task does now; undefined when this end had been recorded before. */
export async function recordAttemptEnd(
  context: RecordContext,
  config: EngagementConfig,
  end: AttemptEnd,
): Promise<RecordedEnd | undefined> {
  return context.database.db.transaction().execute(async (tx) => {
    const attempt = await closeAttempt(tx, end, context.nowMs);
    if (attempt === undefined) return undefined;
    const { amdAuditShare: share, nowMs } = context;
    await drawAmdAudit(tx, attempt, end, { share, nowMs });
    const said = meaningOf(end.outcome, config.reattempt);
    const meaning = end.heard.optOutDigit === null ? said : afterOptOut(said);
    const [tasks, orders] = await runTogether(tx, [
      taskQuery(context.database, tx, attempt.task_id),
      tx.selectFrom('engagements').select(ORDER_COLUMNS).where('id', '=', attempt.engagement_id),
      ...closingQueries(tx, attempt, end, context.nowMs),
      ...(said === 'dropNumber' ? [invalidQuery(tx, attempt, context.nowMs)] : []),
      ...optOutQueries(tx, attempt, end),
    ]);
    const [task] = tasks as readonly TaskRow[];
    const [order] = orders as readonly OrderState[];
    assert(task !== undefined && order !== undefined, `attempt ${attempt.id} has no task`);
    const { heads } = await describeTasks(tx, [task], {
      businessUnitId: task.business_unit_id,
      phoneTypes: config.phoneTypes,
    });
    const head = heads[0];
    assert(head !== undefined, `task ${task.id} cannot be described`);
    const { result } = end.outcome;
    const ended = { result, contactPointId: attempt.contact_point_id };
    const next = pacedAnew(
      config,
      afterAttempt(head, config.reattempt, meaning, ended, context),
      context.nowMs,
    );
    await runTogether(tx, [
      moveTaskQuery(context, tx, { task, attempt, end, next, meaning, order }),
      countQuery(tx, attempt.engagement_id, end, next),
      ...endEvents(context, tx, attempt, end, next),
    ]);
    const suspension = await suspendByRule(context, tx, attempt, config, end);
    return { taskId: task.id, next, suspension };
  });
}

/** The person asked not to be called: this task dials none of their numbers again, whatever its rule. */
function afterOptOut(meaning: WalkMeaning): WalkMeaning {
  return meaning === 'reached' ? meaning : 'dropContact';
}

/** Beside what an AI agent may have returned by that name. */
function optOutQueries(
  tx: Transaction<Database>,
  { business_unit_id, delivery_id }: AttemptRow,
  { heard }: AttemptEnd,
): Runnable[] {
  if (heard.optOutDigit === null) return [];
  const attribute = { type: 'Result', keyword: 'optOut', value: heard.optOutDigit };
  return [
    tx
      .insertInto('delivery_attributes')
      .values({ delivery_id, business_unit_id, ...attribute })
      .onConflict((conflict) => conflict.doNothing()),
  ];
}

/**
 * Only Copilot's chains go on by themselves from number to number. Where representatives are dialled
 * for, the next number is a start like any other: the task goes back among the ready at once.
 */
function pacedAnew({ mode }: EngagementConfig, next: NextForTask, nowMs: number): NextForTask {
  if (next.kind !== 'goOn' || mode.kind === 'copilot') return next;
  const { progress } = next;
  return { kind: 'wait', dueAtMs: nowMs, retryClass: NEW_DELIVERY_CLASS, progress };
}

/**
 * Attempt, delivery and the number's guard; what the task does is the caller's. Looks at nothing
 * else, so that it can be done for a task whose data are the defect.
 */
export async function closeAttemptIn(
  tx: Transaction<Database>,
  end: AttemptEnd,
  nowMs: number,
): Promise<AttemptRow | undefined> {
  const attempt = await closeAttempt(tx, end, nowMs);
  if (attempt !== undefined) await runTogether(tx, closingQueries(tx, attempt, end, nowMs));
  return attempt;
}

/** What closing an attempt takes with it: its delivery, and the number's guard. */
function closingQueries(
  tx: Transaction<Database>,
  attempt: AttemptRow,
  end: AttemptEnd,
  nowMs: number,
): Runnable[] {
  return [deliveryQuery(tx, attempt, end, nowMs), releaseQuery(tx, end)];
}

async function closeAttempt(
  tx: Transaction<Database>,
  { attemptId, outcome, evidence, wasAiHandled }: AttemptEnd,
  nowMs: number,
): Promise<AttemptRow | undefined> {
  return tx
    .updateTable('attempts')
    .set({
      phase: 'ended',
      ended_at_ms: nowMs,
      result: outcome.result,
      sub_reason: outcome.subReason,
      evidence,
      ai_handled: wasAiHandled ? 1 : 0,
    })
    .where('id', '=', attemptId)
    .where('ended_at_ms', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

function taskQuery({ kind }: OpenDatabase, tx: Transaction<Database>, taskId: string): Runnable {
  const query = tx.selectFrom('tasks').selectAll().where('id', '=', taskId);
  return kind === 'postgres' ? query.forUpdate() : query;
}

function deliveryQuery(
  tx: Transaction<Database>,
  attempt: AttemptRow,
  end: AttemptEnd,
  nowMs: number,
): Runnable {
  return tx
    .updateTable('deliveries')
    .set({
      status: 'Complete',
      result: end.outcome.result,
      sub_reason: end.outcome.subReason,
      result_at_ms: nowMs,
      end_at_ms: nowMs,
      call_id: attempt.call_id,
      customer_connected_at_ms: attempt.answered_at_ms,
      sip_diagnostics: end.sipDiagnostics,
      ...heardColumns(attempt, end),
      updated_at_ms: nowMs,
    })
    .where('id', '=', attempt.delivery_id);
}

/** DM-33, OUT-21. */
function heardColumns({ answered_at_ms: answeredAtMs }: AttemptRow, { heard }: AttemptEnd) {
  const { waitExceeded, speechDetected, speechStartMs } = heard;
  const isKnown = speechStartMs !== null && answeredAtMs !== null;
  return {
    exceeded_customer_wait_threshold: waitExceeded ? 1 : 0,
    speech_detected: speechDetected ? 1 : 0,
    speech_started_at_ms: isKnown ? answeredAtMs + speechStartMs : null,
  };
}

/** The network says that nobody is there: no task dials it again. */
function invalidQuery(tx: Transaction<Database>, attempt: AttemptRow, nowMs: number): Runnable {
  return tx
    .updateTable('contact_points')
    .set({ invalid_since_ms: nowMs })
    .where('id', '=', attempt.contact_point_id)
    .where('invalid_since_ms', 'is', null);
}

function countQuery(
  tx: Transaction<Database>,
  engagementId: string,
  { outcome, wasAiHandled }: AttemptEnd,
  next: NextForTask,
): Runnable {
  const leaves = next.kind === 'goOn' ? 0 : 1;
  return tx
    .updateTable('engagements')
    .set((eb) => ({
      in_flight: eb('in_flight', '-', 1),
      tasks_working: eb('tasks_working', '-', leaves),
      tasks_waiting: eb('tasks_waiting', '+', next.kind === 'wait' ? 1 : 0),
      tasks_final: eb('tasks_final', '+', next.kind === 'finish' ? 1 : 0),
      ai_handled_total: eb('ai_handled_total', '+', wasAiHandled ? 1 : 0),
      ai_failed_total: eb('ai_failed_total', '+', outcome.result === 'BotFailed' ? 1 : 0),
    }))
    .where('id', '=', engagementId);
}

function endEvents(
  { nowMs, actor }: RecordContext,
  tx: Transaction<Database>,
  attempt: AttemptRow,
  end: AttemptEnd,
  next: NextForTask,
): Runnable[] {
  const { outcome, heard } = end;
  const streamId = `task:${attempt.task_id}`;
  return eventQueries(tx, attempt.business_unit_id, nowMs, [
    recordedEvent(attempt, end, inWords(next), actor),
    ...(heard.optOutDigit === null
      ? []
      : [
          {
            streamId,
            type: 'contactPoint.optedOut',
            actor,
            payload: {
              ...{ attemptId: attempt.id, deliveryId: attempt.delivery_id },
              ...{ contactPointId: attempt.contact_point_id, digit: heard.optOutDigit },
            },
          },
        ]),
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

/** Of every attempt that was closed: who reads the log knows by it that the call is over. */
export function recordedEvent(
  attempt: Pick<AttemptRow, 'id' | 'task_id' | 'delivery_id'>,
  { outcome, wasTried }: Pick<AttemptEnd, 'outcome' | 'wasTried'>,
  next: Readonly<Record<string, unknown>>,
  actor: string,
): NewEvent {
  const { result, subReason, retryClass } = outcome;
  return {
    ...{ streamId: `task:${attempt.task_id}`, type: 'attempt.recorded', actor },
    payload: {
      ...{ attemptId: attempt.id, deliveryId: attempt.delivery_id },
      ...{ result, subReason, retryClass, wasTried, next },
    },
  };
}

/** The step as people read it; where the walk stands is the task's. */
function inWords(next: NextForTask): Readonly<Record<string, unknown>> {
  switch (next.kind) {
    case 'goOn':
      return { kind: next.kind };
    case 'wait':
      return { kind: next.kind, dueAtMs: next.dueAtMs, retryClass: next.retryClass };
    case 'finish':
      return { kind: next.kind, status: next.status, reason: next.reason };
  }
}
