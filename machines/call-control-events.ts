/** What became of hold, mute and transfer. */
import { Type } from 'typebox';
import { ATTEMPT_ENVELOPE, DurationMs } from './telephony-envelope.ts';
import { TransferId } from './transfer-commands.ts';

export const AttemptHoldChanged = Type.Object({
  type: Type.Literal('attempt.holdChanged'),
  ...ATTEMPT_ENVELOPE,
  held: Type.Boolean({ description: 'true: the two do not hear each other.' }),
});

export const AttemptMuteChanged = Type.Object({
  type: Type.Literal('attempt.muteChanged'),
  ...ATTEMPT_ENVELOPE,
  muted: Type.Boolean({ description: 'true: the customer does not hear the representative.' }),
});

/** The destination of a transfer answered: attended, it speaks to the representative now. */
export const AttemptTransferAnswered = Type.Object({
  type: Type.Literal('attempt.transferAnswered'),
  ...ATTEMPT_ENVELOPE,
  transferId: TransferId,
  afterMs: DurationMs('Since the command.'),
});

/** Customer and destination hear each other; the representative's leg waits for the next customer. */
export const AttemptTransferred = Type.Object({
  type: Type.Literal('attempt.transferred'),
  ...ATTEMPT_ENVELOPE,
  transferId: TransferId,
});

export const TRANSFER_FAILURES = [
  'refused', // a final response other than 2xx
  'timeout', // not answered within the ring limit
  'cancelled', // by attempt.cancelTransfer
  'destination', // hung up before it was joined with the customer
  'media',
  'not_sent', // the destination cannot be dialled
] as const;

/** Blind: the customer waits, and the dialer says for what. Attended: the representative is back. */
export const AttemptTransferFailed = Type.Object({
  type: Type.Literal('attempt.transferFailed'),
  ...ATTEMPT_ENVELOPE,
  transferId: TransferId,
  reason: Type.Enum([...TRANSFER_FAILURES]),
  statusCode: Type.Union([Type.Integer(), Type.Null()]),
  detail: Type.String(),
});
