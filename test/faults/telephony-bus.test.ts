/**
 * Goal: dialer and gateway mean the same by the contract whatever lies between them, and Redis may be
 * slow, away, flushed or full of rubbish without a call being dialled twice or an event lost.
 */
import t, { type Test } from 'tap';
import type { BusConfig } from '../../config/bus.schema.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { DirectoryInMemory } from '../../gateway/registrar/directory-in-memory.ts';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { TrunkConfig } from '../../config/trunk.schema.ts';
import { systemClock } from '../../dialer/clock.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import { ClosureKeeper } from '../../dialer/trunks/closure-keeper.ts';
import { WorkInHand } from '../../dialer/work-in-hand.ts';
import { writeRecordings } from '../../dialer/recordings/recordings.ts';
import { TranscriptionWork } from '../../dialer/recordings/transcription-work.ts';
import { TranscriptionDesk } from '../../gateway/transcription/transcription-desk.ts';
import { encodeWav } from '../../softswitch/media/wav.ts';
import { toneOf } from '../support/recorded-audio.ts';
import { WorkScene } from '../support/work-scene.ts';
import { TrunkDirectory } from '../../gateway/trunks/trunk-directory.ts';
import { trunkReply } from '../../gateway/trunks/trunk-operations.ts';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { GatewayBus } from '../../telephony-bus/gateway-bus.ts';
import { BusKeys, EVENT_GROUP } from '../../telephony-bus/bus-keys.ts';
import { DirectoryClient } from '../../telephony-bus/directory-client.ts';
import { body, endedBody } from '../support/attempt-under-test.ts';
import { busConfig, openDialer, openGateway, ownPrefix, QUEUE_GROUP } from '../support/bus-rig.ts';
import { FaultyPort } from '../support/faulty-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { silentLog } from '../support/silent-log.ts';
import { ScriptedGateway } from '../support/scripted-gateway.ts';
import { TcpRelay } from '../support/tcp-relay.ts';
import {
  COMPLETED,
  dialOf,
  GATEWAY,
  heard,
  holdsTheContract,
  wholeCalls,
  type PortTarget,
} from '../support/telephony-conformance.ts';
import { TestAuthority } from '../support/tls-certificates.ts';

t.setTimeout(60_000);

const PASSWORD = 'b1f0-of-a-test';
const seed = Number(process.env['RINGFENCE_TEST_SEED'] ?? Date.now() % 1_000_000);
const authority = await TestAuthority.create();
const certificate = await authority.issue('IP:127.0.0.1', 'DNS:redis.test');
const [single, cluster, secure] = await Promise.all([
  RedisServer.start({ password: PASSWORD }),
  RedisServer.start({ isCluster: true }),
  RedisServer.start({ tls: { certificate, authoritiesFile: authority.authoritiesFile } }),
]);
const sentinel = await RedisServer.start({ watches: { port: single.port, password: PASSWORD } });
t.teardown(async () => {
  await Promise.all([single, cluster, secure, sentinel].map((server) => server.stop()));
  await authority.remove();
});

const onSingle = (): Partial<BusConfig> => ({
  ...{ nodes: [single.node], password: PASSWORD, keyPrefix: ownPrefix() },
});

function overRedis(name: string, given: () => Partial<BusConfig>): PortTarget {
  return {
    ...{ name, losesReplies: false },
    join: async (t, gateway) => {
      const config = busConfig(given());
      openGateway(t, config, gateway);
      const dialer = await openDialer(t, config);
      dialer.own();
      return dialer;
    },
  };
}

const FAULTS = { repeated: 0.3, repliesLost: 0.2, delayMaxMs: 3, seed };
const targets: readonly PortTarget[] = [
  {
    ...{ name: 'in process', losesReplies: false },
    join: (_, gateway) => Promise.resolve<TelephonyPort>(gateway),
  },
  {
    ...{ name: `in process, badly (seed ${seed})`, losesReplies: true },
    join: (_, gateway) => Promise.resolve(new FaultyPort(gateway, FAULTS)),
  },
  overRedis('over Redis', onSingle),
  overRedis('over Redis Cluster', () => ({
    ...{ nodes: [cluster.node], topology: 'cluster', keyPrefix: ownPrefix() },
  })),
  overRedis('over Redis with Sentinel', () => ({
    ...{ nodes: [sentinel.node], topology: 'sentinel', password: PASSWORD },
    keyPrefix: ownPrefix(),
  })),
  overRedis('over Redis by TLS', () => ({
    ...{ nodes: [secure.node], tls: true, tlsAuthoritiesFile: authority.authoritiesFile },
    ...{ tlsServerName: 'redis.test', keyPrefix: ownPrefix() },
  })),
];
for (const target of targets) holdsTheContract(t, target);

/** A dialer and a gateway that reach Redis through something that can be cut. */
async function relayed(t: Test) {
  const relay = await TcpRelay.to(single.port);
  t.teardown(() => relay.close());
  return { relay, through: { nodes: [`127.0.0.1:${relay.port}`] } };
}

t.test('a connection that is lost and regained loses no event and repeats no call', async (t) => {
  const { relay, through } = await relayed(t);
  const config = busConfig({ ...onSingle(), ...through });
  const gateway = new ScriptedGateway({ playsCalls: true });
  const served = openGateway(t, config, gateway);
  const dialer = await openDialer(t, config);
  dialer.own();
  let cuts = 0;
  const stop = dialer.subscribe(({ type }) => {
    if (type !== 'attempt.alerting' || cuts > 2) return;
    cuts += 1;
    relay.cut();
    setTimeout(() => relay.mend(), 60);
  });
  const results = await wholeCalls(t, dialer, 40);
  stop();
  t.strictSame(new Set(results), COMPLETED);
  t.equal(cuts, 3);
  t.equal(gateway.acted.filter(({ type }) => type === 'attempt.dial').length, 40);
  t.ok(dialer.counters.connectionsLost > 0 && served.counters.connectionsLost > 0);
});

t.test('Redis may be flushed in the middle of calls: events are told again', async (t) => {
  const server = await RedisServer.start();
  t.teardown(() => server.stop());
  const config = busConfig({ nodes: [server.node], keyPrefix: ownPrefix() });
  const gateway = new ScriptedGateway();
  const served = openGateway(t, config, gateway);
  const dialer = await openDialer(t, config);
  t.match(await dialer.send(dialOf('flushed')), { accepted: true });
  // Nobody takes events yet: these are in Redis alone when it is flushed.
  gateway.tell('flushed', body('sent'));
  gateway.tell('flushed', body('answered'));
  const { stream } = new BusKeys(config.keyPrefix).events(QUEUE_GROUP);
  while (Number(await server.ask('XLEN', stream)) < 2) await turn();
  await server.ask('FLUSHALL');
  const types: string[] = [];
  const all = heard(dialer, (event) => {
    if (event.type.startsWith('attempt.')) types.push(event.type);
    return types.length === 3;
  });
  dialer.own();
  gateway.tell('flushed', endedBody(200));
  await all;
  t.strictSame(types.toSorted(), ['attempt.answered', 'attempt.ended', 'attempt.sent']);
  t.ok(served.counters.streamsLost > 0);
  t.ok(served.counters.eventsReplayed >= 2);
  const again = dialer.send({ ...dialOf('after'), seq: 1 });
  t.match(await again, { accepted: true }, 'it is reached as before');
});

t.test('a dial that was not read is never dialled later, nor by anybody else', async (t) => {
  const { relay, through } = await relayed(t);
  const common = onSingle();
  const first = new ScriptedGateway();
  const ofFirst = openGateway(t, busConfig({ ...common, ...through }), first);
  const config = busConfig({ ...common, commandTimeoutMs: 300, gatewayLostMs: 5_000 });
  const dialer = await openDialer(t, config);
  relay.cut();
  await t.rejects(dialer.send(dialOf('lost')), { code: 'GATEWAY_LOST' });
  const second = new ScriptedGateway();
  const other = new ScriptedGateway();
  const both = heard(dialer, () => dialer.gauges.gatewaysPresent === 2);
  const again = heard(dialer, ({ type }) => type === 'gateway.lost');
  openGateway(t, busConfig(common), second);
  openGateway(t, busConfig(common), other, { gatewayId: 'g2' });
  await Promise.all([both, again]);
  t.match(await sendTo(dialer, 'after-it', GATEWAY), { accepted: true });
  t.match(await sendTo(dialer, 'beside-it', 'g2'), { accepted: true });
  const dialled = [...second.acted, ...other.acted].map(
    (command) => 'attemptId' in command && command.attemptId,
  );
  t.strictSame(dialled, ['after-it', 'beside-it']);
  relay.mend();
  await ofFirst.close();
});

t.test('what is not in Redis is certainly not dialled: the dial is refused', async (t) => {
  const { relay, through } = await relayed(t);
  const config = busConfig({ ...onSingle(), ...through, commandTimeoutMs: 200 });
  const gateway = new ScriptedGateway();
  openGateway(t, config, gateway);
  const dialer = await openDialer(t, config);
  t.match(await dialer.send({ ...dialOf('nowhere'), gatewayId: 'g9' }), { code: 'SWITCH_DOWN' });
  relay.cut();
  const first = dialer.send(dialOf('first'));
  first.catch(() => undefined);
  while (dialer.counters.connectionsLost === 0) await turn();
  t.match(await dialer.send(dialOf('second')), { accepted: false, code: 'SWITCH_DOWN' });
  t.equal(gateway.received, 0);
  await t.rejects(first, { code: 'GATEWAY_LOST' }, 'one that was on its way is in doubt');
  t.equal(dialer.counters.dropped.expired, 1);
  relay.mend();
});

t.test('events that a dialer took and did not confirm are told to the next one', async (t) => {
  const config = busConfig(onSingle());
  const gateway = new ScriptedGateway();
  openGateway(t, config, gateway);
  const dialer = await openDialer(t, config);
  await dialer.send(dialOf('taken'));
  gateway.tell('taken', body('sent'));
  gateway.tell('taken', body('alerting'));
  const { stream } = new BusKeys(config.keyPrefix).events(QUEUE_GROUP);
  while (Number(await single.ask('XLEN', stream)) < 2) await turn();
  await single.ask('XGROUP', 'CREATE', stream, EVENT_GROUP, '0');
  await single.ask(
    'XREADGROUP',
    'GROUP',
    EVENT_GROUP,
    'dead',
    'COUNT',
    '9',
    'STREAMS',
    stream,
    '>',
  );
  gateway.tell('taken', body('answered'));
  const types: string[] = [];
  const all = heard(dialer, ({ type }) => types.push(type) > 0 && type === 'attempt.answered');
  dialer.own();
  await all;
  const told = types.filter((type) => type.startsWith('attempt.'));
  t.strictSame(told, ['attempt.sent', 'attempt.alerting', 'attempt.answered']);
  t.equal(dialer.counters.eventsReclaimed, 2);
});

t.test('streams are trimmed behind whoever reads, and never before', async (t) => {
  const config = busConfig(onSingle());
  const gateway = new ScriptedGateway();
  openGateway(t, config, gateway);
  const dialer = await openDialer(t, config);
  await dialer.send(dialOf('long'));
  const count = 1_000;
  for (let n = 0; n < count; n += 1) gateway.tell('long', body('alerting'));
  const { stream } = new BusKeys(config.keyPrefix).events(QUEUE_GROUP);
  while (Number(await single.ask('XLEN', stream)) < count) await turn();
  let told = 0;
  const all = heard(dialer, ({ type }) => type === 'attempt.alerting' && ++told === count);
  dialer.own();
  await all;
  t.equal(told, count);
  // Whole nodes of a hundred entries go at a time.
  while (Number(await single.ask('XLEN', stream)) > 200) await turn();
  t.pass('what was read is gone');
});

t.test('what is no message of ours is counted and dropped, and hurts nobody', async (t) => {
  const config = busConfig(onSingle());
  const gateway = new ScriptedGateway();
  const served = openGateway(t, config, gateway);
  const dialer = await openDialer(t, config);
  dialer.own();
  await dialer.send(dialOf('sound'));
  const streams: string[] = [];
  // Commands, replies, events, announcements.
  while (streams.length < 4) {
    const keys = (await single.ask('KEYS', `${config.keyPrefix}:*`)) as string[];
    streams.splice(0, 4, ...keys.filter((key) => !key.endsWith(':marker')));
  }
  const wrong = { form: 1, gatewayId: GATEWAY, epoch: 'e', event: { type: 'attempt.sent' } };
  const rubbish = ['', 'no JSON', '[]', 'null', JSON.stringify(wrong), '{"form":2}'];
  for (const stream of streams) {
    for (const text of rubbish) await single.ask('XADD', stream, '*', 'm', text);
    await single.ask('XADD', stream, '*', 'other', 'field');
  }
  const sent = heard(dialer, ({ type }) => type === 'attempt.sent');
  gateway.tell('sound', body('sent'));
  await sent;
  t.match(await dialer.send(dialOf('still')), { accepted: true });
  const each = rubbish.length + 1;
  while (dialer.counters.dropped.invalid < 3 * each) await turn();
  t.equal(dialer.counters.dropped.invalid, 3 * each);
  t.equal(served.counters.dropped.invalid, each);
});

t.test('a gateway that falls silent is lost; one on its switch answers in its place', async (t) => {
  const { relay, through } = await relayed(t);
  const common = onSingle();
  const first = new ScriptedGateway({ playsCalls: false });
  openGateway(t, busConfig({ ...common, ...through }), first);
  const second = new ScriptedGateway();
  openGateway(t, busConfig(common), second, { gatewayId: 'g2' });
  const third = new ScriptedGateway();
  openGateway(t, busConfig(common), third, { gatewayId: 'g3', switchAddress: '192.0.2.9:9022' });
  const dialer = await openDialer(t, busConfig(common));
  dialer.own();
  while (dialer.gauges.gatewaysPresent < 3) await turn();
  const calls = wholeCalls(t, dialer, 1, { afterAnswer: { prompts: ['long'] } });
  await first.until(() => first.acted.length === 1);
  const answered = heard(dialer, ({ type }) => type === 'attempt.answered');
  first.tell('call-0', body('answered'));
  await answered;
  const lost = heard(
    dialer,
    (event) => event.type === 'gateway.lost' && event.gatewayId === GATEWAY,
  );
  relay.cut();
  await lost;
  await calls;
  await second.until(() => second.received === 2);
  t.equal(second.hungUpByDialog, 'd1', 'asked, and told to end what is up');
  t.notOk(third.received, 'one on another switch can do nothing for it');
  t.match(await sendTo(dialer, 'next', GATEWAY), { accepted: false, code: 'SWITCH_DOWN' });
  t.equal(dialer.gatewayFor('lab'), 'g2');
  relay.mend();
  await heard(dialer, (event) => event.type === 'gateway.present' && event.gatewayId === GATEWAY);
});

t.test(
  'a dialer that comes after asks where an attempt is, once, and keeps its order',
  async (t) => {
    const config = busConfig(onSingle());
    const gateway = new ScriptedGateway();
    openGateway(t, config, gateway);
    const before = await openDialer(t, config);
    await before.send(dialOf('older'));
    await before.close();
    const asked: string[] = [];
    const placeOf = (id: string): Promise<string | undefined> => {
      asked.push(id);
      return Promise.resolve(id === 'older' ? GATEWAY : undefined);
    };
    const dialer = await openDialer(t, config, { placeOf });
    const ask = { type: 'attempt.query', attemptId: 'older', fence: 8, seq: 1, atMs: 1 } as const;
    const [first, second] = await Promise.all([
      dialer.send(ask),
      dialer.send({ ...ask, type: 'attempt.hangup', seq: 2, reason: 'failed' }),
    ]);
    t.match(first, { accepted: true, state: { phase: 'starting' } });
    t.match(second, { accepted: true });
    t.strictSame(asked, ['older']);
    await t.rejects(dialer.send({ ...ask, attemptId: 'unheard-of' }), { code: 'GATEWAY_LOST' });
  },
);

t.test('trunks and room of gateways decide which of them dials', async (t) => {
  const config = busConfig(onSingle());
  const first = new ScriptedGateway();
  const second = new ScriptedGateway();
  openGateway(t, config, first, { trunks: ['lab', 'only'] });
  openGateway(t, config, second, { gatewayId: 'g2', trunks: ['lab'] });
  const dialer = await openDialer(t, config);
  while (dialer.gauges.gatewaysPresent < 2) await turn();
  const news: TelephonyEvent[] = [];
  dialer.subscribe((event) => news.push(event));
  const capacity = { attemptsMax: 10, endpointsWarm: 1, atMs: 1 };
  first.publish({ ...roomOf(GATEWAY, 1, 9), ...capacity });
  second.publish({ ...roomOf('g2', 1, 2), ...capacity });
  while (news.filter(({ type }) => type === 'gateway.capacity').length < 2) await turn();
  t.equal(dialer.gatewayFor('lab'), 'g2', 'the one with more room');
  t.equal(dialer.gatewayFor('only'), GATEWAY);
  t.equal(dialer.gatewayFor('nobody'), undefined);
  second.publish({ ...trunkOf('g2', 2), state: 'down' });
  while (dialer.gatewayFor('lab') === 'g2') await turn();
  t.notOk(
    news.some(({ type }) => type === 'trunk.state'),
    'down at one is not down while another uses it',
  );
  first.publish({ ...trunkOf(GATEWAY, 2), state: 'down' });
  while (!news.some(({ type }) => type === 'trunk.state')) await turn();
  t.equal(dialer.gatewayFor('lab'), undefined);
});

t.test('without Redis, or with a wrong password, a start fails and says why', async (t) => {
  const wrong = busConfig({ ...onSingle(), password: 'another one' });
  const { DialerBus } = await import('../../telephony-bus/dialer-bus.ts');
  const { silentLog: log } = await import('../support/silent-log.ts');
  const nowMs = (): number => Date.now();
  const bus = new DialerBus({ config: wrong, dialerId: 'd9', queueGroup: QUEUE_GROUP, log, nowMs });
  t.teardown(() => bus.close());
  bus.open();
  await t.rejects(bus.ready(300), { code: 'BUS_UNAVAILABLE' });
  t.match(bus.health, { ok: false, detail: 'Redis cannot be reached' });
});

function sendTo(dialer: TelephonyPort, attemptId: string, gatewayId: string) {
  return dialer.send({ ...dialOf(attemptId), gatewayId });
}

function roomOf(gatewayId: string, seq: number, attemptsInFlight: number) {
  return { type: 'gateway.capacity', gatewayId, seq, attemptsInFlight } as const;
}

function trunkOf(gatewayId: string, seq: number) {
  return { type: 'trunk.state', gatewayId, seq, atMs: 1, trunk: 'lab', detail: 'a test' } as const;
}

/** Lets what is on its way arrive; looked at again and again, until the safety time is over. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** Every command that Redis gets from now on, as MONITOR tells it to whoever may ask. */
async function overhear(t: Test) {
  const socket = connect(single.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write(`AUTH ${PASSWORD}\r\nMONITOR\r\n`);
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) await turn();
  };
  await until(/OK\r\n\+OK/);
  return { until, text: () => text };
}

t.test('a gateway asks of representatives, and whoever owns the queue group answers', async (t) => {
  const config = busConfig({ ...onSingle(), commandTimeoutMs: 400 });
  const nowMs = (): number => Date.now();
  const common = { config, queueGroup: QUEUE_GROUP, log: silentLog, nowMs };
  const client = new DirectoryClient({ ...common, gatewayId: GATEWAY });
  client.open();
  t.teardown(() => client.close());
  await t.rejects(client.bindingsOf('r'), { code: 'BUS_UNAVAILABLE' }, 'nobody is there');
  const directory = new DirectoryInMemory(
    [{ representativeId: 'r', sipUser: 'ada', ha1: { MD5: 'a'.repeat(32), 'SHA-256': null } }],
    [{ representativeId: 'r', number: '1001', pin: '730194' }],
  );
  const dialer = await openDialer(t, config, { directory });
  await t.rejects(client.bindingsOf('r'), { code: 'BUS_UNAVAILABLE' }, 'not its queue group');
  dialer.own();
  t.match(await client.accountOf({ sipUser: 'ada' }), { representativeId: 'r' });
  t.equal(await client.accountOf({ representativeId: 'nobody' }), undefined);
  const binding = { contact: 'sip:ada@192.0.2.9', received: null, callId: 'c', cseq: 1 };
  const live = { ...binding, registeredAtMs: 1, expiresAtMs: 2 };
  t.ok(await client.replaceBindings('r', 0, [live]));
  t.notOk(await client.replaceBindings('r', 0, []), 'another gateway was quicker');
  t.same(await client.bindingsOf('r'), { version: 1, bindings: [live] });
  const overheard = await overhear(t);
  const entry = { number: '1001', pin: '730194', source: '+12065550100' };
  t.match(await client.admitDialIn(entry), { admitted: true, representativeId: 'r' });
  t.match(await client.admitDialIn({ ...entry, pin: '1' }), { reason: 'wrongPin' });
  t.match(await client.accountOf({ sipUser: 'ada' }), { representativeId: 'r' });
  await overheard.until(/accountOf/);
  t.match(overheard.text(), /admitDialIn/, 'whoever listens hears the question');
  t.notMatch(overheard.text(), /730194/, 'and never what was entered');
  t.notMatch(overheard.text(), /a{32}|ha1/, 'nor by what a phone is known');
  t.match((await client.accountOf({ representativeId: 'r' }))?.ha1, { MD5: 'a'.repeat(32) });
  directory.bindingsOf = () => Promise.reject(new Error('the store is away'));
  await t.rejects(client.bindingsOf('r'), { code: 'BUS_UNAVAILABLE' });
  await dialer.disown();
  await t.rejects(client.bindingsOf('r'), { code: 'BUS_UNAVAILABLE' }, 'the lease is lost');
});

t.test(
  'an operator’s word on a trunk reaches the gateway that is named, and no other',
  async (t) => {
    const config = busConfig(onSingle());
    const heard: string[] = [];
    const gateway: TelephonyPort = {
      subscribe: () => () => undefined,
      send: (command) => {
        heard.push(command.type);
        return Promise.resolve({ accepted: true, trunks: [] });
      },
    };
    openGateway(t, config, gateway);
    const dialer = await openDialer(t, config);
    t.same(dialer.gatewayIds, [GATEWAY]);
    const atMs = Date.now();
    const word = { gatewayId: GATEWAY, atMs, trunk: 'lab', detail: 'an operator' };
    t.match(await dialer.send({ type: 'trunk.suspend', ...word }), { accepted: true, trunks: [] });
    t.match(await dialer.send({ type: 'trunk.query', gatewayId: 'g-9', atMs }), {
      accepted: false,
    });
    t.same(heard, ['trunk.suspend']);
  },
);

t.test('a gateway that is started again hears what is closed before any dial', async (t) => {
  const config = busConfig(onSingle());
  const database = await openSqlite({ file: join(t.testdir(), 'store.db'), nowMs: Date.now });
  t.teardown(() => database.close());
  const dialer = await openDialer(t, config);
  const work = new WorkInHand((error) => t.fail(String(error)));
  const keeper = new ClosureKeeper({
    ...{ database, work, telephony: dialer, log: silentLog, clock: systemClock },
    ...{ storeRetryMs: 10, trunks: ['lab'], onClosed: () => undefined },
  });
  const start = (): { directory: TrunkDirectory; heard: string[]; bus: GatewayBus } => {
    const heard: string[] = [];
    const listeners = new Set<(event: TelephonyEvent) => void>();
    let seq = 0;
    const given = { name: 'lab', address: 'sip:192.0.2.1', callerId: '+12025550100' };
    const directory = new TrunkDirectory({
      trunks: [Value.Parse(TrunkConfig, Value.Default(TrunkConfig, given))],
      ...{ groups: [], clock: systemClock, intervalMs: 0, check: {} as never },
      onNews: ({ name: trunk, ...said }) => {
        const event = { gatewayId: GATEWAY, seq: (seq += 1), atMs: Date.now(), trunk, ...said };
        for (const listener of listeners) listener({ type: 'trunk.state', ...event });
      },
    });
    const gateway: TelephonyPort = {
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      send: (command) => {
        heard.push(command.type);
        const isAboutTrunks = command.type === 'trunk.suspend' || command.type === 'trunk.query';
        if (isAboutTrunks) return Promise.resolve(trunkReply(command, GATEWAY, directory));
        return Promise.resolve({ accepted: true });
      },
    };
    t.teardown(() => directory.close());
    return { directory, heard, bus: openGateway(t, config, gateway) };
  };
  const first = start();
  dialer.subscribe((event) => keeper.onTelephony(event));
  await heard(dialer, ({ type }) => type === 'gateway.present');
  await work.settled();
  const suspended = heard(dialer, ({ type }) => type === 'trunk.state');
  const ended: AttemptEnded = {
    ...{ endedBy: 'far', cancelReason: null, answered: false, ringMs: null, talkMs: null },
    ...{ invites: 1, q850: [], reasonHeaders: [] },
    sip: { statusCode: 404, reasonPhrase: 'Not Found', origin: 'network' },
  };
  for (let call = 0; call < 50; call += 1) first.directory.trunks.get('lab')?.callEnded(ended);
  await suspended;
  await keeper.settled();
  t.match(keeper.closures, [{ trunk: 'lab', gatewayId: GATEWAY, cause: 'share' }]);

  await first.bus.close();
  const dials: Promise<unknown>[] = [];
  dialer.subscribe((event) => {
    if (event.type === 'gateway.present') dials.push(dialer.send(dialOf('eager')));
  });
  const back = heard(dialer, ({ type }) => type === 'gateway.present');
  const second = start();
  await back;
  await Promise.all([work.settled(), ...dials]);
  t.same(second.heard, ['trunk.suspend', 'trunk.query', 'attempt.dial']);
  t.match(second.directory.trunks.get('lab')?.refusal(Date.now()), { code: 'TRUNK_SUSPENDED' });
  keeper.stop();
});

t.test(
  'what is transcribed while no dialer is there is heard by the next, and asked once',
  async (t) => {
    const config = busConfig(onSingle());
    const clock = { nowMs: Date.now() };
    const database = await openSqlite({ file: join(t.testdir(), 'store.db'), nowMs: Date.now });
    const scene = await WorkScene.open({ database, clock });
    const wanted = JSON.stringify({ prompts: ['hello'], recording: true, transcription: true });
    await database.db.updateTable('workstreams').set({ settings: wanted }).execute();
    const recorded = async (mobile: string): Promise<string> => {
      await scene.add([{ phones: { mobile } }]);
      const [start] = (await scene.claim(1)).starts;
      if (start === undefined) throw new Error('no call');
      const { attemptId, fence } = start;
      const envelope = { attemptId, fence, seq: 1, atMs: Date.now(), recordingId: attemptId };
      const ended = { ...envelope, location: 'call.wav', lengthMs: 1_000 };
      await database.db
        .transaction()
        .execute((tx) => writeRecordings(tx, [{ type: 'recording.ended', ...ended }]));
      return attemptId;
    };
    const outcomeOf = async (attemptId: string) => {
      for (;;) {
        const { transcription, transcript } = await database.db
          .selectFrom('recordings')
          .select(['transcription', 'transcript'])
          .where('attempt_id', '=', attemptId)
          .executeTakeFirstOrThrow();
        if (transcription === 'done') return JSON.parse(transcript ?? '') as { text: string }[];
        await turn();
      }
    };
    const folder = t.testdirName;
    await writeFile(join(folder, 'call.wav'), encodeWav(toneOf([440], 1_000)));
    const { gateway_id: gatewayId } = await database.db
      .selectFrom('attempts')
      .select('gateway_id')
      .where('id', '=', await recorded('+12065550101'))
      .executeTakeFirstOrThrow();

    // The longest that may be: two thirds of what a message takes.
    const text = 'so '.repeat(66_000);
    let asked = 0;
    let goOn: () => void = () => undefined;
    let held: Promise<void> = Promise.resolve();
    const listeners = new Set<(event: TelephonyEvent) => void>();
    let seq = 0;
    const desk = new TranscriptionDesk({
      ...{ gatewayId, recordingsDir: folder, atOnceMax: 2, clock: systemClock, log: silentLog },
      transcriber: {
        transcribe: async () => {
          asked += 1;
          await held;
          return [{ startMs: 0, endMs: 900, text }];
        },
      },
      publish: (body) => {
        const event = { gatewayId, seq: (seq += 1), atMs: Date.now(), ...body };
        for (const listener of listeners) listener(event);
      },
    });
    const gateway: TelephonyPort = {
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      send: (command) => {
        if (command.type !== 'recording.transcribe') return Promise.reject(new Error(command.type));
        return Promise.resolve(desk.take(command));
      },
    };
    openGateway(t, config, gateway, { gatewayId });
    const begin = async () => {
      const dialer = await openDialer(t, config);
      const settings = { timeoutMs: 20_000, atOnceMax: 2, triesMax: 3, retryDelayMinMs: 10 };
      const work = new TranscriptionWork({
        ...{ database, telephony: dialer, settings, clock: systemClock, log: silentLog },
        ...{ actor: 'dialer:test', storeRetryMs: 20, lookEveryMs: 50 },
      });
      work.start();
      dialer.own();
      return {
        end: async () => {
          await work.stop();
          await dialer.close();
        },
      };
    };
    const [done] = await database.db.selectFrom('attempts').select('id').execute();
    const first = await begin();
    t.match(await outcomeOf(done?.id ?? ''), [{ text }], 'a long one passes the bus');
    held = new Promise((resolve) => (goOn = resolve));
    const attemptId = await recorded('+12065550102');
    while (asked < 2) await turn();
    await first.end();
    goOn();
    const { stream } = new BusKeys(config.keyPrefix).events(QUEUE_GROUP);
    const said = async (): Promise<number> => {
      const told = JSON.stringify(await single.ask('XRANGE', stream, '-', '+'));
      return told.split('recording.transcribed').length - 1;
    };
    while ((await said()) < 2) await turn();
    const second = await begin();
    t.match(await outcomeOf(attemptId), [{ text }], 'told to nobody then, and to the next now');
    t.equal(asked, 2, 'each once');
    await second.end();
    await desk.close();
    await database.close();
  },
);
