/** Calls that come to us: to a number that we show, and of representatives and their phones. */
import { Type } from 'typebox';
import { DIAL_IN_REFUSALS } from './representative-directory.port.ts';
import { AtMs, DurationMs } from './telephony-envelope.ts';

const INBOUND_ENVELOPE = {
  gatewayId: Type.String(),
  seq: Type.Integer({ description: 'Counts this gateway’s own events, from 1.', minimum: 1 }),
  atMs: AtMs,
};

const InboundId = Type.String({ description: 'Of one inbound call.' });
const callerNumber = Type.Union([Type.String(), Type.Null()], {
  description:
    'Its digits with a plus before them, whether or not there was one: E.164 where there was. Null ' +
    'when withheld.',
});
const callerAsReceived = Type.Optional(
  Type.String({
    description:
      'The caller’s number as the network wrote it, with a plus where it had one. Absent when ' +
      'withheld, and from gateways of earlier versions.',
  }),
);

/** Somebody calls back a number that we showed; the company message is played. */
export const InboundCall = Type.Object({
  type: Type.Literal('inbound.call'),
  ...INBOUND_ENVELOPE,
  inboundId: InboundId,
  callerNumber,
  callerAsReceived,
  calledNumber: Type.String(),
});

/** They pressed the digit that the message offers. Once per call. */
export const InboundOptOut = Type.Object({
  type: Type.Literal('inbound.optOut'),
  ...INBOUND_ENVELOPE,
  inboundId: InboundId,
  callerNumber,
  callerAsReceived,
  calledNumber: Type.String(),
  digit: Type.String({ pattern: '^[0-9*#A-D]$' }),
  source: Type.String({ description: 'rtp (RFC 4733), info or inband.' }),
});

export const InboundEnded = Type.Object({
  type: Type.Literal('inbound.ended'),
  ...INBOUND_ENVELOPE,
  inboundId: InboundId,
  endedBy: Type.Enum(['caller', 'gateway', 'switch']),
  heldMs: DurationMs('Answer to the end.'),
});

const DialInId = Type.String({ description: 'Of one call to the dial-in number.' });

/** A representative has called the dial-in number and given their PIN: their leg waits. */
export const RepresentativeDialedIn = Type.Object({
  type: Type.Literal('representative.dialedIn'),
  ...INBOUND_ENVELOPE,
  dialInId: DialInId,
  representativeId: Type.String(),
});

/** Somebody at the dial-in number was not let in, or what they entered was wrong. */
export const RepresentativeDialInRefused = Type.Object({
  type: Type.Literal('representative.dialInRefused'),
  ...INBOUND_ENVELOPE,
  dialInId: DialInId,
  representativeId: Type.Union([Type.String(), Type.Null()], {
    description: 'Whose number was entered; null: nobody’s.',
  }),
  reason: Type.Enum([...DIAL_IN_REFUSALS]),
});

/** The leg that waited is gone, or has become the lobby that was opened with it. */
export const RepresentativeDialInEnded = Type.Object({
  type: Type.Literal('representative.dialInEnded'),
  ...INBOUND_ENVELOPE,
  dialInId: DialInId,
  representativeId: Type.String(),
  reason: Type.Enum(['caller', 'lost', 'notInvited', 'lobby', 'gateway', 'switch'], {
    description:
      'caller: they hung up. lost: no RTP and no answer to OPTIONS. notInvited: nobody wanted the ' +
      'leg in time. lobby: a lobby has it now.',
  }),
});
