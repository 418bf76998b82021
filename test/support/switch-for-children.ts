/** Switch and gateway as children of a test use them, in their own process or beside them. */
import { Value } from 'typebox/value';
import { GatewayConfig } from '../../config/gateway.schema.ts';
import type { SoftswitchOptions } from '../../softswitch/start-softswitch.ts';

export const GATEWAY_ID = 'gateway-1';
export const TRUNK = { channelsMax: 100, callsPerSecondMax: 200 };
const SWITCH_SECRET = 'secret-of-a-test';

export function switchOptions(): SoftswitchOptions {
  return {
    host: '127.0.0.1',
    sip: { port: 0, protocols: ['udp', 'tcp'] },
    control: { port: 0, secret: SWITCH_SECRET, clientGoneMs: 1_000 },
    media: { sipPort: 0, rtpPortMin: 20_000, rtpPortMax: 29_998, rtpQuarantineMs: 5_000 },
    esl: { port: 0, password: SWITCH_SECRET },
  };
}

export interface SwitchPorts {
  readonly controlPort: number;
  readonly eslPort: number;
}

export function gatewayConfig({ controlPort, eslPort }: SwitchPorts, trunkAddress: string) {
  const given = {
    id: GATEWAY_ID,
    embedded: true,
    connectTimeoutMs: 20_000,
    trunkCheckIntervalMs: 0,
    listenInThread: false,
    drachtio: { host: '127.0.0.1', port: controlPort, secret: SWITCH_SECRET },
    freeswitch: { host: '127.0.0.1', port: eslPort, password: SWITCH_SECRET },
    trunks: [{ name: 'far', address: trunkAddress, callerId: '+12025550100', ...TRUNK }],
  };
  return Value.Parse(GatewayConfig, Value.Default(GatewayConfig, given));
}
