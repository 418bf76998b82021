/** Goal: an AI agent can speak for its own call, in time, and for nothing else. On both databases. */
import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import type { FastifyInstance } from 'fastify';
import {
  AI_CALLS_PATH,
  createAiAgentDesk,
  type AiAgentDesk,
} from '../../dialer/ai-agents/ai-agent-desk.ts';
import { createWorkstream } from '../../dialer/engagements/create-engagement.ts';
import { aiAgentHttp } from '../../dialer/http/ai-agent.routes.ts';
import { makeHttpApp, startHttpServer } from '../../dialer/http/http-server.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { claimStarts, type ClaimedStart } from '../../dialer/tasks/claim-starts.ts';
import type { AgentVerdict } from '../../machines/agent-verdict.ts';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import { silentLog } from '../support/silent-log.ts';
import { storeTargets, TEST_NOW_MS } from '../support/store-target.ts';
import { WorkScene, type TaskWish } from '../support/work-scene.ts';

const AGENT = { sipUri: 'sip:bot@192.0.2.7;transport=tcp', fallbackPrompts: ['sorry'] };

let calls = 0; // no number twice in one database

/** One claimed call, with its agent's session, over HTTP without a socket. */
class Stand {
  readonly clock = { nowMs: TEST_NOW_MS };
  readonly escalated: string[] = [];
  readonly verdicts: AgentVerdict[] = [];
  readonly database: OpenDatabase;
  readonly desk: AiAgentDesk;
  readonly app: FastifyInstance;
  #scene: WorkScene | undefined;

  constructor(t: Test, database: OpenDatabase) {
    this.database = database;
    this.desk = createAiAgentDesk({
      ...{ database, log: silentLog, actor: 'dialer:test' },
      nowMs: () => this.clock.nowMs,
      publicUrl: () => 'http://127.0.0.1:9',
      onEscalated: ({ attemptId }) => this.escalated.push(attemptId),
      onVerdict: (_attemptId, said) => this.verdicts.push(said),
    });
    this.app = makeHttpApp({ plugins: [aiAgentHttp(this.desk)], log: silentLog });
    t.teardown(() => this.app.close());
  }

  async scene(): Promise<WorkScene> {
    const { database, clock } = this;
    this.#scene ??= await WorkScene.open({ database, clock, cap: 500 });
    return this.#scene;
  }

  async claim(wish: Omit<TaskWish, 'phones'> = {}, language = 'sv') {
    const { database } = this;
    const scene = await this.scene();
    calls += 1;
    await scene.add([{ phones: { mobile: `+1206555${1_000 + calls}` }, ...wish }]);
    const { workstream_id } = await scene.engagement();
    const row = await database.db
      .updateTable('workstreams')
      .set({ language, ai_agent: JSON.stringify(AGENT) })
      .where('id', '=', workstream_id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const request = {
      ...{ businessUnitId: scene.writer.businessUnitId, engagementId: scene.engagementId },
      ...{ config: scene.config, queue: { kind: 'open' as const }, startsMax: 1 },
    };
    const context = { ...scene.context(), planAfterAnswer: this.desk.planAfterAnswer(row) };
    const [start] = (await claimStarts(context, request)).starts;
    if (start === undefined) throw new Error('nothing was claimed');
    return new Call(this, scene, start);
  }
}

class Call {
  readonly start: ClaimedStart;
  readonly target;
  readonly token: string;
  readonly #stand: Stand;
  readonly #scene: WorkScene;

  constructor(stand: Stand, scene: WorkScene, start: ClaimedStart) {
    this.#stand = stand;
    this.#scene = scene;
    this.start = start;
    if (!('aiAgent' in start.afterAnswer)) throw new Error('no agent is connected');
    this.target = start.afterAnswer.aiAgent;
    this.token = this.target.contextToken ?? '';
  }

  get(token = this.token) {
    return this.#request('GET', '', token);
  }

  post(attributes: unknown, what = 'results', token = this.token) {
    return this.#request('POST', `/${what}`, token, { attributes });
  }

  async #request(method: 'GET' | 'POST', path: string, token: string, payload?: object) {
    const response = await this.#stand.app.inject({
      ...{ method, url: `${AI_CALLS_PATH}/${this.start.attemptId}${path}` },
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      ...(payload === undefined ? {} : { payload }),
    });
    const body = response.body === '' ? undefined : response.json<unknown>();
    return { status: response.statusCode, headers: response.headers, body };
  }

  /** The gateway tells something about this call. */
  async event(event: Partial<AttemptEvent> & { readonly type: AttemptEvent['type'] }) {
    const { attemptId, fence } = this.start;
    const envelope = { attemptId, fence, seq: 9, atMs: this.#stand.clock.nowMs };
    this.#stand.desk.onAttemptEvent({ ...envelope, ...event } as AttemptEvent);
    await this.#stand.desk.settled();
  }

  recorded() {
    const end = { result: 'LiveAnswer', retryClass: 'connected' } as const;
    return this.#scene.record(this.start.attemptId, end);
  }

  async attributes(type: 'Input' | 'Result'): Promise<Record<string, string>> {
    const rows = await this.#stand.database.db
      .selectFrom('delivery_attributes')
      .select(['keyword', 'value'])
      .where('delivery_id', '=', this.start.deliveryId)
      .where('type', '=', type)
      .execute();
    return Object.fromEntries(rows.map(({ keyword, value }) => [keyword, value]));
  }

  async logged(): Promise<{ type: string; payload: unknown }[]> {
    const rows = await this.#stand.database.db
      .selectFrom('events')
      .select(['type', 'payload'])
      .where('stream_id', '=', `attempt:${this.start.attemptId}`)
      .orderBy('stream_seq')
      .execute();
    return rows.map(({ type, payload }) => ({ type, payload: JSON.parse(payload) as unknown }));
  }
}

async function deskTests(t: Test, database: OpenDatabase): Promise<void> {
  const test = (name: string, run: (t: Test, stand: Stand) => Promise<void>) =>
    t.test(name, async (t) => {
      await run(t, new Stand(t, database));
    });

  await test('the claim plans the agent and keeps only the hash of its token', async (t, stand) => {
    const { target, token, start } = await stand.claim();
    t.match(start.afterAnswer, { fallbackPrompts: ['sorry'] });
    t.match(target, {
      ...{ kind: 'aiAgent', sipUri: AGENT.sipUri, setupTimeoutMs: 6_000 },
      contextUrl: `http://127.0.0.1:9${AI_CALLS_PATH}/${start.attemptId}`,
    });
    t.equal(Buffer.from(token, 'base64url').length, 32, '256 bits');
    const rows = await stand.database.db
      .selectFrom('ai_sessions')
      .selectAll()
      .where('attempt_id', '=', start.attemptId)
      .execute();
    const hash = createHash('sha256').update(token).digest('hex');
    t.match(rows, [{ token_hash: hash, attempt_id: start.attemptId, expires_at_ms: null }]);
    t.notMatch(JSON.stringify(rows), token);
    t.not((await stand.claim()).token, token, 'every call has its own');
  });

  await test('a workstream names its agent in full, or is refused', async (t, stand) => {
    const { writer } = await stand.scene();
    const input = { name: 'agent', trunk: 'carrier', number: '+12025550199' };
    const id = await createWorkstream(writer, { ...input, aiAgent: { sipUri: AGENT.sipUri } });
    const { ai_agent } = await stand.database.db
      .selectFrom('workstreams')
      .select('ai_agent')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    t.match(JSON.parse(ai_agent ?? ''), { sipUri: AGENT.sipUri, setupTimeoutMs: 6_000 });
    for (const aiAgent of [{}, { sipUri: 'tel:1' }, { sipUri: 'sip:a@b', more: 1 }]) {
      await t.rejects(createWorkstream(writer, { ...input, aiAgent }), {
        code: 'REQUEST_INVALID',
        message: /^the AI agent cannot be used: [^;]*$/,
      });
    }
  });

  await test('[OUT-20] the agent reads every input attribute by its exact name', async (t, stand) => {
    const inputAttributes = { Slot: '10:00', slot: 'lower', 'Ångström €': 'ja', empty: '' };
    const call = await stand.claim({ inputAttributes });
    const { status, headers, body } = await call.get();
    t.equal(status, 200);
    t.equal(headers['cache-control'], 'no-store');
    t.same(body, call.target.context, 'by URL as in the INVITE');
    t.match(body, { version: 1, attemptId: call.start.attemptId, language: 'sv' });
    t.same((body as { attributes: unknown }).attributes, inputAttributes);
    t.same(await call.attributes('Input'), inputAttributes, 'and they are stored as such');
    t.notMatch(JSON.stringify(body), /\+1206/, 'no number is told');
  });

  await test('a session opens its own call alone', async (t, stand) => {
    const [one, other] = [await stand.claim(), await stand.claim()];
    for (const token of ['', 'x', other.token, `${one.token}x`, one.token.slice(0, -1)]) {
      const { status, headers, body } = await one.get(token);
      t.equal(status, 401);
      t.equal(headers['www-authenticate'], 'Bearer');
      t.match(headers['content-type'], /^application\/problem\+json/);
      t.match(body, {
        type: 'urn:ringfence:problem:ai-session-unauthorized',
        ...{ status: 401, code: 'AI_SESSION_UNAUTHORIZED' },
      });
      t.equal((await one.post({ a: '1' }, 'results', token)).status, 401);
    }
    t.same(await one.attributes('Result'), {});
  });

  await test('[OUT-19] results are stored once, however often they are told', async (t, stand) => {
    const call = await stand.claim();
    for (const time of ['first', 'again']) {
      const { status, body } = await call.post({ outcome: 'agreed', amount: 120.5, vip: true });
      t.same([status, body], [204, undefined], time);
    }
    t.same(await call.attributes('Result'), { outcome: 'agreed', amount: '120.5', vip: 'true' });
    await call.post({ outcome: 'declined' });
    t.match(await call.attributes('Result'), { outcome: 'declined', vip: 'true' }, 'last word');
    const told = (await call.logged()).filter(({ type }) => type === 'aiAgent.returned');
    t.same(
      told.map(({ payload }) => payload),
      [
        { by: 'post', names: ['outcome', 'amount', 'vip'] },
        { by: 'post', names: ['outcome'] },
      ],
      'names alone: values are personal',
    );
  });

  await test('results are taken until ten seconds after the end, not later', async (t, stand) => {
    const call = await stand.claim();
    await call.event({ type: 'attempt.ended' });
    stand.clock.nowMs += 10_000;
    t.equal((await call.post({ late: 'yes' })).status, 204);
    stand.clock.nowMs += 1;
    const { status, body } = await call.post({ later: 'no' });
    t.equal(status, 410);
    t.match(body, { code: 'AI_SESSION_ENDED', title: 'The call has ended too long ago' });
    t.equal((await call.get()).status, 410);
    t.equal((await call.get('x')).status, 401, 'and says so only to who holds its token');
    t.same(await call.attributes('Result'), { late: 'yes' });
    await call.event({ type: 'attempt.ended' });
    t.equal((await call.post({ later: 'no' })).status, 410, 'a second end opens nothing again');
  });

  await test('a crash before the end was noted: the recorded end decides', async (t, stand) => {
    const call = await stand.claim();
    await call.recorded();
    stand.clock.nowMs += 10_000;
    t.equal((await call.post({ a: '1' })).status, 204);
    stand.clock.nowMs += 1;
    t.equal((await call.post({ a: '2' })).status, 410);
  });

  await test('[OUT-19] what comes by INFO or BYE is stored likewise', async (t, stand) => {
    const call = await stand.claim();
    await call.event({ type: 'aiAgent.returned', by: 'info', attributes: { a: '1', b: '1' } });
    await call.event({ type: 'attempt.ended' });
    stand.clock.nowMs += 9_000;
    await call.event({ type: 'aiAgent.returned', by: 'bye', attributes: { b: '2' } });
    t.same(await call.attributes('Result'), { a: '1', b: '2' });
    stand.clock.nowMs += 1_001;
    await call.event({ type: 'aiAgent.returned', by: 'bye', attributes: { c: '3' } });
    t.same(await call.attributes('Result'), { a: '1', b: '2' }, 'too late');
    t.same(await call.logged(), [], 'the journal of the gateway’s events logs these');
  });

  await test('an escalation is passed on once, with what the agent knew', async (t, stand) => {
    const call = await stand.claim();
    for (const time of ['first', 'again']) {
      const { status, body } = await call.post({ reason: 'angry' }, 'escalation');
      t.same([status, body], [202, { accepted: true }], time);
    }
    t.same(stand.escalated, [call.start.attemptId]);
    t.same(await call.attributes('Result'), { reason: 'angry' });
    t.match(await call.logged(), [{ type: 'aiAgent.escalated', payload: { by: 'post' } }]);
    const silent = await stand.claim();
    await silent.post({}, 'escalation');
    t.equal(stand.escalated.length, 2, 'also without attributes');
  });

  await test('[DM-30] who answered is passed on to the call before it is taken', async (t, stand) => {
    const call = await stand.claim();
    t.equal((await call.post({ mood: 'good' })).status, 204);
    t.same(stand.verdicts, [], 'nothing is said of it');
    t.equal((await call.post({ answeredBy: 'voicemail', messageLeft: true })).status, 204);
    t.same(stand.verdicts, [{ verdict: 'machine', messageLeft: true }]);
    await call.post({ answeredBy: 'human' }, 'escalation');
    t.match(stand.verdicts.at(-1), { verdict: 'human' });
    t.equal((await call.post({ answeredBy: 'fax' }, 'results', 'wrong')).status, 401);
    t.equal(stand.verdicts.length, 2, 'by nobody else');
  });

  await test('what cannot be kept is refused in words, and nothing of it kept', async (t, stand) => {
    const call = await stand.claim();
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`n${at}`, 'v']));
    const refused = [
      { given: { note: 'x'.repeat(4_001) }, code: 'ATTRIBUTE_TOO_LONG', says: /"note" has 4001/ },
      { given: { ['n'.repeat(851)]: 'v' }, code: 'ATTRIBUTE_TOO_LONG', says: /851 characters/ },
      { given: { '': 'v' }, code: 'ATTRIBUTE_TOO_LONG', says: /1 to 850/ },
      { given: { list: ['a'] }, code: 'ATTRIBUTES_INVALID', says: /"list" is no string/ },
      { given: { none: null }, code: 'ATTRIBUTES_INVALID', says: /"none" is no string/ },
      { given: { nul: 'a\0b' }, code: 'ATTRIBUTES_INVALID', says: /NUL/ },
      { given: 'text', code: 'ATTRIBUTES_INVALID', says: /the body is not/ },
      { given: many, code: 'ATTRIBUTES_TOO_MANY', says: /101 attributes/ },
    ];
    for (const { given, code, says } of refused) {
      const { status, body } = await call.post(given);
      t.equal(status, 400);
      t.match(body, { code, detail: says });
    }
    t.same(await call.attributes('Result'), {});
    t.equal((await call.post({ note: 'x'.repeat(4_000) })).status, 204, '4,000 are taken');
    const names = (from: number) => Array.from({ length: 60 }, (_, at) => [`n${from + at}`, 'v']);
    t.equal((await call.post(Object.fromEntries(names(0)))).status, 204);
    const { status, body } = await call.post(Object.fromEntries(names(60)));
    t.same([status, (body as { code: string }).code], [400, 'ATTRIBUTES_TOO_MANY'], 'in all');
  });
}

const targets = await storeTargets(t);
for (const target of targets) {
  void t.test(target.name, async (t) => deskTests(t, await target.place(t).open()));
}

t.test('HTTP speaks of its own faults in the same form', async (t) => {
  const desk = { takeResults: () => Promise.reject(new Error('secret inside')) };
  const plugins = [aiAgentHttp(desk as unknown as AiAgentDesk)];
  const app = makeHttpApp({ plugins, log: silentLog });
  t.teardown(() => app.close());
  const url = `${AI_CALLS_PATH}/a/results`;
  const json = { 'content-type': 'application/json' };
  const cases = [
    { request: { method: 'GET', url: '/nothing' }, expected: [404, 'ROUTE_NOT_FOUND'] },
    {
      request: { method: 'POST', url, headers: json, payload: '{' },
      expected: [400, 'BODY_UNREADABLE'],
    },
    {
      request: { method: 'POST', url, headers: json, payload: '{"__proto__": {"a": 1}}' },
      expected: [400, 'BODY_UNREADABLE'],
    },
    {
      request: { method: 'POST', url, headers: { 'content-type': 'text/xml' }, payload: '<a/>' },
      expected: [415, 'MEDIA_TYPE_UNSUPPORTED'],
    },
    {
      request: { method: 'POST', url, headers: json, payload: `"${'x'.repeat(2 ** 20)}"` },
      expected: [413, 'BODY_TOO_LARGE'],
    },
    { request: { method: 'POST', url, payload: {} }, expected: [500, 'INTERNAL'] },
  ] as const;
  for (const { request, expected } of cases) {
    const response = await app.inject(request);
    const { status, code, type } = response.json<Record<string, unknown>>();
    t.same([response.statusCode, status, code], [expected[0], expected[0], expected[1]]);
    t.match(type, /^urn:ringfence:problem:[a-z-]+$/);
    t.notMatch(response.body, 'secret inside');
  }
});

t.test('the server listens on loopback, on a port of its own choice', async (t) => {
  const server = await startHttpServer({ plugins: [], log: silentLog });
  t.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  t.equal((await fetch(`${server.url}/nothing`)).status, 404);
  const port = Number(new URL(server.url).port);
  await t.rejects(startHttpServer({ plugins: [], log: silentLog, port }), {
    code: 'LISTEN_FAILED',
  });
  await server.close();
});
