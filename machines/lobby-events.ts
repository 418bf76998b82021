/** Lobby legs, as the gateway reports them. */
import { Type } from 'typebox';
import { DurationMs, LOBBY_ENVELOPE } from './telephony-envelope.ts';

export const LobbyReady = Type.Object({
  type: Type.Literal('lobby.ready'),
  ...LOBBY_ENVELOPE,
  mediaServerId: Type.String({
    description: 'Attempts for this representative must use the same media server.',
  }),
});

export const LobbyLeft = Type.Object({
  type: Type.Literal('lobby.left'),
  ...LOBBY_ENVELOPE,
  reason: Type.Enum(['representative', 'closed', 'idle', 'notAnswered', 'switch']),
  heldMs: DurationMs('From lobby.ready.'),
});
