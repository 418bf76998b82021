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
import { attemptResult, verdictOf } from './attempt-result.ts';
import {
  DEFAULT_WAITS,
  QUERIES_MAX,
  type CallAttemptContext,
  type CallAttemptInput,
  type CallAttemptOutput,
  type MachinePlan,
  type OrderBody,
  type TelephonyReply,
} from './call-attempt.events.ts';
import type { AttemptPhase } from './command-reply.ts';
import { AFTER_ANSWER_PLAY_ID, FALLBACK_PLAY_ID, MESSAGE_PLAY_ID } from './play-ids.ts';
import { NOTHING_SEEN, highestSeen, isUnseen, isWithoutGap, withSeen } from './seen-sequence.ts';
import { sipDiagnostics } from './sip-diagnostics.ts';
import type { CancelReason, HangupReason } from './telephony-commands.ts';
import type { AnswerVerdict, AttemptEvent } from './telephony-events.ts';

/** Of the first connect; those that follow it are numbered. */
export const AFTER_ANSWER_CONNECT_ID = 'afterAnswer';

export function initialContext(input: CallAttemptInput): CallAttemptContext {
  const { recovery } = input;
  const { preview = false } = input;
  const evidence =
    recovery === undefined ? emptyEvidence(preview) : { ...recovery.evidence, preview };
  return {
    ...input,
    waits: { ...DEFAULT_WAITS, ...input.waits },
    evidence,
    seen: NOTHING_SEEN,
    told: null,
    commandSeq: 0,
    queriesLeft: QUERIES_MAX,
    phase: knownPhase(evidence),
    playOrdered: recovery !== undefined && mayHaveBeenTold(input, evidence),
    // Only the gateway knows whether whom it was connected to is still there.
    connected: false,
    connects: 0,
    connectId: null,
    bridgeId: null,
    lobbyId:
      'representative' in input.afterAnswer ? input.afterAnswer.representative.lobbyId : null,
    recordingOrdered: evidence.engaged !== null,
  };
}

/**
 * After a crash nobody knows whether it was played: nobody is told twice. A person who is to talk to a
 * representative has been told nothing, and waits; only a machine may have been left its message.
 */
function mayHaveBeenTold({ afterAnswer }: CallAttemptInput, evidence: AttemptEvidence): boolean {
  if (evidence.answered === null) return false;
  return !('representative' in afterAnswer) || evidence.classified?.verdict === 'machine';
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

/** Number of the last event heard, as the evidence counts them. */
export function lastHeard({ seen, recovery }: CallAttemptContext): number {
  return highestSeen(seen) + (recovery?.lastSeq ?? 0);
}

/** Whether all has been heard that there was to hear, as far as we know. */
export function isWholeAccount({ seen, told }: CallAttemptContext): boolean {
  return isWithoutGap(seen) && highestSeen(seen) >= (told ?? 0);
}

/** Whether this end is the last thing to be heard: no event before it is missing. */
export function isLastOfAll(context: CallAttemptContext, event: AttemptEvent): boolean {
  return isWithoutGap(withSeen(context.seen, event.seq));
}

export function afterNews(
  context: CallAttemptContext,
  event: AttemptEvent,
): Pick<CallAttemptContext, 'evidence' | 'seen' | 'phase' | 'connected' | 'bridgeId'> {
  const seq = event.seq + (context.recovery?.lastSeq ?? 0);
  return {
    evidence: withEvent(context.evidence, { ...event, seq }),
    seen: withSeen(context.seen, event.seq),
    phase: furthestPhase(context.phase, phaseOf(event)),
    connected: isConnectedAfter(context, event),
    bridgeId: event.type === 'attempt.connected' ? event.connectId : context.bridgeId,
  };
}

/** The end of a connect before the last one says nothing of who is connected now. */
function isConnectedAfter(
  { connected, bridgeId }: CallAttemptContext,
  event: AttemptEvent,
): boolean {
  switch (event.type) {
    case 'attempt.connected':
      return true;
    case 'attempt.bridgeEnded':
      return connected && bridgeId !== null && event.connectId !== bridgeId;
    case 'aiAgent.failed':
      return false;
    default:
      return connected;
  }
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
    told: state.told ?? 0,
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

/** The id of the connect that is ordered next. */
export function nextConnectId({ connects }: CallAttemptContext): string {
  return connects === 0 ? AFTER_ANSWER_CONNECT_ID : `${AFTER_ANSWER_CONNECT_ID}-${connects + 1}`;
}

export function connectOf({ afterAnswer, connectId }: CallAttemptContext): OrderBody {
  assert('aiAgent' in afterAnswer, 'connecting, but there is nobody to connect to');
  assert(connectId !== null, 'a connect without an id');
  return { type: 'attempt.connect', connectId, target: afterAnswer.aiAgent };
}

export function joinOf({ afterAnswer, connectId, lobbyId }: CallAttemptContext): OrderBody {
  assert(lobbyId !== null && connectId !== null, 'joining, but no representative is there');
  const cue = 'representative' in afterAnswer ? afterAnswer.representative.cue : undefined;
  return {
    ...{ type: 'attempt.connect', connectId, target: { kind: 'lobby', lobbyId } },
    ...(cue === undefined ? {} : { cue }),
  };
}

/** What is done with a machine: of an announcement, and where nothing was said, the call goes on. */
export function machinePlanOf({ afterAnswer }: CallAttemptContext): MachinePlan {
  return 'machine' in afterAnswer ? afterAnswer.machine : { action: 'continue' };
}

export function messageOf(context: CallAttemptContext): OrderBody {
  const plan = machinePlanOf(context);
  assert(plan.action === 'leaveMessage', 'leaving a message, but there is none');
  const { prompts, optOutDigits } = plan;
  return {
    ...{ type: 'attempt.play', playId: MESSAGE_PLAY_ID, prompts: [...prompts] },
    when: 'afterGreeting',
    ...(optOutDigits === undefined ? {} : { optOutDigits }),
  };
}

/** Answer to the latest moment at which the gateway may still decide who answered, ms. */
export function detectionMsOf({ dial }: CallAttemptContext): number {
  return dial.detection === undefined
    ? 0
    : dial.detection.initialSilenceMs + dial.detection.limitMs;
}

/** Who answered, as far as it is known; never asked for when nothing is detected. */
export function verdictIn({ dial, evidence }: CallAttemptContext): AnswerVerdict | undefined {
  return dial.detection === undefined ? undefined : verdictOf(evidence);
}

export function cancelOf({ evidence }: CallAttemptContext): OrderBody {
  return { type: 'attempt.cancel', reason: evidence.cancelReason ?? 'cancelled' };
}

export function hangupOf({ evidence }: CallAttemptContext): OrderBody {
  return { type: 'attempt.hangup', reason: evidence.hangupReason ?? 'cancelled' };
}

/** Whoever took the call over has told again what was not written down before. */
export function queryOf({ recovery }: CallAttemptContext): OrderBody {
  const heard = recovery?.heard;
  return { type: 'attempt.query', ...(heard === undefined ? {} : { heard }) };
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
