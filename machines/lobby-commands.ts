/** Lobby legs: a representative's parked leg, held until a customer is bridged to it. */
import { Type, type Static } from 'typebox';
import { DurationMs, LOBBY_ENVELOPE } from './telephony-envelope.ts';

/**
 * Opening one that is open already changes nothing: under a higher fence its events count anew and
 * `lobby.ready` is told again, by which a dialer that restarted takes its legs over.
 */
export const LobbyOpen = Type.Object({
  type: Type.Literal('lobby.open'),
  ...LOBBY_ENVELOPE,
  gatewayId: Type.String({ description: 'The one gateway that may act on this.' }),
  representativeId: Type.String(),
  takesOver: Type.Optional(
    Type.Boolean({
      description:
        'Only a leg that is up already is meant: without one nobody is called, and it is refused.',
    }),
  ),
  via: Type.Optional(
    Type.Enum(['invite', 'dialIn'], {
      description:
        'invite: their phone is called. dialIn: they call the dial-in number and give their PIN, ' +
        'before this or within ringLimitMs. Default: invite.',
    }),
  ),
  sipUri: Type.String({
    description:
      'Where the representative’s phone is: any SIP URI. With the registrar’s realm as its host, or ' +
      'empty: what they have registered. Not used with via dialIn.',
  }),
  ringLimitMs: DurationMs('INVITE to the representative’s answer.'),
  idleLimitMs: DurationMs('Without a customer, since ready or since the last one: released.'),
  sound: Type.Optional(
    Type.String({
      description:
        'Prompt or stream looped to the representative between customers. Default: comfort noise.',
    }),
  ),
});
export type LobbyOpen = Static<typeof LobbyOpen>;

export const LobbyClose = Type.Object({
  type: Type.Literal('lobby.close'),
  ...LOBBY_ENVELOPE,
  gatewayId: Type.Optional(
    Type.String({ description: 'Where the leg is, for a dialer that did not open it itself.' }),
  ),
  reason: Type.Enum(['released', 'idle', 'shutdown']),
});
export type LobbyClose = Static<typeof LobbyClose>;

/** Plays to the representative alone: who is about to be bridged. */
export const LobbyWhisper = Type.Object({
  type: Type.Literal('lobby.whisper'),
  ...LOBBY_ENVELOPE,
  playId: Type.String(),
  prompts: Type.Array(Type.String(), { minItems: 1 }),
});
export type LobbyWhisper = Static<typeof LobbyWhisper>;

export const MONITOR_MODES = ['listen', 'whisper', 'barge'] as const;
export type MonitorMode = (typeof MONITOR_MODES)[number];

/**
 * A supervisor joins: hears both (listen), speaks to the representative (whisper), or to both. It
 * lasts over all customers of the leg. Sent again with the same monitorId it changes the mode.
 */
export const LobbyMonitor = Type.Object({
  type: Type.Literal('lobby.monitor'),
  ...LOBBY_ENVELOPE,
  monitorId: Type.String(),
  mode: Type.Enum([...MONITOR_MODES]),
  sipUri: Type.String({ description: 'The supervisor’s phone.' }),
});
export type LobbyMonitor = Static<typeof LobbyMonitor>;

export const LobbyUnmonitor = Type.Object({
  type: Type.Literal('lobby.unmonitor'),
  ...LOBBY_ENVELOPE,
  monitorId: Type.String(),
});
export type LobbyUnmonitor = Static<typeof LobbyUnmonitor>;
