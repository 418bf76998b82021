/** What the call attempt machine is made of: its effect, actions, guards and delays. */
import { assign, enqueueActions, setup } from 'xstate';
import { withCancel, withHangup } from './attempt-evidence.ts';
import {
  AFTER_ANSWER_CONNECT_ID,
  AFTER_ANSWER_PLAY_ID,
  afterNews,
  afterReply,
  dialogIdOf,
  FALLBACK_PLAY_ID,
  fallbackPromptsOf,
  hasEnded,
  isAnswered,
  isHungUp,
  isLastOfAll,
  isNewsTo,
  isRinging,
  isUnwanted,
} from './call-attempt.context.ts';
import type {
  AttemptOrder,
  CallAttemptTypes,
  OrderBody,
  TelephonyReply,
} from './call-attempt.events.ts';
import type { RefusalCode } from './command-reply.ts';
import { isWithoutGap } from './seen-sequence.ts';
import type { AttemptCommandType, CancelReason, HangupReason } from './telephony-commands.ts';
import type { AttemptEvent } from './telephony-events.ts';
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
    /** The agent that asked for a human and left got none for the customer. */
    noteAgentLeft: assign(({ context: { evidence } }) => ({
      evidence: withHangup(evidence, evidence.escalated === null ? 'completed' : 'no_connect'),
    })),
    notePlay: assign({ playOrdered: true }),
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
      event.connectId === AFTER_ANSWER_CONNECT_ID,
    hasTargetLeft: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      event.type === 'attempt.bridgeEnded' &&
      event.endedBy === 'target',
    hasBridgeBroken: ({ context }, event: AttemptEvent) =>
      isNewsTo(context, event) &&
      event.type === 'attempt.bridgeEnded' &&
      event.endedBy === 'switch',
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
    isSilent: ({ context: { afterAnswer } }) =>
      'prompts' in afterAnswer && afterAnswer.prompts.length === 0,
    hasFallback: ({ context }) => fallbackPromptsOf(context).length > 0,
    isConnected: ({ context }) => context.connected && !isHungUp(context),
    isComplete: ({ context }) => isWithoutGap(context.seen),
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
    callLengthWait: ({ context }) => context.dial.callLengthMaxMs + context.waits.hangupMs,
    hangupWait: ({ context }) => context.waits.hangupMs,
    queryWait: ({ context }) => context.waits.queryMs,
    gapWait: ({ context }) => context.waits.gapMs,
  },
});
