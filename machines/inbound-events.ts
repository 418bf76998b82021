/** Calls that come to us: to a number that we show, and of representatives and their phones. */
import { Type } from 'typebox';
import { AtMs, DurationMs } from './telephony-envelope.ts';

const INBOUND_ENVELOPE = {
  gatewayId: Type.String(),
  seq: Type.Integer({ description: 'Counts this gateway’s own events, from 1.', minimum: 1 }),
  atMs: AtMs,
};

const InboundId = Type.String({ description: 'Of one inbound call.' });
const callerNumber = Type.Union([Type.String(), Type.Null()], {
  description: 'E.164 where it is one; null when withheld.',
});

/** Somebody calls back a number that we showed; the company message is played. */
export const InboundCall = Type.Object({
  type: Type.Literal('inbound.call'),
  ...INBOUND_ENVELOPE,
  inboundId: InboundId,
  callerNumber,
  calledNumber: Type.String(),
});

/** They pressed the digit that the message offers. Once per call. */
export const InboundOptOut = Type.Object({
  type: Type.Literal('inbound.optOut'),
  ...INBOUND_ENVELOPE,
  inboundId: InboundId,
  callerNumber,
  calledNumber: Type.String(),
  digit: Type.String({ pattern: '^[0-9*#A-D]$' }),
  source: Type.String({ description: 'rtp (RFC 4733) or info.' }),
});

export const InboundEnded = Type.Object({
  type: Type.Literal('inbound.ended'),
  ...INBOUND_ENVELOPE,
  inboundId: InboundId,
  endedBy: Type.Enum(['caller', 'gateway', 'switch']),
  heldMs: DurationMs('Answer to the end.'),
});

/** A representative has called the dial-in number and given their PIN: their leg waits. */
export const RepresentativeDialedIn = Type.Object({
  type: Type.Literal('representative.dialedIn'),
  ...INBOUND_ENVELOPE,
  representativeId: Type.String(),
});

/** They hung up, or nobody wanted their leg, before a lobby was opened with it. */
export const RepresentativeDialInEnded = Type.Object({
  type: Type.Literal('representative.dialInEnded'),
  ...INBOUND_ENVELOPE,
  representativeId: Type.String(),
});
