/** Where a stream transport gets its sockets from: plain TCP, or TLS on top of it. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { SipAddress } from './sip-address.ts';

export interface StreamSockets {
  readonly protocol: 'tcp' | 'tls';
  /** What the server emits for a connection that is ready for SIP, and a socket when it is. */
  readonly acceptedEvent: 'connection' | 'secureConnection';
  readonly connectedEvent: 'connect' | 'secureConnect';
  createServer(): Server;
  /** `localAddress` is left out behind a wildcard. */
  connect(destination: SipAddress, localAddress: string | undefined): Socket;
}

/** Nagle is off: a SIP message is written in one piece and waits for nothing. */
export const STREAM_OPTIONS = { noDelay: true, keepAlive: true };

export const tcpSockets: StreamSockets = {
  protocol: 'tcp',
  acceptedEvent: 'connection',
  connectedEvent: 'connect',
  createServer: () => createServer(STREAM_OPTIONS),
  connect: ({ host, port }, localAddress) =>
    connect({ host, port, ...STREAM_OPTIONS, ...(localAddress && { localAddress }) }),
};
