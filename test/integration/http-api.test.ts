/** Goal: what is asked for over `/v1` is in the store afterwards, on both databases, and nothing else. */
import { existsSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { endOfEvents } from '../../dialer/store/event-place.ts';
import { SAMPLE_CSV } from '../../dialer/intake/sample-csv.ts';
import { ApiRig, type Json } from '../support/api-rig.ts';
import { contactListBytes } from '../support/contact-list.ts';
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

  t.test('[CFG-07] each channel takes its own settings, and no other', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const { workstreamId, queueId } = await rig.engagement();
    const sms = await rig.make('/v1/workstreams', { name: 'S', channel: 'sms', number: '+12025550101' });
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
      t.match([status, problem['errors']], [400, [{ pointer: `/config/${name}` }]], `voice: ${name}`);
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
    t.match(await change(url, { name: 'B' }), { status: 428, body: { code: 'PRECONDITION_REQUIRED' } });
    const more = { config: { mode: { maxConcurrentCalls: 9 } }, description: 'new' };
    const edited = await change(url, more, '"1"');
    t.match(edited, { status: 200, headers: { etag: '"2"' }, body: { ...more, name: 'Appointments' } });
    t.match(await change(url, { name: 'B' }, '"1"'), { status: 412, body: { code: 'VERSION_CONFLICT' } });
    t.equal((await change(url, { name: 'B' }, 'W/"2"')).status, 412, 'a weak tag matches nothing');
    t.match(await change(url, { config: { mode: { maxConcurrentCalls: 501 } } }, '"2"'), {
      status: 400,
      body: { detail: /maxConcurrentCalls/ },
    });
    t.match(await change(url, { workstreamId: queueId }, '"2"'), {
      ...{ status: 409, body: { code: 'NOT_CHANGEABLE' } },
    });
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
    t.same(rig.dialer.told, [told, told, told, told], 'its queue and workstream are its own change');
    const events = await rig.database.db
      .selectFrom('events')
      .select(['type', 'before', 'after', 'actor'])
      .where('type', 'like', '%.changed')
      .orderBy('seq')
      .execute();
    t.same(events.map(({ type }) => type), ['engagement.changed', 'queue.changed', 'workstream.changed']);
    t.match(events[1], { before: '{"time_zone":"UTC"}', after: '{"time_zone":"Europe/Vienna"}' });
    t.equal(events[1]?.actor, `key:${rig.adminKey.slice(0, 11)}`);
  });

  t.test('a key may do what its role says, numbers are masked, and once revoked it is nothing', async (t) => {
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
    t.match((await rig.get('/v1/contacts')).body['items'], [{ phones: { mobile: '+12025550143' } }]);
    t.match(await rig.ask({ method: 'POST', url: '/v1/queues', body: { name: 'Q' }, key }), {
      status: 403,
      body: { code: 'KEY_FORBIDDEN' },
    });
    t.match(await rig.get('/v1/api-keys', key), { status: 403 });
    t.match(await rig.ask({ method: 'DELETE', url: `/v1/api-keys/${id}` }), { status: 200 });
    t.match(await rig.get('/v1/contacts', key), { status: 401, body: { code: 'KEY_UNAUTHORIZED' } });
    const [admin] = (await rig.get('/v1/api-keys?limit=1&cursor=' + id)).body['items'] as Json[];
    t.match(await rig.ask({ method: 'DELETE', url: `/v1/api-keys/${String(admin?.['id'])}` }), {
      status: 409,
      body: { code: 'LAST_ADMIN_KEY' },
    });
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
    t.match(await rig.post('/v1/tasks', bad, other), { status: 400, body: { code: 'PHONE_INVALID' } });
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

const targets = await storeTargets(t);
for (const target of targets) {
  void t.test(target.name, async (t) => settingsTests(t, target));
}
void [existsSync, readdirSync, once, get, endOfEvents, SAMPLE_CSV, contactListBytes];
export type { AddressInfo };
