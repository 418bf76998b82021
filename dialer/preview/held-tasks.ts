/**
 * Tasks that are shown to representatives: in work, and without an attempt. One is held while nobody
 * else may start it, dialled by a claim that asks for its eligibility anew, and given back when no call
 * came of it. A held task is still `Pending`: nothing has been attempted.
 */
import { sql, type Transaction } from 'kysely';
import type { Window } from '../eligibility/window.ts';
import { appendEvents } from '../store/event-log.ts';
import type { Database } from '../store/schema/database.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import type { ChainProgress } from '../tasks/chain-walk.ts';
import {
  lockEngagement,
  lockWithHeads,
  workingQuery,
  type ClaimContext,
  type ClaimRequest,
} from '../tasks/claim-starts.ts';
import { decideStart } from '../tasks/decide-start.ts';
import { describeTasks } from '../tasks/ready-heads.ts';
import { changeOf, factsOf, numberOf } from '../tasks/settle-heads.ts';
import { finalStatus, type TaskChange } from '../tasks/task-changes.ts';
import { writeStarts } from '../tasks/write-starts.ts';
import type { ShownNumber } from './decide-shown.ts';

export interface HeldTask {
  readonly taskId: string;
  /** In which the call may start. */
  readonly window: Window;
  /** Where its walk stands: shown, and dialled unless another number of the contact is chosen. */
  readonly target: ShownNumber;
}

export interface Held {
  readonly tasks: readonly HeldTask[];
  readonly changes: readonly TaskChange[];
}

/** Heads looked at for each that is wanted: some may turn out not to be eligible. */
const HEADS_PER_OFFER = 2;

/** Takes up to `startsMax` tasks that could be dialled now. Throws LEASE_LOST. */
export function holdTasks(context: ClaimContext, request: ClaimRequest): Promise<Held> {
  const { database, nowMs } = context;
  const { businessUnitId, config, startsMax } = request;
  return database.db.transaction().execute(async (tx) => {
    const limit = startsMax * HEADS_PER_OFFER;
    const { engagement, rows } = await lockWithHeads(context, tx, request, limit);
    if (engagement.status !== 'running') return { tasks: [], changes: [] };
    const { phoneTypes } = config;
    const found = await describeTasks(tx, rows, { businessUnitId, phoneTypes });
    const changes: TaskChange[] = [];
    const held: { readonly task: TaskRow; readonly progress: ChainProgress }[] = [];
    const tasks: HeldTask[] = [];
    const wanted = new Set<string>();
    for (const head of found.heads) {
      if (held.length >= startsMax) break;
      const facts = factsOf(context, request, found, engagement, 1, wanted);
      const decided = decideStart(head, facts, nowMs);
      const change = changeOf(head, decided);
      if (change !== undefined) changes.push(neverAccepted(change));
      else if (decided.decision.decide === 'start') {
        const { target, window } = decided.decision;
        wanted.add(numberOf(found.points, target));
        held.push({ task: head.task, progress: decided.progress });
        tasks.push({ taskId: head.task.id, window, target });
      }
    }
    await writeStarts(context, tx, engagement, [], changes);
    await writeHeld(context, tx, held);
    return { changes, tasks };
  });
}

/** Nobody accepted it before its windows ended: `Terminated` and not `Expired` (DM-16, spec E.1). */
function neverAccepted(change: TaskChange): TaskChange {
  if (change.kind !== 'finished' || change.result !== 'Expired') return change;
  return { ...change, result: 'Terminated', status: finalStatus('Terminated') };
}

/** With the numbers that were passed over: what is shown is what its walk has come to. */
async function writeHeld(
  { nowMs, fence, actor }: ClaimContext,
  tx: Transaction<Database>,
  held: readonly { readonly task: TaskRow; readonly progress: ChainProgress }[],
): Promise<void> {
  const [first] = held.map(({ task }) => task);
  if (first === undefined) return;
  const ids = held.map(({ task }) => task.id);
  const values = held.map(
    ({ task, progress }) => sql`(${task.id}, ${JSON.stringify(progress)}, ${progress.loop})`,
  );
  await sql`with held (id, progress, loop) as (values ${sql.join(values)})
    update tasks set state = 'working', progress = held.progress,
      loop = cast(held.loop as integer), owner_epoch = ${fence}, updated_at_ms = ${nowMs}
    from held where tasks.id = held.id`.execute(tx);
  await tx
    .updateTable('engagements')
    .set((eb) => ({
      tasks_ready: eb('tasks_ready', '-', ids.length),
      tasks_working: eb('tasks_working', '+', ids.length),
    }))
    .where('id', '=', first.engagement_id)
    .execute();
  const events = ids.map((id) => ({ streamId: `task:${id}`, type: 'task.held', actor }));
  await appendEvents(tx, first.business_unit_id, nowMs, events);
}

export interface GivingBack {
  readonly taskId: string;
  /** Somebody has accepted it, and did not start the call. */
  readonly wasAccepted: boolean;
  /** Not offered again before this; now, or earlier: at once. Epoch ms. */
  readonly notBeforeMs: number;
}

/**
 * Where a held task goes: back among the ready or the waiting, or to its end when it was cancelled or
 * its windows are over. Nothing happens to one that is not in work. Answers what became of it.
 */
export function giveBackTask(
  context: ClaimContext,
  request: ClaimRequest,
  { taskId, wasAccepted, notBeforeMs }: GivingBack,
): Promise<TaskChange | undefined> {
  const { database, nowMs } = context;
  const { businessUnitId, config } = request;
  return database.db.transaction().execute(async (tx) => {
    const query = workingQuery(database, tx, taskId);
    const { engagement, rows } = await lockEngagement(context, tx, request, query);
    const found = await describeTasks(tx, rows, { businessUnitId, phoneTypes: config.phoneTypes });
    const [head] = found.heads;
    if (head === undefined) return undefined;
    // Without a place nothing starts: what is decided is where it waits, or how it ends.
    const facts = factsOf(context, request, found, engagement, 0, new Set());
    const change = changeOf(head, decideStart(head, facts, nowMs));
    if (change === undefined) throw new Error(`task ${taskId} would start without a place`);
    const rested = resting(change, Math.min(notBeforeMs, head.expiresAtMs));
    const settled = wasAccepted ? rested : neverAccepted(rested);
    await writeStarts(context, tx, engagement, [], [settled]);
    return settled;
  });
}

function resting(change: TaskChange, notBeforeMs: number): TaskChange {
  if (change.kind !== 'postponed' || change.reason !== 'no_capacity') return change;
  return { ...change, untilMs: Math.max(change.untilMs, notBeforeMs), reason: 'not_accepted' };
}

/** Tasks held under this lease, by whoever: also by a transaction whose answer was lost. */
export async function heldTaskIds(
  { database, fence }: Pick<ClaimContext, 'database' | 'fence'>,
  engagementId: string,
): Promise<readonly string[]> {
  const rows = await database.db
    .selectFrom('tasks')
    .select('id')
    .where('state', '=', sql.lit('working')) // a bound value would not match the partial index
    .where('status', '=', 'Pending')
    .where('owner_epoch', '=', fence)
    .where('engagement_id', '=', engagementId)
    .execute();
  return rows.map(({ id }) => id);
}
