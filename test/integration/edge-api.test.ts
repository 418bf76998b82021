/** Goal: the do-not-call list and the trunks are operated over `/v1`, by who may, and it is on record. */
import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import { TrunkConfig } from '../../config/trunk.schema.ts';
import { systemClock } from '../../gateway/clock.ts';
import { TrunkDirectory } from '../../gateway/trunks/trunk-directory.ts';
import { trunkReply } from '../../gateway/trunks/trunk-operations.ts';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { TRUNK_COMMANDS, type TrunkCommand } from '../../machines/trunk-commands.ts';
import { systemClock as dialerClock } from '../../dialer/clock.ts';
import { OptOutKeeper } from '../../dialer/opt-outs/opt-out-keeper.ts';
import { ClosureKeeper } from '../../dialer/trunks/closure-keeper.ts';
import { writeClosure } from '../../dialer/trunks/trunk-closures.ts';
import { WorkInHand } from '../../dialer/work-in-hand.ts';
import { silentLog } from '../support/silent-log.ts';
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

/** How a contact may be written, and the number that it ends as. */
const FORMS = [
  { number: '202-555-0144', country: 'US', stored: '+12025550144' },
  { number: '(202) 555-0144', country: 'us', stored: '+12025550144' },
  { number: 'tel:+1-202-555-0144', stored: '+12025550144' },
  { number: '00493012345678', country: 'DE', stored: '+493012345678' },
  { number: '493012345678', country: 'DE', stored: '+493012345678' },
  { number: '030 12345678', country: 'DE', stored: '+493012345678' },
];

const ANY = { trunks: [{ name: 'carrier', destinationFormat: 'any' as const }] };

function readingTests(t: Test, target: StoreTarget): void {
  t.test('a number is listed as contacts have it, in whichever form it is written', async (t) => {
    for (const options of [{}, ANY]) {
      const rig = await ApiRig.open(t, target.place(t), options);
      const shower = await rig.key('read', true);
      for (const { number, country, stored } of FORMS) {
        const local = country === undefined ? {} : { country };
        const person = { uniqueIdentifier: number, phones: { mobile: number }, ...local };
        const put = await rig.ask({ method: 'POST', url: '/v1/contacts', body: person });
        t.match(put.status, 201);
        const added = await rig.post('/v1/opt-outs', { number, ...local });
        t.match(added, { status: 201 }, number);
        const query = new URLSearchParams({ number, ...local }).toString();
        const items = [{ id: added.body['id'], number: stored }];
        const listed = await rig.get(`/v1/opt-outs?${query}`, shower);
        t.match(listed, { status: 200, body: { items } });
        t.equal((listed.body['items'] as Json[]).length, 1);
        const exported = await rig.get(`/v1/opt-outs.csv?${query}`, shower);
        t.match(exported.text, new RegExp(`\\r\\n\\${stored},api`));
      }
      const points = await rig.database.db.selectFrom('contact_points').select('value').execute();
      t.same(points.map(({ value }) => value).sort(), ['+12025550144', '+493012345678']);
      const rows = await rig.database.db.selectFrom('opt_outs').select('number').execute();
      t.same(rows.map(({ number }) => number).sort(), ['+12025550144', '+493012345678']);
    }
  });

  t.test('what would be listed and block nobody is refused', async (t) => {
    for (const [format, options] of Object.entries({ e164: {}, any: ANY })) {
      const rig = await ApiRig.open(t, target.place(t), options);
      for (const number of ['202-555-0144', '2025550144', '00493012345678', '493012345678']) {
        const refused = {
          status: 400,
          body: {
            code: 'PHONE_INVALID',
            errors: [{ pointer: '/number', detail: /write it with \+/ }],
          },
        };
        const said = await rig.post('/v1/opt-outs', { number });
        t.match(said, refused, `${number}, ${format}`);
        t.notMatch(said.text, number, 'the number is not repeated');
        t.match(await rig.get(`/v1/opt-outs?number=${number}`), refused, 'nor is it looked for');
        t.match(await rig.get(`/v1/opt-outs.csv?number=${number}`), refused);
      }
      t.match(await rig.post('/v1/opt-outs', { number: '2025550144', country: 'XX' }), {
        ...{ status: 400, body: { code: 'REQUEST_INVALID', errors: [{ pointer: '/country' }] } },
      });
      const short = await rig.post('/v1/opt-outs', { number: '1001' });
      t.equal(short.status, format === 'any' ? 201 : 400, 'an extension, where trunks take those');
      const id = rig.ids.id();
      const old = {
        id,
        business_unit_id: rig.businessUnitId,
        number: '2025550144',
        source: 'api',
      } as const;
      const nobody = { detail: null, engagement_id: null, attempt_id: null };
      const made = { created_at_ms: 1, created_by: 'x', removed_at_ms: null, removed_by: null };
      const row = { ...old, ...nobody, ...made } as const;
      await rig.database.db.insertInto('opt_outs').values(row).execute();
      const found = await rig.get('/v1/opt-outs?number=2025550144');
      t.match(found, { status: 200, body: { items: [{ id }] } }, 'what was listed once is found');
      t.match(await rig.post('/v1/opt-outs', { number: '2025550144' }), { status: 400 });
    }
  });

  t.test(
    'strings are listed where a trunk takes any; like numbers, if somebody has them',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t), ANY);
      const add = (number: string) => rig.post('/v1/opt-outs', { number });
      for (const number of ['1001', 'front-desk', 'alice.1234567']) {
        t.match(await add(number), { status: 201 }, number);
      }
      const mobile = '2025550144';
      const body = { uniqueIdentifier: 'p', phones: { mobile } };
      t.match(await add(mobile), { status: 400 });
      t.match(await rig.ask({ method: 'POST', url: '/v1/contacts', body }), { status: 201 });
      t.match(await add(mobile), { status: 201 }, 'now it blocks somebody');
      const rows = await rig.database.db.selectFrom('opt_outs').select('number').execute();
      t.same(rows.map(({ number }) => number).sort(), [
        '1001',
        mobile,
        'alice.1234567',
        'front-desk',
      ]);
    },
  );
}

function callingBackTests(t: Test, target: StoreTarget): void {
  t.test('who opts out by calling back is listed as contacts have them', async (t) => {
    const rig = await ApiRig.open(t, target.place(t), ANY);
    const { database, ids } = rig;
    const work = new WorkInHand((error) => t.fail(String(error)));
    const warned: object[] = [];
    const log = { ...silentLog, warn: (fields: object) => warned.push(fields) };
    const keeper = new OptOutKeeper({
      ...{ database, ids, clock: dialerClock, log, work, actor: 'system', storeRetryMs: 10 },
    });
    const optsOut = async (received: string | undefined, callerNumber: string, called: string) => {
      await database.db.deleteFrom('opt_outs').execute();
      await database.db.deleteFrom('events').execute();
      keeper.onTelephony({
        ...{ type: 'inbound.optOut', gatewayId: 'g', seq: 1, atMs: 1, inboundId: 'i' },
        ...(received === undefined ? {} : { callerAsReceived: received }),
        ...{ callerNumber, calledNumber: called, digit: '9', source: 'rtp' },
      });
      await work.settled();
      const rows = await database.db.selectFrom('opt_outs').selectAll().execute();
      t.ok(
        rows.every(({ source, detail }) => source === 'inbound' && detail?.includes('pressed 9')),
      );
      t.equal((await eventsOf(rig, 'optOut.added')).length, rows.length);
      t.equal((await eventsOf(rig, 'inbound.optOut')).length, 1, 'one act');
      return rows.map(({ number }) => number).sort();
    };
    const american = '+12025550100';
    t.same(await optsOut('2025550144', '+2025550144', american), ['+12025550144']);
    t.same(await optsOut('03012345678', '+03012345678', '+493099999999'), ['+493012345678']);
    t.same(await optsOut('00493012345678', '+00493012345678', american), ['+493012345678']);
    t.same(
      await optsOut('2025550144', '+2025550144', '+493099999999'),
      ['+492025550144'],
      'of the country that was called',
    );
    t.same(
      await optsOut('442079460', '+442079460', '+493099999999'),
      ['+49442079460'],
      'only what is a number',
    );
    t.same(warned, []);
    const mobile = '2025550144';
    const body = { uniqueIdentifier: 'p', phones: { mobile } };
    await rig.ask({ method: 'POST', url: '/v1/contacts', body });
    t.same(
      await optsOut(mobile, `+${mobile}`, american),
      ['+12025550144', mobile],
      'also as a contact has it where a trunk takes any string',
    );
    t.same(await optsOut('99999', '+99999', american), ['+99999'], 'as it came');
    t.match(warned, [{ inboundId: 'i', caller: /^\+999?…99$/, called: '+1…00' }]);
    t.notMatch(JSON.stringify(warned), '99999');
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
    t.match(await rig.post('/v1/trunks/nobodys/suspend', {}), { status: 503 });
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

/** Gateways as a dialer has them: each with trunks of its own, which forget when it is started again. */
class Gateways {
  readonly heard: string[] = [];
  readonly #directories = new Map<string, TrunkDirectory>();
  readonly #all: TrunkDirectory[] = [];
  readonly #away = new Set<string>();

  start(id: string, names: readonly string[] = ['carrier-a']): TrunkDirectory {
    const directory = trunksOf(names);
    this.#directories.set(id, directory);
    this.#all.push(directory);
    this.#away.delete(id);
    return directory;
  }

  lose(id: string): void {
    this.#away.add(id);
  }

  find(id: string): void {
    this.#away.delete(id);
  }

  stateAt(id: string): string | undefined {
    return this.#directories.get(id)?.trunks.get('carrier-a')?.state;
  }

  send(command: Parameters<TelephonyPort['send']>[0]) {
    if (!isTrunkCommand(command)) return neverHeard();
    const { gatewayId } = command;
    const directory = this.#directories.get(gatewayId);
    if (directory === undefined || this.#away.has(gatewayId)) return neverHeard();
    this.heard.push(`${gatewayId} ${command.type}`);
    return Promise.resolve(trunkReply(command, gatewayId, directory));
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((one) => one.close()));
  }
}

function isTrunkCommand(command: { readonly type: string }): command is TrunkCommand {
  return Object.hasOwn(TRUNK_COMMANDS, command.type);
}

function neverHeard(): Promise<never> {
  return Promise.reject(new Error('it did not answer'));
}

function closureTests(t: Test, target: StoreTarget): void {
  t.test('a trunk that takes no calls stays so, whoever is started again', async (t) => {
    const gateways = new Gateways();
    t.teardown(() => gateways.close());
    const api: ApiGateways = { ids: () => ['g-1'], send: (command) => gateways.send(command) };
    const rig = await ApiRig.open(t, target.place(t), { gateways: api });
    const { database } = rig;
    const keepers: ClosureKeeper[] = [];
    const keeperOf = async (ids: readonly string[], trunks = ['carrier-a']) => {
      const work = new WorkInHand((error) => t.fail(String(error)));
      const closed: string[] = [];
      const keeper = new ClosureKeeper({
        ...{ database, clock: dialerClock, work, log: silentLog, storeRetryMs: 10, trunks },
        ...{ telephony: gateways, onClosed: (trunk: string) => closed.push(trunk) },
      });
      keepers.push(keeper);
      await keeper.begin(ids);
      const hear = async (event: TelephonyEvent): Promise<void> => {
        keeper.onTelephony(event);
        await work.settled();
      };
      return { keeper, closed, hear };
    };
    const present = (gatewayId: string): TelephonyEvent => {
      return { type: 'gateway.present', gatewayId, atMs: Date.now(), trunks: ['carrier-a'] };
    };
    const state = (more: object): TelephonyEvent => {
      const envelope = { gatewayId: 'g-1', seq: 1, atMs: Date.now(), trunk: 'carrier-a' };
      return { type: 'trunk.state', ...envelope, detail: 'a test', ...more } as TelephonyEvent;
    };
    const word = (name: string) => {
      rig.clock.nowMs = Date.now();
      return rig.post(`/v1/trunks/carrier-a/${name}`, {});
    };
    const untilMs = Date.now() + 600_000;
    const share = { cause: 'share', sinceMs: Date.now(), untilMs } as const;

    gateways.start('g-1');
    gateways.start('g-2');
    const first = await keeperOf(['g-1', 'g-2']);
    await first.hear(state({ state: 'suspended', closure: share }));
    gateways.start('g-1');
    await first.hear(present('g-1'));
    t.equal(gateways.stateAt('g-1'), 'suspended', 'the gateway was started again');
    t.equal(gateways.heard.at(-2), 'g-1 trunk.suspend', 'before it is asked anything');
    t.equal(gateways.stateAt('g-2'), 'unknown', 'at that gateway alone');

    gateways.start('g-1');
    const second = await keeperOf(['g-1', 'g-2']);
    t.equal(gateways.stateAt('g-1'), 'suspended', 'both were started again');
    t.same(second.closed, ['carrier-a'], 'nothing is claimed for it');
    const third = await keeperOf(['g-1']);
    t.equal(gateways.stateAt('g-1'), 'suspended', 'the dialer alone was');
    const [listed] = (await rig.get('/v1/trunks')).body['items'] as Json[];
    t.match(listed, { gateways: [{ closure: { cause: 'share', since: String, until: String } }] });

    gateways.lose('g-1');
    t.match(await word('resume'), { status: 200, body: { gateways: [] } }, 'nobody hears it');
    await third.keeper.changed();
    gateways.find('g-1');
    t.equal(gateways.stateAt('g-1'), 'suspended');
    await third.hear(present('g-1'));
    t.equal(gateways.stateAt('g-1'), 'unknown', 'it is back, and told what it missed');
    gateways.start('g-1');
    await third.hear(present('g-1'));
    t.equal(gateways.stateAt('g-1'), 'unknown', 'and nothing is closed again');

    t.match(await word('suspend'), { status: 200, body: { state: 'suspended' } });
    t.ok(rig.dialer.told.includes('trunksChanged'));
    await third.keeper.changed();
    await third.hear(present('g-2'));
    t.equal(gateways.stateAt('g-2'), 'suspended', 'an operator’s word is for all of them');
    t.match(await word('resume'), { status: 200, body: { state: 'unknown' } });
    for (const id of ['g-1', 'g-2']) gateways.lose(id);
    t.match(await word('suspend'), { status: 200, body: { state: 'suspended', gateways: [] } });
    await third.keeper.changed();
    for (const id of ['g-1', 'g-2']) {
      gateways.find(id);
      gateways.start(id);
      await third.hear(present(id));
      t.equal(gateways.stateAt(id), 'suspended', 'nobody was there when it was said');
    }
    t.match(third.keeper.closures, [{ untilMs: null }], 'nor said for how long');
    const long = await keeperOf([], ['carrier-a']);
    t.match(long.keeper.closures, [{ cause: 'operator', gatewayId: '' }]);
    t.same((await keeperOf([], ['others'])).keeper.closures, [], 'removed from the configuration');
    t.same((await keeperOf([], ['carrier-a'])).keeper.closures, [], 'and for good');

    const over = await keeperOf(['g-1']);
    await over.hear(state({ state: 'suspended', closure: { ...share, untilMs: Date.now() - 1 } }));
    gateways.start('g-1');
    await over.hear(present('g-1'));
    t.equal(gateways.stateAt('g-1'), 'unknown', 'its time was over while it was away');

    const auth = { cause: 'auth', sinceMs: 5, untilMs } as const;
    await over.hear(state({ state: 'authFailed', closure: auth }));
    gateways.start('g-1');
    await over.hear(present('g-1'));
    t.equal(gateways.stateAt('g-1'), 'authFailed', 'no storm of calls with a wrong password');
    await over.hear(state({ state: 'up' }));
    await over.keeper.settled();
    t.same((await keeperOf([])).keeper.closures, [], 'which was put right');
    for (const keeper of keepers) keeper.stop();
  });
}

/** Timers fire when a test says so. */
class HandClock {
  readonly timers = new Map<object, { readonly fire: () => void; readonly afterMs: number }>();

  now(): number {
    return Date.now();
  }

  setTimeout(fire: () => void, afterMs: number): object {
    const timer = {};
    this.timers.set(timer, { fire, afterMs });
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.timers.delete(timer as object);
  }

  /** The only one that runs; answers how long it was. */
  fire(): number | undefined {
    const [[timer, only] = []] = this.timers;
    if (timer === undefined || only === undefined || this.timers.size > 1) return undefined;
    this.timers.delete(timer);
    only.fire();
    return only.afterMs;
  }
}

function retellingTests(t: Test, target: StoreTarget): void {
  t.test('a gateway that is there and did not answer is told again until it does', async (t) => {
    const gateways = new Gateways();
    t.teardown(() => gateways.close());
    const ids = ['g-1', 'g-2'];
    const api = { ids: () => ids, send: gateways.send.bind(gateways) };
    const rig = await ApiRig.open(t, target.place(t), { gateways: api });
    const clock = new HandClock();
    const work = new WorkInHand((error) => t.fail(String(error)));
    const keeper = new ClosureKeeper({
      ...{ database: rig.database, clock, work, log: silentLog, storeRetryMs: 10 },
      ...{ trunks: ['carrier-a'], telephony: gateways, onClosed: () => undefined },
    });
    for (const id of ids) gateways.start(id);
    await keeper.begin(ids);
    t.equal(clock.timers.size, 0, 'both have answered');
    const word = async (name: string) => {
      rig.clock.nowMs = Date.now();
      const answer = await rig.post(`/v1/trunks/carrier-a/${name}`, {});
      const unheard = answer.body['unheard'] as { gatewayId: string }[];
      await keeper.changed(unheard.map(({ gatewayId }) => gatewayId));
      return unheard;
    };
    const fire = async (): Promise<number | undefined> => {
      const afterMs = clock.fire();
      await work.settled();
      return afterMs;
    };
    gateways.lose('g-2');
    t.match(await word('suspend'), [{ gatewayId: 'g-2', detail: /did not answer/ }]);
    t.strictSame([gateways.stateAt('g-1'), gateways.stateAt('g-2')], ['suspended', 'unknown']);
    t.equal(await fire(), 2_000, 'it is away still');
    gateways.find('g-2');
    t.equal(await fire(), 4_000);
    t.equal(gateways.stateAt('g-2'), 'suspended');
    t.equal(clock.timers.size, 0);

    gateways.lose('g-2');
    t.match(await word('resume'), [{ gatewayId: 'g-2' }]);
    gateways.find('g-2');
    t.equal(await fire(), 2_000);
    t.equal(gateways.stateAt('g-2'), 'unknown');

    gateways.lose('g-2');
    await word('suspend');
    keeper.onTelephony({ type: 'gateway.lost', gatewayId: 'g-2', atMs: 1, detail: 'it died' });
    t.equal(clock.timers.size, 0, 'one that is gone is told when it comes');
    gateways.start('g-2');
    keeper.onTelephony({ type: 'gateway.present', gatewayId: 'g-2', atMs: 1, trunks: [] });
    await work.settled();
    t.equal(gateways.stateAt('g-2'), 'suspended');
    keeper.stop();
  });

  t.test('what an operator closed stays closed, whatever else holds for the trunk', async (t) => {
    const gateways = new Gateways();
    t.teardown(() => gateways.close());
    const rig = await ApiRig.open(t, target.place(t), {});
    const closure = { trunk: 'carrier-a', detail: '', sinceMs: Date.now(), resumedAtMs: null };
    const untilMs = Date.now() + 600_000;
    const operators = { ...closure, gatewayId: '', cause: 'operator', untilMs: null } as const;
    const own = { ...closure, gatewayId: 'g-1', cause: 'auth', untilMs } as const;
    for (const order of [
      [operators, own],
      [own, operators],
    ]) {
      await rig.database.db.transaction().execute(async (tx) => {
        await tx.deleteFrom('trunk_closures').execute();
        for (const one of order) await writeClosure(tx, one);
      });
      gateways.start('g-1');
      const work = new WorkInHand((error) => t.fail(String(error)));
      const keeper = new ClosureKeeper({
        ...{ database: rig.database, clock: new HandClock(), work, log: silentLog },
        ...{ storeRetryMs: 10, trunks: ['carrier-a'], telephony: gateways },
        onClosed: () => undefined,
      });
      await keeper.begin(['g-1']);
      t.equal(gateways.stateAt('g-1'), 'suspended', order.map(({ cause }) => cause).join(', '));
      await keeper.settled();
      keeper.stop();
    }
  });
}

for (const target of await storeTargets(t)) {
  void t.test(target.name, async (t) => {
    optOutTests(t, target);
    readingTests(t, target);
    callingBackTests(t, target);
    closureTests(t, target);
    retellingTests(t, target);
    if (target.name === 'SQLite') trunkTests(t, target);
  });
}
