/**
 * Events, gateway → dialer. At least once, in order per attempt, numbered from 1 per attempt and
 * fence. `attempt.ended` is the last of every attempt that was not refused, and comes once; only
 * `aiAgent.returned`, `recording.ended` and `recording.failed` may still follow it.
 */
import { Type, type Static } from 'typebox';
import { AttemptEnded } from './attempt-ended.ts';
import { REFUSAL_CODES } from './command-reply.ts';
import { GatewayCapacity, TrunkState } from './gateway-events.ts';
import { PRESENCE_EVENTS } from './gateway-presence-events.ts';
import {
  AttemptHoldChanged,
  AttemptMuteChanged,
  AttemptTransferAnswered,
  AttemptTransferFailed,
  AttemptTransferred,
} from './call-control-events.ts';
import {
  InboundCall,
  InboundEnded,
  InboundOptOut,
  RepresentativeDialedIn,
  RepresentativeDialInEnded,
  RepresentativeDialInRefused,
} from './inbound-events.ts';
import {
  LobbyDtmf,
  LobbyLeft,
  LobbyMonitorEnded,
  LobbyMonitoring,
  LobbyPlayed,
  LobbyReady,
  LobbyReferred,
} from './lobby-events.ts';
import {
  AiAgentEscalated,
  AiAgentFailed,
  AiAgentFirstUtterance,
  AiAgentReturned,
  AttemptBridgeEnded,
  AttemptConnected,
  AttemptConnectFailed,
} from './connect-events.ts';
import { RecordingEnded, RecordingFailed, RecordingStarted } from './recording-events.ts';
import { ATTEMPT_ENVELOPE, DurationMs } from './telephony-envelope.ts';
import { RecordingTranscribed, RecordingTranscriptionFailed } from './transcription.ts';

/** The first INVITE has left; told again when the call is tried on another trunk of the group. */
export const AttemptSent = Type.Object({
  type: Type.Literal('attempt.sent'),
  ...ATTEMPT_ENVELOPE,
  callId: Type.String({ description: 'Call-ID of the INVITE.' }),
  dialogId: Type.Optional(
    Type.String({ description: 'What its dialog will be called, for a BYE by any gateway.' }),
  ),
  trunk: Type.String(),
  sipUri: Type.Optional(Type.String({ description: 'Request-URI, masked where configured.' })),
  invites: Type.Integer({ description: 'INVITEs so far in this attempt.', minimum: 1 }),
});

/** Refused after the dial had been accepted: no INVITE left, and no `attempt.ended` follows. */
export const AttemptRefused = Type.Object({
  type: Type.Literal('attempt.refused'),
  ...ATTEMPT_ENVELOPE,
  code: Type.Enum([...REFUSAL_CODES]),
  detail: Type.String(),
});

export const AttemptAlerting = Type.Object({
  type: Type.Literal('attempt.alerting'),
  ...ATTEMPT_ENVELOPE,
  statusCode: Type.Integer({
    description: 'Of the provisional response; never 100, which the next hop sends.',
    minimum: 101,
    maximum: 199,
  }),
  afterSentMs: DurationMs('Since the INVITE: post-dial delay when it is the first.'),
});

export const EARLY_MEDIA_VERDICTS = [
  'ringback',
  'busy',
  'reorder', // fast busy
  'sit_vacant', // SIT: vacant code or intercept, no such number
  'sit_no_circuit',
  'voicemail', // a greeting before the answer
  'other',
] as const;
export type EarlyMediaVerdict = (typeof EARLY_MEDIA_VERDICTS)[number];

/** A provisional response with SDP, and again when what is heard has been recognised. */
export const AttemptEarlyMedia = Type.Object({
  type: Type.Literal('attempt.earlyMedia'),
  ...ATTEMPT_ENVELOPE,
  statusCode: Type.Integer({ minimum: 101, maximum: 199 }),
  afterSentMs: DurationMs('Since the INVITE.'),
  verdict: Type.Union([Type.Enum([...EARLY_MEDIA_VERDICTS]), Type.Null()], {
    description: 'What the tones say; null while nothing is recognised.',
  }),
});

export const AttemptAnswered = Type.Object({
  type: Type.Literal('attempt.answered'),
  ...ATTEMPT_ENVELOPE,
  dialogId: Type.String({ description: 'Stored before the ACK: lets any gateway send the BYE.' }),
  channelId: Type.String({ description: "The media server's channel UUID." }),
  afterSentMs: DurationMs('Since the INVITE.'),
});

export const ANSWER_VERDICTS = ['human', 'machine', 'fax', 'sit', 'silence', 'unknown'] as const;
export type AnswerVerdict = (typeof ANSWER_VERDICTS)[number];

/** Answering machine detection. Undecided (`unknown`) is treated as a person. */
export const AttemptClassified = Type.Object({
  type: Type.Literal('attempt.classified'),
  ...ATTEMPT_ENVELOPE,
  verdict: Type.Enum([...ANSWER_VERDICTS]),
  humanProbability: Type.Number({ minimum: 0, maximum: 1 }),
  afterAnswerMs: DurationMs('Since the answer.'),
  speechAfterAnswerMs: Type.Optional(
    DurationMs('Answer to the first speech. Absent when none was heard before the verdict.'),
  ),
  evidence: Type.Record(Type.String(), Type.Unknown(), {
    description:
      'Features behind the verdict, for the log. speechStartMs: answer to the first speech, ms.',
  }),
});

export const AttemptGreetingEnded = Type.Object({
  type: Type.Literal('attempt.greetingEnded'),
  ...ATTEMPT_ENVELOPE,
  afterAnswerMs: DurationMs('Since the answer.'),
});

export const AttemptBeep = Type.Object({
  type: Type.Literal('attempt.beep'),
  ...ATTEMPT_ENVELOPE,
  afterAnswerMs: DurationMs('Since the answer.'),
});

export const AttemptDtmf = Type.Object({
  type: Type.Literal('attempt.dtmf'),
  ...ATTEMPT_ENVELOPE,
  digit: Type.String({ pattern: '^[0-9*#A-D]$' }),
  durationMs: DurationMs('Length of the tone.'),
  source: Type.String({ description: 'rtp (RFC 4733), info or inband.' }),
});

/** The person pressed a digit that opts out while a message that offers it was played. */
export const AttemptOptOut = Type.Object({
  type: Type.Literal('attempt.optOut'),
  ...ATTEMPT_ENVELOPE,
  digit: Type.String({ pattern: '^[0-9*#A-D]$' }),
  source: Type.String({ description: 'rtp (RFC 4733), info or inband.' }),
  playId: Type.Union([Type.String(), Type.Null()], {
    description: 'Of the attempt.play; null: of the failsafe’s message.',
  }),
});

export const PLAY_STATUSES = ['done', 'stopped', 'notFound', 'failed'] as const;
export type PlayStatus = (typeof PLAY_STATUSES)[number];

export const AttemptPlayed = Type.Object({
  type: Type.Literal('attempt.played'),
  ...ATTEMPT_ENVELOPE,
  playId: Type.String({
    description:
      'Of the attempt.play; `failsafe`: the abandonment clock’s message; `optOut`: what confirms one.',
  }),
  status: Type.Enum([...PLAY_STATUSES], {
    description: 'done: to the end. stopped: by hang-up, break or another command.',
  }),
  playedMs: DurationMs('How much of it was played.'),
});

export const AttemptEndedEvent = Type.Object({
  type: Type.Literal('attempt.ended'),
  ...ATTEMPT_ENVELOPE,
  ...AttemptEnded.properties,
});

/** Every event that belongs to one attempt, by its type. */
export const ATTEMPT_EVENTS = {
  'attempt.sent': AttemptSent,
  'attempt.refused': AttemptRefused,
  'attempt.alerting': AttemptAlerting,
  'attempt.earlyMedia': AttemptEarlyMedia,
  'attempt.answered': AttemptAnswered,
  'attempt.classified': AttemptClassified,
  'attempt.greetingEnded': AttemptGreetingEnded,
  'attempt.beep': AttemptBeep,
  'attempt.connected': AttemptConnected,
  'attempt.connectFailed': AttemptConnectFailed,
  'attempt.bridgeEnded': AttemptBridgeEnded,
  'attempt.dtmf': AttemptDtmf,
  'attempt.optOut': AttemptOptOut,
  'attempt.played': AttemptPlayed,
  'attempt.holdChanged': AttemptHoldChanged,
  'attempt.muteChanged': AttemptMuteChanged,
  'attempt.transferAnswered': AttemptTransferAnswered,
  'attempt.transferred': AttemptTransferred,
  'attempt.transferFailed': AttemptTransferFailed,
  'attempt.ended': AttemptEndedEvent,
  'aiAgent.failed': AiAgentFailed,
  'aiAgent.escalated': AiAgentEscalated,
  'aiAgent.returned': AiAgentReturned,
  'aiAgent.firstUtterance': AiAgentFirstUtterance,
  'recording.started': RecordingStarted,
  'recording.ended': RecordingEnded,
  'recording.failed': RecordingFailed,
} as const;

export const LOBBY_EVENTS = {
  'lobby.ready': LobbyReady,
  'lobby.left': LobbyLeft,
  'lobby.played': LobbyPlayed,
  'lobby.dtmf': LobbyDtmf,
  'lobby.referred': LobbyReferred,
  'lobby.monitoring': LobbyMonitoring,
  'lobby.monitorEnded': LobbyMonitorEnded,
} as const;

export const GATEWAY_EVENTS = {
  'trunk.state': TrunkState,
  'gateway.capacity': GatewayCapacity,
  ...PRESENCE_EVENTS,
  'inbound.call': InboundCall,
  'inbound.optOut': InboundOptOut,
  'inbound.ended': InboundEnded,
  'representative.dialedIn': RepresentativeDialedIn,
  'representative.dialInRefused': RepresentativeDialInRefused,
  'representative.dialInEnded': RepresentativeDialInEnded,
  'recording.transcribed': RecordingTranscribed,
  'recording.transcriptionFailed': RecordingTranscriptionFailed,
} as const;

/** The whole contract, gateway → dialer. */
export const TELEPHONY_EVENTS = { ...ATTEMPT_EVENTS, ...LOBBY_EVENTS, ...GATEWAY_EVENTS } as const;

type EventSchemas = typeof TELEPHONY_EVENTS;
export type EventType = keyof EventSchemas;
export type EventOf<T extends EventType> = Static<EventSchemas[T]>;
export type AttemptEventType = keyof typeof ATTEMPT_EVENTS;
export type AttemptEvent = { [T in AttemptEventType]: EventOf<T> }[AttemptEventType];
export type LobbyEvent = {
  [T in keyof typeof LOBBY_EVENTS]: EventOf<T>;
}[keyof typeof LOBBY_EVENTS];
export type TelephonyEvent = { [T in EventType]: EventOf<T> }[EventType];

/** For validation at a process boundary (typebox/compile) and for the published contract. */
export const TelephonyEventSchema = Type.Union(Object.values(TELEPHONY_EVENTS));

/** True for what belongs to one attempt, and so can be handed to that attempt's machine. */
export function isAttemptEvent(event: TelephonyEvent): event is AttemptEvent {
  return Object.hasOwn(ATTEMPT_EVENTS, event.type);
}
