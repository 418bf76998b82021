/**
 * For who starts, restarts and routes to this process. Live: it answers at all; restart it when it
 * does not. Ready: it can do its work now; 503 with the checks that failed, each in words.
 * Open to everybody who reaches the port: probes carry no keys.
 */
import type { FastifyPluginCallback } from 'fastify';
import { Type } from 'typebox';
import type { Readiness, ReadinessReport } from '../health/readiness.ts';

export interface HealthOptions {
  readonly readiness: Pick<Readiness, 'report'>;
}

const Liveness = Type.Object({ status: Type.Literal('ok') }, { examples: [{ status: 'ok' }] });

const CheckBody = Type.Object({
  name: Type.String(),
  ok: Type.Boolean(),
  detail: Type.String({ description: 'What was found, in words.' }),
});

const ReadinessBody = Type.Object(
  {
    status: Type.Enum(['ready', 'notReady']),
    failing: Type.Array(Type.String(), { description: 'What is wrong, in words.' }),
    checks: Type.Array(CheckBody),
  },
  {
    examples: [
      {
        status: 'notReady',
        failing: ['store: attempt to write a readonly database'],
        checks: [{ name: 'store', ok: false, detail: 'attempt to write a readonly database' }],
      },
    ],
  },
);

const RETRY_AFTER_SECONDS = '5';

export function healthHttp({ readiness }: HealthOptions): FastifyPluginCallback {
  return (app, _options, done) => {
    const config = { access: 'none' } as const;
    const live = {
      ...{ operationId: 'isLive', tags: ['health'], summary: 'Does the process answer?' },
      response: { 200: Liveness },
    };
    app.get('/health/live', { config, schema: live }, async (_request, reply) => {
      void reply.header('cache-control', 'no-store');
      return { status: 'ok' };
    });
    const ready = {
      ...{ operationId: 'isReady', tags: ['health'], summary: 'Can it do its work now?' },
      response: { 200: ReadinessBody, 503: ReadinessBody },
    };
    app.get('/health/ready', { config, schema: ready }, async (_request, reply) => {
      const report = await readiness.report();
      void reply.header('cache-control', 'no-store');
      if (!report.ready) void reply.code(503).header('retry-after', RETRY_AFTER_SECONDS);
      return bodyOf(report);
    });
    done();
  };
}

function bodyOf({ ready, checks }: ReadinessReport) {
  const failing = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
  return { status: ready ? 'ready' : 'notReady', failing, checks };
}
