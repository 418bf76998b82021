/**
 * SIP over TCP and TLS (RFC 3261 §18): one table of connections by peer address, whoever opened them,
 * used for requests and responses alike.
 */
import type { Server, Socket } from 'node:net';
import type { Timer, TimerWheel } from '../timers/timer-wheel.ts';
import { addressKey, isSameFamily, type SipAddress } from './sip-address.ts';
import { StreamFraming } from './stream-framing.ts';
import type { StreamSockets } from './stream-sockets.ts';
import { codeOf } from './system-error-code.ts';
import type { SipTransport, TransportEvents } from './transport.ts';

const CONNECTIONS_MAX = 1_000;
const CONNECT_MS_MAX = 4_000; // a SYN or a hello that is dropped silently must not eat timer B's 32 s
const IDLE_MS_MAX = 600_000; // RFC 3261 §18: at least as long as the longest transaction, 32 s
const PARTIAL_MESSAGE_MS_MAX = 32_000; // a peer that feeds bytes slowly is no peer
const SWEEP_MS = 10_000;
const UNSENT_BYTES_MAX = 4 * 1024 * 1024; // a peer that reads nothing must not fill our memory

interface Connection {
  readonly socket: Socket;
  readonly peer: SipAddress;
  readonly framing: StreamFraming;
  isConnected: boolean;
  lastUsedMs: number;
  /** Since when part of a message has been waiting for the rest. */
  partialSinceMs: number | undefined;
  /** Failure callbacks of what was handed over before the connection stood. */
  unsent: ((problem: string) => void)[];
}

export class StreamTransport implements SipTransport {
  readonly reliable = true;
  readonly local: SipAddress;
  readonly #sockets: StreamSockets;
  readonly #server: Server;
  /** Accepted, with their handshake perhaps still to come. */
  readonly #accepted = new Set<Socket>();
  readonly #events: TransportEvents;
  readonly #timers: TimerWheel;
  readonly #connections = new Map<string, Connection>();
  /** Those to a server known by name, under its address. */
  readonly #named = new Map<string, Connection>();
  #sweepTimer: Timer | undefined;
  #closed = false;

  private constructor(
    sockets: StreamSockets,
    server: Server,
    local: SipAddress,
    events: TransportEvents,
    timers: TimerWheel,
  ) {
    this.#sockets = sockets;
    this.#server = server;
    this.#events = events;
    this.#timers = timers;
    this.local = local;
    server.maxConnections = CONNECTIONS_MAX;
    server.on('connection', (socket: Socket) => {
      this.#accepted.add(socket);
      socket.once('close', () => this.#accepted.delete(socket));
    });
    server.on(sockets.acceptedEvent, (socket: Socket) => this.#accept(socket));
    server.on('tlsClientError', () => undefined); // Node has closed the connection
    server.on('error', () => undefined); // a failed accept (descriptors) must not end the stack
    this.#sweepLater();
  }

  static async open(
    address: SipAddress,
    events: TransportEvents,
    timers: TimerWheel,
    sockets: StreamSockets,
  ): Promise<StreamTransport> {
    const server = sockets.createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
    const local = { protocol: sockets.protocol, host: address.host, port };
    return new StreamTransport(sockets, server, local, events, timers);
  }

  send(
    bytes: Buffer,
    destination: SipAddress,
    _awaitsReply: boolean,
    onFailure: (problem: string) => void,
  ): void {
    if (this.#closed) return;
    const connection = this.#connectionTo(destination) ?? this.#connect(destination);
    if (connection === undefined) {
      queueMicrotask(() => onFailure('EADDRNOTAVAIL'));
      return;
    }
    if (connection.socket.writableLength > UNSENT_BYTES_MAX) {
      connection.socket.destroy(new Error('the peer does not read'));
      queueMicrotask(() => onFailure('EPIPE'));
      return;
    }
    connection.lastUsedMs = this.#timers.nowMs();
    if (!connection.isConnected) connection.unsent.push(onFailure);
    connection.socket.write(bytes);
  }

  isConnected(destination: SipAddress): boolean {
    return this.#connectionTo(destination)?.isConnected ?? false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sweepTimer?.cancel();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // What was written is with the kernel already; waiting for a peer that reads nothing would hang.
    for (const { socket } of this.#connections.values()) socket.destroy();
    for (const socket of this.#accepted) socket.destroy();
    this.#connections.clear();
    this.#named.clear();
    await closed;
  }

  /**
   * A server that proved a name is also the one at its address: a Contact often names that. The
   * other way round nothing is proved, so a name wants a connection of its own (RFC 5923 §9).
   */
  #connectionTo(destination: SipAddress): Connection | undefined {
    const exact = this.#connections.get(keyOf(destination));
    if (exact !== undefined || destination.serverName !== undefined) return exact;
    return this.#named.get(addressKey(destination));
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy(); // reset before we looked
      return;
    }
    const host = remoteAddress.replace(/^::ffff:/, '');
    this.#adopt(socket, { protocol: this.#sockets.protocol, host, port: remotePort }, true);
  }

  #connect(destination: SipAddress): Connection | undefined {
    const { host, port } = destination;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
    if (!isSameFamily(host, this.local.host)) return undefined;
    const isWildcard = this.local.host === '0.0.0.0' || this.local.host === '::';
    const socket = this.#sockets.connect(destination, isWildcard ? undefined : this.local.host);
    const connection = this.#adopt(socket, destination, false);
    const timer = this.#timers.schedule(CONNECT_MS_MAX, () => {
      socket.destroy(
        Object.assign(new Error('connecting took too long'), { code: 'ERR_CONNECT_TIMEOUT' }),
      );
    });
    const { connectedEvent } = this.#sockets;
    socket.once(connectedEvent, () => {
      connection.isConnected = true;
      connection.unsent = [];
      if (destination.serverName !== undefined) {
        this.#named.set(addressKey(destination), connection);
      }
    });
    for (const event of [connectedEvent, 'close']) socket.once(event, () => timer.cancel());
    return connection;
  }

  #adopt(socket: Socket, peer: SipAddress, isConnected: boolean): Connection {
    const connection: Connection = {
      socket,
      peer,
      framing: this.#framing(socket, peer),
      isConnected,
      lastUsedMs: this.#timers.nowMs(),
      partialSinceMs: undefined,
      unsent: [],
    };
    const key = keyOf(peer);
    this.#connections.set(key, connection);
    socket.on('data', (chunk: Buffer) => {
      connection.lastUsedMs = this.#timers.nowMs();
      connection.framing.push(chunk);
      if (!connection.framing.isInsideMessage) connection.partialSinceMs = undefined;
      else connection.partialSinceMs ??= connection.lastUsedMs;
    });
    let problem: string | undefined;
    socket.on('error', (error) => (problem = codeOf(error)));
    socket.on('close', () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
      const named = addressKey(peer);
      if (this.#named.get(named) === connection) this.#named.delete(named);
      if (problem === undefined || this.#closed) return; // closed in good order
      for (const fail of connection.unsent) fail(problem);
      if (connection.isConnected) this.#events.onUnreachable(peer, problem);
    });
    return connection;
  }

  #framing(socket: Socket, peer: SipAddress): StreamFraming {
    return new StreamFraming({
      onMessage: (bytes) => {
        if (!this.#closed) this.#events.onMessage(bytes, peer, this);
      },
      onPing: () => socket.write('\r\n'),
      onBroken: (head, problem) => {
        if (!this.#closed) this.#events.onBrokenFrame(head, peer, problem, this);
        socket.destroySoon(); // after the answer, if there was one
      },
    });
  }

  #sweepLater(): void {
    this.#sweepTimer = this.#timers.schedule(SWEEP_MS, () => {
      const nowMs = this.#timers.nowMs();
      for (const { socket, lastUsedMs, partialSinceMs } of this.#connections.values()) {
        const isStalled =
          partialSinceMs !== undefined && nowMs - partialSinceMs > PARTIAL_MESSAGE_MS_MAX;
        if (isStalled) socket.destroy();
        else if (nowMs - lastUsedMs > IDLE_MS_MAX) socket.destroySoon();
      }
      this.#sweepLater();
    });
  }
}

function keyOf({ host, port, serverName }: SipAddress): string {
  const address = `${host}:${port}`;
  return serverName === undefined ? address : `${address} ${serverName.toLowerCase()}`;
}
