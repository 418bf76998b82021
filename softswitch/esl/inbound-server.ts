/** The event socket clients connect to. A password is always asked for; there is no default one. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { EventSocket } from './event-socket.ts';
import { AUTH_REQUEST } from './reply-frames.ts';
import type { SwitchCore } from './switch-core.ts';

/** As FreeSWITCH: a client that has not said its password by then is cut off. */
const AUTH_TIMEOUT_MS = 25_000;
const CONNECTIONS_MAX = 256;

export interface InboundServerOptions {
  readonly core: SwitchCore;
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

export class InboundServer {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<EventSocket>;

  static async listen(options: InboundServerOptions): Promise<InboundServer> {
    assert(options.password !== '', 'the event socket needs a password');
    const { core } = options;
    const sockets = new Set<EventSocket>();
    const server = createServer({ noDelay: true }, (socket) => {
      // Cancelled with the connection: it would keep what is left of it in memory.
      const loginTimer = core.timers.schedule(AUTH_TIMEOUT_MS, () => {
        if (!client.authorised) client.close();
      });
      const client = new EventSocket({
        core,
        socket,
        password: options.password,
        onClosed: (closed) => {
          loginTimer.cancel();
          sockets.delete(closed);
        },
      });
      sockets.add(client);
      client.send(AUTH_REQUEST);
    });
    server.maxConnections = CONNECTIONS_MAX;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, options.host, resolve);
    });
    return new InboundServer(server, sockets);
  }

  private constructor(server: Server, sockets: Set<EventSocket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.close('The system is being shut down.\n');
    await closed;
  }
}
