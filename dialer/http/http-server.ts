/** The dialer's HTTP server: what all routes have in common. Loopback unless told otherwise. */
import type { AddressInfo } from 'node:net';
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyPluginCallback,
} from 'fastify';
import type { TSchema } from 'typebox';
import { DialerError } from '../../machines/errors.ts';
import type { DialerLog } from '../dialer-log.ts';
import { requireAcceptable } from './accept.ts';
import { HttpError } from './http-error.ts';
import { errorHandler, problemOf, sendProblem } from './problem-details.ts';
import { requestValidator, type HttpPart } from './request-faults.ts';
import { RouteTable } from './route-table.ts';

export type HttpPlugin = FastifyPluginCallback | FastifyPluginAsync;

export interface Certificate {
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface HttpServerOptions {
  /** Routes: those of AI agents, of `/v1`, and whatever else is to be served here. */
  readonly plugins: readonly HttpPlugin[];
  readonly log: DialerLog;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** With it the server speaks HTTPS. */
  readonly certificate?: Certificate | undefined;
}

export interface HttpServer {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/** A hundred attributes of 4,000 characters, whatever their script. */
const BODY_LIMIT_BYTES = 2 ** 20;
/** A file of 10 MB over a slow line; whoever only opens a connection has less. */
const REQUEST_LIMIT_MS = 120_000;
const HEADERS_LIMIT_MS = 10_000;
/** Where fastify gives up on one part of an address: our ids have 36 characters. */
const PARAMETER_CHARS_MAX = 200;

export function makeHttpApp({ plugins, log, certificate }: HttpServerOptions): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_LIMIT_MS,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX },
    // Only what is not given by a schema: a client cannot be told of a URL that cannot be decoded.
    frameworkErrors: (_error, _request, reply) => {
      void sendProblem(reply, problemOf('ROUTE_NOT_FOUND'));
    },
    ...(certificate === undefined ? {} : { https: certificate }),
  }) as unknown as FastifyInstance;
  app.server.headersTimeout = HEADERS_LIMIT_MS;
  const table = new RouteTable(app);
  app.decorate('routeTable', table);
  app.decorateRequest('caller', null);
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(errorHandler(log));
  app.setValidatorCompiler<TSchema>(({ schema, httpPart = 'body' }) =>
    requestValidator(schema, httpPart as HttpPart),
  );
  // What is answered is checked by tests: a serializer of its own would leave out what it does not know.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-content-type-options', 'nosniff');
    const { produces = 'application/json' } = request.routeOptions.config;
    // No file and no id has a NUL in its name, and what serves files takes it badly.
    if (/%00/.test(request.url.split('?', 1)[0] ?? '')) {
      throw new HttpError('ROUTE_NOT_FOUND', 'an address holds no NUL');
    }
    if (!request.is404) requireAcceptable(request.headers.accept, produces);
  });
  app.setNotFoundHandler((request, reply) => {
    const methods = table.methodsOf(request.url.split('?', 1)[0] ?? '');
    if (methods.length === 0) return sendProblem(reply, problemOf('ROUTE_NOT_FOUND'));
    const allow = methods.join(', ');
    return sendProblem(
      reply.header('allow', allow),
      problemOf('METHOD_NOT_ALLOWED', `it takes ${allow}`),
    );
  });
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
  const scheme = options.certificate === undefined ? 'http' : 'https';
  return { url: `${scheme}://${shownHost}:${address.port}`, close: () => app.close() };
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly routeTable: RouteTable;
  }
}
