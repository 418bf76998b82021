/**
 * The `store` actor of every chain: carries its orders out in the store, and answers each. What is
 * written here decides what the chain does next.
 */
import { fromCallback } from 'xstate';
import type {
  ChainNext,
  ChainOrder,
  ContactChainEvent,
} from '../../machines/contact-chain.events.ts';
import type { CallAttemptOutput } from '../../machines/call-attempt.events.ts';
import type { RefusalCode } from '../../machines/command-reply.ts';
import { DialerError } from '../../machines/errors.ts';
import type { OptOutKeeper } from '../opt-outs/opt-out-keeper.ts';
import { isDefect } from '../store/store-defect.ts';
import { attemptEndOf, takenBack, type AttemptEnd } from '../tasks/attempt-end.ts';
import { ClaimInDoubt } from '../tasks/claim-in-doubt.ts';
import { claimNextNumber } from '../tasks/claim-starts.ts';
import { recordAttemptEnd } from '../tasks/record-attempt-end.ts';
import { releaseTask } from '../tasks/release-task.ts';
import type { AttemptJournal } from './attempt-journal.ts';
import type { ChainRegistry, LiveChain } from './chain-registry.ts';
import { callPlanOf, claimContextOf, claimRequestOf } from './claim-context.ts';
import { recordContextOf, type DialerParts } from './dialer-parts.ts';
import type { EngagementRuntime } from './engagement-runtime.ts';
import { settleClaim } from './settle-claim.ts';
import { chainStartOf } from './start-attempt.ts';
import type { TrunkBudget } from './trunk-budget.ts';

export interface ChainStoreParts extends DialerParts {
  readonly registry: ChainRegistry;
  readonly journal: AttemptJournal;
  readonly optOuts: Pick<OptOutKeeper, 'ensure'>;
  /** Loaded before any chain of it is started. */
  readonly runtimeOf: (engagementId: string) => EngagementRuntime;
  readonly budgetOf: (trunk: string) => TrunkBudget;
  /** Its end is on disk, whether its gateway has told of it or not. */
  readonly onAttemptOver: (attemptId: string) => void;
}

export type ChainStoreLogic = ReturnType<typeof chainStore>;

/** `parts` is a function since registry and store are made for each other. */
export function chainStore(parts: () => ChainStoreParts) {
  return fromCallback<ChainOrder, { taskId: string }>(
    ({ input: { taskId }, receive, sendBack }) => {
      receive((order) => {
        const all = parts();
        all.work.run(async () => {
          const answer = await answerTo(all, taskId, order);
          if (answer !== undefined) sendBack(answer);
        });
      });
    },
  );
}

/** Undefined when the chain is gone: nobody waits for an answer. */
async function answerTo(
  parts: ChainStoreParts,
  taskId: string,
  order: ChainOrder,
): Promise<ContactChainEvent | undefined> {
  const chain = parts.registry.get(taskId);
  if (chain === undefined) return undefined;
  try {
    return await carryOut(parts, chain, order);
  } catch (error) {
    if (isDefect(error)) {
      parts.registry.breakOff(taskId, error);
      return undefined;
    }
    if (error instanceof DialerError && error.code === 'LEASE_LOST') parts.onLeaseLost(error);
    parts.log.warn({ taskId, order: order.type, error }, 'the store failed, and is asked again');
    return { type: 'store.failed', detail: String(error) };
  }
}

function carryOut(
  parts: ChainStoreParts,
  chain: LiveChain,
  order: ChainOrder,
): Promise<ContactChainEvent> {
  switch (order.type) {
    case 'chain.record':
      learn(parts, chain, order.attempt);
      return record(parts, chain, order.deliveryId, attemptEndOf(order.attempt));
    case 'chain.takeBack':
      return record(parts, chain, order.deliveryId, takenBack(order.attemptId, order.reason));
    case 'chain.claimNext':
      return claimNext(parts, chain);
  }
}

/** Refusals that are about the trunk or the switch, and not about this call. */
const TRUNK_REFUSALS: readonly (RefusalCode | undefined)[] = [
  'TRUNK_DOWN',
  'SWITCH_DOWN',
  'TRUNK_CHANNELS_EXHAUSTED',
  'TRUNK_RATE_LIMITED',
];

function learn(
  { budgetOf, clock }: ChainStoreParts,
  { trunk }: LiveChain,
  { evidence }: CallAttemptOutput,
): void {
  if (TRUNK_REFUSALS.includes(evidence.refused?.code)) budgetOf(trunk).refused(clock.now());
  else if (evidence.sent !== null) budgetOf(trunk).works();
}

async function record(
  parts: ChainStoreParts,
  chain: LiveChain,
  deliveryId: string,
  end: AttemptEnd,
): Promise<ContactChainEvent> {
  // What the gateway said stands in the log before the Result that was made of it.
  await parts.journal.flushed();
  const { optOutDigit } = end.heard;
  if (optOutDigit !== null) await parts.optOuts.ensure(end.attemptId, optOutDigit);
  const runtime = parts.runtimeOf(chain.engagementId);
  const { config } = runtime.facts;
  const recorded = await recordAttemptEnd(recordContextOf(parts), config, end);
  const { attemptId, outcome } = end;
  parts.registry.attemptClosed(attemptId);
  parts.onAttemptOver(attemptId);
  const next = recorded?.next ?? (await nextAsStored(parts, chain.taskId));
  const { taskId, businessUnitId, engagementId } = chain;
  const { result, subReason } = outcome;
  parts.news.tell({
    ...{ type: 'attempt.recorded', taskId, businessUnitId, engagementId },
    ...{ attemptId, deliveryId, result, subReason, waitExceeded: end.heard.waitExceeded },
  });
  if (recorded?.suspension != null) runtime.suspended(recorded.suspension);
  if (next.kind === 'wait') parts.onWaiting();
  return { type: 'store.recorded', next };
}

/** The end was written before, by a transaction whose answer was lost: the row knows what was decided. */
async function nextAsStored({ database }: ChainStoreParts, taskId: string): Promise<ChainNext> {
  const task = await database.db
    .selectFrom('tasks')
    .select(['state', 'status', 'due_at_ms'])
    .where('id', '=', taskId)
    .executeTakeFirstOrThrow();
  if (task.state === 'working') return { kind: 'goOn' };
  if (task.state === 'final') return { kind: 'finish', status: task.status };
  return { kind: 'wait', dueAtMs: task.due_at_ms };
}

async function claimNext(parts: ChainStoreParts, chain: LiveChain): Promise<ContactChainEvent> {
  const { taskId, engagementId } = chain;
  if (parts.isStopping()) {
    const { database, actor, clock } = parts;
    await releaseTask(database, taskId, 'shutdown', { actor, nowMs: clock.now() });
    return { type: 'store.notClaimed' };
  }
  const runtime = parts.runtimeOf(engagementId);
  const context = claimContextOf(parts, runtime.facts);
  const request = claimRequestOf(parts, runtime.facts, 1);
  const { starts, changes } = await claimNextNumber(context, { ...request, taskId }).catch(
    async (error: unknown) => {
      if (!(error instanceof ClaimInDoubt)) throw error;
      // Nothing was committed: the chain asks again. Else its task has been put back, undialled.
      if ((await settleClaim(parts, runtime.facts, error)) === 0) throw error;
      return { starts: [], changes: [] };
    },
  );
  const claimed = starts[0];
  if (claimed === undefined) {
    if (changes.some(({ kind }) => kind === 'postponed')) parts.onWaiting();
    return { type: 'store.notClaimed' };
  }
  const plan = callPlanOf(parts, runtime.facts, context.gatewayId);
  const start = chainStartOf(claimed, plan, context.nowMs);
  parts.registry.attemptOpened(taskId, start);
  runtime.startedByChain(claimed);
  return { type: 'store.claimed', start };
}
