/** What a gateway says about itself, belonging to no attempt. */
import { Type, type Static } from 'typebox';
import { AtMs } from './telephony-envelope.ts';

const GATEWAY_ENVELOPE = {
  gatewayId: Type.String(),
  seq: Type.Integer({ description: 'Counts this gateway’s own events, from 1.', minimum: 1 }),
  atMs: AtMs,
};

export const TRUNK_STATES = [
  'up',
  'down', // calls are still given to it, unless a closed port or a name without address is the proof
  'unknown', // not asked yet
  'authFailed', // it refuses our credentials: no calls, but for one that tries from time to time
  'suspended', // by an operator, or because too many numbers of the list do not exist: no calls
] as const;

export const TRUNK_CLOSURE_CAUSES = [
  'operator',
  'share', // too many of the numbers dialled of late do not exist
  'auth', // our credentials are refused
] as const;

/** Why and for how long a trunk takes no calls, by the clock of whoever says it. */
export const TrunkClosure = Type.Object({
  cause: Type.Enum([...TRUNK_CLOSURE_CAUSES]),
  sinceMs: AtMs,
  untilMs: Type.Union([AtMs, Type.Null()], {
    description: 'Null: until it is resumed. After it calls are tried again.',
  }),
});
export type TrunkClosure = Static<typeof TrunkClosure>;

export const TrunkState = Type.Object({
  type: Type.Literal('trunk.state'),
  ...GATEWAY_ENVELOPE,
  trunk: Type.String({ description: 'A trunk, or a group: then the best state of its members.' }),
  state: Type.Enum([...TRUNK_STATES], {
    description:
      'unknown: not asked yet. down: out of reach or silent. authFailed: it refuses our ' +
      'credentials. suspended: by an operator, or for a list whose numbers do not exist.',
  }),
  detail: Type.String({ description: 'In words: what OPTIONS, REGISTER or the last INVITE met.' }),
  closure: Type.Optional(TrunkClosure),
});
export type TrunkState = Static<typeof TrunkState>;

export const GatewayCapacity = Type.Object({
  type: Type.Literal('gateway.capacity'),
  ...GATEWAY_ENVELOPE,
  attemptsMax: Type.Integer({ minimum: 0, description: 'In flight at once.' }),
  attemptsInFlight: Type.Integer({ minimum: 0 }),
  endpointsWarm: Type.Integer({ minimum: 0, description: 'Ready for the next attempts.' }),
});
export type GatewayCapacity = Static<typeof GatewayCapacity>;
