/**
 * Commands, dialer → gateway. Plain JSON, idempotent by (attemptId, fence, seq); the gateway
 * answers each with a CommandReply and tells what follows in events (telephony-events.ts).
 */
import { Type, type Static } from 'typebox';
import { GATEWAY_COMMANDS } from './gateway-commands.ts';
import {
  LobbyClose,
  LobbyMonitor,
  LobbyOpen,
  LobbyUnmonitor,
  LobbyWhisper,
} from './lobby-commands.ts';
import {
  RecordingPause,
  RecordingResume,
  RecordingStart,
  RecordingStop,
} from './recording-commands.ts';
import { ATTEMPT_ENVELOPE, DurationMs, Fence, LobbyId } from './telephony-envelope.ts';
import {
  AttemptCancelTransfer,
  AttemptCompleteTransfer,
  AttemptTransfer,
} from './transfer-commands.ts';

/** The gateway's abandonment clock: it speaks and hangs up when nobody is connected in time. */
export const Failsafe = Type.Object({
  clockFrom: Type.Enum(['answer', 'greetingEnd'], {
    description: 'What starts the clock: the rule pack decides.',
  }),
  connectWithinMs: DurationMs('From the clock’s start to the connect, which stops it.'),
  ceilingAfterAnswerMs: DurationMs('From the answer, whatever the greeting does.'),
  promptId: Type.String({
    description: 'Message for an abandoned person: a prompt id or `say:<locale>:<text>`.',
  }),
  optOutDigits: Type.String({
    description: 'DTMF digits that opt out while that message plays; empty: none.',
    pattern: '^[0-9*#A-D]*$',
  }),
  optOutPrompt: Type.Optional(
    Type.String({ description: 'Confirms an opt-out before the call is ended. Default: nothing.' }),
  ),
  morePrompts: Type.Optional(
    Type.Array(Type.String(), { description: 'What is said after promptId. Default: nothing.' }),
  ),
  orderStops: Type.Optional(
    Type.Boolean({
      description:
        'A play or a connect that is ordered in time stops the clock already: the dialer is there. ' +
        'An agent that then fails is the dialer’s to speak for, and the gateway’s after 2 s. For ' +
        'calls of prompts and of AI agents. Default false.',
    }),
  ),
});
export type Failsafe = Static<typeof Failsafe>;

/**
 * Answering-machine detection of whoever answers (spec B.3.2, ruling 7). Early media is always
 * classified, whatever is ordered here.
 */
export const Detection = Type.Object({
  mode: Type.Enum(['beforeConnect', 'alongside'], {
    description:
      'beforeConnect: the dialer waits for the verdict. alongside: an AI agent is connected at the ' +
      'answer, and the verdict comes while it talks.',
  }),
  limitMs: Type.Integer({
    description: 'First speech to the latest verdict; undecided is `unknown`, a person. ms.',
    minimum: 1_000,
    maximum: 7_000,
  }),
  initialSilenceMs: Type.Integer({
    description: 'Answer to the verdict `silence` when no speech begins. ms.',
    minimum: 500,
    maximum: 10_000,
    default: 2_500,
  }),
});
export type Detection = Static<typeof Detection>;

/**
 * Starts an attempt at one named gateway. Never reclaimed by another consumer: a dial without a
 * reply is in doubt, and is asked about by `attempt.query`, not repeated elsewhere.
 */
export const AttemptDial = Type.Object({
  type: Type.Literal('attempt.dial'),
  ...ATTEMPT_ENVELOPE,
  gatewayId: Type.String({ description: 'The one gateway that may act on this.' }),
  notAfterMs: Type.Integer({
    description: 'Epoch, ms: no first INVITE leaves later. Checked on receipt and at the INVITE.',
    minimum: 0,
  }),
  windowEndMs: Type.Optional(
    Type.Integer({
      description:
        'Epoch, ms: the calling window ends. No INVITE leaves then or later, on no trunk of a group.',
      minimum: 0,
    }),
  ),
  trunk: Type.String({ description: 'Name of the trunk to dial through, or of a group.' }),
  destination: Type.String({ description: 'Number to dial, E.164 with plus where it is one.' }),
  callerId: Type.String({ description: 'Number to show, E.164 with plus where it is one.' }),
  callerName: Type.Optional(Type.String({ description: 'Display name of the From header.' })),
  setupTimeoutMs: DurationMs('INVITE to the first 180/183 or final response: gateway backstop.'),
  ringLimitMs: DurationMs(
    'First 180/183 to our CANCEL: the gateway’s backstop, longer than the dialer’s ring timeout.',
  ),
  callLengthMaxMs: DurationMs('Answer to hang-up, scheduled at the switch when answered.'),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'More headers for the INVITE, by name.',
    }),
  ),
  failsafe: Type.Optional(Failsafe),
  detection: Type.Optional(Detection),
  lobbyId: Type.Optional(LobbyId),
});
export type AttemptDial = Static<typeof AttemptDial>;

/** An AI agent at a SIP URI. What it is told and may answer is in docs/ai-agents.md. */
export const AiAgentTarget = Type.Object({
  kind: Type.Literal('aiAgent'),
  sipUri: Type.String({ description: 'SIP URI of the AI agent; transport=tcp|udp.' }),
  contextUrl: Type.Optional(
    Type.String({ description: 'Where the agent fetches its context and posts results.' }),
  ),
  contextToken: Type.Optional(Type.String({ description: 'Bearer token for contextUrl.' })),
  context: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'The context itself, sent inline when its base64url JSON is ≤ 800 bytes.',
    }),
  ),
  setupTimeoutMs: DurationMs('The command to the agent’s 200.'),
  firstAudioTimeoutMs: Type.Optional(
    DurationMs(
      'Connect to the agent’s first audio, else it has failed. Default 10 s; 0: no limit.',
    ),
  ),
  audioTimeoutMs: Type.Optional(
    DurationMs(
      'No RTP from a connected agent for this long: it has failed. Default 15 s; 0: no limit, ' +
        'for agents that send nothing while they are silent.',
    ),
  ),
});
export type AiAgentTarget = Static<typeof AiAgentTarget>;

export const ConnectTarget = Type.Union([
  Type.Object({ kind: Type.Literal('lobby'), lobbyId: LobbyId }),
  AiAgentTarget,
]);
export type ConnectTarget = Static<typeof ConnectTarget>;

/** Joins the customer's leg with another. Legal before the answer, for early media. */
export const AttemptConnect = Type.Object({
  type: Type.Literal('attempt.connect'),
  ...ATTEMPT_ENVELOPE,
  connectId: Type.String({ description: 'Named again by .connected and .connectFailed.' }),
  target: ConnectTarget,
  cue: Type.Optional(
    Type.String({
      description: 'Prompt or tone_stream:// that a lobby leg hears first. Default: a short tone.',
    }),
  ),
});
export type AttemptConnect = Static<typeof AttemptConnect>;

export const AttemptPlay = Type.Object({
  type: Type.Literal('attempt.play'),
  ...ATTEMPT_ENVELOPE,
  playId: Type.String({ description: 'Named again by attempt.played.' }),
  prompts: Type.Array(Type.String(), {
    description:
      'In order: prompt ids, `say:<locale>:<text>`, or tone_stream:// and silence_stream:// as FreeSWITCH has.',
    minItems: 1,
    maxItems: 32,
  }),
  when: Type.Optional(
    Type.Enum(['now', 'afterGreeting'], {
      description:
        'afterGreeting: once the greeting of a machine is over, by its beep or by silence, ' +
        'whichever the evidence says. Default: now.',
    }),
  ),
  optOutDigits: Type.Optional(
    Type.String({
      description:
        'DTMF digits that opt out while this plays and for 3 s after it: told by attempt.optOut, and ' +
        'the gateway ends the call. Default: none.',
      pattern: '^[0-9*#A-D]*$',
    }),
  ),
  optOutPrompt: Type.Optional(
    Type.String({ description: 'Confirms an opt-out before the call is ended. Default: nothing.' }),
  ),
});
export type AttemptPlay = Static<typeof AttemptPlay>;

export const AttemptSendDtmf = Type.Object({
  type: Type.Literal('attempt.sendDtmf'),
  ...ATTEMPT_ENVELOPE,
  digits: Type.String({ pattern: '^[0-9*#A-Dw]+$', description: 'w is a pause of 500 ms.' }),
  toneMs: Type.Integer({ description: 'Length of each tone. ms.', minimum: 40, maximum: 8_000 }),
});
export type AttemptSendDtmf = Static<typeof AttemptSendDtmf>;

export const AttemptHold = Type.Object({
  type: Type.Literal('attempt.hold'),
  ...ATTEMPT_ENVELOPE,
  prompts: Type.Array(Type.String(), { description: 'Looped to the customer; empty: silence.' }),
});
export type AttemptHold = Static<typeof AttemptHold>;

export const AttemptUnhold = Type.Object({
  type: Type.Literal('attempt.unhold'),
  ...ATTEMPT_ENVELOPE,
});
export type AttemptUnhold = Static<typeof AttemptUnhold>;

/** Of the representative: the customer does not hear them until it is undone. */
export const AttemptMute = Type.Object({
  type: Type.Literal('attempt.mute'),
  ...ATTEMPT_ENVELOPE,
});
export type AttemptMute = Static<typeof AttemptMute>;

export const AttemptUnmute = Type.Object({
  type: Type.Literal('attempt.unmute'),
  ...ATTEMPT_ENVELOPE,
});
export type AttemptUnmute = Static<typeof AttemptUnmute>;

export const CANCEL_REASONS = [
  'ring_timeout', // alerting for longer than the dialer's ring timer
  'early_media', // what was heard before the answer says that nobody will answer
  'setup_timeout', // nothing but 100 Trying, for longer than the dialer's set-up timer
  'dialer_recall', // pacing lost the representative for whom this attempt was made
  'cancelled', // a person, the API or a policy asked for it
  'shutdown', // this process is stopping
  'in_doubt', // the gateway was silent for too long and the dialer gives the attempt up
] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];

/** Gives the attempt up: before the INVITE no INVITE leaves; then CANCEL; after the answer BYE. */
export const AttemptCancel = Type.Object({
  type: Type.Literal('attempt.cancel'),
  ...ATTEMPT_ENVELOPE,
  reason: Type.Enum([...CANCEL_REASONS]),
});
export type AttemptCancel = Static<typeof AttemptCancel>;

export const HANGUP_REASONS = [
  'completed', // everything that was to be said has been said
  'cancelled',
  'no_connect', // a person answered and nobody could be connected
  'shutdown',
  'limit', // a time limit of the dialer
  'failed', // what was to be said could not be said
] as const;
export type HangupReason = (typeof HANGUP_REASONS)[number];

export const AttemptHangup = Type.Object({
  type: Type.Literal('attempt.hangup'),
  ...ATTEMPT_ENVELOPE,
  reason: Type.Enum([...HANGUP_REASONS]),
  dialogId: Type.Optional(
    Type.String({
      description:
        'As `attempt.sent` and `attempt.answered` told it: a gateway that knows nothing of the ' +
        'attempt ends the call by it, should it still be up.',
      minLength: 1,
      maxLength: 512,
    }),
  ),
});
export type AttemptHangup = Static<typeof AttemptHangup>;

/** Recovery: the reply carries an AttemptSnapshot. A higher fence takes the attempt over. */
export const AttemptQuery = Type.Object({
  type: Type.Literal('attempt.query'),
  ...ATTEMPT_ENVELOPE,
  heard: Type.Optional(
    Type.Object(
      { fence: Fence, seq: Type.Integer({ minimum: 0 }) },
      {
        description:
          'The last event that the owner before has on disk; seq 0: none. What was told after it is ' +
          'told again under the new fence, from number 1. Default: nothing is told again.',
      },
    ),
  ),
});
export type AttemptQuery = Static<typeof AttemptQuery>;

/** Every attempt command by its type. */
export const ATTEMPT_COMMANDS = {
  'attempt.dial': AttemptDial,
  'attempt.connect': AttemptConnect,
  'attempt.play': AttemptPlay,
  'attempt.sendDtmf': AttemptSendDtmf,
  'attempt.hold': AttemptHold,
  'attempt.unhold': AttemptUnhold,
  'attempt.mute': AttemptMute,
  'attempt.unmute': AttemptUnmute,
  'attempt.transfer': AttemptTransfer,
  'attempt.completeTransfer': AttemptCompleteTransfer,
  'attempt.cancelTransfer': AttemptCancelTransfer,
  'attempt.cancel': AttemptCancel,
  'attempt.hangup': AttemptHangup,
  'attempt.query': AttemptQuery,
  'recording.start': RecordingStart,
  'recording.stop': RecordingStop,
  'recording.pause': RecordingPause,
  'recording.resume': RecordingResume,
} as const;

export const LOBBY_COMMANDS = {
  'lobby.open': LobbyOpen,
  'lobby.close': LobbyClose,
  'lobby.whisper': LobbyWhisper,
  'lobby.monitor': LobbyMonitor,
  'lobby.unmonitor': LobbyUnmonitor,
} as const;

/** What is fenced and numbered, dialer → gateway; beside it there is gateway-commands.ts. */
export const TELEPHONY_COMMANDS = { ...ATTEMPT_COMMANDS, ...LOBBY_COMMANDS } as const;

type CommandSchemas = typeof TELEPHONY_COMMANDS;
export type CommandType = keyof CommandSchemas;
export type CommandOf<T extends CommandType> = Static<CommandSchemas[T]>;
export type AttemptCommandType = keyof typeof ATTEMPT_COMMANDS;
export type AttemptCommand = { [T in AttemptCommandType]: CommandOf<T> }[AttemptCommandType];
export type LobbyCommand = {
  [T in keyof typeof LOBBY_COMMANDS]: CommandOf<T>;
}[keyof typeof LOBBY_COMMANDS];
export type TelephonyCommand = { [T in CommandType]: CommandOf<T> }[CommandType];

/** The whole contract: for validation at a process boundary, and for publication. */
export const TelephonyCommandSchema = Type.Union(
  Object.values({ ...TELEPHONY_COMMANDS, ...GATEWAY_COMMANDS }),
);
