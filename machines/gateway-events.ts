/** What a gateway says about itself, belonging to no attempt. */
import { Type, type Static } from 'typebox';
import { AtMs } from './telephony-envelope.ts';

const GATEWAY_ENVELOPE = {
  gatewayId: Type.String(),
  seq: Type.Integer({ description: 'Counts this gateway’s own events, from 1.', minimum: 1 }),
  atMs: AtMs,
};

export const TRUNK_STATES = ['up', 'down', 'unknown'] as const;

export const TrunkState = Type.Object({
  type: Type.Literal('trunk.state'),
  ...GATEWAY_ENVELOPE,
  trunk: Type.String(),
  state: Type.Enum([...TRUNK_STATES], { description: 'unknown: not asked yet.' }),
  detail: Type.String({ description: 'In words: what the OPTIONS or the last INVITE met.' }),
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
