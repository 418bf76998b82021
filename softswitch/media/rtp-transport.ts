/** A pair of UDP sockets, RTP on an even port and RTCP on the odd one above (RFC 3550 §11). */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { MediaError } from './media-error.ts';
import type { ReceiveRest } from './receive-rest.ts';
import type { RtpPortPool } from './rtp-port-pool.ts';

export type DatagramHandler = (bytes: Uint8Array, address: string, port: number) => void;

/** What a session needs of the network; tests put a network of their own in its place. */
export interface RtpTransport {
  readonly localPort: number;
  /** Failed sends and other socket errors; RTP goes on after them. */
  readonly errorCount: number;
  onRtp: DatagramHandler;
  onRtcp: DatagramHandler;
  /** `bytes` may be written again after 80 ms. */
  sendRtp(bytes: Uint8Array, port: number, address: string): void;
  sendRtcp(bytes: Uint8Array, port: number, address: string): void;
  close(): Promise<void>;
}

/** Ports that other programs hold are passed over, at most this many for one session. */
const BIND_ATTEMPTS = 16;

/** Opens the pair on ports of the pool; without a pool, on an even port that the system has free. */
export async function openUdpTransport(
  host: string,
  pool?: RtpPortPool,
  rest?: ReceiveRest,
): Promise<RtpTransport> {
  let lastError: unknown;
  for (let attempt = 0; attempt < BIND_ATTEMPTS; attempt += 1) {
    const pooled = pool?.take();
    try {
      const pair = await bindPair(host, pooled ?? 0);
      if (pair !== undefined) {
        const release = (): void => {
          if (pooled !== undefined) pool?.release(pooled);
        };
        return new UdpTransport(pair.rtp, pair.rtcp, release, rest);
      }
    } catch (error) {
      lastError = error;
      if (pooled !== undefined) pool?.release(pooled);
      if (!isPortTaken(error)) break;
    }
  }
  const why = lastError instanceof Error ? lastError.message : 'no even port free';
  throw new MediaError('RTP_BIND_FAILED', `cannot open RTP on ${host}: ${why}`, lastError);
}

/** Undefined when the system chose a port that cannot be the lower of a pair. */
async function bindPair(
  host: string,
  port: number,
): Promise<{ rtp: Socket; rtcp: Socket } | undefined> {
  const rtp = await bind(host, port);
  const rtpPort = rtp.address().port;
  if (port === 0 && rtpPort % 2 !== 0) {
    // The even port below is as likely to be free as any.
    rtp.close();
    return bindBoth(host, rtpPort - 1);
  }
  return bindRtcp(host, rtp, rtpPort + 1);
}

async function bindBoth(host: string, port: number): Promise<{ rtp: Socket; rtcp: Socket }> {
  return bindRtcp(host, await bind(host, port), port + 1);
}

async function bindRtcp(
  host: string,
  rtp: Socket,
  port: number,
): Promise<{ rtp: Socket; rtcp: Socket }> {
  try {
    return { rtp, rtcp: await bind(host, port) };
  } catch (error) {
    rtp.close();
    throw error;
  }
}

function bind(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const family = isIPv6(host) ? 6 : 4;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // Addresses are literals: without a look-up, a send leaves at once instead of a turn later.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, address: host }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** Sockets are not connected: a connected one reports the far end's closed port as our error. */
class UdpTransport implements RtpTransport {
  readonly localPort: number;
  errorCount = 0;
  onRtp: DatagramHandler = () => undefined;
  onRtcp: DatagramHandler = () => undefined;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #release: () => void;
  #closing: Promise<void> | undefined;

  constructor(rtp: Socket, rtcp: Socket, release: () => void, rest: ReceiveRest | undefined) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#release = release;
    this.localPort = rtp.address().port;
    rtp.on('message', (bytes, from) => {
      rest?.received();
      this.onRtp(bytes, from.address, from.port);
    });
    rtcp.on('message', (bytes, from) => this.onRtcp(bytes, from.address, from.port));
    const count = () => {
      this.errorCount += 1;
    };
    rtp.on('error', count);
    rtcp.on('error', count);
  }

  sendRtp(bytes: Uint8Array, port: number, address: string): void {
    if (this.#closing === undefined) this.#rtp.send(bytes, port, address);
  }

  sendRtcp(bytes: Uint8Array, port: number, address: string): void {
    if (this.#closing === undefined) this.#rtcp.send(bytes, port, address);
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all([closed(this.#rtp), closed(this.#rtcp)]).then(this.#release);
    return this.#closing;
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(resolve));
}
