import assert from 'node:assert/strict';
import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { SipAddress } from './sip-address.ts';
import { codeOf } from './system-error-code.ts';
import { StreamTransport } from './stream-transport.ts';
import { tcpSockets } from './stream-sockets.ts';
import { tlsSockets, type SipTlsOptions } from './tls-sockets.ts';
import type { OpenTransport, SipTransport, TransportEvents } from './transport.ts';
import { UdpTransport } from './udp-transport.ts';

const SAME_PORT_TRIES_MAX = 16;

/** `tls` is needed for addresses of that protocol. */
export function socketTransports(timers: TimerWheel, tls?: SipTlsOptions): OpenTransport {
  return (address, events): Promise<SipTransport> => {
    if (address.protocol === 'udp') return UdpTransport.open(address, events, timers);
    if (address.protocol === 'tcp') {
      return StreamTransport.open(address, events, timers, tcpSockets);
    }
    assert(tls !== undefined, 'SIP over TLS needs a certificate and its key');
    return StreamTransport.open(address, events, timers, tlsSockets(tls));
  };
}

/**
 * Opens them all or none. UDP and TCP with port 0 on one host share a port, as they do by default: one
 * Contact then serves both.
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
        const port = address.port === 0 ? sharedPort(address, opened) : address.port;
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

/** TLS is TCP underneath, and gets a port of its own. */
function sharedPort(address: SipAddress, opened: readonly SipTransport[]): number {
  const isShared = ({ local }: SipTransport): boolean =>
    local.host === address.host && local.protocol !== 'tls' && address.protocol !== 'tls';
  return opened.find(isShared)?.local.port ?? 0;
}
