/** Lobby legs: a representative's parked leg, held until a customer is bridged to it. */
import { Type, type Static } from 'typebox';
import { DurationMs, LOBBY_ENVELOPE } from './telephony-envelope.ts';

export const LobbyOpen = Type.Object({
  type: Type.Literal('lobby.open'),
  ...LOBBY_ENVELOPE,
  gatewayId: Type.String({ description: 'The one gateway that may act on this.' }),
  representativeId: Type.String(),
  sipUri: Type.String({ description: 'Where the representative’s phone is registered.' }),
  ringLimitMs: DurationMs('INVITE to the representative’s answer.'),
  idleLimitMs: DurationMs('Answer to release when no customer was ever bridged.'),
});
export type LobbyOpen = Static<typeof LobbyOpen>;

export const LobbyClose = Type.Object({
  type: Type.Literal('lobby.close'),
  ...LOBBY_ENVELOPE,
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

/** A supervisor joins: hears both (listen), speaks to the representative (whisper), or to both. */
export const LobbyMonitor = Type.Object({
  type: Type.Literal('lobby.monitor'),
  ...LOBBY_ENVELOPE,
  monitorId: Type.String(),
  mode: Type.Enum(['listen', 'whisper', 'barge']),
  sipUri: Type.String({ description: 'The supervisor’s phone.' }),
});
export type LobbyMonitor = Static<typeof LobbyMonitor>;
