/** How the call attempt's knowledge begins, grows and is asked. Pure functions of the context. */
import assert from 'node:assert/strict';
import {
  emptyEvidence,
  withEnd,
  withEvent,
  withRefusal,
  type AttemptEvidence,
} from './attempt-evidence.ts';
import { furthestPhase, hasReached, phaseOf } from './attempt-phase.ts';
import { attemptResult } from './attempt-result.ts';
import {
  DEFAULT_WAITS,
  QUERIES_MAX,
  type CallAttemptContext,
  type CallAttemptInput,
  type CallAttemptOutput,
  type OrderBody,
  type TelephonyReply,
} from './call-attempt.events.ts';
import type { AttemptPhase } from './command-reply.ts';
import { NOTHING_SEEN, isUnseen, isWithoutGap, withSeen } from './seen-sequence.ts';
import { sipDiagnostics } from './sip-diagnostics.ts';
import type { CancelReason, HangupReason } from './telephony-commands.ts';
import type { AttemptEvent } from './telephony-events.ts';

/** The machine plays and connects once; what it says when an agent failed has a name of its own. */
export const AFTER_ANSWER_PLAY_ID = 'afterAnswer';
export const AFTER_ANSWER_CONNECT_ID = 'afterAnswer';
export const FALLBACK_PLAY_ID = 'fallback';

export function initialContext(input: CallAttemptInput): CallAttemptContext {
  const { recovery } = input;
  const evidence = recovery?.evidence ?? emptyEvidence(input.preview);
  return {
    ...input,
    waits: { ...DEFAULT_WAITS, ...input.waits },
    evidence,
    seen: NOTHING_SEEN,
    commandSeq: 0,
    queriesLeft: QUERIES_MAX,
    phase: knownPhase(evidence),
    // After a crash nobody knows whether it was played: the person is not told twice.
    playOrdered: recovery !== undefined && evidence.answered !== null,
    // Only the gateway knows whether the agent it was connected to is still there.
    connected: false,
  };
}

function knownPhase({ sent, alerting, answered, ended }: AttemptEvidence): AttemptPhase {
  if (ended !== null) return 'ended';
  if (answered !== null) return 'answered';
  if (alerting !== null) return 'alerting';
  return sent === null ? 'starting' : 'sent';
}

/**
 * Whether an event is for this attempt under this ownership, and not heard before. One with a
 * lower fence was meant for an owner before us; one with a higher fence, for an owner after us.
 */
export function isNewsTo(context: CallAttemptContext, event: AttemptEvent): boolean {
  const { attemptId, fence, seen } = context;
  return event.attemptId === attemptId && event.fence === fence && isUnseen(seen, event.seq);
}

/** Whether this end is the last thing to be heard: no event before it is missing. */
export function isLastOfAll(context: CallAttemptContext, event: AttemptEvent): boolean {
  return isWithoutGap(withSeen(context.seen, event.seq));
}

export function afterNews(
  context: CallAttemptContext,
  event: AttemptEvent,
): Pick<CallAttemptContext, 'evidence' | 'seen' | 'phase' | 'connected'> {
  const seq = event.seq + (context.recovery?.lastSeq ?? 0);
  return {
    evidence: withEvent(context.evidence, { ...event, seq }),
    seen: withSeen(context.seen, event.seq),
    phase: furthestPhase(context.phase, phaseOf(event)),
    connected: isConnectedAfter(context.connected, event),
  };
}

function isConnectedAfter(before: boolean, { type }: AttemptEvent): boolean {
  if (type === 'attempt.connected') return true;
  return type === 'attempt.bridgeEnded' || type === 'aiAgent.failed' ? false : before;
}

/** What a gateway's answer to a query, or its refusal, adds. */
export function afterReply(
  context: CallAttemptContext,
  { reply }: TelephonyReply,
): Partial<CallAttemptContext> {
  if (!reply.accepted) return { evidence: withRefusal(context.evidence, reply) };
  const { state } = reply;
  if (state === undefined) return {};
  const { ended } = state;
  return {
    phase: furthestPhase(context.phase, state.phase),
    connected: state.connected ?? false,
    evidence: ended === undefined ? context.evidence : withEnd(context.evidence, ended),
  };
}

export function isAnswered({ phase, evidence }: CallAttemptContext): boolean {
  return evidence.answered !== null || phase === 'answered';
}

export function hasEnded({ phase, evidence }: CallAttemptContext): boolean {
  return phase === 'ended' || evidence.refused !== null;
}

export function isRinging({ phase }: CallAttemptContext): boolean {
  return hasReached(phase, 'alerting');
}

/** Whether whoever answers now is to be hung up on, since we gave up or have said our say. */
export function isUnwanted(context: CallAttemptContext): boolean {
  return isHungUp(context) || context.playOrdered;
}

/** Whether we have given it up ourselves. */
export function isHungUp({ evidence }: CallAttemptContext): boolean {
  return evidence.cancelReason !== null || evidence.hangupReason !== null;
}

export function dialOf({ dial }: CallAttemptContext): OrderBody {
  return { type: 'attempt.dial', ...dial };
}

export function playOf({ afterAnswer }: CallAttemptContext): OrderBody {
  const prompts = 'prompts' in afterAnswer ? afterAnswer.prompts : [];
  return { type: 'attempt.play', playId: AFTER_ANSWER_PLAY_ID, prompts: [...prompts] };
}

export function fallbackPromptsOf({ afterAnswer }: CallAttemptContext): readonly string[] {
  return 'aiAgent' in afterAnswer ? afterAnswer.fallbackPrompts : [];
}

export function fallbackPlayOf(context: CallAttemptContext): OrderBody {
  const prompts = [...fallbackPromptsOf(context)];
  return { type: 'attempt.play', playId: FALLBACK_PLAY_ID, prompts };
}

export function connectOf({ afterAnswer }: CallAttemptContext): OrderBody {
  assert('aiAgent' in afterAnswer, 'connecting, but there is nobody to connect to');
  const { aiAgent: target } = afterAnswer;
  return { type: 'attempt.connect', connectId: AFTER_ANSWER_CONNECT_ID, target };
}

export function cancelOf({ evidence }: CallAttemptContext): OrderBody {
  return { type: 'attempt.cancel', reason: evidence.cancelReason ?? 'cancelled' };
}

export function hangupOf({ evidence }: CallAttemptContext): OrderBody {
  return { type: 'attempt.hangup', reason: evidence.hangupReason ?? 'cancelled' };
}

/** The dialog of its INVITE, by which any gateway may end the call. */
export function dialogIdOf({ evidence }: CallAttemptContext): string | undefined {
  return evidence.answered?.dialogId ?? evidence.sent?.dialogId;
}

/** Why an answered attempt is hung up, in the terms of the one who asked for it. */
export function hangupReasonFor(reason: CancelReason): HangupReason {
  if (reason === 'dialer_recall') return 'no_connect';
  return reason === 'shutdown' ? 'shutdown' : 'cancelled';
}

export function outputOf(context: CallAttemptContext): CallAttemptOutput {
  const { attemptId, evidence } = context;
  const outcome = attemptResult(evidence);
  return {
    attemptId,
    ...outcome,
    evidence,
    sipDiagnostics: sipDiagnostics(evidence, outcome),
  };
}
