/** How an attempt ended: the account on which its Result is based. */
import { Type, type Static, type TSchema } from 'typebox';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const SipFinal = Type.Object({
  statusCode: nullable(
    Type.Integer({
      description: 'Last final response to the INVITE; null when there was none.',
      minimum: 200,
      maximum: 699,
    }),
  ),
  reasonPhrase: nullable(Type.String({ description: 'Its phrase, as received.' })),
  origin: Type.Enum(['network', 'stack', 'none'], {
    description:
      'network: a peer sent it. stack: our SIP stack made it up (408 timer B, 503 transport ' +
      'error; RFC 3261 §8.1.3.1). none: no final response at all.',
  }),
});
export type SipFinal = Static<typeof SipFinal>;

export const Q850Cause = Type.Object({
  cause: Type.Integer({ description: 'ITU-T Q.850 cause value.', minimum: 0, maximum: 127 }),
  text: nullable(Type.String({ description: 'The text parameter of the Reason value.' })),
});
export type Q850Cause = Static<typeof Q850Cause>;

export const ENDED_BY = ['far', 'dialer', 'gateway', 'switch', 'trunk'] as const;

/** Exactly one for each attempt whose dial was accepted and not refused later; always last. */
export const AttemptEnded = Type.Object({
  sip: SipFinal,
  q850: Type.Array(Q850Cause, {
    description: 'Every Q.850 Reason value of the final response (RFC 3326), in order.',
  }),
  reasonHeaders: Type.Array(Type.String(), {
    description: 'Reason header values of the final response, or of the BYE, as received.',
  }),
  endedBy: Type.Enum([...ENDED_BY], {
    description:
      'far: the called side (final response, BYE). dialer: a cancel or hangup command. gateway: ' +
      'its own limits. switch: drachtio or FreeSWITCH was lost. trunk: silent or unreachable.',
  }),
  cancelReason: nullable(
    Type.String({
      description:
        'Why the INVITE was given up, when that was asked before the answer was known: the ' +
        "cancel command's reason, or ring_timeout for the gateway's own ring limit. Null for " +
        'an attempt hung up after its answer.',
    }),
  ),
  answered: Type.Boolean({
    description: 'A 2xx with usable SDP was received. A 200 without SDP is not an answer.',
  }),
  ringMs: nullable(Type.Integer({ minimum: 0, description: 'First 180/183 to final. ms.' })),
  talkMs: nullable(Type.Integer({ minimum: 0, description: '2xx to BYE. ms.' })),
  invites: Type.Integer({
    minimum: 0,
    description: 'INVITEs with a Call-ID or CSeq of their own; 0: nobody can have been rung.',
  }),
  redress: Type.Optional(
    Type.String({
      description:
        'Whom to ask why analytics blocked the call: Call-Info of a 608 (RFC 8688), or the ' +
        'contact in the Reason of a 603.',
    }),
  ),
});
export type AttemptEnded = Static<typeof AttemptEnded>;
