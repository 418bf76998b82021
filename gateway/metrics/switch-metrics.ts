/** What the embedded switch counts, for who runs it in one process with the gateway. */
import { counter, gauge, type MetricTable } from '../../machines/meter.port.ts';

export const SWITCH_METRICS = {
  dialogs: gauge('switch_sip_dialogs', 'SIP dialogs of the signalling half.'),
  transactions: gauge('switch_sip_transactions', 'Open SIP transactions: client, server.', [
    'half',
    'side',
  ]),
  timers: gauge('switch_timers', 'Timers that are set.', ['half']),
  clients: gauge('switch_control_clients', 'Connections to the control port.'),
  messages: counter('switch_sip_messages_total', 'SIP messages, retransmissions counted.', [
    'kind',
    'direction',
  ]),
  retransmissions: counter('switch_sip_retransmissions_total', 'SIP messages repeated.', [
    'direction',
  ]),
  faults: counter(
    'switch_sip_faults_total',
    'What went wrong with SIP messages: malformed, stray, timeout, transport, overload.',
    ['kind'],
  ),
  channels: gauge('switch_media_channels', 'Channels of the media half.'),
  channelsMade: counter('switch_media_channels_made_total', 'Channels made.'),
  eventSockets: gauge('switch_media_event_sockets', 'Connections to the event socket.'),
  rtpPorts: gauge(
    'switch_rtp_ports',
    'Pairs of RTP ports: taken, free, resting (after a call, before the next).',
    ['state'],
  ),
} as const satisfies MetricTable;
