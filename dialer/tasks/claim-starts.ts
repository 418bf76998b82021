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
import { DialerError } from '../../machines/errors.ts';
import type { EngagementConfig, PhoneType } from '../engagements/engagement-config.schema.ts';
import { inFlightMaxOf } from '../engagements/in-flight-max.ts';
import type { QueueFact } from '../eligibility/eligibility.ts';
import type { Window } from '../eligibility/window.ts';
import type { IdSource } from '../ids/uuid7.ts';
import { confirmEpoch, leaseQuery } from '../store/leases.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { runTogether, type Runnable } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import type { ChainProgress, ChainTarget } from './chain-walk.ts';
import type { AfterAnswer, CallToAnswer, PlanAfterAnswer } from './plan-after-answer.ts';
import { inClaim } from './claim-in-doubt.ts';
import type { decideStart } from './decide-start.ts';
import { orderInForce, type OrderSlot } from './order-places.ts';
import { describeTasks, readyHeadsQuery, type ReadyHeads } from './ready-heads.ts';
import { settleHeads, type PreparedStart } from './settle-heads.ts';
import type { TaskChange } from './task-changes.ts';
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
  /** Where the keys in force may be: looked at again under the lock. Default: the first place. */
  readonly orderSlot?: OrderSlot;
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
  /** Nothing is dialled for the task after it, should a machine answer. */
  readonly isLastAttempt: boolean;
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
  /** The do-not-call list was looked at in the same step, and the number is not on it. */
  readonly isOptedOut: false;
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
  const { businessUnitId, config, startsMax } = request;
  return inClaim(context.database, async (tx) => {
    const limit = Math.min(startsMax * HEADS_PER_START, HEADS_MAX);
    const { engagement, rows } = await lockWithHeads(context, tx, request, limit);
    const free = Math.min(startsMax, freePlaces(engagement, config));
    if (engagement.status !== 'running' || free < 1) return { starts: [], looked: 0, changes: [] };
    const tasks = rows.slice(0, free * HEADS_PER_START);
    const found = await describeTasks(tx, tasks, { businessUnitId, phoneTypes: config.phoneTypes });
    return settle(context, request, tx, found, engagement, free);
  });
}

/**
 * The same for a chain in work that goes on to its next number: its task is `working` and stays so
 * when it is started again.
 */
export async function claimNextNumber(
  context: ClaimContext,
  request: ClaimRequest & {
    readonly taskId: string;
    /** Whether and with which number it starts. Default: with the next in order. */
    readonly decide?: typeof decideStart;
  },
): Promise<ClaimResult> {
  return inClaim(context.database, async (tx) => {
    const { engagement, rows } = await lockEngagement(
      context,
      tx,
      request,
      workingQuery(context.database, tx, request.taskId),
    );
    const [task] = rows;
    if (task === undefined) return { starts: [], looked: 0, changes: [] };
    const { businessUnitId, config, decide } = request;
    const { phoneTypes } = config;
    const found = await describeTasks(tx, [task], { businessUnitId, phoneTypes });
    const free = freePlaces(engagement, config);
    return settle(context, request, tx, found, engagement, free, decide);
  });
}

/** Locked: a cancellation that is written meanwhile is seen, or finds what has become of the task. */
export function workingQuery(
  { kind }: OpenDatabase,
  tx: Transaction<Database>,
  taskId: string,
): Runnable {
  const query = tx
    .selectFrom('tasks')
    .selectAll()
    .where('id', '=', taskId)
    .where('state', '=', 'working');
  return kind === 'postgres' ? query.forUpdate() : query;
}

/** The engagement, locked, and the head of its ready tasks by the order that is in force. */
export async function lockWithHeads(
  context: ClaimContext,
  tx: Transaction<Database>,
  request: ClaimRequest,
  limit: number,
): Promise<{ readonly engagement: EngagementRow; readonly rows: readonly TaskRow[] }> {
  const { engagementId, orderSlot = 0 } = request;
  const headsIn = (slot: OrderSlot) =>
    readyHeadsQuery(context.database, tx, { engagementId, slot, limit });
  const locked = await lockEngagement(context, tx, request, headsIn(orderSlot));
  const { slot } = orderInForce(locked.engagement);
  if (slot === orderSlot) return locked;
  return { engagement: locked.engagement, rows: await headsIn(slot).execute() };
}

/**
 * The engagement's row is locked before the tasks are read, so that counts and the cap are nobody
 * else's to change. Throws LEASE_LOST when the queue group has another owner: whatever we start would
 * be started twice.
 */
export async function lockEngagement(
  { database, leaseName, fence }: ClaimContext,
  tx: Transaction<Database>,
  { engagementId, businessUnitId }: ClaimRequest,
  tasks: Runnable,
): Promise<{ readonly engagement: EngagementRow; readonly rows: readonly TaskRow[] }> {
  const query = tx
    .selectFrom('engagements')
    .selectAll()
    .where('id', '=', engagementId)
    .where('business_unit_id', '=', businessUnitId);
  const [lease, engagements, rows] = await runTogether(tx, [
    leaseQuery(database, tx, leaseName),
    database.kind === 'postgres' ? query.forUpdate() : query,
    tasks,
  ]);
  confirmEpoch(leaseName, lease, fence);
  const engagement = (engagements as readonly EngagementRow[] | undefined)?.[0];
  if (engagement === undefined) {
    throw new DialerError('NOT_FOUND', `there is no engagement ${engagementId}`);
  }
  return { engagement, rows: rows as readonly TaskRow[] };
}

function freePlaces(engagement: EngagementRow, { mode }: EngagementConfig): number {
  return inFlightMaxOf(mode) - engagement.in_flight;
}

async function settle(
  context: ClaimContext,
  request: ClaimRequest,
  tx: Transaction<Database>,
  found: ReadyHeads,
  engagement: EngagementRow,
  free: number,
  decide?: typeof decideStart,
): Promise<ClaimResult> {
  const { starts, changes } = await settleHeads(
    context,
    request,
    tx,
    found,
    engagement,
    free,
    decide,
  );
  await writeStarts(context, tx, engagement, starts, changes);
  const plans =
    starts.length === 0 ? [] : await context.planAfterAnswer(tx, starts.map(callToAnswer));
  const planned = starts.map((start, index): ClaimedStart => {
    const afterAnswer = plans[index];
    assert(afterAnswer !== undefined, 'a start without a plan for its answer');
    return { ...start, afterAnswer };
  });
  return { starts: planned, changes, looked: found.heads.length };
}

function callToAnswer({ target, ...start }: PreparedStart): CallToAnswer {
  const { attemptId, deliveryId, task, isLastAttempt } = start;
  return { attemptId, deliveryId, task, contactId: target.contactId, isLastAttempt };
}
