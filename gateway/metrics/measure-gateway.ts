/** Connects one gateway with a meter: its events as they come, its counters and gauges at each scrape. */
import type { Meter, SetReading } from '../../machines/meter.port.ts';
import { TRUNK_STATES } from '../../machines/gateway-events.ts';
import type { Gateway } from '../gateway.ts';
import { AttemptMetrics } from './attempt-metrics.ts';
import { AnswerMeasure } from './measure-answers.ts';
import { GATEWAY_METRICS as metrics } from './gateway-metrics.ts';
import { IncomingMeasure } from './incoming-metrics.ts';
import { TRUNK_RATIO_METRICS as ratios } from './trunk-ratio-metrics.ts';

type Measured = Pick<Gateway, 'counters' | 'gauges' | 'health' | 'subscribe' | 'onCallQuality'>;

/** Returns the function that ends it. */
export function measureGateway(gateway: Measured, meter: Meter, nowMs: () => number): () => void {
  meter.register(metrics);
  meter.register(ratios);
  const attempts = new AttemptMetrics(meter, nowMs);
  const answers = new AnswerMeasure(meter);
  const incoming = new IncomingMeasure(meter);
  meter.onScrape({
    name: 'gateway',
    metrics: READ_AT_SCRAPE,
    read: (set) => {
      readGauges(gateway, set);
      readCounters(gateway, set);
      readTrunks(gateway, set);
    },
  });
  meter.onScrape({
    name: 'trunk ratios',
    metrics: Object.values(ratios),
    read: (set) => {
      for (const [trunk, values] of attempts.ratios()) {
        const { sessions, ser, seer, isa, asr, ner } = values;
        set(ratios.sessions, { trunk }, sessions);
        set(ratios.ser, { trunk }, ser);
        set(ratios.seer, { trunk }, seer);
        set(ratios.isa, { trunk }, isa);
        set(ratios.asr, { trunk }, asr);
        set(ratios.ner, { trunk }, ner);
      }
    },
  });
  const stops = [
    gateway.subscribe((event) => {
      attempts.hear(event);
      answers.hear(event);
      incoming.hear(event);
    }),
    gateway.onCallQuality((trunk, quality) => answers.quality(trunk, quality)),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

const READ_AT_SCRAPE = [
  ...[metrics.attemptsInFlight, metrics.attemptsReleasing, metrics.dialogsEnding],
  ...[metrics.endpoints, metrics.endpointsWaited, metrics.endpointsMade, metrics.endpointsReleased],
  ...[metrics.cancels, metrics.byes, metrics.commands, metrics.mediaTimeouts],
  ...[metrics.switchUp, metrics.switchConnections],
  ...[metrics.trunkState, metrics.destinationsRefused],
  ...[metrics.trunkUp, metrics.trunkChannelsInUse, metrics.trunkChannelsMax, metrics.trunkRateMax],
];

function readGauges({ gauges }: Measured, set: SetReading): void {
  set(metrics.attemptsInFlight, {}, gauges.attemptsInFlight);
  set(metrics.attemptsReleasing, {}, gauges.attemptsReleasing);
  set(metrics.dialogsEnding, {}, gauges.dialogsEnding);
  set(metrics.endpoints, { state: 'warm' }, gauges.endpointsWarm);
  set(metrics.endpoints, { state: 'creating' }, gauges.endpointsCreating);
  set(metrics.endpoints, { state: 'inCalls' }, gauges.endpointsInCalls);
  set(metrics.endpointsWaited, {}, gauges.endpointsWaiting);
  set(metrics.switchUp, { half: 'drachtio' }, gauges.signallingUp);
  set(metrics.switchUp, { half: 'freeswitch' }, gauges.mediaUp);
}

function readCounters({ counters }: Measured, set: SetReading): void {
  set(metrics.endpointsMade, { outcome: 'made' }, counters.endpointsCreated);
  set(metrics.endpointsMade, { outcome: 'failed' }, counters.endpointsFailed);
  set(metrics.endpointsReleased, {}, counters.endpointsReleased);
  set(metrics.cancels, {}, counters.cancelsSent);
  set(metrics.byes, { outcome: 'sent' }, counters.byesSent);
  set(metrics.byes, { outcome: 'recovered' }, counters.byesRecovered);
  set(metrics.byes, { outcome: 'abandoned' }, counters.byesAbandoned);
  for (const [rule, refused] of counters.rules) set(metrics.destinationsRefused, { rule }, refused);
  set(metrics.commands, { why: 'duplicate' }, counters.commandsDuplicate);
  set(metrics.commands, { why: 'stale' }, counters.commandsStale);
  set(metrics.mediaTimeouts, {}, counters.mediaTimeouts);
  const { signallingConnected, signallingLost, mediaConnected, mediaLost } = counters;
  set(metrics.switchConnections, { half: 'drachtio', event: 'made' }, signallingConnected);
  set(metrics.switchConnections, { half: 'drachtio', event: 'lost' }, signallingLost);
  set(metrics.switchConnections, { half: 'freeswitch', event: 'made' }, mediaConnected);
  set(metrics.switchConnections, { half: 'freeswitch', event: 'lost' }, mediaLost);
}

function readTrunks({ health }: Measured, set: SetReading): void {
  for (const { name: trunk, state, channelsInUse, channelsMax, rateMax } of health.trunks) {
    if (state !== 'unknown') set(metrics.trunkUp, { trunk }, state === 'up' ? 1 : 0);
    for (const one of TRUNK_STATES) {
      set(metrics.trunkState, { trunk, state: one }, state === one ? 1 : 0);
    }
    set(metrics.trunkChannelsInUse, { trunk }, channelsInUse);
    set(metrics.trunkChannelsMax, { trunk }, channelsMax);
    set(metrics.trunkRateMax, { trunk }, rateMax);
  }
}
