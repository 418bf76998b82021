/** What the bus tells of itself. docs/metrics.md is written from these rows. */
import {
  counter,
  gauge,
  type Meter,
  type MetricTable,
  type SetReading,
} from '../machines/meter.port.ts';
import type { BusCounters } from './bus-counters.ts';

export const BUS_METRICS = {
  up: gauge('bus_up', 'Redis is there and what is ours to read is being read: 1, else 0.'),
  connections: counter(
    'bus_redis_connections_total',
    'Connections to Redis: `made`, and `lost` and being made again.',
    ['event'],
  ),
  streamsLost: counter(
    'bus_streams_lost_total',
    'Streams found empty that were not: Redis was flushed, or failed over to a replica behind it.',
  ),
  written: counter('bus_messages_written_total', 'Messages that Redis took.', ['stream']),
  read: counter('bus_messages_read_total', 'Messages read, repeats among them.', ['stream']),
  dropped: counter(
    'bus_messages_dropped_total',
    'Messages that were dropped. `invalid`: broke its schema. `duplicate`: heard before, or too late. `overflow`: too many ' +
      'waited for Redis. `expired`: a dial that could not leave in time, and was refused.',
    ['why'],
  ),
  waitingWrites: gauge('bus_messages_waiting', 'Messages that Redis has not taken yet.'),
  waitingReplies: gauge('bus_commands_waiting', 'Commands that are not answered yet.'),
  unanswered: counter(
    'bus_commands_unanswered_total',
    'Commands without an answer in time, or to a gateway that was lost: their attempts are in doubt.',
  ),
  gatewaysPresent: gauge('bus_gateways_present', 'Gateways that this process hears of.'),
  gatewaysLost: counter('bus_gateways_lost_total', 'Gateways that stopped, or fell silent.'),
  eventsPending: gauge('bus_events_pending', 'Events that were taken and not confirmed yet.'),
  eventsLag: gauge('bus_events_lag', 'Events that gateways told and no dialer has taken yet.'),
  reclaimed: counter(
    'bus_events_reclaimed_total',
    'Events taken over from a dialer that had not confirmed them, or again after a lost connection.',
  ),
  replayed: counter(
    'bus_events_replayed_total',
    'Events that gateways told again because Redis had lost them.',
  ),
} as const satisfies MetricTable;

export interface MeasuredBus {
  readonly counters: BusCounters;
  readonly gauges: {
    readonly waitingWrites: number;
    readonly waitingReplies: number;
    readonly gatewaysPresent: number;
  };
  readonly health: { readonly ok: boolean; readonly detail: string };
}

export function measureBus(bus: MeasuredBus, meter: Meter): void {
  meter.register(BUS_METRICS);
  meter.onScrape({
    name: 'bus',
    metrics: Object.values(BUS_METRICS),
    read: (set) => {
      readGauges(bus, set);
      readCounters(bus, set);
    },
  });
}

function readGauges({ gauges, health, counters }: MeasuredBus, set: SetReading): void {
  set(BUS_METRICS.up, {}, health.ok ? 1 : 0);
  set(BUS_METRICS.waitingWrites, {}, gauges.waitingWrites);
  set(BUS_METRICS.waitingReplies, {}, gauges.waitingReplies);
  set(BUS_METRICS.gatewaysPresent, {}, gauges.gatewaysPresent);
  set(BUS_METRICS.eventsPending, {}, counters.eventsPending);
  set(BUS_METRICS.eventsLag, {}, counters.eventsLag);
}

function readCounters({ counters }: MeasuredBus, set: SetReading): void {
  set(BUS_METRICS.connections, { event: 'made' }, counters.connectionsMade);
  set(BUS_METRICS.connections, { event: 'lost' }, counters.connectionsLost);
  set(BUS_METRICS.streamsLost, {}, counters.streamsLost);
  for (const [stream, count] of Object.entries(counters.written)) {
    set(BUS_METRICS.written, { stream }, count);
  }
  for (const [stream, count] of Object.entries(counters.read)) {
    set(BUS_METRICS.read, { stream }, count);
  }
  for (const [why, count] of Object.entries(counters.dropped)) {
    set(BUS_METRICS.dropped, { why }, count);
  }
  set(BUS_METRICS.unanswered, {}, counters.commandsUnanswered);
  set(BUS_METRICS.gatewaysLost, {}, counters.gatewaysLost);
  set(BUS_METRICS.reclaimed, {}, counters.eventsReclaimed);
  set(BUS_METRICS.replayed, {}, counters.eventsReplayed);
}
