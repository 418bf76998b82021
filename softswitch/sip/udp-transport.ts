/**
 * SIP over UDP (RFC 3261 §18).
 *
 * Node hears of an ICMP "port unreachable" on a connected socket only. So requests leave through a
 * socket connected to their destination, bound with SO_REUSEADDR to the very port we listen on: the
 * peer sees one port, the kernel hands its datagrams and its ICMP errors to the connected socket
 * and everybody else's to the listening one. Measured on Linux 6.18: a closed port is reported
 * 0.5 to 2.3 ms after the send. (A separate sending port would break peers that answer to or admit
 * only the signalling port; waiting for timer B takes 32 s.)
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Timer, TimerWheel } from '../timers/timer-wheel.ts';
import { isSameFamily, type SipAddress } from './sip-address.ts';
import { codeOf } from './system-error-code.ts';
import type { SipTransport, TransportEvents } from './transport.ts';

/** A burst of retransmissions must not overflow; the kernel caps it at net.core.rmem_max. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
const PEER_SOCKETS_MAX = 256; // beyond, datagrams leave unwatched through the listening socket
const PEER_IDLE_MS_MAX = 300_000;
const PEER_SWEEP_MS = 60_000;
const BIND_TRIES_MAX = 8;
/** Shorter than any SIP message: CRLF and NUL keep-alives (RFC 5626 §3.5.1 and older devices). */
const KEEP_ALIVE_BYTES_MAX = 4;

interface Datagram {
  readonly bytes: Buffer;
  readonly onFailure: (problem: string) => void;
}

interface PeerSocket {
  readonly socket: Socket;
  readonly destination: SipAddress;
  /** What came before the socket was connected; undefined from then on. */
  waiting: Datagram[] | undefined;
  lastUsedMs: number;
}

export class UdpTransport implements SipTransport {
  readonly reliable = false;
  readonly local: SipAddress;
  readonly #socket: Socket;
  readonly #events: TransportEvents;
  readonly #timers: TimerWheel;
  readonly #peers = new Map<string, PeerSocket>();
  #sweepTimer: Timer | undefined;
  #closed = false;

  private constructor(
    socket: Socket,
    address: SipAddress,
    events: TransportEvents,
    timers: TimerWheel,
  ) {
    this.#socket = socket;
    this.#events = events;
    this.#timers = timers;
    this.local = { protocol: 'udp', host: address.host, port: socket.address().port };
    this.#listenTo(socket);
    // Of the listening socket nothing is known that a sender could be told (unconnected).
    socket.on('error', () => undefined);
    this.#sweepLater();
  }

  /** Rejects with EADDRINUSE when the port is taken, also by a process that shares ports itself. */
  static async open(
    address: SipAddress,
    events: TransportEvents,
    timers: TimerWheel,
  ): Promise<UdpTransport> {
    for (let tries = 1; ; tries += 1) {
      const port = await exclusivelyFreePort(address);
      try {
        const socket = await bindShared({ ...address, port });
        return new UdpTransport(socket, address, events, timers);
      } catch (error) {
        // Somebody was given our ephemeral port in between.
        if (address.port !== 0 || tries >= BIND_TRIES_MAX) throw error;
      }
    }
  }

  send(
    bytes: Buffer,
    destination: SipAddress,
    awaitsReply: boolean,
    onFailure: (problem: string) => void,
  ): void {
    if (this.#closed) return;
    if (!isSameFamily(destination.host, this.local.host) || !isUsablePort(destination.port)) {
      queueMicrotask(() => onFailure('EADDRNOTAVAIL'));
      return;
    }
    const key = `${destination.host}:${destination.port}`;
    let peer = this.#peers.get(key);
    if (peer === undefined && awaitsReply && this.#peers.size < PEER_SOCKETS_MAX) {
      peer = this.#connectPeer(key, destination);
    }
    if (peer === undefined) {
      this.#sendUnwatched(bytes, destination, onFailure);
      return;
    }
    peer.lastUsedMs = this.#timers.nowMs();
    if (peer.waiting === undefined) this.#sendToPeer(peer, bytes, onFailure, true);
    else peer.waiting.push({ bytes, onFailure });
  }

  isConnected(): boolean {
    return true;
  }

  async close(): Promise<void> {
    // What waits for a socket to be connected is one turn away: a last BYE should still leave.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#closed = true;
    this.#sweepTimer?.cancel();
    for (const { socket } of this.#peers.values()) socket.close();
    this.#peers.clear();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #sendToPeer(
    peer: PeerSocket,
    bytes: Buffer,
    onFailure: (problem: string) => void,
    mayRetry: boolean,
  ): void {
    peer.socket.send(bytes, (error) => {
      if (error === null || this.#closed) return;
      const code = codeOf(error);
      if (code !== 'ECONNREFUSED') onFailure(code);
      else {
        // The error is an earlier datagram's and has kept this one from leaving.
        this.#events.onUnreachable(peer.destination, code);
        if (mayRetry) this.#sendToPeer(peer, bytes, onFailure, false);
      }
    });
  }

  #sendUnwatched(
    bytes: Buffer,
    destination: SipAddress,
    onFailure: (problem: string) => void,
  ): void {
    this.#socket.send(bytes, destination.port, destination.host, (error) => {
      if (error !== null && !this.#closed) onFailure(codeOf(error));
    });
  }

  #connectPeer(key: string, destination: SipAddress): PeerSocket {
    const socket = sharedSocket(this.local.host);
    const peer: PeerSocket = { socket, destination, waiting: [], lastUsedMs: 0 };
    this.#peers.set(key, peer);
    this.#listenTo(socket);
    const giveUp = (): void => {
      if (this.#peers.get(key) !== peer) return;
      this.#peers.delete(key);
      socket.close();
      // No such socket to be had (no route, no descriptors): the listening one will say why.
      for (const { bytes, onFailure } of peer.waiting ?? []) {
        this.#sendUnwatched(bytes, destination, onFailure);
      }
    };
    socket.on('error', (error) => {
      if (codeOf(error) !== 'ECONNREFUSED') giveUp();
      else this.#events.onUnreachable(destination, 'ECONNREFUSED');
    });
    socket.bind({ address: this.local.host, port: this.local.port, exclusive: true }, () => {
      socket.connect(destination.port, destination.host, ((error?: Error) => {
        if (this.#closed) return;
        if (error !== undefined) {
          giveUp();
          return;
        }
        const waiting = peer.waiting ?? [];
        peer.waiting = undefined;
        for (const { bytes, onFailure } of waiting) this.#sendToPeer(peer, bytes, onFailure, true);
      }) as () => void); // @types/node leaves out that the callback gets the error
    });
    return peer;
  }

  #listenTo(socket: Socket): void {
    socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
      if (bytes.length <= KEEP_ALIVE_BYTES_MAX || this.#closed) return;
      const source: SipAddress = { protocol: 'udp', host: from.address, port: from.port };
      this.#events.onMessage(bytes, source, this);
    });
  }

  #sweepLater(): void {
    this.#sweepTimer = this.#timers.schedule(PEER_SWEEP_MS, () => {
      const idleSinceMs = this.#timers.nowMs() - PEER_IDLE_MS_MAX;
      for (const [key, peer] of this.#peers) {
        if (peer.lastUsedMs >= idleSinceMs) continue;
        this.#peers.delete(key);
        peer.socket.close();
      }
      this.#sweepLater();
    });
  }
}

/** Addresses are literals here; a look-up without the thread pool makes bind and connect immediate. */
function literalLookup(
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, host, host.includes(':') ? 6 : 4);
}

function sharedSocket(host: string): Socket {
  return createSocket({
    type: isIPv6(host) ? 'udp6' : 'udp4',
    reuseAddr: true,
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    lookup: literalLookup,
  });
}

function bind(socket: Socket, address: SipAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: address.host, port: address.port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function bindShared(address: SipAddress): Promise<Socket> {
  return bind(sharedSocket(address.host), address);
}

/** A socket that shares would join another sharer silently; one that does not is told EADDRINUSE. */
async function exclusivelyFreePort(address: SipAddress): Promise<number> {
  const type = isIPv6(address.host) ? 'udp6' : 'udp4';
  const socket = await bind(createSocket({ type }), address);
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

function isUsablePort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535;
}
