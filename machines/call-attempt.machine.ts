/**
 * One call attempt, from the dial command to its one Result. Pure: commands leave through, and
 * replies and events come from, the injected `telephony` actor; time is the actor system's clock.
 *
 * Every event of the gateway is folded into the evidence exactly once, in whatever state it is
 * heard; states only decide what to do next. So a repeated, late or crossing event needs no rule
 * of its own: what a state does not name is evidence and nothing more.
 */
import { answeredState } from './call-attempt.answered.ts';
import {
  cancelOf,
  dialOf,
  hangupOf,
  initialContext,
  outputOf,
  queryOf,
} from './call-attempt.context.ts';
import { news, replied, type OrderBody } from './call-attempt.events.ts';
import {
  heard,
  isAcceptedFor,
  isNews,
  isRefusedFor,
  noteAgentVerdict,
  noteCancel,
  noteCancelFor,
  noteHangup,
  noteHangupFor,
  noteLobby,
  noteReply,
  record,
  superseded,
} from './call-attempt.params.ts';
import { callAttemptSetup } from './call-attempt.setup.ts';

/** Logged with every event, so that a log can be replayed on the machine that made it. */
export const CALL_ATTEMPT_VERSION = 2;

const giveUp = { actions: noteCancelFor, target: 'cancelling' } as const;
/** While the gateway is asked: done once it has answered. */
const remembered = [
  { guard: 'isAnswered', actions: noteHangupFor },
  { actions: noteCancelFor },
] as const;
const goesOn = {
  guard: { type: 'isNewsInTouch', params: news },
  actions: record,
  target: 'resuming',
} as const;
const takeBack = { actions: noteCancel('dialer_recall'), target: 'cancelling' } as const;

export const callAttemptMachine = callAttemptSetup.createMachine({
  id: 'callAttempt',
  context: ({ input }) => initialContext(input),
  output: ({ context }) => outputOf(context),
  invoke: {
    id: 'telephony',
    src: 'telephony',
    input: ({ context: { attemptId, fence, dial } }) => ({
      attemptId,
      fence,
      gatewayId: dial.gatewayId,
    }),
  },
  initial: 'starting',
  on: {
    'attempt.*': heard,
    'aiAgent.*': heard,
    'recording.*': heard,
    'attempt.refused': { guard: isNews, actions: record, target: '.ended' },
    'attempt.ended': [
      { guard: { type: 'isLastNews', params: news }, actions: record, target: '.ended' },
      { guard: isNews, actions: record, target: '.settling' },
    ],
    'telephony.reply': [
      superseded,
      { guard: isRefusedFor(null, 'UNKNOWN_ATTEMPT'), target: '.inDoubt' },
    ],
    'telephony.lost': '.inDoubt',
    'dialer.connectLobby': { actions: noteLobby },
    'dialer.recall': { actions: 'forgetLobby' },
    'dialer.agentVerdict': { actions: noteAgentVerdict },
  },
  states: {
    starting: {
      always: [
        { guard: 'hasEnded', target: 'ended' },
        { guard: 'isRecovery', target: 'inDoubt' },
        { target: 'dialing' },
      ],
    },

    // No INVITE that we know of. The gateway may be making the endpoint.
    dialing: {
      initial: 'ordered',
      on: {
        'attempt.sent': { ...heard, target: 'proceeding' },
        'attempt.alerting': { ...heard, target: 'alerting' },
        'attempt.earlyMedia': { ...heard, target: 'alerting' },
        'attempt.answered': { ...heard, target: 'answered' },
        'telephony.reply': {
          guard: isRefusedFor('attempt.dial', null),
          actions: noteReply,
          target: 'ended',
        },
        'dialer.cancel': giveUp,
        'dialer.recall': takeBack,
      },
      states: {
        ordered: {
          entry: { type: 'order', params: ({ context }) => dialOf(context) },
          on: { 'telephony.reply': { guard: isAcceptedFor('attempt.dial'), target: 'accepted' } },
          after: { replyWait: '#callAttempt.inDoubt' },
        },
        accepted: { after: { inviteWait: '#callAttempt.inDoubt' } },
      },
    },

    // The INVITE is out. 100 Trying is no event: it comes from the next hop.
    proceeding: {
      on: {
        'attempt.alerting': { ...heard, target: 'alerting' },
        'attempt.earlyMedia': { ...heard, target: 'alerting' },
        'attempt.answered': { ...heard, target: 'answered' },
        'dialer.cancel': giveUp,
        'dialer.recall': takeBack,
      },
      after: { setupTimeout: { actions: noteCancel('setup_timeout'), target: 'cancelling' } },
    },

    // Names no further 180 or 183: a repeat must not restart the ring timer. What is heard before the
    // answer may say that nobody will answer; in preview the representative hears it, and decides.
    alerting: {
      entry: 'joinEarly',
      always: {
        guard: 'isOverByEarlyMedia',
        actions: noteCancel('early_media'),
        target: 'cancelling',
      },
      on: {
        'attempt.answered': { ...heard, target: 'answered' },
        'attempt.connectFailed': { guard: isNews, actions: [record, 'forgetJoin'] },
        'telephony.reply': [
          superseded,
          { guard: isRefusedFor('attempt.connect', null), actions: 'forgetJoin' },
        ],
        'dialer.cancel': giveUp,
        'dialer.recall': takeBack,
      },
      after: { ringTimeout: { actions: noteCancel('ring_timeout'), target: 'cancelling' } },
    },

    answered: answeredState,

    // Given up before an answer was known. A 200 that crosses is hung up, and changes no Result.
    cancelling: {
      initial: 'ordered',
      on: {
        'attempt.answered': {
          guard: isNews,
          actions: [record, noteHangup('cancelled')],
          target: 'hangingUp',
        },
        'telephony.reply': {
          guard: isRefusedFor('attempt.dial', null),
          actions: noteReply,
          target: 'ended',
        },
      },
      states: {
        ordered: {
          entry: { type: 'order', params: ({ context }) => cancelOf(context) },
          on: { 'telephony.reply': { guard: isAcceptedFor('attempt.cancel'), target: 'accepted' } },
          after: { replyWait: '#callAttempt.inDoubt' },
        },
        accepted: { after: { cancelWait: '#callAttempt.inDoubt' } },
      },
    },

    hangingUp: {
      initial: 'ordered',
      states: {
        ordered: {
          entry: { type: 'order', params: ({ context }) => hangupOf(context) },
          on: { 'telephony.reply': { guard: isAcceptedFor('attempt.hangup'), target: 'accepted' } },
          after: { replyWait: '#callAttempt.inDoubt' },
        },
        accepted: { after: { hangupWait: '#callAttempt.inDoubt' } },
      },
    },

    // The gateway is silent: it is asked, never dialled again. What it says leads back to work.
    inDoubt: {
      entry: 'noteDoubt',
      always: [
        { guard: 'hasQueriesLeft', target: 'asking' },
        {
          // Nobody will attend this call any more: should it still be up, it ought to end.
          actions: {
            type: 'order',
            params: (): OrderBody => ({ type: 'attempt.cancel', reason: 'in_doubt' }),
          },
          target: 'ended',
        },
      ],
    },
    asking: {
      entry: ['noteQuery', { type: 'order', params: ({ context }) => queryOf(context) }],
      on: {
        'attempt.sent': goesOn,
        'attempt.alerting': goesOn,
        'attempt.earlyMedia': goesOn,
        'attempt.answered': goesOn,
        'telephony.reply': [
          superseded,
          { guard: isRefusedFor('attempt.dial', null), actions: noteReply, target: 'ended' },
          { guard: isAcceptedFor('attempt.dial'), target: 'resuming' },
          {
            guard: { type: 'isForgotten', params: replied },
            actions: 'endForgotten',
            target: 'ended',
          },
          {
            guard: { type: 'isInformed', params: replied },
            actions: noteReply,
            target: 'catchingUp',
          },
        ],
        'telephony.lost': {}, // it is known: the next question is asked in its time
        'dialer.cancel': remembered,
      },
      after: { queryWait: 'inDoubt' },
    },

    // What the gateway told again is on its way: it is heard whole before anything is made of it.
    catchingUp: {
      always: { guard: 'isComplete', target: 'resuming' },
      on: { 'telephony.lost': {}, 'telephony.reply': {}, 'dialer.cancel': remembered },
      after: { queryWait: 'resuming' },
    },
    resuming: {
      always: [
        { guard: 'hasEnded', target: 'ended' },
        { guard: 'isTalking', target: 'answered.talking' },
        { guard: 'isConnected', target: 'answered.connected' },
        { guard: 'isUnwantedAnswer', target: 'hangingUp' },
        { guard: 'isAnswered', target: 'answered' },
        { guard: 'isGivenUp', target: 'cancelling' },
        { guard: 'isRinging', target: 'alerting' },
        { guard: 'isSent', target: 'proceeding' },
        { target: 'dialing.accepted' },
      ],
    },

    // The end overtook an event before it: the Result waits for the whole account.
    settling: {
      always: { guard: 'isComplete', target: 'ended' },
      on: { 'telephony.lost': {}, 'telephony.reply': {} },
      after: { gapWait: 'ended' },
    },
    ended: { type: 'final' },
  },
});
