/** Reads the embedded switch's own counts at each scrape. */
import type { Meter, MetricDefinition, SetReading } from '../../machines/meter.port.ts';
import { SWITCH_METRICS as metrics } from './switch-metrics.ts';

/** Flat counts by name, as both halves of the switch give them. */
type Stats = Readonly<Record<string, number>>;

export interface SwitchStats {
  readonly signalling: Stats;
  readonly media: Stats;
}

export function measureSwitch(stats: () => Promise<SwitchStats>, meter: Meter): void {
  meter.register(metrics);
  meter.onScrape({
    name: 'switch',
    metrics: Object.values(metrics),
    read: async (set) => {
      const { signalling, media } = await stats();
      readSignalling(signalling, set);
      readMedia(media, set);
    },
  });
}

function readSignalling(stats: Stats, set: SetReading): void {
  const put = putter(stats, set);
  put(metrics.dialogs, {}, 'dialogs');
  put(metrics.clients, {}, 'clients');
  put(metrics.timers, { half: 'signalling' }, 'timersPending');
  put(metrics.transactions, { half: 'signalling', side: 'client' }, 'transactionsClient');
  put(metrics.transactions, { half: 'signalling', side: 'server' }, 'transactionsServer');
  put(metrics.messages, { kind: 'request', direction: 'received' }, 'requestsReceived');
  put(metrics.messages, { kind: 'request', direction: 'sent' }, 'requestsSent');
  put(metrics.messages, { kind: 'response', direction: 'received' }, 'responsesReceived');
  put(metrics.messages, { kind: 'response', direction: 'sent' }, 'responsesSent');
  put(metrics.retransmissions, { direction: 'received' }, 'retransmissionsReceived');
  put(metrics.retransmissions, { direction: 'sent' }, 'retransmissionsSent');
  put(metrics.faults, { kind: 'malformed' }, 'malformed');
  put(metrics.faults, { kind: 'stray' }, 'strayResponses');
  put(metrics.faults, { kind: 'timeout' }, 'timeouts');
  put(metrics.faults, { kind: 'transport' }, 'transportErrors');
  put(metrics.faults, { kind: 'overload' }, 'overloads');
}

function readMedia(stats: Stats, set: SetReading): void {
  const put = putter(stats, set);
  put(metrics.channels, {}, 'channels');
  put(metrics.channelsMade, {}, 'channelsTotal');
  put(metrics.eventSockets, {}, 'eventSockets');
  put(metrics.timers, { half: 'media' }, 'timersPending');
  put(metrics.transactions, { half: 'media', side: 'client' }, 'transactionsClient');
  put(metrics.transactions, { half: 'media', side: 'server' }, 'transactionsServer');
  put(metrics.rtpPorts, { state: 'taken' }, 'rtpPortsTaken');
  put(metrics.rtpPorts, { state: 'free' }, 'rtpPortsFree');
  put(metrics.rtpPorts, { state: 'resting' }, 'rtpPortsResting');
}

/** What a half does not count is absent, rather than zero. */
function putter(stats: Stats, set: SetReading) {
  return <L extends string>(
    metric: MetricDefinition<L>,
    labels: Readonly<Record<L, string>>,
    name: string,
  ): void => {
    const value = stats[name];
    if (value !== undefined) set(metric, labels, value);
  };
}
