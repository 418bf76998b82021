/**
 * The only place where a dial is made: from a claimed start, which is on disk with its number taken,
 * or from an attempt that recovery found open, which is never dialled again but asked about. Lint
 * refuses `attempt.dial` and the attempt's machine everywhere else in this folder.
 */
import { createActor, type Actor } from 'xstate';
import type { AttemptEventPlace } from '../../machines/attempt-event-place.ts';
import type { AttemptEvidence } from '../../machines/attempt-evidence.ts';
import type { CallAttemptWaits, DialOrder } from '../../machines/call-attempt.events.ts';
import { CALL_ATTEMPT_VERSION, callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import type { ChainStart, ContactChainInput } from '../../machines/contact-chain.events.ts';
import {
  CONTACT_CHAIN_VERSION,
  contactChainMachine,
} from '../../machines/contact-chain.machine.ts';
import type { Detection, Failsafe } from '../../machines/telephony-commands.ts';
import type { TelephonyActors } from '../../machines/telephony-actor.ts';
import type { DialerClock } from '../clock.ts';
import type { AfterAnswer } from '../tasks/plan-after-answer.ts';
import type { ClaimedStart } from '../tasks/claim-starts.ts';
import type { AttemptRow } from '../store/schema/task-tables.ts';
import type { ChainStoreLogic } from './chain-store.ts';

/** Versions of the machines that make an attempt, for its row. */
export const ATTEMPT_MACHINES = `contactChain@${CONTACT_CHAIN_VERSION},callAttempt@${CALL_ATTEMPT_VERSION}`;

/** Times of a call, ms; the same for every engagement of a process. */
export interface CallTimes {
  /** INVITE → first 180/183. */
  readonly setupTimeoutMs: number;
  /** Answer → hang-up by the switch. */
  readonly callLengthMaxMs: number;
  /** A claimed start that could not leave within this is given up. */
  readonly dialWithinMs: number;
  /** Prompts ordered → hang-up, whatever became of them. */
  readonly playTimeoutMs: number;
  readonly waits?: Partial<CallAttemptWaits>;
  /** False: a preview call cannot be held back once it is accepted (DM-14). Default true. */
  readonly delaysStarts?: boolean;
}

/** How the calls of one engagement are made. */
export interface CallPlan {
  readonly times: CallTimes;
  readonly gatewayId: string;
  readonly trunk: string;
  readonly callerId: string;
  /** First 180/183 → our CANCEL, ms. */
  readonly ringTimeoutMs: number;
  readonly isPreview: boolean;
  /** From the moment in which somebody is connected (WS-03). */
  readonly isRecorded: boolean;
  readonly detection?: Detection;
  readonly failsafe?: Failsafe;
}

/** The gateway's own limits stand this far behind ours: they act only when we do not. */
const BACKSTOP_MS = 5_000;

export function chainStartOf(start: ClaimedStart, plan: CallPlan, nowMs: number): ChainStart {
  const { attemptId, deliveryId, fence, number, afterAnswer, window } = start;
  // Nothing starts outside its window, not even what was claimed inside it.
  const notAfterMs = Math.min(nowMs + plan.times.dialWithinMs, window.endMs - 1);
  return {
    deliveryId,
    attempt: {
      attemptId,
      fence,
      dial: { ...dialOf(plan, number, notAfterMs), windowEndMs: window.endMs },
      ...common(plan, afterAnswer, attemptId),
    },
  };
}

export interface FoundAttempt {
  readonly attempt: Pick<AttemptRow, 'id' | 'delivery_id' | 'gateway_id' | 'trunk'>;
  readonly number: string;
  readonly evidence: AttemptEvidence;
  readonly eventsStored: number;
  /** Of the last event stored, under the fence of the owner before. */
  readonly heard: AttemptEventPlace;
  readonly afterAnswer: AfterAnswer;
  /** Epoch of the lease under which it is taken over. */
  readonly fence: number;
}

/** With `recovery` set the machine asks the gateway and never dials. */
export function recoveredStartOf(found: FoundAttempt, plan: CallPlan): ChainStart {
  const { attempt, number, evidence, eventsStored, heard, afterAnswer, fence } = found;
  const { gateway_id: gatewayId, trunk } = attempt;
  return {
    deliveryId: attempt.delivery_id,
    attempt: {
      attemptId: attempt.id,
      fence,
      dial: dialOf({ ...plan, gatewayId, trunk }, number, 0),
      ...common(plan, afterAnswer, attempt.id),
      recovery: { evidence, lastSeq: eventsStored, heard },
    },
  };
}

function dialOf(plan: CallPlan, destination: string, notAfterMs: number): DialOrder {
  const { times, gatewayId, trunk, callerId, ringTimeoutMs, detection, failsafe } = plan;
  return {
    gatewayId,
    notAfterMs,
    trunk,
    destination,
    callerId,
    setupTimeoutMs: times.setupTimeoutMs + BACKSTOP_MS,
    ringLimitMs: ringTimeoutMs + BACKSTOP_MS,
    callLengthMaxMs: times.callLengthMaxMs,
    ...(detection === undefined ? {} : { detection }),
    ...(failsafe === undefined ? {} : { failsafe }),
  };
}

function common(
  { times, ringTimeoutMs, isPreview, isRecorded }: CallPlan,
  afterAnswer: AfterAnswer,
  attemptId: string,
) {
  const recording = {
    ...{ recordingId: attemptId, channels: 'stereo' as const },
    lengthMaxMs: times.callLengthMaxMs,
  };
  return {
    ringTimeoutMs,
    setupTimeoutMs: times.setupTimeoutMs,
    afterAnswer,
    playTimeoutMs: times.playTimeoutMs,
    ...(isPreview ? { preview: true } : {}),
    ...(isRecorded ? { recording } : {}),
    ...(times.waits === undefined ? {} : { waits: times.waits }),
  };
}

export interface ChainMachineParts {
  readonly telephony: TelephonyActors['logic'];
  readonly store: ChainStoreLogic;
  readonly clock: DialerClock;
}

export type ChainActor = Actor<typeof contactChainMachine>;
export type MakeChain = (input: ContactChainInput) => ChainActor;

/** Makes chains over one gateway and one store; none is started yet. */
export function chainMaker({ telephony, store, clock }: ChainMachineParts): MakeChain {
  const callAttempt = callAttemptMachine.provide({ actors: { telephony } });
  const machine = contactChainMachine.provide({ actors: { callAttempt, store } });
  return (input) => createActor(machine, { input, clock });
}
