/**
 * What becomes of a task that breaks things: it ends as Error, with the evidence in the log, and is
 * never started again. One poisoned row must not become a crash loop.
 */
import type { Transaction } from 'kysely';
import { RECOVERED } from '../../machines/outcome-rows.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import { NOTHING_HEARD, type AttemptEnd } from '../tasks/attempt-end.ts';
import { closeAttemptIn, recordedEvent } from '../tasks/record-attempt-end.ts';
import { countLeaving } from '../tasks/release-task.ts';

/** Processes that may die in a row while working on one task. */
export const CRASHES_MAX = 2;

export interface QuarantineContext {
  readonly nowMs: number;
  readonly actor: string;
}

export interface Evidence {
  readonly why: 'chain_broke' | 'crashed_repeatedly';
  readonly detail: string;
  readonly stack?: string;
  readonly crashCount?: number;
}

/**
 * A chain that threw: its open attempt is closed as Unknown, since nobody hears of its end any more,
 * and the task with it. Parses nothing of the task: its data may be what broke it.
 */
export function quarantineBrokenChain(
  { db }: OpenDatabase,
  chain: { readonly taskId: string; readonly attemptId: string | null },
  error: unknown,
  context: QuarantineContext,
): Promise<void> {
  return db.transaction().execute(async (tx) => {
    if (chain.attemptId !== null) await closeBroken(tx, chain.attemptId, context);
    await quarantineIn(tx, chain.taskId, evidenceOf(error), context);
  });
}

/** Ends a task in work as Error. Nothing happens to one that is not in work. */
export async function quarantineIn(
  tx: Transaction<Database>,
  taskId: string,
  evidence: Evidence,
  { nowMs, actor }: QuarantineContext,
): Promise<void> {
  const task = await tx
    .updateTable('tasks')
    .set({
      state: 'final',
      status: 'Error',
      last_result: 'Error',
      quarantined: 1,
      owner_epoch: null,
      updated_at_ms: nowMs,
    })
    .where('id', '=', taskId)
    .where('state', '=', 'working')
    .returning(['engagement_id', 'business_unit_id'])
    .executeTakeFirst();
  if (task === undefined) return;
  await countLeaving(tx, task, 'tasks_final');
  const streamId = `task:${taskId}`;
  const reason = 'quarantined';
  await appendEvents(tx, task.business_unit_id, nowMs, [
    { streamId, type: 'task.quarantined', actor, payload: { ...evidence } },
    {
      streamId,
      type: 'task.finished',
      actor,
      before: { status: 'InProcess' },
      after: { status: 'Error' },
      payload: { result: 'Error', subReason: null, reason },
    },
  ]);
}

async function closeBroken(
  tx: Transaction<Database>,
  attemptId: string,
  { nowMs, actor }: QuarantineContext,
): Promise<void> {
  const { row, retryClass, advice } = RECOVERED;
  const end: AttemptEnd = {
    attemptId,
    outcome: { ...RECOVERED, warnings: ['no_end_record'], redress: null },
    wasTried: true,
    sipDiagnostics: null,
    evidence: JSON.stringify({ row, retryClass, advice, warnings: ['no_end_record'] }),
    wasAiHandled: false,
    heard: NOTHING_HEARD,
  };
  const attempt = await closeAttemptIn(tx, end, nowMs);
  if (attempt === undefined) return;
  const next = { kind: 'finish', status: 'Error', reason: 'quarantined' };
  await appendEvents(tx, attempt.business_unit_id, nowMs, [
    recordedEvent(attempt, end, next, actor),
  ]);
  await tx
    .updateTable('engagements')
    .set((eb) => ({ in_flight: eb('in_flight', '-', 1) }))
    .where('id', '=', attempt.engagement_id)
    .execute();
}

/** Frames of a stack that are kept: enough to find the place, without filling the log. */
const STACK_CHARS_MAX = 4_000;

function evidenceOf(error: unknown): Evidence {
  if (!(error instanceof Error)) return { why: 'chain_broke', detail: String(error) };
  const { message: detail, stack = '' } = error;
  return { why: 'chain_broke', detail, stack: stack.slice(0, STACK_CHARS_MAX) };
}
