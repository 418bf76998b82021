/**
 * Decides the heads of a claim: which of them start, and what happens to the others. Numbers are
 * taken in one statement for all; one that an earlier head wants is in flight for those behind it.
 */
import type { Transaction } from 'kysely';
import { inFlightMaxOf } from '../engagements/in-flight-max.ts';
import { takeNumbers } from '../store/number-guards.ts';
import type { ContactPointRow } from '../store/schema/contact-tables.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { ReattemptRule } from '../engagements/engagement-config.schema.ts';
import { meaningOf } from './attempt-meaning.ts';
import { stepAfter, type ChainTarget } from './chain-walk.ts';
import type { ClaimContext, ClaimedStart, ClaimRequest } from './claim-starts.ts';
import { decideStart, type CommonFacts, type StartDecision } from './decide-start.ts';
import type { ReadyHead, ReadyHeads } from './ready-heads.ts';
import { finishTask, postponeTask, type TaskChange } from './task-changes.ts';

/** A start whose number is taken; what is done with whoever answers is asked for later. */
export type PreparedStart = Omit<ClaimedStart, 'afterAnswer'>;

export interface Settled {
  readonly starts: readonly PreparedStart[];
  readonly changes: readonly TaskChange[];
}

/** A head that may start, if its number can be had. */
interface Wanted {
  readonly head: ReadyHead;
  readonly facts: CommonFacts;
  readonly start: PreparedStart;
}

export async function settleHeads(
  context: ClaimContext,
  request: ClaimRequest,
  tx: Transaction<Database>,
  found: ReadyHeads,
  engagement: EngagementRow,
  free: number,
  decide = decideStart,
): Promise<Settled> {
  const changes: TaskChange[] = [];
  const wanted = new Map<string, Wanted>();
  for (const head of found.heads) {
    // A chain in work is always decided: without a place it goes back among the ready.
    if (wanted.size >= free && head.task.state === 'ready') break;
    const facts = factsOf(context, request, found, engagement, free - wanted.size, wanted);
    const decision = decide(head, facts, context.nowMs);
    const change = changeOf(head, decision);
    if (change !== undefined) changes.push(change);
    else {
      const inFlight = engagement.in_flight + wanted.size;
      const start = prepared(context, request, found, head, decision, facts, inFlight);
      wanted.set(start.number, { head, facts, start });
    }
  }
  const requests = [...wanted.values()].map(({ start }) => start);
  const { nowMs, numberGapMinMs: gapMinMs } = context;
  const taken = await takeNumbers(tx, requests, { nowMs, gapMinMs });
  const lost = [...wanted.values()].filter(({ start }) => !taken.has(start.number));
  return {
    starts: requests.filter(({ number }) => taken.has(number)),
    changes: [...changes, ...lost.map((one) => changeOfLost(one, nowMs, decide))],
  };
}

/** Undefined when it starts. */
export function changeOf(
  { task }: ReadyHead,
  { decision, progress }: StartDecision,
): TaskChange | undefined {
  if (decision.decide === 'finish') return finishTask({ task, progress }, decision);
  return decision.decide === 'postpone' ? postponeTask({ task, progress }, decision) : undefined;
}

/** Another transaction took the number since the facts were read. */
function changeOfLost(
  { head, facts, start }: Wanted,
  nowMs: number,
  decide: typeof decideStart,
): TaskChange {
  const { contactPointId } = start.target;
  const numberOf: CommonFacts['numberOf'] = (id) => {
    const known = facts.numberOf(id);
    return id === contactPointId ? { ...known, isInFlight: true, lastAttemptAtMs: nowMs } : known;
  };
  const change = changeOf(head, decide(head, { ...facts, numberOf }, nowMs));
  if (change === undefined) throw new Error(`task ${head.task.id} would ring a number in flight`);
  return change;
}

function prepared(
  context: ClaimContext,
  request: ClaimRequest,
  found: ReadyHeads,
  { task, chain }: ReadyHead,
  { decision, progress }: StartDecision,
  facts: CommonFacts,
  inFlight: number,
): PreparedStart {
  if (decision.decide !== 'start') throw new Error(`task ${task.id} does not start`);
  const { target, window } = decision;
  return {
    attemptId: context.ids.id(),
    deliveryId: context.ids.id(),
    fence: context.fence,
    task,
    target,
    progress,
    phoneType: target.phoneType,
    number: numberOf(found.points, target),
    window,
    seqNo: task.attempt_count + 1,
    isLastAttempt: isLastIfMachine(chain, progress, request.config.reattempt),
    because: {
      queue: facts.queue.kind,
      previousAttemptAtMs: facts.numberOf(target.contactPointId).lastAttemptAtMs,
      numberGapMinMs: context.numberGapMinMs,
      isOptedOut: false,
      inFlight,
      inFlightMax: inFlightMaxOf(request.config.mode),
    },
  };
}

/** Whether the walk ends with this number, were a machine to answer. */
function isLastIfMachine(
  chain: ReadyHead['chain'],
  progress: StartDecision['progress'],
  rule: ReattemptRule,
): boolean {
  const meaning = meaningOf(MACHINE, rule);
  return meaning !== 'untried' && stepAfter(chain, progress, rule, meaning).kind !== 'dial';
}

const MACHINE = { result: 'AnsweringMachineHangup', retryClass: 'answeringMachine' } as const;

export function numberOf(
  points: ReadonlyMap<string, ContactPointRow>,
  target: ChainTarget,
): string {
  const point = points.get(target.contactPointId);
  if (point === undefined) throw new Error(`contact point ${target.contactPointId} is gone`);
  return point.value;
}

export function factsOf(
  { nowMs, numberGapMinMs: gapMinMs }: ClaimContext,
  { queue, config }: ClaimRequest,
  found: ReadyHeads,
  engagement: EngagementRow,
  capacityFree: number,
  /** Numbers that those before it in the same transaction take. */
  wanted: { has(number: string): boolean },
): CommonFacts {
  return {
    engagement: engagement.status as CommonFacts['engagement'],
    queue,
    capacityFree,
    reattempt: config.reattempt,
    numberOf: (contactPointId) => {
      const point = found.points.get(contactPointId);
      const number = point?.value ?? '';
      const known = found.numbers.get(number);
      const isWanted = wanted.has(number);
      return {
        isOptedOut: found.optedOut.has(contactPointId),
        isDialable: point !== undefined && point.value !== '' && point.invalid_since_ms === null,
        isInFlight: isWanted || (known?.isInFlight ?? false),
        lastAttemptAtMs: isWanted ? nowMs : (known?.lastAttemptAtMs ?? null),
        gapMinMs,
      };
    },
  };
}
