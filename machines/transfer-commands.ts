/**
 * Passing a connected customer on. The gateway dials the destination itself and bridges: a REFER to
 * the customer's side is refused by most trunks, and would take the call out of recording,
 * supervision and the limits of the trunk.
 */
import { Type, type Static } from 'typebox';
import { ATTEMPT_ENVELOPE, DurationMs } from './telephony-envelope.ts';

export const TransferId = Type.String({ description: 'Named again by the transfer’s events.' });

export const AttemptTransfer = Type.Object({
  type: Type.Literal('attempt.transfer'),
  ...ATTEMPT_ENVELOPE,
  transferId: TransferId,
  mode: Type.Enum(['blind', 'attended'], {
    description:
      'blind: the representative is free at once, the customer waits until the destination answers. ' +
      'attended: the customer is held while the representative speaks to the destination; then ' +
      'attempt.completeTransfer or attempt.cancelTransfer.',
  }),
  destination: Type.String({ description: 'SIP URI, or a number on the attempt’s trunk.' }),
  ringLimitMs: Type.Optional(
    DurationMs('INVITE to the destination’s answer. Default 45 s, at most 180 s.'),
  ),
  prompts: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Looped to the customer meanwhile. Default: a ringing tone.',
    }),
  ),
});
export type AttemptTransfer = Static<typeof AttemptTransfer>;

/** Attended: the destination and the customer are joined, the representative is free. */
export const AttemptCompleteTransfer = Type.Object({
  type: Type.Literal('attempt.completeTransfer'),
  ...ATTEMPT_ENVELOPE,
  transferId: TransferId,
});
export type AttemptCompleteTransfer = Static<typeof AttemptCompleteTransfer>;

/** The destination is let go; attended: the representative has the customer again. */
export const AttemptCancelTransfer = Type.Object({
  type: Type.Literal('attempt.cancelTransfer'),
  ...ATTEMPT_ENVELOPE,
  transferId: TransferId,
});
export type AttemptCancelTransfer = Static<typeof AttemptCancelTransfer>;
