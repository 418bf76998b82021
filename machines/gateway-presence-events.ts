/**
 * Made on the dialer's side, by what joins it to gateways in other processes; in one process they do
 * not occur.
 */
import { Type, type Static } from 'typebox';
import { AtMs } from './telephony-envelope.ts';

const PRESENCE_ENVELOPE = { gatewayId: Type.String(), atMs: AtMs };

/** One that was not known, or had been lost, takes dials. */
export const GatewayPresent = Type.Object({
  type: Type.Literal('gateway.present'),
  ...PRESENCE_ENVELOPE,
  trunks: Type.Array(Type.String(), { description: 'Names of the trunks that it dials through.' }),
});
export type GatewayPresent = Static<typeof GatewayPresent>;

/** It is silent, has stopped, or was started again and forgot what it knew. */
export const GatewayLost = Type.Object({
  type: Type.Literal('gateway.lost'),
  ...PRESENCE_ENVELOPE,
  detail: Type.String({ description: 'In words: how that is known.' }),
});
export type GatewayLost = Static<typeof GatewayLost>;

export const PRESENCE_EVENTS = {
  'gateway.present': GatewayPresent,
  'gateway.lost': GatewayLost,
} as const;
