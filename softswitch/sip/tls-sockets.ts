/** SIP over TLS (RFC 3261 §26.2, RFC 5922): who we are, and whom we believe. */
import { isIP, type Socket } from 'node:net';
import { connect, createServer, type SecureContextOptions } from 'node:tls';
import type { SipAddress } from './sip-address.ts';
import { STREAM_OPTIONS, type StreamSockets } from './stream-sockets.ts';

/** PEM texts. */
export interface SipTlsOptions {
  /** Our certificate, with the chain below it; shown to clients, and to servers that ask for one. */
  readonly certificate: string;
  readonly key: string;
  /** Whom to believe. Default: the authorities that Node.js ships with. */
  readonly authorities?: string;
  /** False: any certificate is taken, as from a server whose certificate nobody vouches for. */
  readonly verifiesServers: boolean;
}

const HANDSHAKE_MS_MAX = 10_000;

export function tlsSockets(options: SipTlsOptions): StreamSockets {
  const context: SecureContextOptions = {
    cert: options.certificate,
    key: options.key,
    minVersion: 'TLSv1.2', // RFC 9325 §3.1.1
    ...(options.authorities === undefined ? {} : { ca: options.authorities }),
  };
  return {
    protocol: 'tls',
    acceptedEvent: 'secureConnection',
    connectedEvent: 'secureConnect',
    createServer: () =>
      createServer({ ...context, ...STREAM_OPTIONS, handshakeTimeout: HANDSHAKE_MS_MAX }),
    connect: (destination, localAddress): Socket => {
      const socket = connect({
        ...context,
        host: destination.host,
        port: destination.port,
        rejectUnauthorized: options.verifiesServers,
        ...serverNameOf(destination),
        ...(localAddress === undefined ? {} : { localAddress }),
      });
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      return socket;
    },
  };
}

/** Shown in the hello and looked for in the certificate; an address is looked for, never shown. */
function serverNameOf({ serverName }: SipAddress): { servername?: string } {
  return serverName === undefined || isIP(serverName) !== 0 ? {} : { servername: serverName };
}
