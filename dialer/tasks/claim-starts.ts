/**
 * Claims tasks for dialing: the one transaction before an INVITE. What it commits (the attempt with
 * its fence, the number's guard, the delivery, the events) is on disk before the gateway hears of
 * it, so a crash may lose the record of a call's end but never dial twice.
 *
 * One transaction claims several starts at once: eligibility is asked for each, and a number that
 * one of them takes is in flight for those behind it.
 */
import assert from 'node:assert/strict';
import type { Transaction } from 'kysely';
import type { EngagementConfig, PhoneType } from '../engagements/engagement-config.schema.ts';
import type { QueueFact } from '../eligibility/eligibility.ts';
import type { Window } from '../eligibility/window.ts';
import type { IdSource } from '../ids/uuid7.ts';
import { takeNumber } from '../store/number-guards.ts';
import { confirmLease } from '../store/leases.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { ContactPointRow } from '../store/schema/contact-tables.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import type { ChainProgress, ChainTarget } from './chain-walk.ts';
import type { AfterAnswer, CallToAnswer, PlanAfterAnswer } from './plan-after-answer.ts';
import { decideStart, type CommonFacts } from './decide-start.ts';
import { describeTasks, readReadyHeads, type ReadyHead, type ReadyHeads } from './ready-heads.ts';
import { finishTask, postponeTask, type TaskChange } from './task-changes.ts';
import { writeStarts } from './write-starts.ts';

export interface ClaimContext {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: number;
  /** Queue group under whose lease this is done: nothing is started once it has passed on. */
  readonly leaseName: string;
  /** Epoch of that lease: the fence of every attempt made here. */
  readonly fence: number;
  readonly gatewayId: string;
  readonly trunk: string;
  readonly fromAddress: string;
  /** Least time between two attempts to one number. ms */
  readonly numberGapMinMs: number;
  /** `dialer:<id>`, for the event log. */
  readonly actor: string;
  readonly machineVersion: string;
  readonly planAfterAnswer: PlanAfterAnswer;
}

export interface ClaimRequest {
  readonly businessUnitId: string;
  readonly engagementId: string;
  readonly config: EngagementConfig;
  readonly queue: QueueFact;
  /** Starts wanted; fewer when fewer are eligible. */
  readonly startsMax: number;
}

/** A start that is on disk, and may now be dialled. */
export interface ClaimedStart {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly fence: number;
  readonly task: TaskRow;
  readonly target: ChainTarget;
  readonly progress: ChainProgress;
  readonly phoneType: PhoneType;
  readonly number: string;
  readonly window: Window;
  readonly seqNo: number;
  /** What is done with whoever answers. */
  readonly afterAnswer: AfterAnswer;
  /** What was known when it was decided; for the event log. */
  readonly because: StartFacts;
}

export interface StartFacts {
  readonly queue: QueueFact['kind'];
  /** Of the same number, by whichever engagement; null: never dialled. */
  readonly previousAttemptAtMs: number | null;
  readonly numberGapMinMs: number;
  /** Calls in flight of this engagement before this one, and how many there may be. */
  readonly inFlight: number;
  readonly inFlightMax: number;
}

export interface ClaimResult {
  readonly starts: readonly ClaimedStart[];
  /** Heads looked at; fewer than asked for means that nothing more is ready. */
  readonly looked: number;
  readonly changes: readonly TaskChange[];
}

/** Heads looked at for each start wanted: some may turn out not to be eligible. */
const HEADS_PER_START = 2;
const HEADS_MAX = 200;

export async function claimStarts(
  context: ClaimContext,
  request: ClaimRequest,
): Promise<ClaimResult> {
  const { database } = context;
  return database.db.transaction().execute(async (tx) => {
    const engagement = await lockEngagement(context, tx, request);
    const free = Math.min(request.startsMax, freePlaces(engagement, request.config));
    if (engagement.status !== 'running' || free < 1) return { starts: [], looked: 0, changes: [] };
    const found = await readReadyHeads(database, tx, {
      businessUnitId: request.businessUnitId,
      engagementId: request.engagementId,
      phoneTypes: request.config.phoneTypes,
      limit: Math.min(free * HEADS_PER_START, HEADS_MAX),
    });
    return settle(context, request, tx, found, engagement, free);
  });
}

/**
 * The same for a chain in work that goes on to its next number: its task is `working` and stays so
 * when it is started again.
 */
export async function claimNextNumber(
  context: ClaimContext,
  request: ClaimRequest & { readonly taskId: string },
): Promise<ClaimResult> {
  return context.database.db.transaction().execute(async (tx) => {
    const engagement = await lockEngagement(context, tx, request);
    const task = await tx
      .selectFrom('tasks')
      .selectAll()
      .where('id', '=', request.taskId)
      .where('state', '=', 'working')
      .executeTakeFirst();
    if (task === undefined) return { starts: [], looked: 0, changes: [] };
    const { businessUnitId, config } = request;
    const found = await describeTasks(tx, [task], {
      businessUnitId,
      phoneTypes: config.phoneTypes,
    });
    const free = freePlaces(engagement, config);
    return settle(context, request, tx, found, engagement, free);
  });
}

/**
 * The row is locked first, so that counts and the cap are nobody else's to change. Throws LEASE_LOST
 * when the queue group has another owner: whatever we start would be started twice.
 */
async function lockEngagement(
  { database, leaseName, fence }: ClaimContext,
  tx: Transaction<Database>,
  request: ClaimRequest,
): Promise<EngagementRow> {
  await confirmLease(database, tx, leaseName, fence);
  const query = tx
    .selectFrom('engagements')
    .selectAll()
    .where('id', '=', request.engagementId)
    .where('business_unit_id', '=', request.businessUnitId);
  const locked = database.kind === 'postgres' ? query.forUpdate() : query;
  return locked.executeTakeFirstOrThrow();
}

function freePlaces(engagement: EngagementRow, { mode }: EngagementConfig): number {
  return mode.maxConcurrentCalls - engagement.in_flight;
}

type Prepared = Omit<ClaimedStart, 'afterAnswer'>;

interface Settled {
  readonly starts: Prepared[];
  readonly changes: TaskChange[];
}

async function settle(
  context: ClaimContext,
  request: ClaimRequest,
  tx: Transaction<Database>,
  found: ReadyHeads,
  engagement: EngagementRow,
  free: number,
): Promise<ClaimResult> {
  const settled: Settled = { starts: [], changes: [] };
  for (const head of found.heads) {
    // A chain in work is always decided: without a place it goes back among the ready.
    if (settled.starts.length >= free && head.task.state === 'ready') break;
    const facts = commonFacts(context, request, found, engagement, free - settled.starts.length);
    await settleHead(context, tx, found, head, facts, settled);
  }
  await writeStarts(context, tx, engagement, settled.starts, settled.changes);
  const plans =
    settled.starts.length === 0
      ? []
      : await context.planAfterAnswer(tx, settled.starts.map(callToAnswer));
  const starts = settled.starts.map((start, index): ClaimedStart => {
    const afterAnswer = plans[index];
    assert(afterAnswer !== undefined, 'a start without a plan for its answer');
    return { ...start, afterAnswer };
  });
  return { starts, changes: settled.changes, looked: found.heads.length };
}

async function settleHead(
  context: ClaimContext,
  tx: Transaction<Database>,
  found: ReadyHeads,
  head: ReadyHead,
  facts: ClaimFacts,
  settled: Settled,
): Promise<void> {
  const { decision, progress } = decideStart(head, facts, context.nowMs);
  const change = { task: head.task, progress };
  if (decision.decide === 'finish') {
    settled.changes.push(finishTask(change, decision));
    return;
  }
  if (decision.decide === 'postpone') {
    settled.changes.push(postponeTask(change, decision));
    return;
  }
  const attemptId = context.ids.id();
  const number = numberOf(found.points, decision.target);
  const { nowMs, numberGapMinMs: gapMinMs } = context;
  if (!(await takeNumber(tx, { number, attemptId, nowMs, gapMinMs }))) {
    await settleHead(
      context,
      tx,
      found,
      head,
      takenMeanwhile(facts, decision.target, nowMs),
      settled,
    );
    return;
  }
  const { lastAttemptAtMs } = facts.numberOf(decision.target.contactPointId);
  settled.starts.push({
    attemptId,
    deliveryId: context.ids.id(),
    fence: context.fence,
    task: head.task,
    target: decision.target,
    progress,
    phoneType: decision.target.phoneType,
    number,
    window: decision.window,
    seqNo: head.task.attempt_count + 1,
    because: {
      queue: facts.queue.kind,
      previousAttemptAtMs: lastAttemptAtMs,
      numberGapMinMs: gapMinMs,
      inFlight: facts.inFlight + settled.starts.length,
      inFlightMax: facts.inFlightMax,
    },
  });
}

/** Another transaction, or an earlier head of this one, took the number since the facts were read. */
function takenMeanwhile(
  facts: ClaimFacts,
  { contactPointId }: ChainTarget,
  nowMs: number,
): ClaimFacts {
  const numberOf = (id: string): ReturnType<CommonFacts['numberOf']> => {
    const known = facts.numberOf(id);
    return id === contactPointId ? { ...known, isInFlight: true, lastAttemptAtMs: nowMs } : known;
  };
  return { ...facts, numberOf };
}

function callToAnswer({ attemptId, deliveryId, task, target }: Prepared): CallToAnswer {
  return { attemptId, deliveryId, task, contactId: target.contactId };
}

function numberOf(points: ReadonlyMap<string, ContactPointRow>, target: ChainTarget): string {
  const point = points.get(target.contactPointId);
  if (point === undefined) throw new Error(`contact point ${target.contactPointId} is gone`);
  return point.value;
}

interface ClaimFacts extends CommonFacts {
  readonly inFlight: number;
  readonly inFlightMax: number;
}

function commonFacts(
  context: ClaimContext,
  request: ClaimRequest,
  found: ReadyHeads,
  engagement: EngagementRow,
  capacityFree: number,
): ClaimFacts {
  return {
    inFlight: engagement.in_flight,
    inFlightMax: request.config.mode.maxConcurrentCalls,
    engagement: engagement.status as CommonFacts['engagement'],
    queue: request.queue,
    capacityFree,
    reattempt: request.config.reattempt,
    numberOf: (contactPointId) => {
      const point = found.points.get(contactPointId);
      const known = found.numbers.get(point?.value ?? '');
      return {
        isDialable: point !== undefined && point.value !== '' && point.invalid_since_ms === null,
        isInFlight: known?.isInFlight ?? false,
        lastAttemptAtMs: known?.lastAttemptAtMs ?? null,
        gapMinMs: context.numberGapMinMs,
      };
    },
  };
}
