/**
 * Off-hook, and a representative is to talk: who answered is waited for first, so that no machine ever
 * reaches one. A person is joined with the representative's lobby, or waits until there is one or the
 * gateway's abandonment clock runs out; a machine is hung up on, or left a message.
 */
import { joinOf, messageOf } from './call-attempt.context.ts';
import { news, type DialerTransfer, type OrderBody } from './call-attempt.events.ts';
import {
  isAcceptedFor,
  isRefusedFor,
  noteHangup,
  record,
  superseded,
} from './call-attempt.params.ts';
import { callAttemptSetup } from './call-attempt.setup.ts';

const HANGING_UP = '#callAttempt.hangingUp';
const IN_DOUBT = '#callAttempt.inDoubt';

const hangUpFailed = { actions: noteHangup('failed'), target: HANGING_UP } as const;
const hangUpDone = { actions: noteHangup('completed'), target: HANGING_UP } as const;
const isOwnConnect = { type: 'isOwnConnect', params: news } as const;
const isOwnMessage = { type: 'isOwnMessage', params: news } as const;

/** Undecided is a person (J.7), and so is a gateway that says nothing of it in time. */
export const classifyingState = callAttemptSetup.createStateConfig({
  always: [
    { guard: 'isNobodyThere', ...hangUpDone },
    { guard: 'isMachine', target: 'machine' },
    { guard: 'isSilence', ...hangUpDone },
    { guard: 'isPerson', target: 'reaching' },
  ],
  after: { verdictWait: 'reaching' },
});

export const machineState = callAttemptSetup.createStateConfig({
  always: [{ guard: 'leavesMessage', target: 'leavingMessage' }, hangUpDone],
});

/** The gateway waits for the greeting's end, by beep or silence. */
export const leavingMessageState = callAttemptSetup.createStateConfig({
  entry: ['notePlay', { type: 'order', params: ({ context }) => messageOf(context) }],
  on: {
    'attempt.played': [
      {
        guard: { type: 'isFailedMessage', params: news },
        actions: [record, noteHangup('failed')],
        target: HANGING_UP,
      },
      { guard: isOwnMessage, actions: [record, noteHangup('completed')], target: HANGING_UP },
    ],
    'telephony.reply': [superseded, { guard: isRefusedFor('attempt.play', null), ...hangUpFailed }],
  },
  after: { messageWait: { actions: noteHangup('limit'), target: HANGING_UP } },
});

/** A person is there. Without a representative they wait; the gateway counts for how long. */
export const reachingState = callAttemptSetup.createStateConfig({
  always: { guard: 'hasLobby', target: 'joining' },
  after: { abandonWait: { actions: noteHangup('no_connect'), target: HANGING_UP } },
});

export const joiningState = callAttemptSetup.createStateConfig({
  initial: 'ordered',
  // A verdict that came too late to be waited for, and yet in time.
  always: { guard: 'isNoPerson', ...hangUpDone },
  on: {
    'attempt.connected': { guard: isOwnConnect, actions: record, target: 'talking' },
    'attempt.connectFailed': [
      { guard: { type: 'isFailsafe', params: news }, actions: record, target: 'abandoned' },
      {
        guard: { type: 'isOwnConnectOfTwo', params: news },
        actions: [record, 'forgetLobby'],
        target: 'connected',
      },
      { guard: isOwnConnect, actions: [record, 'forgetLobby'], target: 'reaching' },
    ],
    'telephony.reply': [
      superseded,
      // The AI agent has the customer still, and is just being joined: once it has left, then.
      {
        guard: { type: 'isRefusedWhileConnected', params: ({ event }) => ({ event }) },
        target: 'connected',
      },
      {
        guard: isRefusedFor('attempt.connect', null),
        actions: 'forgetLobby',
        target: 'reaching',
      },
    ],
  },
  states: {
    ordered: {
      entry: ['noteConnect', { type: 'order', params: ({ context }) => joinOf(context) }],
      on: { 'telephony.reply': { guard: isAcceptedFor('attempt.connect'), target: 'accepted' } },
      after: { replyWait: IN_DOUBT },
    },
    accepted: { after: { joinWait: IN_DOUBT } },
  },
});

/**
 * They talk. A customer who leaves ends the attempt; when the representative leaves we end it. One who
 * passed the customer on is free, and the customer goes on with somebody else.
 */
export const talkingState = callAttemptSetup.createStateConfig({
  entry: 'startRecording',
  on: {
    'attempt.bridgeEnded': [
      {
        guard: { type: 'hasTargetLeft', params: news },
        actions: [record, noteHangup('completed')],
        target: HANGING_UP,
      },
      {
        guard: { type: 'hasBridgeBroken', params: news },
        actions: [record, noteHangup('failed')],
        target: HANGING_UP,
      },
    ],
    'dialer.transfer': {
      actions: { type: 'order', params: ({ event }) => transferOf(event) },
    },
    'attempt.transferred': {
      guard: { type: 'isNews', params: news },
      actions: record,
      target: 'passedOn',
    },
    // Blind: the representative has left, and the customer is with nobody.
    'attempt.transferFailed': {
      guard: { type: 'isLeftAlone', params: news },
      actions: [record, 'forgetLobby'],
      target: 'reaching',
    },
  },
  after: { callLengthWait: IN_DOUBT },
});

function transferOf({ transferId, destination }: DialerTransfer): OrderBody {
  return { type: 'attempt.transfer', transferId, mode: 'blind', destination };
}

export const passedOnState = callAttemptSetup.createStateConfig({
  after: { callLengthWait: IN_DOUBT },
});

/** The gateway's clock ran out: it says its message and hangs up. We only make sure that it does. */
export const abandonedState = callAttemptSetup.createStateConfig({
  after: { abandonedWait: { actions: noteHangup('no_connect'), target: HANGING_UP } },
});
