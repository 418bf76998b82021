/** Lobby legs, as the gateway reports them. */
import { Type } from 'typebox';
import { MONITOR_MODES } from './lobby-commands.ts';
import { DurationMs, LOBBY_ENVELOPE } from './telephony-envelope.ts';

export const LobbyReady = Type.Object({
  type: Type.Literal('lobby.ready'),
  ...LOBBY_ENVELOPE,
  mediaServerId: Type.String({
    description: 'Attempts for this representative must use the same media server.',
  }),
});

export const LOBBY_LEFT_REASONS = [
  'representative', // their BYE
  'closed', // by lobby.close, or the gateway is closing
  'idle', // no customer for the idle limit
  'notAnswered', // refused, busy, or not within the ring limit: there was no lobby.ready
  'lost', // no RTP and no answer to OPTIONS
  'switch',
] as const;

/** The last event of a lobby. */
export const LobbyLeft = Type.Object({
  type: Type.Literal('lobby.left'),
  ...LOBBY_ENVELOPE,
  reason: Type.Enum([...LOBBY_LEFT_REASONS]),
  heldMs: DurationMs('From lobby.ready.'),
  statusCode: Type.Optional(
    Type.Union([Type.Integer(), Type.Null()], {
      description: 'notAnswered: the final SIP response, where there was one.',
    }),
  ),
  detail: Type.Optional(Type.String({ description: 'For the log.' })),
});

/** What became of a whisper. */
export const LobbyPlayed = Type.Object({
  type: Type.Literal('lobby.played'),
  ...LOBBY_ENVELOPE,
  playId: Type.String(),
  status: Type.Enum(['done', 'stopped', 'notFound', 'failed']),
  playedMs: DurationMs('How much of it was played.'),
});

/** A key of the representative's phone. While bridged the customer hears it too. */
export const LobbyDtmf = Type.Object({
  type: Type.Literal('lobby.dtmf'),
  ...LOBBY_ENVELOPE,
  digit: Type.String({ pattern: '^[0-9*#A-D]$' }),
  durationMs: DurationMs('Length of the tone.'),
});

/** The representative's phone asks for a transfer (REFER, RFC 3515): the dialer decides. */
export const LobbyReferred = Type.Object({
  type: Type.Literal('lobby.referred'),
  ...LOBBY_ENVELOPE,
  attemptId: Type.Union([Type.String(), Type.Null()], { description: 'Bridged at that moment.' }),
  referTo: Type.String({ description: 'Refer-To as it came.' }),
});

/** The supervisor is heard and hears as `mode` says. */
export const LobbyMonitoring = Type.Object({
  type: Type.Literal('lobby.monitoring'),
  ...LOBBY_ENVELOPE,
  monitorId: Type.String(),
  mode: Type.Enum([...MONITOR_MODES]),
});

export const LobbyMonitorEnded = Type.Object({
  type: Type.Literal('lobby.monitorEnded'),
  ...LOBBY_ENVELOPE,
  monitorId: Type.String(),
  reason: Type.Enum(['supervisor', 'stopped', 'refused', 'lobbyLeft', 'media'], {
    description: 'supervisor: hung up. refused: their phone did not answer.',
  }),
  detail: Type.String(),
});
