/** Goal: the do-not-call list and the trunks are operated over `/v1`, by who may, and it is on record. */
import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import { TrunkConfig } from '../../config/trunk.schema.ts';
import { systemClock } from '../../gateway/clock.ts';
import { TrunkDirectory } from '../../gateway/trunks/trunk-directory.ts';
import { trunkReply } from '../../gateway/trunks/trunk-operations.ts';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { ApiGateways } from '../../dialer/http/v1/api-context.ts';
import { ApiRig, type Json } from '../support/api-rig.ts';
import { storeTargets, type StoreTarget } from '../support/store-target.ts';

t.setTimeout(120_000);

const eventsOf = (rig: ApiRig, type: string) =>
  rig.database.db
    .selectFrom('events')
    .select(['type', 'actor', 'payload'])
    .where('type', 'like', type)
    .orderBy('seq')
    .execute();

function optOutTests(t: Test, target: StoreTarget): void {
  t.test('[CNS-03] opt-outs are added, listed, exported and taken off, on record', async (t) => {
    const rig = await ApiRig.open(t, target.place(t));
    const [reader, deliverer, shower] = await Promise.all([
      rig.key('read'),
      rig.key('deliver'),
      rig.key('read', true),
    ]);
    const url = '/v1/opt-outs';
    const body = { number: '+1 (202) 555-0143', detail: '=cmd|calc' };
    t.match(await rig.ask({ method: 'POST', url, body, key: reader }), { status: 403 });
    const added = await rig.ask({ method: 'POST', url, body, key: deliverer });
    t.match(added, { status: 201, body: { number: '+1…43', source: 'api', removedAt: null } });
    const again = await rig.ask({ method: 'POST', url, body: { number: '+12025550143' } });
    t.equal(again.body['id'], added.body['id'], 'one number, one entry');
    t.match(await rig.post(url, { number: 'nobody at all' }), { status: 400 });
    await rig.post(url, { number: '+12025550144' });
    const asked = await rig.get(`${url}?number=%2B12025550143`, shower);
    t.match(asked.body['items'], [{ number: '+12025550143' }]);
    const exported = await rig.get('/v1/opt-outs.csv', shower);
    t.match(exported.headers['content-type'], 'text/csv');
    t.match(exported.text.split('\r\n'), [
      'Number,Source,Detail,EngagementId,AttemptId,CreatedAt,CreatedBy,RemovedAt,RemovedBy',
      /^\+12025550144,api,,/,
      /^\+12025550143,api,'=cmd\|calc,,,20/,
      '',
    ]);
    t.notMatch((await rig.get('/v1/opt-outs.csv', reader)).text, /2025550/, 'masked');
    const one = `${url}/${String(added.body['id'])}`;
    t.match(await rig.ask({ method: 'DELETE', url: one, key: deliverer }), { status: 403 });
    t.match(await rig.ask({ method: 'DELETE', url: one }), {
      status: 200,
      body: { removedAt: /^20/, removedBy: /^key:/ },
    });
    t.match(await rig.ask({ method: 'DELETE', url: one }), { status: 200 }, 'twice is once');
    const held = (await rig.get(url)).body['items'] as Json[];
    t.match(
      held.map(({ number }) => number),
      ['+12025550144'],
    );
    const all = (await rig.get(`${url}?removed=true`)).body['items'] as Json[];
    t.equal(all.length, 2, 'what held when is kept');
    const readded = await rig.post(url, { number: '+12025550143' });
    t.not(readded.body['id'], added.body['id']);
    const events = await eventsOf(rig, 'optOut.%');
    t.same(
      events.map(({ type }) => type.slice('optOut.'.length)),
      ['added', 'added', 'removed', 'added'],
    );
    t.notMatch(JSON.stringify(events), /2025550/, 'no number stands in the log');
  });
}

function trunksOf(names: readonly string[]): TrunkDirectory {
  const trunks = names.map((name) =>
    Value.Parse(
      TrunkConfig,
      Value.Default(TrunkConfig, { name, address: 'sip:192.0.2.1', callerId: '+12025550100' }),
    ),
  );
  const members = [{ trunk: 'carrier-a', priority: 1, weight: 1 }];
  return new TrunkDirectory({
    ...{ trunks, groups: [{ name: 'domestic', members }], clock: systemClock, intervalMs: 0 },
    check: {} as never,
    onNews: () => undefined,
  });
}

const busy: AttemptEnded = {
  sip: { statusCode: 486, reasonPhrase: 'Busy Here', origin: 'network' },
  ...{ q850: [{ cause: 17, text: null }], reasonHeaders: [], endedBy: 'far', cancelReason: null },
  ...{ invites: 1, answered: false, ringMs: null, talkMs: null },
};

function trunkTests(t: Test, target: StoreTarget): void {
  t.test('trunks of every gateway are seen, suspended and resumed by who may', async (t) => {
    const directories = new Map([
      ['g-1', trunksOf(['carrier-a', 'carrier-b'])],
      ['g-2', trunksOf(['carrier-a'])],
    ]);
    const away = new Set<string>();
    const gateways: ApiGateways = {
      ids: () => [...directories.keys()],
      send: (command) => {
        const directory = directories.get(command.gatewayId);
        if (directory === undefined || away.has(command.gatewayId)) {
          return Promise.reject(new Error(`${command.gatewayId} did not answer`));
        }
        return Promise.resolve(trunkReply(command, command.gatewayId, directory));
      },
    };
    t.teardown(() => Promise.all([...directories.values()].map((one) => one.close())));
    const rig = await ApiRig.open(t, target.place(t), { gateways });
    const trunkAt = (id: string) => directories.get(id)?.trunks.get('carrier-a');
    trunkAt('g-1')?.callEnded({ ...busy, sip: { ...busy.sip, statusCode: 200 }, answered: true });
    trunkAt('g-1')?.callEnded(busy);
    const listed = await rig.get('/v1/trunks');
    t.match(listed.body['items'], [
      {
        ...{ name: 'carrier-a', state: 'unknown', groups: ['domestic'] },
        gateways: [
          {
            ...{ gatewayId: 'g-1', sessions: 2, answerSeizureRatio: 0.5, registration: 'none' },
            lastCause: { statusCode: 486, text: 'Busy Here; Q.850 17' },
          },
          { gatewayId: 'g-2', sessions: 0, answerSeizureRatio: null, lastCause: null },
        ],
      },
      { name: 'carrier-b', gateways: [{ gatewayId: 'g-1' }] },
    ]);
    const url = '/v1/trunks/carrier-a/suspend';
    const reason = { reason: 'the carrier works on it' };
    const key = await rig.key('deliver');
    t.match(await rig.ask({ method: 'POST', url, body: reason, key }), { status: 403 });
    t.match(await rig.post(url, reason), {
      ...{ status: 200, body: { state: 'suspended', gateways: [{ detail: /carrier works/ }, {}] } },
    });
    for (const id of ['g-1', 'g-2']) {
      t.match(trunkAt(id)?.refusal(Date.now()), { code: 'TRUNK_SUSPENDED' }, `no calls at ${id}`);
    }
    away.add('g-2');
    t.match((await rig.get('/v1/trunks')).body['unheard'], [{ gatewayId: 'g-2' }]);
    const resumed = await rig.post('/v1/trunks/carrier-a/resume');
    t.match(resumed, { status: 200, body: { state: 'unknown', gateways: [{ gatewayId: 'g-1' }] } });
    t.equal(trunkAt('g-1')?.refusal(Date.now()), undefined);
    t.match(trunkAt('g-2')?.state, 'suspended', 'who did not hear it did not do it');
    t.match(await rig.post('/v1/trunks/nobodys/resume'), { status: 503 }, 'g-2 may have it');
    away.clear();
    t.match(await rig.post('/v1/trunks/nobodys/resume'), { status: 404 });
    const events = await eventsOf(rig, 'trunk.%');
    t.match(
      events.map(({ type, payload }) => [type, JSON.parse(payload) as Json]),
      [
        ['trunk.suspended', { trunk: 'carrier-a', gateways: ['g-1', 'g-2'] }],
        ['trunk.resumed', { trunk: 'carrier-a', gateways: ['g-1'] }],
      ],
    );
  });
}

for (const target of await storeTargets(t)) {
  void t.test(target.name, async (t) => {
    optOutTests(t, target);
    if (target.name === 'SQLite') trunkTests(t, target);
  });
}
