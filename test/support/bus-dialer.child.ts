/**
 * A dialer that only dials, in a process that is to be killed: what becomes of its calls is then up
 * to the gateway alone. Tells on stdout when all dials were taken.
 */
import { BusConfig } from '../../config/bus.schema.ts';
import { Value } from 'typebox/value';
import type { Failsafe } from '../../machines/telephony-commands.ts';
import { DialerBus } from '../../telephony-bus/dialer-bus.ts';
import { silentLog } from './silent-log.ts';

export interface BusDialerOptions {
  readonly node: string;
  readonly gatewayId: string;
  readonly trunk: string;
  readonly destinations: readonly string[];
  readonly failsafe: Failsafe;
}

const { node, gatewayId, trunk, destinations, failsafe } = JSON.parse(
  process.argv[2] ?? '',
) as BusDialerOptions;
const config = Value.Parse(BusConfig, Value.Default(BusConfig, { nodes: [node] }));
const bus = new DialerBus({
  ...{ config, dialerId: 'to-be-killed', queueGroup: 'all', log: silentLog },
  nowMs: () => Date.now(),
});
bus.open();
await bus.ready(30_000);
bus.own();
const notAfterMs = Date.now() + 60_000;
const replies = await Promise.all(
  destinations.map((destination, n) =>
    bus.send({
      ...{ type: 'attempt.dial', attemptId: `alone-${n}`, fence: 1, seq: 1, atMs: Date.now() },
      ...{ gatewayId, notAfterMs, trunk, destination, callerId: '+12025550100', failsafe },
      ...{ setupTimeoutMs: 30_000, ringLimitMs: 60_000, callLengthMaxMs: 600_000 },
    }),
  ),
);
process.stdout.write(`${JSON.stringify(replies)}\n`);
