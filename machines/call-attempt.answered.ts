/**
 * Off-hook: what is done with whoever answered. A prompt is said, an AI agent takes the call, or a
 * representative (call-attempt.person.ts). An agent that fails leaves nobody in silence: what there is to
 * say is said, then the call is ended.
 */
import { connectOf, fallbackPlayOf, playOf } from './call-attempt.context.ts';
import {
  abandonedState,
  classifyingState,
  joiningState,
  leavingMessageState,
  machineState,
  passedOnState,
  reachingState,
  talkingState,
} from './call-attempt.person.ts';
import { news } from './call-attempt.events.ts';
import {
  isAcceptedFor,
  isNews,
  isRefusedFor,
  noteHangup,
  noteHangupFor,
  noteLobby,
  record,
  superseded,
} from './call-attempt.params.ts';
import { callAttemptSetup } from './call-attempt.setup.ts';

const HANGING_UP = '#callAttempt.hangingUp';
const IN_DOUBT = '#callAttempt.inDoubt';

const hangUpFailed = { actions: noteHangup('failed'), target: HANGING_UP } as const;
const isOwnConnect = { type: 'isOwnConnect', params: news } as const;
const isFailsafe = { type: 'isFailsafe', params: news } as const;
const agentFailed = { guard: isNews, actions: record, target: 'agentFailed' } as const;

/** A machine that the AI agent talks to: unless the agent itself has said who answered (DM-30). */
const noticedByEar = {
  guard: 'isOverByEar',
  actions: noteHangup('completed'),
  target: HANGING_UP,
} as const;

export const answeredState = callAttemptSetup.createStateConfig({
  initial: 'deciding',
  on: {
    'dialer.cancel': { actions: noteHangupFor, target: HANGING_UP },
    'attempt.connectFailed': { guard: isFailsafe, actions: record, target: '.abandoned' },
  },
  states: {
    deciding: {
      always: [
        { guard: 'isAbandoned', target: 'abandoned' },
        { guard: 'isForAgent', target: 'connecting' },
        { guard: 'isJoined', target: 'talking' },
        { guard: 'isJoining', target: 'joining.accepted' },
        { guard: 'isForRepresentativeUnheard', target: 'reaching' },
        { guard: 'isForRepresentative', target: 'classifying' },
        { guard: 'isSilent', actions: noteHangup('completed'), target: HANGING_UP },
        { target: 'playing' },
      ],
    },

    playing: {
      entry: ['notePlay', { type: 'order', params: ({ context }) => playOf(context) }],
      on: {
        'attempt.played': [
          {
            guard: { type: 'isFailedPlay', params: news },
            actions: [record, noteHangup('failed')],
            target: HANGING_UP,
          },
          {
            guard: { type: 'isOwnPlay', params: news },
            actions: [record, noteHangup('completed')],
            target: HANGING_UP,
          },
        ],
        'telephony.reply': [
          superseded,
          { guard: isRefusedFor('attempt.play', null), ...hangUpFailed },
        ],
      },
      after: { playTimeout: { actions: noteHangup('limit'), target: HANGING_UP } },
    },

    classifying: classifyingState,
    machine: machineState,
    leavingMessage: leavingMessageState,
    reaching: reachingState,
    joining: joiningState,
    talking: talkingState,
    passedOn: passedOnState,
    abandoned: abandonedState,

    // The agent is being called, or rings. The customer may hang up meanwhile: `attempt.ended`.
    connecting: {
      initial: 'ordered',
      always: noticedByEar,
      on: {
        'attempt.connected': { guard: isOwnConnect, actions: record, target: 'connected' },
        'attempt.connectFailed': [
          { guard: isFailsafe, actions: record, target: 'abandoned' },
          { guard: isOwnConnect, actions: record, target: 'agentFailed' },
        ],
        'aiAgent.failed': agentFailed,
        'telephony.reply': [
          superseded,
          { guard: isRefusedFor('attempt.connect', null), ...hangUpFailed },
        ],
      },
      states: {
        ordered: {
          entry: ['noteConnect', { type: 'order', params: ({ context }) => connectOf(context) }],
          on: {
            'telephony.reply': { guard: isAcceptedFor('attempt.connect'), target: 'accepted' },
          },
          after: { replyWait: IN_DOUBT },
        },
        accepted: { after: { connectWait: IN_DOUBT } },
      },
    },

    // They talk. A customer who leaves ends the attempt; only an agent who leaves needs us to.
    connected: {
      entry: 'startRecording',
      always: noticedByEar,
      on: {
        'aiAgent.failed': agentFailed,
        'dialer.connectLobby': { actions: noteLobby, target: 'joining' },
        'attempt.bridgeEnded': [
          // It had asked for a human, and one is there.
          {
            guard: { type: 'hasTargetLeftToLobby', params: news },
            actions: record,
            target: 'joining',
          },
          {
            guard: { type: 'hasTargetLeft', params: news },
            actions: [record, 'noteAgentLeft'],
            target: HANGING_UP,
          },
          {
            guard: { type: 'hasBridgeBroken', params: news },
            actions: [record, noteHangup('failed')],
            target: HANGING_UP,
          },
        ],
      },
      after: { callLengthWait: IN_DOUBT },
    },

    agentFailed: {
      always: [
        { guard: 'hasLobby', target: 'joining' },
        { guard: 'hasFallback', target: 'apologising' },
        hangUpFailed,
      ],
    },
    apologising: {
      entry: { type: 'order', params: ({ context }) => fallbackPlayOf(context) },
      on: {
        'attempt.played': {
          guard: { type: 'isOwnFallback', params: news },
          actions: [record, noteHangup('failed')],
          target: HANGING_UP,
        },
        'telephony.reply': [
          superseded,
          { guard: isRefusedFor('attempt.play', null), ...hangUpFailed },
        ],
      },
      after: { playTimeout: hangUpFailed },
    },
  },
});
