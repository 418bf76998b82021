/** Dialers and gateways on one Redis, for tests of the bus between them. */
import type { Test } from 'tap';
import { Value } from 'typebox/value';
import { BusConfig } from '../../config/bus.schema.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { DialerBus, type DialerBusOptions } from '../../telephony-bus/dialer-bus.ts';
import { GatewayBus, type GatewayBusOptions } from '../../telephony-bus/gateway-bus.ts';
import { silentLog } from './silent-log.ts';
import { GATEWAY } from './telephony-conformance.ts';

export const QUEUE_GROUP = 'all';
const CLOSE_MS = 10_000;

/** Quick enough for a test; what is not named is as it comes. */
export function busConfig(given: Partial<BusConfig>): BusConfig {
  const quick = {
    heartbeatMs: 50,
    gatewayLostMs: 600,
    commandTimeoutMs: 1_500,
    reclaimIdleMs: 500,
  };
  const delays = { reconnectDelayMinMs: 20, reconnectDelayMaxMs: 100 };
  return Value.Parse(BusConfig, Value.Default(BusConfig, { ...quick, ...delays, ...given }));
}

let prefixes = 0;

/** Tests that share a server do not meet. */
export function ownPrefix(): string {
  prefixes += 1;
  return `test-${process.pid}-${prefixes}`;
}

export function openGateway(
  t: Test,
  config: BusConfig,
  gateway: TelephonyPort,
  more: Partial<GatewayBusOptions> = {},
): GatewayBus {
  const bus = new GatewayBus({
    ...{ config, gatewayId: GATEWAY, gateway, trunks: ['lab'], switchAddress: '127.0.0.1:9022' },
    ...{ queueGroup: QUEUE_GROUP, log: silentLog, ...more },
  });
  bus.open();
  t.teardown(() => bus.close());
  return bus;
}

export async function openDialer(
  t: Test,
  config: BusConfig,
  more: Partial<DialerBusOptions> = {},
): Promise<DialerBus> {
  const bus = new DialerBus({
    ...{ config, dialerId: 'd1', queueGroup: QUEUE_GROUP, log: silentLog },
    ...{ nowMs: () => Date.now(), ...more },
  });
  bus.open();
  t.teardown(() => bus.close());
  await bus.ready(CLOSE_MS);
  return bus;
}
