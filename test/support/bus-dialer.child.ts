/**
 * A dialer that only dials, and leaves a message on machines, in a process that is to be killed: what
 * becomes of its calls is then up to the gateway alone. Tells on stdout when all dials were taken.
 */
import { BusConfig } from '../../config/bus.schema.ts';
import { Value } from 'typebox/value';
import type { Detection, Failsafe } from '../../machines/telephony-commands.ts';
import { DialerBus } from '../../telephony-bus/dialer-bus.ts';
import { silentLog } from './silent-log.ts';

export interface BusDialerOptions {
  readonly node: string;
  readonly gatewayId: string;
  readonly trunk: string;
  readonly destinations: readonly string[];
  readonly failsafe: Failsafe;
  /** Default: nobody listens. */
  readonly detection?: Detection;
  /** Left on machines, after the greeting. */
  readonly message?: string;
}

const options = JSON.parse(process.argv[2] ?? '') as BusDialerOptions;
const { node, gatewayId, trunk, destinations, failsafe, detection, message } = options;
const config = Value.Parse(BusConfig, Value.Default(BusConfig, { nodes: [node] }));
const bus = new DialerBus({
  ...{ config, dialerId: 'to-be-killed', queueGroup: 'all', log: silentLog },
  nowMs: () => Date.now(),
});
bus.open();
await bus.ready(30_000);
bus.own();
bus.subscribe((event) => {
  if (event.type !== 'attempt.classified' || event.verdict !== 'machine') return;
  if (message === undefined) return;
  void bus.send({
    ...{ type: 'attempt.play', attemptId: event.attemptId, fence: 1, seq: 2, atMs: Date.now() },
    ...{ playId: 'message', prompts: [message], when: 'afterGreeting' },
  });
});
const notAfterMs = Date.now() + 60_000;
const replies = await Promise.all(
  destinations.map((destination, n) =>
    bus.send({
      ...{ type: 'attempt.dial', attemptId: `alone-${n}`, fence: 1, seq: 1, atMs: Date.now() },
      ...{ gatewayId, notAfterMs, trunk, destination, callerId: '+12025550100', failsafe },
      ...{ setupTimeoutMs: 30_000, ringLimitMs: 60_000, callLengthMaxMs: 600_000 },
      ...(detection === undefined ? {} : { detection }),
    }),
  ),
);
process.stdout.write(`${JSON.stringify(replies)}\n`);
