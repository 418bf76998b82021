/** The dialer's HTTP server. For now it serves AI agents; it listens on loopback unless told otherwise. */
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyPluginCallback } from 'fastify';
import { DialerError } from '../../machines/errors.ts';
import type { DialerLog } from '../dialer-log.ts';
import { errorHandler, problemOf, sendProblem } from './problem-details.ts';

export interface HttpServerOptions {
  readonly plugins: readonly FastifyPluginCallback[];
  readonly log: DialerLog;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
}

export interface HttpServer {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/** A hundred attributes of 4,000 characters, whatever their script. */
const BODY_LIMIT_BYTES = 2 ** 20;
const REQUEST_LIMIT_MS = 10_000;

export function makeHttpApp({ plugins, log }: HttpServerOptions): FastifyInstance {
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, requestTimeout: REQUEST_LIMIT_MS });
  app.setErrorHandler(errorHandler(log));
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, problemOf('ROUTE_NOT_FOUND')));
  for (const plugin of plugins) void app.register(plugin);
  return app;
}

/** Listens, or throws LISTEN_FAILED. `close` lets requests that are under way finish. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', port = 0 } = options;
  const app = makeHttpApp(options);
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new DialerError('LISTEN_FAILED', `HTTP on ${host}:${port}`, { cause: error });
  }
  const address = app.server.address() as AddressInfo;
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${shownHost}:${address.port}`, close: () => app.close() };
}
