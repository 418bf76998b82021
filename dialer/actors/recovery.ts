/**
 * What a process does first with what the one before it left: tasks in work and attempts without an
 * end. Nothing is dialled for them; each open attempt is asked about at its gateway, under the new
 * fence, by the machine that would have worked it. Done twice, or broken off, it does no harm.
 */
import assert from 'node:assert/strict';
import { sql, type Kysely, type Transaction } from 'kysely';
import {
  agentVerdictIn,
  ANSWERED_BY_ATTRIBUTE,
  MESSAGE_LEFT_ATTRIBUTE,
} from '../../machines/agent-verdict.ts';
import {
  emptyEvidence,
  withAgentVerdict,
  withEvent,
  type AttemptEvidence,
} from '../../machines/attempt-evidence.ts';
import { lastPlaceOf } from '../../machines/attempt-event-place.ts';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { AttemptRow, TaskRow } from '../store/schema/task-tables.ts';
import type { RepresentativeDesk } from '../representatives/representative-desk.ts';
import { releaseIn } from '../tasks/release-task.ts';
import type { ChainRegistry } from './chain-registry.ts';
import { answerPlanOf, callPlanOf } from './claim-context.ts';
import type { DialerParts } from './dialer-parts.ts';
import type { EngagementRuntime } from './engagement-runtime.ts';
import type { EngagementRuntimes } from './engagement-runtimes.ts';
import { CRASHES_MAX, quarantineBrokenChain, quarantineIn } from './quarantine.ts';
import { startInLobby } from './seats.ts';
import { recoveredStartOf } from './start-attempt.ts';

export interface RecoveryParts extends DialerParts {
  readonly runtimes: EngagementRuntimes;
  readonly registry: ChainRegistry;
  readonly occupy: (trunk: string) => void;
  /** Who is on a call, or has one dialled for them, has been taken over before. */
  readonly desk: Pick<RepresentativeDesk, 'get' | 'whoHas' | 'attemptOver'>;
}

export interface RecoveryReport {
  /** Attempts that had no end: their gateways are being asked. */
  readonly attemptsOpen: number;
  /** Tasks that were between two attempts: ready again. */
  readonly tasksReleased: number;
  /** Tasks at whose side processes died once too often: final. */
  readonly tasksQuarantined: number;
}

/** Tasks looked at in one transaction. */
const BATCH = 200;

export async function recover(parts: RecoveryParts): Promise<RecoveryReport> {
  let tasksReleased = 0;
  let tasksQuarantined = 0;
  for (let more = true; more;) {
    const done = await parts.database.db.transaction().execute((tx) => takeOverTasks(tx, parts));
    tasksReleased += done.released;
    tasksQuarantined += done.quarantined;
    more = done.seen === BATCH;
  }
  const found = await readOpenAttempts(parts.database);
  for (const [engagementId, attempts] of byEngagement(found)) {
    await resumeAll(parts, engagementId, attempts);
  }
  return { attemptsOpen: found.length, tasksReleased, tasksQuarantined };
}

interface TakenOver {
  readonly seen: number;
  readonly released: number;
  readonly quarantined: number;
}

/** Counts the crash, once for each epoch, and settles the tasks that have no attempt open. */
export async function takeOverTasks(
  tx: Transaction<Database>,
  { lease, clock, actor }: Pick<RecoveryParts, 'lease' | 'actor'> & { clock: { now(): number } },
): Promise<TakenOver> {
  const nowMs = clock.now();
  const left = await tx
    .selectFrom('tasks')
    .select(['id', 'business_unit_id', 'status', 'crash_count', 'owner_epoch'])
    .where('state', '=', sql.lit('working')) // a bound value would not match the partial index
    .where((eb) => eb.or([eb('owner_epoch', 'is', null), eb('owner_epoch', '<>', lease.epoch)]))
    .limit(BATCH)
    .execute();
  const withAttempt = await tasksWithOpenAttempt(
    tx,
    left.map(({ id }) => id),
  );
  let released = 0;
  let quarantined = 0;
  for (const task of left) {
    // One that was only shown to somebody brought no process down.
    const crashCount = task.crash_count + (task.status === 'Pending' ? 0 : 1);
    const isPoison = crashCount >= CRASHES_MAX;
    await takeOver(tx, task, crashCount, { epoch: lease.epoch, nowMs, actor });
    if (withAttempt.has(task.id)) {
      if (isPoison) await suspect(tx, task, crashCount, { nowMs, actor });
      continue;
    }
    if (isPoison) {
      await quarantineIn(tx, task.id, crashEvidence(crashCount), { nowMs, actor });
      quarantined += 1;
    } else {
      await releaseIn(tx, task.id, 'recovered', { nowMs, actor });
      released += 1;
    }
  }
  return { seen: left.length, released, quarantined };
}

function crashEvidence(crashCount: number) {
  const detail = `${crashCount} processes in a row died while working on it`;
  return { why: 'crashed_repeatedly', detail, crashCount } as const;
}

async function takeOver(
  tx: Transaction<Database>,
  task: Pick<TaskRow, 'id' | 'business_unit_id' | 'owner_epoch'>,
  crashCount: number,
  { epoch, nowMs, actor }: { epoch: number; nowMs: number; actor: string },
): Promise<void> {
  await tx
    .updateTable('tasks')
    .set({
      crash_count: crashCount,
      quarantined: crashCount >= CRASHES_MAX ? 1 : 0,
      owner_epoch: epoch,
      updated_at_ms: nowMs,
    })
    .where('id', '=', task.id)
    .execute();
  const payload = { crashCount, fromEpoch: task.owner_epoch, epoch };
  const event = { streamId: `task:${task.id}`, type: 'task.recovered', actor, payload };
  await appendEvents(tx, task.business_unit_id, nowMs, [event]);
}

/** One that has an attempt open goes on until that has ended, and is started no more after it. */
function suspect(
  tx: Transaction<Database>,
  task: Pick<TaskRow, 'id' | 'business_unit_id'>,
  crashCount: number,
  { nowMs, actor }: { nowMs: number; actor: string },
): Promise<void> {
  const payload = crashEvidence(crashCount);
  const event = { streamId: `task:${task.id}`, type: 'task.quarantined', actor, payload };
  return appendEvents(tx, task.business_unit_id, nowMs, [event]);
}

async function tasksWithOpenAttempt(
  tx: Transaction<Database>,
  taskIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (taskIds.length === 0) return new Set();
  const rows = await tx
    .selectFrom('attempts')
    .select('task_id')
    .where('ended_at_ms', 'is', null)
    .where('task_id', 'in', [...taskIds])
    .execute();
  return new Set(rows.map((row) => row.task_id));
}

type OpenAttemptRow = AttemptRow & { readonly number: string };

function readOpenAttempts({ db }: OpenDatabase): Promise<OpenAttemptRow[]> {
  return db
    .selectFrom('attempts')
    .innerJoin('contact_points', 'contact_points.id', 'attempts.contact_point_id')
    .selectAll('attempts')
    .select('contact_points.value as number')
    .where('attempts.ended_at_ms', 'is', null)
    .orderBy('attempts.id')
    .execute();
}

function byEngagement(
  attempts: readonly OpenAttemptRow[],
): ReadonlyMap<string, readonly OpenAttemptRow[]> {
  const groups = new Map<string, OpenAttemptRow[]>();
  for (const attempt of attempts) {
    const group = groups.get(attempt.engagement_id);
    if (group === undefined) groups.set(attempt.engagement_id, [attempt]);
    else group.push(attempt);
  }
  return groups;
}

/** An engagement or a task that cannot be read is put aside, and keeps nobody else from going on. */
async function resumeAll(
  parts: RecoveryParts,
  engagementId: string,
  attempts: readonly OpenAttemptRow[],
): Promise<void> {
  let runtime: EngagementRuntime;
  try {
    runtime = await parts.runtimes.load(engagementId, attempts.length);
  } catch (error) {
    for (const attempt of attempts) await putAside(parts, attempt, error);
    return;
  }
  for (const attempt of attempts) {
    parts.occupy(attempt.trunk);
    try {
      await resume(parts, runtime, attempt);
    } catch (error) {
      await putAside(parts, attempt, error);
      runtime.callEnded(attempt.trunk, attempt.task_id);
    }
  }
}

async function resume(
  parts: RecoveryParts,
  runtime: EngagementRuntime,
  attempt: OpenAttemptRow,
): Promise<void> {
  const { database, lease, registry } = parts;
  const { db } = database;
  const events = await db
    .selectFrom('events')
    .select('payload')
    .where('business_unit_id', '=', attempt.business_unit_id)
    .where('stream_id', '=', `attempt:${attempt.id}`)
    .orderBy('stream_seq')
    .execute();
  const { isCancelled, afterAnswer } = await db.transaction().execute(async (tx) => {
    const task = await tx
      .selectFrom('tasks')
      .selectAll()
      .where('id', '=', attempt.task_id)
      .executeTakeFirstOrThrow();
    assert(task.state === 'working', `task ${task.id} is ${task.state} and has an attempt open`);
    const contactId = await contactOf(tx, attempt);
    const { id: attemptId, delivery_id: deliveryId } = attempt;
    const plan = answerPlanOf(parts, runtime.facts);
    // What is not known any more is not the last attempt: no message is left twice.
    const call = { attemptId, deliveryId, task, contactId, isLastAttempt: false };
    const [planned] = await plan(tx, [call]);
    assert(planned !== undefined, 'a call without a plan for its answer');
    return { isCancelled: task.cancel_requested_at_ms !== null, afterAnswer: planned };
  });
  const said = await agentVerdictOf(db, attempt.delivery_id);
  const stored = events.map(({ payload }) => JSON.parse(payload) as AttemptEvent);
  const evidence = foldEvents(stored);
  const start = recoveredStartOf(
    {
      attempt,
      number: attempt.number,
      evidence: said === undefined ? evidence : withAgentVerdict(evidence, said, events.length),
      eventsStored: events.length,
      heard: lastPlaceOf(stored),
      afterAnswer,
      fence: lease.epoch,
    },
    callPlanOf(parts, runtime.facts, attempt.gateway_id),
  );
  const { business_unit_id: businessUnitId, engagement_id: engagementId, trunk } = attempt;
  const lobbyId = lobbyFor(parts, attempt);
  registry.start(
    { taskId: attempt.task_id, businessUnitId, engagementId, trunk },
    lobbyId === null ? start : startInLobby(start, lobbyId, true),
  );
  const isAnswered = attempt.answered_at_ms !== null;
  runtime.recovered(attempt.task_id, attempt.id, attempt.gateway_id, isAnswered);
  if (isCancelled) registry.cancel(attempt.task_id, 'cancelled');
  // Whoever dialled it was let go with the process: nobody is there for whoever answers.
  else if (runtime.preview !== undefined && !isAnswered) {
    registry.cancel(attempt.task_id, 'dialer_recall');
  }
}

/** Of the representative for whom it is dialled, who waits for whoever answers. */
function lobbyFor({ desk }: RecoveryParts, { id }: AttemptRow): string | null {
  const representativeId = desk.whoHas(id);
  const person = representativeId === undefined ? undefined : desk.get(representativeId);
  return person?.work === 'reserved' ? person.lobbyId : null;
}

async function contactOf(tx: Transaction<Database>, attempt: AttemptRow): Promise<string> {
  const delivery = await tx
    .selectFrom('deliveries')
    .select('contact_id')
    .where('id', '=', attempt.delivery_id)
    .executeTakeFirstOrThrow();
  return delivery.contact_id;
}

/** What an AI agent returned is not in the log of events, where it could not be erased. */
async function agentVerdictOf(db: Kysely<Database>, deliveryId: string) {
  const rows = await db
    .selectFrom('delivery_attributes')
    .select(['keyword', 'value'])
    .where('delivery_id', '=', deliveryId)
    .where('type', '=', 'Result')
    .where('keyword', 'in', [ANSWERED_BY_ATTRIBUTE, MESSAGE_LEFT_ATTRIBUTE])
    .execute();
  return agentVerdictIn(Object.fromEntries(rows.map(({ keyword, value }) => [keyword, value])));
}

/** Their place in the log numbers them: each owner's sequence began at 1 again. */
export function foldEvents(events: readonly AttemptEvent[]): AttemptEvidence {
  return events.reduce(
    (evidence, event, index) => withEvent(evidence, { ...event, seq: index + 1 }),
    emptyEvidence(),
  );
}

async function putAside(
  { database, clock, actor, log, desk }: RecoveryParts,
  { id: attemptId, task_id: taskId }: AttemptRow,
  error: unknown,
): Promise<void> {
  log.error({ taskId, attemptId, error }, 'an open attempt cannot be recovered');
  await quarantineBrokenChain(database, { taskId, attemptId }, error, {
    nowMs: clock.now(),
    actor,
  });
  desk.attemptOver(attemptId);
}
