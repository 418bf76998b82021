/**
 * What every message of the telephony contract carries, whichever way it travels.
 *
 * Delivery is at least once and in order per attempt. The receiver drops what it has seen: a
 * message is known by (attemptId, fence, direction, seq). Nothing here depends on the transport: in
 * one process it is a function call, scaled out it is a stream.
 */
import { Type } from 'typebox';

export const AttemptId = Type.String({
  description: 'One logical dial. Digest retries and failover are INVITEs inside it.',
  minLength: 1,
  maxLength: 64,
});

export const Fence = Type.Integer({
  description:
    'Epoch of the lease under which the attempt is worked, raised in the store when ownership ' +
    'passes on. The gateway refuses a command with a lower fence than it has seen.',
  minimum: 0,
});

export const Seq = Type.Integer({
  description:
    'Counts the messages of one attempt (or lobby), fence and direction, from 1: whoever takes an ' +
    'attempt over under a higher fence counts, and is counted to, from 1 again.',
  minimum: 1,
});

export const AtMs = Type.Integer({
  description: 'When the sender made the message: epoch, milliseconds, by its own clock.',
  minimum: 0,
});

/** The fields of every attempt command and event besides its `type`. */
export const ATTEMPT_ENVELOPE = { attemptId: AttemptId, fence: Fence, seq: Seq, atMs: AtMs };

export const LobbyId = Type.String({
  description: 'A parked leg that holds one reserved representative.',
  minLength: 1,
  maxLength: 64,
});

export const LOBBY_ENVELOPE = { lobbyId: LobbyId, fence: Fence, seq: Seq, atMs: AtMs };

export const DurationMs = (description: string) =>
  Type.Integer({ description: `${description} Milliseconds.`, minimum: 0 });
