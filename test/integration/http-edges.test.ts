/** Goal: every route is guarded and described, every error is told as its table says, nothing breaks it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import t from 'tap';
import { Value } from 'typebox/value';
import type { TSchema } from 'typebox';
import { DialerError } from '../../machines/errors.ts';
import { startHttpServer } from '../../dialer/http/http-server.ts';
import { PROBLEMS } from '../../dialer/http/problem-details.ts';
import { ApiRig, type Json } from '../support/api-rig.ts';
import {
  makeForProblems,
  PROVOCATIONS,
  refusingDesk,
  type ProblemCode,
} from '../support/every-problem.ts';
import { ERRORS_DOCUMENT, errorsDocument } from '../support/errors-document.ts';
import { fuzzHttp } from '../support/fuzz-http.ts';
import { silentLog } from '../support/silent-log.ts';
import { storeTargets } from '../support/store-target.ts';
import { TestAuthority } from '../support/tls-certificates.ts';

t.setTimeout(240_000);

const [sqlite, postgres] = await storeTargets(t);

t.test('a definition that is nested without end is refused, and ends nobody', async (t) => {
  const rig = await ApiRig.open(t, sqlite.place(t));
  for (const open of ['[', '{a: ', '- ', '? ', '[{"a":']) {
    for (const type of ['application/json', 'application/yaml']) {
      const { status, text } = await rig.ask({
        ...{ method: 'POST', url: '/v1/journeys/check', body: open.repeat(10_000) },
        headers: { 'content-type': type },
      });
      t.ok(status < 500, `${status} to ${open}`);
      t.match(text, /is nested more than 200 levels deep/);
    }
  }
});

t.test('every code of the table of errors comes as the table says', async (t) => {
  const plugins = [refusingDesk()];
  const rig = await ApiRig.open(t, sqlite.place(t), { plugins });
  const made = await makeForProblems(rig);
  const check = async (code: ProblemCode, answered: Promise<{ status: number; body: Json }>) => {
    const { status, body } = await answered;
    const [expected, title] = PROBLEMS[code];
    const type = `urn:ringfence:problem:${code.toLowerCase().replaceAll('_', '-')}`;
    t.match({ status, ...body }, { status: expected, code, title, type }, code);
    t.notMatch(JSON.stringify(body), /2025550143/, `${code} repeats no number`);
  };
  for (const [code, provoke] of Object.entries(PROVOCATIONS)) {
    await check(
      code as ProblemCode,
      Promise.resolve(provoke(rig, made)).then((asked) => rig.ask(asked)),
    );
  }
  const late = await ApiRig.open(t, sqlite.place(t), {
    isAttached: false,
    requestsPerSecondMax: 1,
  });
  const { id } = await late.engagement();
  await check('STARTING', late.post(`/v1/engagements/${id}/start`));
  await check('TOO_MANY_REQUESTS', late.get('/v1/queues'));
  const limited = await late.get('/v1/queues');
  t.equal(limited.headers['retry-after'], '1');
  late.clock.nowMs += 1_000;
  t.equal((await late.get('/v1/queues')).status, 200, 'a second later there is room for one');
  await check('TOO_MANY_REQUESTS', late.get('/v1/queues'));
  late.clock.nowMs += 10_000;
  const streams = late.api.streams;
  await streams.close();
  await check('STARTING', late.ask({ url: '/v1/events', headers: { accept: '*/*' } }));
  const broken = await ApiRig.open(t, sqlite.place(t));
  broken.dialer.suspend = () => Promise.reject(new Error('secret inside'));
  const { id: brokenId } = await broken.engagement();
  const gone = new DialerError('STORE_UNAVAILABLE', 'the disk is full: /secret/path');
  broken.dialer.resume = () => Promise.reject(gone);
  await check('STORE_UNAVAILABLE', broken.post(`/v1/engagements/${brokenId}/resume`));
  for (const code of ['ECONNREFUSED', '57P01', '08006']) {
    const lost = Object.assign(new Error('connect 192.0.2.1:5432'), { code });
    broken.dialer.resume = () => Promise.reject(lost);
    await check('STORE_UNAVAILABLE', broken.post(`/v1/engagements/${brokenId}/resume`));
  }
  const answer = await broken.post(`/v1/engagements/${brokenId}/suspend`);
  await check('INTERNAL', Promise.resolve(answer));
  t.notMatch(answer.text, 'secret');
  const journeys = { isEnabled: false, hasConversations: false };
  const off = await ApiRig.open(t, sqlite.place(t), { journeys });
  await check('JOURNEYS_OFF', off.get('/v1/journeys'));
  const covered = new Set<string>([
    ...Object.keys(PROVOCATIONS),
    ...['STARTING', 'TOO_MANY_REQUESTS', 'STORE_UNAVAILABLE', 'INTERNAL', 'JOURNEYS_OFF'],
    'TOO_MANY_STREAMS', // in http-api.test.ts, on sockets
  ]);
  t.same(
    Object.keys(PROBLEMS).filter((code) => !covered.has(code)),
    [],
  );
});

t.test('with a certificate it speaks HTTPS, and nothing else', async (t) => {
  const authority = await TestAuthority.create();
  t.teardown(() => authority.remove());
  const { certificate, key } = await authority.issue('IP:127.0.0.1');
  const server = await startHttpServer({
    ...{ plugins: [], log: silentLog },
    certificate: { cert: Buffer.from(certificate), key: Buffer.from(key) },
  });
  t.teardown(() => server.close());
  t.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  const asked = get(`${server.url}/nothing`, { ca: authority.authorities });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  t.equal(response.statusCode, 404);
  await t.rejects(fetch(server.url.replace('https', 'http')));
});

t.test('docs/errors.md is the table', async (t) => {
  const cells = (text: string) => text.replaceAll(/[ -]+/g, ' ');
  const written = readFileSync(ERRORS_DOCUMENT, 'utf8');
  t.equal(cells(written), cells(errorsDocument()), 'stale: npm run docs');
});

t.test(
  '[API-20] a request without a key, or with one without a role, gets 401 everywhere',
  async (t) => {
    const rig = await ApiRig.open(t, sqlite.place(t));
    const roleless = await rig.key(null);
    const guarded = rig.app.routeTable.routes.filter(({ access }) => access !== 'none');
    t.ok(guarded.length > 40, `${guarded.length} routes`);
    for (const { method, url, access } of guarded) {
      t.ok(access, `${method} ${url} says who may ask`);
      const path = url
        .replace(/:\w+/, '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a11')
        .replace('*', 'index.html');
      for (const key of [null, roleless, `${rig.adminKey}x`]) {
        const { statusCode, headers } = await rig.app.inject({
          method: method as 'GET',
          url: path,
          headers: key === null ? {} : { authorization: `Bearer ${key}` },
        });
        t.equal(statusCode, 401, `${method} ${url}`);
        t.match(headers['www-authenticate'], url.startsWith('/docs') ? /^Basic/ : 'Bearer');
      }
    }
    const basic = Buffer.from(`anybody:${rig.adminKey}`).toString('base64');
    const headers = { authorization: `Basic ${basic}` };
    t.equal(
      (await rig.app.inject({ url: '/docs', headers })).statusCode,
      200,
      'a browser may read',
    );
    t.equal((await rig.app.inject({ url: '/v1/queues', headers })).statusCode, 401, 'and no more');
  },
);

/** OpenAPI 3.1 §4.8.14: examples stand beside the schema of a media type. */
interface MediaType {
  readonly schema: Json;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, unknown>>;
}

interface Operation {
  readonly operationId?: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, MediaType>> }>
  >;
}

function isValued(given: unknown): given is { readonly value: unknown } {
  return typeof given === 'object' && given !== null && 'value' in given;
}

t.test('no route without a schema, and OpenAPI 3.1 with an example of everything', async (t) => {
  const rig = await ApiRig.open(t, sqlite.place(t));
  const own = rig.app.routeTable.routes.filter(({ url }) => !url.startsWith('/docs'));
  for (const { method, url, schema } of own) {
    const { operationId, response, params, body } = (schema ?? {}) as Json;
    t.ok(operationId && response, `${method} ${url} has a schema`);
    if (url.includes(':')) t.ok(params, `${method} ${url} has one of its parameters`);
    if (method === 'PATCH') t.ok(body, `${method} ${url} has one of its body`);
  }
  const { body: document } = await rig.get('/docs/json');
  t.equal(document['openapi'], '3.1.0');
  const paths = document['paths'] as Record<string, Record<string, Operation>>;
  t.equal(Object.values(paths).flatMap((path) => Object.keys(path)).length, own.length);
  const ids = new Set<string>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { operationId = '', requestBody, responses }] of Object.entries(
      operations,
    )) {
      const name = `${method} ${path}`;
      t.notOk(ids.has(operationId), `${name}: ${operationId} is its own`);
      ids.add(operationId);
      const shapes = [requestBody, ...Object.values(responses)].flatMap((part) =>
        Object.values(part?.content ?? {}),
      );
      for (const { schema, example, examples } of shapes) {
        const inSchema = schema['examples'] as readonly unknown[] | undefined;
        const shown = inSchema ?? (examples === undefined ? [example] : Object.values(examples));
        t.ok(shown[0] !== undefined, `${name} has examples`);
        for (const given of shown) {
          const example = isValued(given) ? given.value : given;
          const [fault] = Value.Errors(
            schema as TSchema,
            Value.Default(schema as TSchema, structuredClone(example)),
          );
          t.notOk(fault, `${name}: ${fault?.instancePath ?? ''} ${fault?.message ?? ''}`);
        }
      }
    }
  }
});

t.test('mutated requests never get a 5xx: a share of those of the long run', async (t) => {
  await fuzzHttp(t, sqlite.place(t), { count: 600, seed: 1 });
  await fuzzHttp(t, postgres.place(t), { count: 300, seed: 2 });
});
