/** Goal: what is asked for over `/v1` is in the store afterwards, on both databases, and nothing else. */
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { createKeyIn } from '../../dialer/api-keys/api-keys.ts';
import { firstKey } from '../../dialer/api-keys/first-key.ts';
import { CALL_ORDERS } from '../../dialer/engagements/engagement-config.schema.ts';
import { createBusinessUnit } from '../../dialer/engagements/create-engagement.ts';
import { SAMPLE_CSV } from '../../dialer/intake/sample-csv.ts';
import { Uploads } from '../../dialer/intake/uploads.ts';
import { ApiRig, type Json } from '../support/api-rig.ts';
import { contactListText } from '../support/contact-list.ts';
import { silentLog } from '../support/silent-log.ts';
import { storeTargets, type StoreTarget } from '../support/store-target.ts';

t.setTimeout(240_000);

const CONTACT = { uniqueIdentifier: 'C-1', phones: { mobile: '+12025550143' }, firstName: 'Ada' };

function settingsTests(t: Test, target: StoreTarget): void {
  t.test('[CFG-01] an engagement is made from the settings, or from a workstream', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id, workstreamId, queueId } = await rig.engagement();
    const read = await rig.get(`/v1/engagements/${id}`);
    t.match(read, { status: 200, headers: { etag: '"1"' }, body: { workstreamId, queueId } });
    const config = { mode: { kind: 'copilot', maxConcurrentCalls: 7 } };
    const here = { name: 'From there', queueId, config };
    const url = `/v1/workstreams/${workstreamId}/engagements`;
    const made = await rig.post(url, here);
    t.match(made, { status: 201, body: { workstreamId, status: 'running', channel: 'voice' } });
    t.equal(made.headers['location'], `/v1/engagements/${String(made.body['id'])}`);
    t.match(await rig.post(url, { ...here, workstreamId }), {
      status: 400,
      body: { errors: [{ pointer: '/workstreamId', detail: /is not known/ }] },
    });
    t.match((await rig.get(`/v1/engagements?workstreamId=${workstreamId}`)).body['items'], [
      { id: made.body['id'] },
      { id },
    ]);
    t.same(rig.dialer.told, [`changed ${id}`, `changed ${String(made.body['id'])}`]);
  });

  t.test('a forecast, and the log of pacing, of an engagement in the store', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const config = { mode: { kind: 'predictive' }, rulePacks: ['uk', 'us'] };
    const { id } = await rig.engagement({ config });
    for (let n = 0; n < 12; n += 1) {
      const phones = { mobile: `+1202555${String(100 + n).padStart(4, '0')}` };
      await rig.make('/v1/tasks', {
        engagementId: id,
        contacts: [{ uniqueIdentifier: `C-${n}`, phones }],
      });
    }
    const url = `/v1/engagements/${id}/forecast`;
    const asked = { seed: 7, runs: 2, representatives: 2, at: '2026-03-02T15:00:00Z' };
    const found = await rig.post(url, asked);
    t.match(found, { status: 200, body: { pendingTasks: 12, representatives: 2, seed: 7 } });
    t.same((await rig.post(url, asked)).body, found.body);
    t.match(await rig.post(url, { runs: 99 }), { status: 400, body: { errors: [{}] } });
    const other = { ...config, rulePacks: ['us', 'mars'] };
    t.match(await rig.engagement({ config: other }).catch(String), /rulePacks.*is no rule pack/);
    const rows = Array.from({ length: 5 }, (_, n) => ({
      ...{ id: rig.ids.id(), business_unit_id: rig.businessUnitId, engagement_id: id },
      ...{ from_ms: 60_000 * n, until_ms: 60_000 * n + 59_000, binding: 'risk', decisions: 240 },
      ...{ wanted: 9, started: 8, recalled: 1, limits: '{"risk":240}', claims: '{"cap":8}' },
      inputs: n === 4 ? null : '{"idle":2}',
    }));
    await rig.database.db.insertInto('pacing_spans').values(rows).execute();
    const pacing = `/v1/engagements/${id}/pacing`;
    const first = (await rig.get(`${pacing}?limit=3`)).body as {
      items: Json[];
      nextCursor: string;
    };
    t.match(first.items, [{ inputs: null }, { wanted: 9, limits: { risk: 240 } }, {}]);
    const rest = await rig.get(`${pacing}?limit=3&cursor=${first.nextCursor}`);
    t.match(rest.body, { items: [{}, { from: '1970-01-01T00:00:00.000Z' }], nextCursor: null });
    const span = 'from=1970-01-01T00:01:59Z&before=1970-01-01T00:03:00Z';
    t.match((await rig.get(`${pacing}?${span}`)).body['items'], [
      { from: '1970-01-01T00:02:00.000Z' },
      { from: '1970-01-01T00:01:00.000Z' },
    ]);
    t.equal(
      (await rig.get('/v1/engagements/019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a11/pacing')).status,
      404,
    );
  });

  t.test('[CFG-07] each channel takes its own settings, and no other', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { workstreamId, queueId } = await rig.engagement();
    const sms = await rig.make('/v1/workstreams', {
      name: 'S',
      channel: 'sms',
      number: '+12025550101',
    });
    const voiceOnly = {
      mode: { kind: 'copilot', maxConcurrentCalls: 5 },
      reattempt: { reasons: ['busy'] },
      phoneTypes: ['mobile'],
      ringTimeoutMs: 20_000,
    };
    const smsOnly = { template: 'Hello', firstResponseTimeout: { value: 2, unit: 'hours' } };
    const common = { name: 'Notices', queueId };
    for (const [name, value] of Object.entries(voiceOnly)) {
      const body = { ...common, channel: 'sms', workstreamId: sms, config: { [name]: value } };
      const { status, body: problem } = await rig.post('/v1/engagements', body);
      t.match([status, problem['errors']], [400, [{ pointer: `/config/${name}` }]], `sms: ${name}`);
    }
    const mode = { mode: { kind: 'copilot', maxConcurrentCalls: 5 } };
    for (const [name, value] of Object.entries(smsOnly)) {
      const body = { ...common, workstreamId, config: { ...mode, [name]: value } };
      const { status, body: problem } = await rig.post('/v1/engagements', body);
      t.match(
        [status, problem['errors']],
        [400, [{ pointer: `/config/${name}` }]],
        `voice: ${name}`,
      );
    }
    const made = await rig.post('/v1/engagements', {
      ...{ ...common, channel: 'sms', workstreamId: sms, config: smsOnly },
    });
    t.match(made, { status: 201, body: { status: 'inactive', config: smsOnly } });
    t.notOk('mode' in (made.body['config'] as Json));
    t.match(
      await rig.post('/v1/engagements', { ...common, channel: 'sms', workstreamId, config: {} }),
      { status: 400, body: { detail: /is for voice, not for sms/ } },
    );
    t.match(await rig.post(`/v1/engagements/${String(made.body['id'])}/start`), {
      status: 409,
      body: { code: 'ENGAGEMENT_INACTIVE' },
    });
  });

  t.test(
    '[CFG-06] [DM-44] the engagement’s type decides its modes; its risks are told',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t));
      const { id, workstreamId, queueId } = await rig.engagement();
      const make = (config: Json, more: Json = {}) =>
        rig.post('/v1/engagements', {
          ...{ name: 'E', workstreamId, queueId, startsSuspended: true, config },
          ...more,
        });
      t.match(await make({ engagementType: 'aiLed', mode: { kind: 'preview' } }), {
        status: 400,
        body: { code: 'REQUEST_INVALID', errors: [{ pointer: '/config/mode/kind' }] },
      });
      t.match(
        await make({ mode: { kind: 'preview', callDelay: { kind: 'timer', seconds: 59 } } }),
        {
          status: 400,
          body: { errors: [{ pointer: '/config/mode/callDelay/seconds', detail: /60/ }] },
        },
      );
      const answering = {
        ...{ customerWaitThresholdSeconds: 9, amdAction: 'hangup' },
        abandonedMessage: { text: 'Example Ltd' },
      };
      const repLed = { engagementType: 'repLed', mode: { kind: 'predictive' }, answering };
      const made = await make(repLed);
      t.match(made, {
        status: 201,
        body: {
          status: 'suspended',
          config: { answering: { amdTimeSeconds: 3 }, mode: { queueAllotmentPercent: 100 } },
          warnings: [{ code: 'CONNECT_TIME', detail: /TCPA/ }, { code: 'WAIT_THRESHOLD' }, {}],
        },
      });
      const url = `/v1/engagements/${String(made.body['id'])}`;
      const patch = { config: { answering: { customerWaitThresholdSeconds: 21 } } };
      t.match(
        await rig.ask({ method: 'PATCH', url, headers: { 'if-match': '"1"' }, body: patch }),
        {
          body: { config: { answering: { amdTimeSeconds: 7 } } },
        },
      );
      t.match(await rig.post(`${url}/start`), { status: 200 });
      t.match(await make(repLed, { startsSuspended: false }), { status: 201 });
      const other = { config: { engagementType: 'repLed' } };
      const headers = { 'if-match': '"1"' };
      t.match(
        await rig.ask({ method: 'PATCH', url: `/v1/engagements/${id}`, headers, body: other }),
        { status: 400, body: { errors: [{ pointer: '/config/mode/kind' }] } },
      );
    },
  );

  t.test('[CFG-12] [CFG-13] three priorities and five call orders are kept', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { workstreamId, queueId } = await rig.engagement();
    const mode = { kind: 'copilot', maxConcurrentCalls: 5 };
    const make = (config: Json) =>
      rig.post('/v1/engagements', {
        ...{ name: 'E', workstreamId, queueId, config: { mode, ...config } },
      });
    const url = async (config: Json) =>
      `/v1/engagements/${String((await make(config)).body['id'])}`;
    for (const [priority, rank] of Object.entries({ critical: 1, high: 2, normal: 3 })) {
      const made = await make({ priority });
      t.match(made, { status: 201, body: { config: { priority } } });
      const { db } = rig.database;
      const row = await db
        .selectFrom('engagements')
        .select('priority')
        .where('id', '=', String(made.body['id']))
        .executeTakeFirst();
      t.same(row, { priority: rank }, 'the lower goes first');
    }
    for (const callOrder of CALL_ORDERS) {
      const made = await url({ callOrder });
      t.match((await rig.get(made)).body, { config: { callOrder } });
    }
    const first = await url({});
    t.match((await rig.get(first)).body, {
      config: { priority: 'normal', callOrder: 'earliestScheduledDate' },
    });
    for (const wrong of [{ priority: 'urgent' }, { callOrder: 'random' }]) {
      t.match(await make(wrong), { status: 400, body: { code: 'REQUEST_INVALID' } });
    }
    const headers = { 'if-match': '"1"' };
    const body = { config: { callOrder: 'lastInFirstOut', priority: 'high' } };
    t.match(await rig.ask({ method: 'PATCH', url: first, headers, body }), { status: 200, body });
    t.match((await rig.get(`${first}/status`)).body, {
      callOrderInForce: 'earliestScheduledDate',
    });
    t.match(rig.dialer.told.at(-1), /^changed /, 'who works it in');
  });

  t.test('[API-41] ended before anybody was there for them, over attempted', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id } = await rig.engagement();
    const report = async () => (await rig.get(`/v1/engagements/${id}/report`)).body['abandonment'];
    t.same(await report(), { attempted: 0, abandoned: 0, abandonedOfAttempted: null });
    const over = { sent_at_ms: 1, ended_at_ms: 9 };
    const talked = { ...over, result: 'LiveAnswer', joined_at_ms: 3 };
    const calls = [
      talked,
      { ...talked, escalated_at_ms: 2 },
      { ...over, result: 'LiveAnswer', sub_reason: 'abandoned_by_system' },
      { ...over, result: 'Undetermined', sub_reason: 'abandoned_by_customer' },
      { ...over, result: 'LiveAnswer', escalated_at_ms: 2 },
      { ...over, result: 'AnsweringMachineHangup' },
      { ...over, result: 'NoAnswer', sub_reason: 'ring_timeout' },
      { ...over, result: 'LiveAnswer' },
      { ended_at_ms: 9, result: 'CallFailed', sub_reason: 'config' },
      { sent_at_ms: 1, escalated_at_ms: 2 },
    ];
    const { business_unit_id } = await rig.database.db
      .selectFrom('engagements')
      .select('business_unit_id')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const given = { business_unit_id, engagement_id: id, fence: 1, gateway_id: 'g', trunk: 't' };
    const made = { phase: 'ended', invites: 1, ai_handled: 0, created_at_ms: 0 };
    const rows = calls.map((call, n) => ({
      ...{ ...given, ...made, id: `a${n}`, task_id: `t${n}`, delivery_id: `d${n}` },
      ...{ contact_point_id: `p${n}`, machine_version: 'test@1', ...call },
    }));
    for (const row of rows) {
      await rig.database.db.insertInto('attempts').values(row).execute();
    }
    t.same(await report(), { attempted: 8, abandoned: 3, abandonedOfAttempted: 3 / 8 });
  });

  t.test('[WS-04] an AI-led engagement needs somebody on its workstream who talks', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { workstreamId: talking, queueId } = await rig.engagement();
    const mute = await rig.make('/v1/workstreams', {
      ...{ name: 'Representatives only', trunk: 'carrier', number: '+12025550102' },
    });
    const make = (config: Json, workstreamId = mute) =>
      rig.post('/v1/engagements', {
        ...{ name: 'E', workstreamId, queueId, startsSuspended: true, config },
      });
    const refusal = { errors: [{ pointer: '/workstreamId', detail: /no AI agent/ }] };
    for (const mode of [
      { kind: 'copilot', maxConcurrentCalls: 5 },
      { kind: 'progressive' },
      { kind: 'predictive' },
    ]) {
      t.match(await make({ mode }), { status: 400, body: refusal }, mode.kind);
      t.match(await make({ mode }, talking), { status: 201 }, mode.kind);
    }
    t.match(await make({ mode: { kind: 'preview' } }), { status: 201 });
    const headers = { 'if-match': '"1"' };
    const url = `/v1/workstreams/${talking}`;
    t.match(await rig.ask({ method: 'PATCH', url, headers, body: { settings: { prompts: [] } } }), {
      status: 409,
      body: { code: 'NOT_CHANGEABLE', detail: /AI-led engagement/ },
    });
  });

  t.test('[CFG-14] a name of 101 and a description of 201 characters are refused', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { workstreamId, queueId } = await rig.engagement();
    const config = { mode: { kind: 'copilot', maxConcurrentCalls: 5 } };
    const with_ = (name: number, description: number) => ({
      ...{ workstreamId, queueId, config },
      name: 'n'.repeat(name),
      description: 'd'.repeat(description),
    });
    t.match(await rig.post('/v1/engagements', with_(101, 201)), {
      status: 400,
      body: { errors: [{ pointer: '/name' }, { pointer: '/description' }] },
    });
    t.equal((await rig.post('/v1/engagements', with_(100, 200))).status, 201);
  });

  t.test('[CFG-16] a suspension can be read, and why it was the last time', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id } = await rig.engagement({ startsSuspended: true });
    const status = `/v1/engagements/${id}/status`;
    const first = { type: 'apiAction', reason: 'made without being started' };
    t.match((await rig.get(status)).body, { suspended: true, suspension: first });
    t.match((await rig.post(`/v1/engagements/${id}/start`)).body, {
      ...{ status: 'running', suspended: false, suspension: null, lastSuspension: first },
    });
    const reason = 'the script is being changed';
    t.match((await rig.post(`/v1/engagements/${id}/suspend`, { reason })).body, {
      suspension: { type: 'apiAction', reason },
    });
    t.match((await rig.post(`/v1/engagements/${id}/suspend`)).body, { suspension: { reason } });
    await rig.dialer.resume({ engagementId: id, actor: 'test' });
    const suspension = { type: 'botFailure', reason: 'the AI agent failed' } as const;
    await rig.dialer.suspend({ engagementId: id, suspension, actor: 'test' });
    t.match((await rig.get(status)).body, { suspended: true, suspension });
    t.match((await rig.post(`/v1/engagements/${id}/resume`)).body, { lastSuspension: suspension });
    t.match((await rig.get(status)).body, { suspended: false, lastSuspension: suspension });
  });

  t.test('an edit names the version it was made on, and is checked as a whole', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id, queueId, workstreamId } = await rig.engagement();
    const change = (url: string, body: Json, tag?: string) => {
      const headers = tag === undefined ? {} : { 'if-match': tag };
      return rig.ask({ method: 'PATCH', url, body, headers });
    };
    const url = `/v1/engagements/${id}`;
    t.match(await change(url, { name: 'B' }), {
      status: 428,
      body: { code: 'PRECONDITION_REQUIRED' },
    });
    const more = { config: { mode: { maxConcurrentCalls: 9 } }, description: 'new' };
    const edited = await change(url, more, '"1"');
    t.match(edited, {
      status: 200,
      headers: { etag: '"2"' },
      body: { ...more, name: 'Appointments' },
    });
    t.match(await change(url, { name: 'B' }, '"1"'), {
      status: 412,
      body: { code: 'VERSION_CONFLICT' },
    });
    t.equal((await change(url, { name: 'B' }, 'W/"2"')).status, 412, 'a weak tag matches nothing');
    t.match(await change(url, { config: { mode: { maxConcurrentCalls: 501 } } }, '"2"'), {
      status: 400,
      body: { detail: /maxConcurrentCalls/ },
    });
    t.match(await change(url, { workstreamId: queueId }, '"2"'), {
      ...{ status: 409, body: { code: 'NOT_CHANGEABLE' } },
    });
    const night = {
      monday: [
        { from: '09:00', to: '12:00' },
        { from: '20:00', to: '08:00' },
      ],
    };
    for (const refused of [
      await rig.post('/v1/queues', { name: 'Night', hours: night }),
      await change(`/v1/queues/${queueId}`, { hours: night }, '"1"'),
    ]) {
      t.match(refused, {
        ...{ status: 400, body: { code: 'REQUEST_INVALID' } },
        body: { errors: [{ pointer: '/hours/monday/1', detail: /two spans/ }] },
      });
    }
    t.match(await change(`/v1/queues/${queueId}`, { timeZone: 'Europe/Vienna' }, '"1"'), {
      body: { timeZone: 'Europe/Vienna', version: 2 },
    });
    t.match(await change(`/v1/workstreams/${workstreamId}`, { trunk: 'nowhere' }, '"1"'), {
      status: 400,
      body: { detail: /configured: carrier/ },
    });
    t.match(await change(`/v1/workstreams/${workstreamId}`, { language: null, name: 'R' }, '"1"'), {
      body: { language: 'en', name: 'R', version: 2 },
    });
    const told = `changed ${id}`;
    t.same(
      rig.dialer.told,
      [told, told, told, told],
      'its queue and workstream are its own change',
    );
    const events = await rig.database.db
      .selectFrom('events')
      .select(['type', 'before', 'after', 'actor'])
      .where('type', 'like', '%.changed')
      .orderBy('seq')
      .execute();
    t.same(
      events.map(({ type }) => type),
      ['engagement.changed', 'queue.changed', 'workstream.changed'],
    );
    t.match(events[1], { before: '{"time_zone":"UTC"}', after: '{"time_zone":"Europe/Vienna"}' });
    t.equal(events[1]?.actor, `key:${rig.adminKey.slice(0, 11)}`);
  });

  t.test(
    'a key may do what its role says, numbers are masked, and once revoked it is nothing',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t));
      const made = await rig.post('/v1/api-keys', { name: 'Journeys', role: 'deliver' });
      t.match(made, { status: 201, headers: { 'cache-control': 'no-store' } });
      const { key, id } = made.body as { key: string; id: string };
      t.match(key, /^rf_[\w-]{43}$/);
      t.equal(made.body['prefix'], key.slice(0, 11));
      const rows = await rig.database.db.selectFrom('api_keys').selectAll().execute();
      t.notMatch(JSON.stringify(rows), key.slice(11), 'only its hash is kept');
      const contact = { method: 'POST', url: '/v1/contacts', body: CONTACT, key } as const;
      t.match(await rig.ask(contact), { status: 201, body: { phones: { mobile: '+1…43' } } });
      t.match((await rig.get('/v1/contacts')).body['items'], [
        { phones: { mobile: '+12025550143' } },
      ]);
      t.match(await rig.ask({ method: 'POST', url: '/v1/queues', body: { name: 'Q' }, key }), {
        status: 403,
        body: { code: 'KEY_FORBIDDEN' },
      });
      t.match(await rig.get('/v1/api-keys', key), { status: 403 });
      t.match(await rig.ask({ method: 'DELETE', url: `/v1/api-keys/${id}` }), { status: 200 });
      t.match(await rig.get('/v1/contacts', key), {
        status: 401,
        body: { code: 'KEY_UNAUTHORIZED' },
      });
      const [admin] = (await rig.get('/v1/api-keys?limit=1&cursor=' + id)).body['items'] as Json[];
      t.match(await rig.ask({ method: 'DELETE', url: `/v1/api-keys/${String(admin?.['id'])}` }), {
        status: 409,
        body: { code: 'LAST_ADMIN_KEY' },
      });
    },
  );

  t.test('a first key is made once; a configured one holds while it is configured', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { database, ids, clock } = rig;
    const start = (configuredKey: string) =>
      firstKey({ database, ids, nowMs: clock.nowMs, actor: 'system', configuredKey });
    const statusOf = async (key: string) => (await rig.get('/v1/api-keys', key)).status;
    t.equal((await start('')).adminKey, null, 'not a second time');
    const [one, two] = ['o'.repeat(32), 't'.repeat(32)];
    t.equal((await start(one)).adminKey, null);
    t.same([await statusOf(one), await statusOf(two)], [200, 401]);
    await start(two);
    t.same([await statusOf(one), await statusOf(two)], [401, 200]);
    await start(one);
    await start(one);
    t.same([await statusOf(one), await statusOf(two)], [200, 401], 'as often as it is configured');
    await database.db.updateTable('api_keys').set({ revoked_at_ms: clock.nowMs }).execute();
    const { adminKey } = await start('');
    t.equal(await statusOf(adminKey ?? ''), 200, 'without any admin key left another is made');
  });

  t.test('sent twice with one Idempotency-Key, a request creates once', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id: engagementId } = await rig.engagement();
    const headers = { 'idempotency-key': 'order-1' };
    const task = { engagementId, contacts: [CONTACT], requestId: 'r-1' };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => rig.post('/v1/tasks', task, headers)),
    );
    t.equal(new Set(answers.map(({ body }) => body['id'])).size, 1);
    t.ok(answers.every(({ status }) => status === 201));
    t.equal(answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true').length, 4);
    t.equal(((await rig.get('/v1/tasks')).body['items'] as unknown[]).length, 1);
    t.match(await rig.post('/v1/tasks', { ...task, requestId: 'r-2' }, headers), {
      status: 422,
      body: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
    t.match(await rig.post('/v1/queues', { name: 'Q' }, headers), { status: 422 });
    // What failed has used nothing up.
    const bad = { engagementId, contacts: [{ ...CONTACT, phones: { mobile: '12' } }] };
    const other = { 'idempotency-key': 'order-2' };
    t.match(await rig.post('/v1/tasks', bad, other), {
      status: 400,
      body: { code: 'PHONE_INVALID' },
    });
    t.equal((await rig.post('/v1/tasks', task, other)).status, 201);
    // Another key of the same name is another caller's.
    const second = await rig.key('admin');
    const asked = { method: 'POST', url: '/v1/tasks', body: task, headers, key: second } as const;
    t.not((await rig.ask(asked)).body['id'], answers[0]?.body['id']);
    const keyed = { 'idempotency-key': 'key-1' };
    const keyOnce = await rig.post('/v1/api-keys', { name: 'K', role: 'read' }, keyed);
    const keyTwice = await rig.post('/v1/api-keys', { name: 'K', role: 'read' }, keyed);
    t.equal(keyTwice.body['id'], keyOnce.body['id']);
    t.ok(keyOnce.body['key'], 'shown once');
    t.notOk(keyTwice.body['key'], 'and never again');
  });
}

function workTests(t: Test, target: StoreTarget): void {
  t.test(
    '[CFG-04] [API-05] an engagement fed by API takes requests, one fed by file does not',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t));
      const { id: engagementId } = await rig.engagement();
      const windows = [{ start: '2099-03-02T17:00:00Z', end: '2099-03-02T19:00:00.500+01:00' }];
      const chain = [
        CONTACT,
        { ...CONTACT, uniqueIdentifier: 'C-2', phones: { home: '+12025550144' } },
      ];
      const made = await rig.post('/v1/tasks', {
        ...{ engagementId, contacts: chain, windows, requestId: 'crm-1', priority: '10' },
        inputAttributes: { order: '9' },
      });
      t.match(made, {
        status: 201,
        body: {
          status: 'Pending',
          state: 'waiting',
          source: 'api',
          requestId: 'crm-1',
          priority: '10',
        },
      });
      t.match(made.body, {
        nextScheduledAt: '2099-03-02T17:00:00.000Z',
        expiresAt: '2099-03-02T18:00:00.500Z',
        inputAttributes: { order: '9' },
      });
      t.equal((made.body['contactIds'] as unknown[]).length, 2);
      t.ok(rig.dialer.told.includes(`tasks ${engagementId}`));
      t.match((await rig.get('/v1/tasks?requestId=crm-1')).body['items'], [
        { id: made.body['id'] },
      ]);
      const past = {
        engagementId,
        contacts: [CONTACT],
        windows: [{ start: '2020-01-01T00:00:00Z', end: '2020-01-02T00:00:00Z' }],
      };
      t.match((await rig.post('/v1/tasks', past)).body, {
        status: 'Expired',
        lastResult: 'Expired',
      });
      const { id: fed } = await rig.engagement({ intake: 'file' });
      t.match(await rig.post('/v1/tasks', { engagementId: fed, contacts: [CONTACT] }), {
        ...{ status: 409, body: { code: 'INTAKE_NOT_ALLOWED' } },
      });
      t.match(await rig.upload(engagementId, SAMPLE_CSV), { status: 409 });
    },
  );

  t.test('a task is cancelled, and a second time it has ended already', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id: engagementId } = await rig.engagement();
    const id = await rig.make('/v1/tasks', { engagementId, contacts: [CONTACT] });
    t.match(await rig.post(`/v1/tasks/${id}/cancel`), {
      status: 200,
      body: { outcome: 'cancelled' },
    });
    t.match((await rig.get(`/v1/tasks/${id}`)).body, { status: 'Cancelled', deliveries: [] });
    t.match(await rig.post(`/v1/tasks/${id}/cancel`), {
      status: 409,
      body: { code: 'TASK_FINAL' },
    });
    t.match((await rig.get(`/v1/tasks/${id}/explanation`)).body, { taskId: id, deliveryId: null });
  });

  t.test('lists are paged to the end, each entry once, while entries are added', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id: engagementId } = await rig.engagement();
    const add = (n: number) => {
      const contacts = [{ ...CONTACT, uniqueIdentifier: `P-${n}` }];
      return rig.make('/v1/tasks', { engagementId, contacts });
    };
    const made: string[] = [];
    for (let n = 0; n < 7; n += 1) made.push(await add(n));
    const seen: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await rig.get(`/v1/tasks?engagementId=${engagementId}&limit=3${query}`);
      seen.push(...(body['items'] as Json[]).map(({ id }) => id));
      cursor = body['nextCursor'] as string | null;
      if (seen.length === 3) await add(100);
    }
    t.same(seen, made.reverse());
    for (const bad of [
      'limit=0',
      'limit=201',
      'limit=2.5',
      'cursor=%00',
      'status=Nothing',
      'what=1',
    ]) {
      t.match(
        await rig.get(`/v1/tasks?${bad}`),
        { status: 400, body: { code: 'REQUEST_INVALID' } },
        bad,
      );
    }
  });

  t.test('[API-35] every published column of a delivery can be read and asked for', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { delivery, other, attemptId } = await twoDeliveries(rig);
    const read = await rig.get(`/v1/deliveries/${delivery}`);
    const body = read.body;
    t.match(body, {
      conversationId: attemptId,
      toAddress: '+12025550143',
      dispositionCodes: '"A","B"',
    });
    const same: Record<string, string> = {};
    for (const name of [
      ...[
        'id',
        'conversationId',
        'callId',
        'engagementId',
        'journeyId',
        'journeyRunId',
        'contactId',
      ],
      ...['status', 'queueId', 'trackingId', 'dialMode', 'toAddress', 'fromAddress', 'result'],
      ...['taskId', 'batchId'],
    ]) {
      t.ok(body[name], `${name} is there`);
      same[name] = String(body[name]);
    }
    same['dispositionCode'] = 'B';
    for (const [column, name] of [
      ['windowStart', 'windowStart'],
      ['windowEnd', 'windowEnd'],
      ['startedAt', 'started'],
      ['endedAt', 'ended'],
      ['resultAt', 'result'],
    ] as const) {
      t.ok(body[column], `${column} is there`);
      same[`${name}From`] = String(body[column]);
    }
    for (const [name, value] of Object.entries(same)) {
      const { body: found } = await rig.get(`/v1/deliveries?${name}=${encodeURIComponent(value)}`);
      t.match(found['items'], [{ id: delivery }], name);
      t.equal((found['items'] as unknown[]).length, 1, name);
    }
    const before = `startedBefore=${encodeURIComponent(String(body['startedAt']))}`;
    t.match((await rig.get(`/v1/deliveries?${before}`)).body['items'], [{ id: other }]);
    t.match((await rig.get('/v1/deliveries?channel=voice&order=oldest')).body['items'], [
      ...[{ id: other }, { id: delivery }],
    ]);
    const masked = await rig.get(`/v1/deliveries/${delivery}`, await rig.key('read'));
    t.equal(masked.body['toAddress'], '+1…43');
    t.match(await rig.get('/v1/deliveries?dispositionCode=%25'), { body: { items: [] } });
  });

  t.test(
    '[API-36] a delivery has its Input and Result attributes, each with its type',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t));
      const { delivery } = await twoDeliveries(rig);
      const items = [
        { type: 'Input', keyword: 'order', value: '9' },
        { type: 'Result', keyword: 'confirmed', value: 'yes' },
      ];
      t.same((await rig.get(`/v1/deliveries/${delivery}/attributes`)).body, { items });
      t.same((await rig.get(`/v1/deliveries/${delivery}`)).body['attributes'], items);
      t.match((await rig.get(`/v1/deliveries/${delivery}/explanation`)).body, {
        attributes: { input: { order: '9' }, result: { confirmed: 'yes' } },
        ...{ notExamined: Array, call: Object },
      });
    },
  );

  t.test('nothing of another business unit can be seen, named or changed', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { delivery } = await twoDeliveries(rig);
    const { id: engagementId, workstreamId, queueId } = await rig.engagement();
    const task = await rig.make('/v1/tasks', { engagementId, contacts: [CONTACT] });
    const [contact] = (await rig.get('/v1/contacts')).body['items'] as Json[];
    const key = await strangersKey(rig);
    for (const url of [
      ...[`/v1/engagements/${engagementId}`, `/v1/engagements/${engagementId}/status`],
      ...[`/v1/engagements/${engagementId}/report`, `/v1/engagements/${engagementId}/batches`],
      ...[`/v1/workstreams/${workstreamId}`, `/v1/queues/${queueId}`, `/v1/tasks/${task}`],
      ...[`/v1/contacts/${String(contact?.['id'])}`, `/v1/deliveries/${delivery}`],
      ...[`/v1/deliveries/${delivery}/explanation`, `/v1/tasks/${task}/explanation`],
      ...[`/v1/deliveries/${delivery}/attributes`],
    ]) {
      t.match(await rig.get(url, key), { status: 404, body: { code: 'NOT_FOUND' } }, url);
    }
    for (const list of [
      'engagements',
      'workstreams',
      'queues',
      'tasks',
      'contacts',
      'deliveries',
    ]) {
      t.same((await rig.get(`/v1/${list}`, key)).body['items'], [], list);
    }
    for (const url of [
      ...[`/v1/engagements/${engagementId}/suspend`, `/v1/engagements/${engagementId}/resume`],
      `/v1/tasks/${task}/cancel`,
    ]) {
      t.match(await rig.ask({ method: 'POST', url, key }), { status: 404 }, url);
    }
    const stolen = {
      name: 'X',
      workstreamId,
      queueId,
      config: { mode: { kind: 'copilot', maxConcurrentCalls: 1 } },
    };
    t.match(await rig.ask({ method: 'POST', url: '/v1/engagements', body: stolen, key }), {
      status: 404,
    });
    const body = { engagementId, contacts: [CONTACT] };
    t.match(await rig.ask({ method: 'POST', url: '/v1/tasks', body, key }), { status: 404 });
  });
}

/** One with everything that a delivery can have, and an earlier one with nothing of it. */
async function twoDeliveries(rig: ApiRig) {
  const first = await rig.engagement({ name: 'First' });
  const { id: engagementId, queueId } = await rig.engagement();
  const otherTask = await rig.make('/v1/tasks', {
    engagementId: first.id,
    contacts: [{ ...CONTACT, uniqueIdentifier: 'C-0', phones: { mobile: '+12025550188' } }],
  });
  const task = await rig.make('/v1/tasks', { engagementId, contacts: [CONTACT] });
  const { db } = rig.database;
  const contacts = await db
    .selectFrom('contacts')
    .selectAll()
    .orderBy('unique_identifier')
    .execute();
  const nowMs = rig.clock.nowMs;
  const common = {
    ...{ business_unit_id: rig.businessUnitId, seq_no: 1, channel: 'voice', speech_detected: 0 },
    ...{ exceeded_customer_wait_threshold: 0, created_at_ms: nowMs, updated_at_ms: nowMs },
  };
  const other = rig.ids.id();
  await db
    .insertInto('deliveries')
    .values({
      ...common,
      ...{ id: other, engagement_id: first.id, task_id: otherTask, status: 'InProcess' },
      ...{
        contact_id: contacts[0]?.id ?? '',
        contact_point_id: contacts[0]?.mobile_point_id ?? null,
      },
      ...{ dial_mode: 'preview', queue_id: first.queueId, start_at_ms: nowMs - 1 },
    })
    .execute();
  const delivery = rig.ids.id();
  await db
    .insertInto('deliveries')
    .values({
      ...common,
      ...{ id: delivery, engagement_id: engagementId, task_id: task, batch_id: rig.ids.id() },
      ...{
        contact_id: contacts[1]?.id ?? '',
        contact_point_id: contacts[1]?.mobile_point_id ?? null,
      },
      ...{ status: 'Complete', dial_mode: 'copilot', queue_id: queueId, phone_type: 'mobile' },
      ...{ from_address: '+12025550100', window_start_ms: nowMs, window_end_ms: nowMs + 9 },
      ...{ start_at_ms: nowMs + 1, end_at_ms: nowMs + 3, customer_connected_at_ms: nowMs + 2 },
      ...{ result: 'LiveAnswer', result_at_ms: nowMs + 4, call_id: 'abc@192.0.2.1' },
      ...{ tracking_id: 'r-9', journey_id: 'j-1', journey_run_id: 'run-1' },
      disposition_codes: '"A","B"',
    })
    .execute();
  const attemptId = rig.ids.id();
  await db
    .insertInto('attempts')
    .values({
      ...{ id: attemptId, business_unit_id: rig.businessUnitId, engagement_id: engagementId },
      ...{
        task_id: task,
        delivery_id: delivery,
        contact_point_id: contacts[1]?.mobile_point_id ?? '',
      },
      ...{ fence: 1, gateway_id: 'g', trunk: 'carrier', phase: 'ended', invites: 1, ai_handled: 0 },
      ...{ created_at_ms: nowMs, ended_at_ms: nowMs + 3, machine_version: 'm@1' },
    })
    .execute();
  for (const [type, keyword, value] of [
    ['Input', 'order', '9'],
    ['Result', 'confirmed', 'yes'],
  ] as const) {
    const row = {
      delivery_id: delivery,
      business_unit_id: rig.businessUnitId,
      type,
      keyword,
      value,
    };
    await db.insertInto('delivery_attributes').values(row).execute();
  }
  return { delivery, other, attemptId };
}

async function strangersKey(rig: ApiRig): Promise<string> {
  const { database, ids, clock } = rig;
  const businessUnitId = await createBusinessUnit({ database, ids, nowMs: clock.nowMs }, 'other');
  const writer = { database, ids, nowMs: clock.nowMs, businessUnitId, actor: 'test' };
  const input = { name: 'theirs', role: 'admin', showsNumbers: true, origin: 'api' } as const;
  return database.db
    .transaction()
    .execute(async (tx) => (await createKeyIn(tx, writer, input)).key);
}

/** Resolves with the batch once it has ended. */
async function ended(rig: ApiRig, batchId: unknown): Promise<Json> {
  await rig.api.uploads.settled();
  return (await rig.get(`/v1/batches/${String(batchId)}`)).body;
}

function uploadTests(t: Test, target: StoreTarget): void {
  t.test('[CFG-03] an engagement fed by file asks for the file', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id } = await rig.engagement({ intake: 'file' });
    t.match((await rig.get(`/v1/engagements/${id}`)).body, { intake: 'file', awaitsFile: true });
    const { body: batch } = await rig.upload(id, SAMPLE_CSV);
    t.match((await rig.get(`/v1/engagements/${id}`)).body, { awaitsFile: false });
    await ended(rig, batch['id']);
    const { id: api } = await rig.engagement();
    t.match((await rig.get(`/v1/engagements/${api}`)).body, { intake: 'api', awaitsFile: false });
  });

  t.test('[API-28] the sample file uploads without errors', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id } = await rig.engagement({ intake: 'file' });
    const sample = await rig.ask({
      url: '/v1/samples/contacts.csv',
      headers: { accept: 'text/csv' },
    });
    t.match(sample.headers, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': /filename="contacts\.csv"/,
    });
    const uploaded = await rig.upload(id, sample.text);
    t.match(uploaded, { status: 202, body: { fileName: 'contacts.csv', status: 'NotStarted' } });
    t.match(await ended(rig, uploaded.body['id']), {
      ...{ status: 'Completed', tasksCreated: 3, failedRows: 0, formatErrors: 0, totalLines: 3 },
    });
    t.match((await rig.get(`/v1/engagements/${id}/report`)).body, { tasks: { Pending: 3 } });
  });

  t.test('[API-22] only CSV is taken, and no more than 10 MB of it', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id } = await rig.engagement({ intake: 'file' });
    t.match(await rig.upload(id, SAMPLE_CSV, { url: '?fileName=contacts.txt' }), {
      status: 415,
      body: { code: 'FILE_NOT_CSV' },
    });
    t.match(await rig.upload(id, SAMPLE_CSV, { headers: { 'content-type': 'text/plain' } }), {
      status: 415,
      body: { code: 'MEDIA_TYPE_UNSUPPORTED' },
    });
    const tooLarge = Buffer.concat([Buffer.from(SAMPLE_CSV), Buffer.alloc(10_000_000, 'x')]);
    t.match(await rig.upload(id, tooLarge), { status: 413, body: { code: 'FILE_TOO_LARGE' } });
    // Its length is not told beforehand: the same, and nothing of it is left.
    const chunked = await chunkedUpload(t, rig, id, tooLarge);
    t.same([chunked, readdirSync(rig.folder)], [413, []]);
    t.match((await rig.get(`/v1/engagements/${id}/batches`)).body, { items: [] });
    const full = Buffer.concat([
      Buffer.from('UniqueIdentifier,phone,Note\n1,+12025550143,"'),
      Buffer.alloc(3_000, 'n'),
      Buffer.from('"\n'),
    ]);
    const blank = Buffer.alloc(10_000_000 - full.length, '\n');
    const taken = await rig.upload(id, Buffer.concat([full, blank]));
    t.match(await ended(rig, taken.body['id']), { status: 'Completed', tasksCreated: 1 });
  });

  t.test('[API-29] rows are tasks while the rest of the file is still being read', async (t) => {
    const rig = await ApiRig.open(t, target.place(t), { rowsPerTransaction: 50 });
    const { id } = await rig.engagement({ intake: 'file' });
    const seen: Json[] = [];
    const first = new Promise<void>((resolve) => {
      rig.dialer.onTasks = async () => {
        rig.dialer.onTasks = undefined;
        const [batch] = await rig.database.db.selectFrom('batches').selectAll().execute();
        const tasks = await rig.database.db.selectFrom('tasks').select('state').execute();
        seen.push({ status: batch?.status, line: batch?.last_line, ready: tasks.length });
        resolve();
      };
    });
    const { body } = await rig.upload(id, [...contactListText({ rows: 1_000 })].join(''));
    await first;
    t.match(seen, [{ status: 'InProgress', ready: Number }]);
    t.ok(Number(seen[0]?.['line']) < 1_001, 'there was more of the file to come');
    t.match(await ended(rig, body['id']), { status: 'Completed', tasksCreated: 1_000 });
  });

  t.test(
    '[API-30] no file is kept once it is in the store, and no address gives one out',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t));
      const { id } = await rig.engagement({ intake: 'file' });
      const secret = 'UniqueIdentifier,phone,Note\n1,+12025550143,remember-me\n';
      const { body } = await rig.upload(id, secret);
      await ended(rig, body['id']);
      t.same(readdirSync(rig.folder), []);
      const gets = rig.app.routeTable.routes.filter(({ method }) => method === 'GET');
      for (const { url } of gets.filter(({ url }) => /batch|sample/.test(url))) {
        const text = (
          await rig.get(url.replace(':id', /engagements/.test(url) ? id : String(body['id'])))
        ).text;
        t.notMatch(text, 'remember-me', url);
      }
    },
  );

  t.test(
    '[API-31] without a file the engagement waits; each file adds to what is there',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t));
      const { id } = await rig.engagement({ intake: 'file' });
      t.match((await rig.get(`/v1/engagements/${id}/status`)).body, {
        status: 'running',
        tasks: { ready: 0 },
      });
      const file = (from: number) =>
        `UniqueIdentifier,phone\n${from},+12025550143\n${from + 1},+12025550144\n`;
      for (const from of [1, 3]) {
        const { body } = await rig.upload(id, file(from));
        t.match(await ended(rig, body['id']), { status: 'Completed', tasksCreated: 2 });
      }
      t.match((await rig.get(`/v1/engagements/${id}/status`)).body, { tasks: { ready: 4 } });
      t.equal(
        ((await rig.get(`/v1/engagements/${id}/batches`)).body['items'] as unknown[]).length,
        2,
      );
      // The same file with the same key is the same upload.
      const headers = { 'idempotency-key': 'file-1' };
      const once_ = await rig.upload(id, file(5), { headers });
      const again = await rig.upload(id, file(5), { headers });
      t.equal(again.body['id'], once_.body['id']);
      t.match(await rig.upload(id, file(7), { headers }), { status: 422 });
      await ended(rig, once_.body['id']);
      t.match((await rig.get(`/v1/engagements/${id}/status`)).body, { tasks: { ready: 6 } });
      t.same(readdirSync(rig.folder), []);
    },
  );

  t.test('[API-32] a batch says what was made, what failed and why, page by page', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { id } = await rig.engagement({ intake: 'file' });
    const rows = ['1,+12025550143', '2,12', '3,', ',+12025550144', '5,+12025550145'];
    const { body } = await rig.upload(id, ['UniqueIdentifier,phone', ...rows, ''].join('\n'));
    t.match(await ended(rig, body['id']), {
      ...{
        status: 'CompletedWithErrors',
        tasksCreated: 2,
        failedRows: 3,
        totalLines: 5,
        lastLine: 6,
      },
    });
    const url = `/v1/batches/${String(body['id'])}/failed-rows`;
    const first = (await rig.get(`${url}?limit=2`)).body;
    t.match(first, {
      items: [
        { line: 3, code: 'InvalidPhone' },
        { line: 4, code: 'NoPhone' },
      ],
    });
    const rest = (await rig.get(`${url}?limit=2&cursor=${String(first['nextCursor'])}`)).body;
    t.match(rest, { items: [{ line: 5, code: 'MissingIdentifier' }], nextCursor: null });
    t.match(await rig.get(`${url}?cursor=x`), { status: 400 });
    const none = await rig.upload(id, 'a,b\n1,2\n');
    t.match(await ended(rig, none.body['id']), { status: 'Failed', errorCode: 'noPhoneColumn' });
  });

  t.test(
    'an import that a process left is gone on with; one whose file is lost has failed',
    async (t) => {
      const place = target.place(t);
      const rig = await ApiRig.open(t, place, { isAttached: false });
      const { id } = await rig.engagement({ intake: 'file' });
      await rig.api.detach(); // as if it had died before the first row
      const kept = await rig.upload(id, SAMPLE_CSV);
      const lost = await rig.upload(id, SAMPLE_CSV);
      t.equal(readdirSync(rig.folder).length, 2);
      rmSync(join(rig.folder, `${String(lost.body['id'])}.csv`));
      writeFileSync(join(rig.folder, 'half.part'), 'UniqueId');
      const { database, ids, clock, folder } = rig;
      const uploads = new Uploads({
        ...{ database, ids, folder, nowMs: () => clock.nowMs, log: silentLog },
        rulesOf: async () => ({ format: 'e164' }),
        onTasks: () => undefined,
      });
      await uploads.resume();
      await uploads.settled();
      t.match((await rig.get(`/v1/batches/${String(kept.body['id'])}`)).body, { tasksCreated: 3 });
      t.match((await rig.get(`/v1/batches/${String(lost.body['id'])}`)).body, {
        ...{ status: 'Failed', errorCode: 'fileLost' },
      });
      t.same(readdirSync(folder), []);
    },
  );
}

/** On a socket, without a Content-Length. */
async function chunkedUpload(t: Test, rig: ApiRig, id: string, bytes: Buffer): Promise<number> {
  const address = await listening(rig);
  const asked = request({
    ...{ ...address, method: 'POST', path: `/v1/engagements/${id}/batches?fileName=a.csv` },
    headers: { authorization: `Bearer ${rig.adminKey}`, 'content-type': 'text/csv' },
  });
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
  asked.on('error', () => undefined); // it is cut off while it still sends
  for (let from = 0; from < bytes.length; from += 65_536) {
    if (!asked.write(bytes.subarray(from, from + 65_536)))
      await Promise.race([once(asked, 'drain'), answered]);
    if (asked.destroyed) break;
  }
  asked.end();
  const [response] = await answered;
  response.resume();
  t.equal(response.headers.connection, 'close');
  return response.statusCode ?? 0;
}

/** Many may ask at once: the first of them opens the port for all. */
const opened = new WeakMap<ApiRig, Promise<string>>();

async function listening(rig: ApiRig): Promise<{ host: string; port: number }> {
  const address = opened.get(rig) ?? rig.app.listen({ host: '127.0.0.1', port: 0 });
  opened.set(rig, address);
  await address;
  return { host: '127.0.0.1', port: (rig.app.server.address() as AddressInfo).port };
}

/** One open stream of events, as a client reads it. */
class Listener {
  readonly events: { id: string; type: string; data: Json }[] = [];
  readonly closed: Promise<void>;
  readonly response: IncomingMessage;
  #onEvent: () => void = () => undefined;

  static async open(
    rig: ApiRig,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<Listener> {
    const asked = request({
      ...{ ...(await listening(rig)), path },
      headers: { authorization: `Bearer ${rig.adminKey}`, accept: 'text/event-stream', ...headers },
    });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const listener = new Listener(response);
    return listener;
  }

  private constructor(response: IncomingMessage) {
    this.response = response;
    this.closed = once(response, 'close').then(() => undefined);
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string) =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = field('data');
        if (data === undefined) continue;
        this.events.push({
          id: field('id') ?? '',
          type: field('event') ?? '',
          data: JSON.parse(data) as Json,
        });
        this.#onEvent();
      }
    });
  }

  until(isSo: (events: Listener['events']) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onEvent = () => {
        if (isSo(this.events)) resolve();
      };
      this.#onEvent();
    });
  }

  leave(): void {
    this.response.destroy();
  }
}

/** A transaction of somebody's that runs on: on PostgreSQL what commits beside it is not yet told. */
async function holdBack({ database }: ApiRig): Promise<() => Promise<void>> {
  if (database.kind === 'sqlite') return () => Promise.resolve();
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  let done: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve) => {
    done = database.db.transaction().execute(async (tx) => {
      await sql`select pg_current_xact_id()`.execute(tx);
      resolve();
      await held;
    });
  });
  return () => {
    letGo();
    return done;
  };
}

function eventTests(t: Test, target: StoreTarget): void {
  t.test(
    'events are told as they happen, and after a break none is left out or told twice',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t));
      const letGo = await holdBack(rig);
      const { id: engagementId } = await rig.engagement({ name: 'before' });
      const listener = await Listener.open(rig, '/v1/events');
      await letGo();
      t.match(listener.response, { statusCode: 200, headers: { 'content-type': /event-stream/ } });
      const { id } = await rig.engagement();
      await listener.until((events) => events.some(({ type }) => type === 'engagement.created'));
      t.same(
        listener.events.map(({ type }) => type),
        ['workstream.created', 'queue.created', 'engagement.created'],
      );
      t.equal(listener.events[2]?.data['engagementId'], id, 'and nothing from before');
      const place = listener.events[0]?.id ?? '';
      listener.leave();
      const task = await rig.make('/v1/tasks', { engagementId, contacts: [CONTACT] });
      await rig.post(`/v1/engagements/${engagementId}/suspend`);
      const again = await Listener.open(rig, '/v1/events', { 'last-event-id': place });
      await again.until((events) => events.some(({ type }) => type === 'engagement.suspended'));
      t.same(
        again.events.map(({ type }) => type),
        [...['queue.created', 'engagement.created', 'task.created', 'engagement.suspended']],
      );
      t.match(again.events[2]?.data, {
        stream: `task:${task}`,
        engagementId,
        payload: { source: 'api' },
      });
      const one = await Listener.open(
        rig,
        `/v1/events?from=start&types=engagement.*&engagementId=${engagementId}`,
      );
      await one.until((events) => events.length === 2);
      t.same(
        one.events.map(({ type }) => type),
        ['engagement.created', 'engagement.suspended'],
      );
      t.match(
        await rig.ask({ url: '/v1/events', headers: { 'last-event-id': 'x', accept: '*/*' } }),
        { status: 400 },
      );
      for (const open of [again, one]) open.leave();
    },
  );

  t.test('streams end with the service, and a key holds ten at the most', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const open = await Promise.all(
      Array.from({ length: 10 }, () => Listener.open(rig, '/v1/events')),
    );
    const eleventh = await rig.ask({ url: '/v1/events', headers: { accept: 'text/event-stream' } });
    t.match(eleventh, {
      status: 429,
      body: { code: 'TOO_MANY_STREAMS' },
      headers: { 'retry-after': '5' },
    });
    open[0]?.leave();
    await open[0]?.closed;
    while (rig.api.streams.count === 10) await new Promise((resolve) => setImmediate(resolve));
    const another = await Listener.open(rig, '/v1/events');
    await rig.app.close();
    await Promise.all([...open, another].map(({ closed }) => closed));
    t.equal(rig.api.streams.count, 0);
  });
}

const targets = await storeTargets(t);
for (const target of targets) {
  void t.test(target.name, async (t) => {
    settingsTests(t, target);
    workTests(t, target);
    eventTests(t, target);
    // An import is a thread of its own, and is tested on both databases by itself.
    if (target.name === 'SQLite') uploadTests(t, target);
  });
}
