/**
 * `/metrics`, in Prometheus' text format. Who is on this machine may read it; anybody else needs the
 * bearer token of the configuration, and gets none of it when there is no token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { histogram, type Meter, type MetricTable } from '../../machines/meter.port.ts';
import type { PrometheusMeter } from '../metrics/prometheus-meter.ts';

export const HTTP_METRICS = {
  requests: histogram(
    'http_request_duration_seconds',
    'HTTP requests by route, as declared: no id of any request is in it.',
    ['route', 'method', 'code'],
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  ),
} as const satisfies MetricTable;

export interface MetricsHttpOptions {
  readonly meter: Pick<PrometheusMeter, 'contentType' | 'scrape'>;
  /** For scrapers on other machines; empty: there are none. */
  readonly bearerToken: string;
}

const SCHEMA = {
  operationId: 'metrics',
  tags: ['health'],
  summary: 'Metrics in the text format of Prometheus; docs/metrics.md names each',
  response: {
    200: Type.String(),
    401: Type.Object({
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      code: Type.String(),
    }),
  },
};

const UNAUTHORIZED = {
  type: 'urn:ringfence:problem:metrics-unauthorized',
  title: 'Metrics are read on this machine, or with the token of the configuration',
  status: 401,
  code: 'METRICS_UNAUTHORIZED',
};

export function metricsHttp({ meter, bearerToken }: MetricsHttpOptions): FastifyPluginCallback {
  return (app, _options, done) => {
    const config = { access: 'none', produces: 'text/plain' } as const;
    app.get('/metrics', { config, schema: SCHEMA }, async (request, reply) => {
      if (!isLocal(request) && !hasToken(request, bearerToken)) {
        void reply.header('www-authenticate', 'Bearer').type('application/problem+json');
        return reply.code(401).send(UNAUTHORIZED);
      }
      void reply.header('content-type', meter.contentType).header('cache-control', 'no-store');
      return meter.scrape();
    });
    done();
  };
}

/** Measures the requests to every route that is added after it, in whichever plugin. */
export function requestMetrics(meter: Meter): FastifyPluginCallback {
  meter.register(HTTP_METRICS);
  const plugin: FastifyPluginCallback = (app, _options, done) => {
    app.addHook('onResponse', (request, reply, next) => {
      const route = request.routeOptions.url ?? 'none';
      const labels = { route, method: methodLabel(request.method), code: String(reply.statusCode) };
      meter.observe(HTTP_METRICS.requests, labels, reply.elapsedTime / 1_000);
      next();
    });
    done();
  };
  // Fastify's own mark for plugins that are about more than themselves (fastify-plugin sets it).
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Anybody can send any method. */
function methodLabel(method: string): string {
  return METHODS.has(method) ? method : 'other';
}

/** A proxy on this machine passes on what comes from elsewhere, and says so. */
function isLocal({ socket, headers }: FastifyRequest): boolean {
  const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some(
    (name) => headers[name] !== undefined,
  );
  return !isForwarded && /^(?:127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? '');
}

/** Both are hashed, so that the comparison tells nothing of either's length. */
function hasToken({ headers }: FastifyRequest, bearerToken: string): boolean {
  if (bearerToken === '') return false;
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(bearerToken));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
