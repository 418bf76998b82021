import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { SipAddress } from './sip-address.ts';
import { codeOf } from './system-error-code.ts';
import { TcpTransport } from './tcp-transport.ts';
import type { OpenTransport, SipTransport, TransportEvents } from './transport.ts';
import { UdpTransport } from './udp-transport.ts';

const SAME_PORT_TRIES_MAX = 16;

export function socketTransports(timers: TimerWheel): OpenTransport {
  return (address, events): Promise<SipTransport> =>
    address.protocol === 'udp'
      ? UdpTransport.open(address, events, timers)
      : TcpTransport.open(address, events, timers);
}

/**
 * Opens them all or none. Several with port 0 on one host share a port, as SIP's UDP and TCP do by
 * default: one Contact then serves both.
 */
export async function openTransports(
  addresses: readonly SipAddress[],
  events: TransportEvents,
  open: OpenTransport,
): Promise<SipTransport[]> {
  for (let tries = 1; ; tries += 1) {
    const opened: SipTransport[] = [];
    try {
      for (const address of addresses) {
        const sibling = opened.find(({ local }) => local.host === address.host);
        const port = address.port === 0 ? (sibling?.local.port ?? 0) : address.port;
        opened.push(await open({ ...address, port }, events));
      }
      return opened;
    } catch (error) {
      await Promise.all(opened.map((transport) => transport.close()));
      // The port one protocol was given by chance may be taken in the other.
      const isByChance = opened.length > 0 && addresses.some(({ port }) => port === 0);
      const isTaken = error instanceof Error && codeOf(error) === 'EADDRINUSE';
      if (!isByChance || !isTaken || tries >= SAME_PORT_TRIES_MAX) throw error;
    }
  }
}
