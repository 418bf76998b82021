/** What the call attempt machine is made of: its effect, actions, guards and delays. */
import { assign, enqueueActions, setup } from 'xstate';
import { withAgentVerdict, withCancel, withHangup } from './attempt-evidence.ts';
import {
  afterNews,
  afterReply,
  detectionMsOf,
  dialogIdOf,
  fallbackPromptsOf,
  hasEnded,
  isAnswered,
  isHungUp,
  isLastOfAll,
  isNewsTo,
  isRinging,
  isUnwanted,
  isWholeAccount,
  joinOf,
  lastHeard,
  machinePlanOf,
  nextConnectId,
  verdictIn,
} from './call-attempt.context.ts';
import type {
  AttemptOrder,
  CallAttemptContext,
  CallAttemptEvent,
  CallAttemptTypes,
  OrderBody,
  TelephonyReply,
} from './call-attempt.events.ts';
import type { AgentVerdict } from './agent-verdict.ts';
import type { RefusalCode } from './command-reply.ts';
import { rowOfEarlyMedia } from './attempt-result.ts';
import { AFTER_ANSWER_PLAY_ID, FALLBACK_PLAY_ID, MESSAGE_PLAY_ID } from './play-ids.ts';
import type { AttemptCommandType, CancelReason, HangupReason } from './telephony-commands.ts';
import type { AnswerVerdict, AttemptEvent, EventOf } from './telephony-events.ts';
import type { TelephonyInput } from './telephony-input.ts';
import { unprovided } from './unprovided.ts';

export const callAttemptSetup = setup({
  types: {} as CallAttemptTypes,
  actors: {
    telephony: unprovided<AttemptOrder, TelephonyInput>('callAttempt.telephony'),
  },
  actions: {
    record: assign(({ context }, event: AttemptEvent) => afterNews(context, event)),
    noteReply: assign(({ context }, reply: TelephonyReply) => afterReply(context, reply)),
    noteCancel: assign(({ context }, { reason }: { reason: CancelReason }) => ({
      evidence: withCancel(context.evidence, reason),
    })),
    noteHangup: assign(({ context }, { reason }: { reason: HangupReason }) => ({
      evidence: withHangup(context.evidence, reason),
    })),
    noteAgentVerdict: assign(({ context }, said: AgentVerdict) => ({
      evidence: withAgentVerdict(context.evidence, said, lastHeard(context)),
    })),
    /** The agent that asked for a human and left got none for the customer. */
    noteAgentLeft: assign(({ context: { evidence } }) => ({
      evidence: withHangup(evidence, evidence.escalated === null ? 'completed' : 'no_connect'),
    })),
    notePlay: assign({ playOrdered: true }),
    noteConnect: assign(({ context }) => ({
      playOrdered: true,
      connects: context.connects + 1,
      connectId: nextConnectId(context),
    })),
    noteLobby: assign((_, { lobbyId }: { lobbyId: string }) => ({ lobbyId })),
    forgetLobby: assign({ lobbyId: null }),
    /** At the answer the representative is joined with the customer anew. */
    forgetJoin: assign({ connectId: null }),
    /** Preview: the representative hears what is heard before the answer (DM-15). */
    joinEarly: enqueueActions(({ context, enqueue }) => {
      const { evidence, lobbyId, connectId: known } = context;
      if (!evidence.preview || lobbyId === null || known !== null) return;
      const { attemptId, fence, connects } = context;
      const seq = context.commandSeq + 1;
      const connectId = nextConnectId(context);
      enqueue.assign({ commandSeq: seq, connects: connects + 1, connectId });
      enqueue.sendTo('telephony', { ...joinOf({ ...context, connectId }), attemptId, fence, seq });
    }),
    /** Once; refused or failed, the call goes on without. */
    startRecording: enqueueActions(({ context, enqueue }) => {
      const { recording, recordingOrdered, attemptId, fence } = context;
      if (recording === undefined || recordingOrdered) return;
      const seq = context.commandSeq + 1;
      enqueue.assign({ commandSeq: seq, recordingOrdered: true });
      enqueue.sendTo('telephony', { type: 'recording.start', ...recording, attemptId, fence, seq });
    }),
    noteDoubt: assign(({ context }) => ({ evidence: { ...context.evidence, inDoubt: true } })),
    noteQuery: assign(({ context }) => ({ queriesLeft: context.queriesLeft - 1 })),
    /** The gateway knows nothing of it: should the call be up all the same, nobody attends it. */
    endForgotten: enqueueActions(({ context, enqueue }) => {
      const { attemptId, fence } = context;
      const dialogId = dialogIdOf(context);
      if (dialogId === undefined) return;
      const seq = context.commandSeq + 1;
      enqueue.assign({ commandSeq: seq });
      const hangup = { type: 'attempt.hangup', reason: 'failed', dialogId } as const;
      enqueue.sendTo('telephony', { ...hangup, attemptId, fence, seq });
    }),
    order: enqueueActions(({ context, enqueue }, body: OrderBody) => {
      const { attemptId, fence } = context;
      const seq = context.commandSeq + 1;
      enqueue.assign({ commandSeq: seq });
      enqueue.sendTo('telephony', { ...body, attemptId, fence, seq });
    }),
  },
  guards: {
    isNews: ({ context }, event: AttemptEvent) => isNewsTo(context, event),
    isLastNews: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) && isLastOfAll(context, event),
    isOwnPlay: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      event.type === 'attempt.played' &&
      event.playId === AFTER_ANSWER_PLAY_ID,
    isFailedPlay: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      event.type === 'attempt.played' &&
      event.playId === AFTER_ANSWER_PLAY_ID &&
      (event.status === 'notFound' || event.status === 'failed'),
    isOwnFallback: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      event.type === 'attempt.played' &&
      event.playId === FALLBACK_PLAY_ID,
    isOwnConnect: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      (event.type === 'attempt.connected' || event.type === 'attempt.connectFailed') &&
      event.connectId === context.connectId,
    /** The representative did not come about; the AI agent has the customer still. */
    isOwnConnectOfTwo: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      event.type === 'attempt.connectFailed' &&
      event.connectId === context.connectId &&
      context.connected,
    isFailsafe: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      event.type === 'attempt.connectFailed' &&
      event.reason === 'failsafe',
    isOwnMessage: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      event.type === 'attempt.played' &&
      event.playId === MESSAGE_PLAY_ID,
    isFailedMessage: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      event.type === 'attempt.played' &&
      event.playId === MESSAGE_PLAY_ID &&
      (event.status === 'notFound' || event.status === 'failed'),
    hasTargetLeft: ({ context }, event: AttemptEvent) =>
      isEndOfBridge(context, event) && event.endedBy === 'target',
    hasTargetLeftToLobby: ({ context }, event: AttemptEvent) =>
      isEndOfBridge(context, event) && event.endedBy === 'target' && context.lobbyId !== null,
    hasBridgeBroken: ({ context }, event: AttemptEvent) =>
      isEndOfBridge(context, event) && event.endedBy === 'switch',
    isLeftAlone: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) && !context.connected,
    isRefusedWhileConnected: ({ context }, { event }: { event: CallAttemptEvent }) =>
      event.type === 'telephony.reply' &&
      event.command === 'attempt.connect' &&
      !event.reply.accepted &&
      context.connected,
    isAccepted: (_, { command, reply }: { command: AttemptCommandType; reply: TelephonyReply }) =>
      reply.command === command && reply.reply.accepted,
    isRefused: (
      _,
      given: {
        command: AttemptCommandType | null;
        code: RefusalCode | null;
        reply: TelephonyReply;
      },
    ) => {
      const { command, reply } = given.reply;
      if (reply.accepted || (given.command !== null && command !== given.command)) return false;
      return given.code === null || reply.code === given.code;
    },
    isForgotten: (_, { command, reply }: TelephonyReply) =>
      command === 'attempt.query' &&
      (reply.accepted ? reply.state?.phase === 'unknown' : reply.code === 'UNKNOWN_ATTEMPT'),
    isInformed: (_, { command, reply }: TelephonyReply) =>
      command === 'attempt.query' && reply.accepted && reply.state !== undefined,
    isRecovery: ({ context }) => context.recovery !== undefined,
    isForAgent: ({ context }) => 'aiAgent' in context.afterAnswer,
    isForRepresentative: ({ context }) => 'representative' in context.afterAnswer,
    /** In preview the representative listens; without detection nobody does. */
    isForRepresentativeUnheard: ({ context }) =>
      'representative' in context.afterAnswer &&
      (context.evidence.preview || context.dial.detection === undefined),
    isAbandoned: ({ context }) => context.evidence.waitExceeded,
    isJoined: ({ context }) => 'representative' in context.afterAnswer && context.connected,
    /** A join was ordered before the answer, and nothing has been heard of it yet. */
    isJoining: ({ context }) =>
      'representative' in context.afterAnswer && context.connectId !== null,
    hasLobby: ({ context }) => context.lobbyId !== null,
    isNobodyThere: ({ context }) => isNoHandset(verdictIn(context)),
    isMachine: ({ context }) => verdictIn(context) === 'machine',
    isSilence: ({ context }) => verdictIn(context) === 'silence',
    isPerson: ({ context }) => ['human', 'unknown'].includes(verdictIn(context) ?? ''),
    isNoPerson: ({ context }) =>
      'representative' in context.afterAnswer &&
      (isNoHandset(verdictIn(context)) || verdictIn(context) === 'machine'),
    leavesMessage: ({ context }) => machinePlanOf(context).action === 'leaveMessage',
    isOverByEar: ({ context }) => {
      const verdict = heardBesideAgent(context);
      return (
        isNoHandset(verdict) ||
        (verdict === 'machine' && machinePlanOf(context).action === 'hangup')
      );
    },
    isOverByEarlyMedia: ({ context }) => rowOfEarlyMedia(context.evidence) !== undefined,
    isSilent: ({ context: { afterAnswer } }) =>
      'prompts' in afterAnswer && afterAnswer.prompts.length === 0,
    hasFallback: ({ context }) => fallbackPromptsOf(context).length > 0,
    isConnected: ({ context }) => context.connected && !isHungUp(context),
    isTalking: ({ context }) =>
      context.connected &&
      !isHungUp(context) &&
      ('representative' in context.afterAnswer || context.evidence.engaged?.with === 'lobby'),
    isComplete: ({ context }) => isWholeAccount(context),
    /** Of a call that we took over nothing is made of events before its gateway was heard. */
    isNewsInTouch: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) && (context.recovery?.heard === undefined || context.told !== null),
    isSent: ({ context }) => context.phase === 'sent',
    isRinging: ({ context }) => isRinging(context),
    isAnswered: ({ context }) => isAnswered(context),
    isUnwantedAnswer: ({ context }) => isAnswered(context) && isUnwanted(context),
    isGivenUp: ({ context }) => context.evidence.cancelReason !== null,
    hasEnded: ({ context }) => hasEnded(context),
    hasQueriesLeft: ({ context }) => context.queriesLeft > 0,
  },
  delays: {
    replyWait: ({ context }) => context.waits.replyMs,
    inviteWait: ({ context }) => context.waits.inviteMs,
    setupTimeout: ({ context }) => context.setupTimeoutMs,
    ringTimeout: ({ context }) => context.ringTimeoutMs,
    playTimeout: ({ context }) => context.playTimeoutMs,
    cancelWait: ({ context }) => context.waits.cancelMs,
    connectWait: ({ context: { afterAnswer, waits } }) =>
      ('aiAgent' in afterAnswer ? afterAnswer.aiAgent.setupTimeoutMs : 0) + waits.connectMs,
    joinWait: ({ context }) => context.waits.connectMs,
    verdictWait: ({ context }) => detectionMsOf(context) + context.waits.verdictMs,
    messageWait: ({ context }) => context.waits.greetingMs + context.playTimeoutMs,
    abandonWait: ({ context: { dial, waits } }) =>
      dial.failsafe === undefined
        ? waits.representativeMs
        : dial.failsafe.ceilingAfterAnswerMs + waits.connectMs,
    abandonedWait: ({ context }) => context.waits.abandonedMs,
    callLengthWait: ({ context }) => context.dial.callLengthMaxMs + context.waits.hangupMs,
    hangupWait: ({ context }) => context.waits.hangupMs,
    queryWait: ({ context }) => context.waits.queryMs,
    gapWait: ({ context }) => context.waits.gapMs,
  },
});

/** Of the connect that lasts; of whichever, where it was made before we took over. */
function isEndOfBridge(
  context: CallAttemptContext,
  event: AttemptEvent,
): event is EventOf<'attempt.bridgeEnded'> {
  if (event.type !== 'attempt.bridgeEnded' || !isNewsTo(context, event)) return false;
  return context.bridgeId === null || event.connectId === context.bridgeId;
}

function isNoHandset(verdict: AnswerVerdict | undefined): boolean {
  return verdict === 'fax' || verdict === 'sit';
}

/** By the gateway's ear; the agent's own word leaves the call to the agent (DM-30). */
function heardBesideAgent({ dial, evidence }: CallAttemptContext): AnswerVerdict | undefined {
  if (dial.detection === undefined || evidence.agentVerdict !== null) return undefined;
  return evidence.classified?.verdict;
}
