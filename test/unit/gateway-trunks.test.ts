/** Goal: a trunk gets what it was configured to get, no more of it than it allows, and words when it fails. */
import fc from 'fast-check';
import t from 'tap';
import { Value } from 'typebox/value';
import { TrunkConfig } from '../../config/trunk.schema.ts';
import { GatewayCounters } from '../../gateway/counters.ts';
import { maskNumber, maskSipUris } from '../../gateway/mask-number.ts';
import { SipLink } from '../../gateway/sip/sip-link.ts';
import { CallRate } from '../../gateway/trunks/call-rate.ts';
import { userPart } from '../../gateway/trunks/destination.ts';
import { inviteHeaders } from '../../gateway/trunks/invite-headers.ts';
import { checkTrunk } from '../../gateway/trunks/trunk-check.ts';
import { TrunkDirectory } from '../../gateway/trunks/trunk-directory.ts';
import { Trunk } from '../../gateway/trunks/trunk.ts';
import type { AttemptDial } from '../../machines/telephony-commands.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';
import { FakeSrf, fakeResponse, type FakeSentRequest } from '../support/fake-srf.ts';
import { silentLog } from '../support/silent-log.ts';

function trunkConfig(more: Partial<TrunkConfig> = {}): TrunkConfig {
  const given = { name: 'carrier', address: 'sip:192.0.2.9:5070', callerId: '+12025550100' };
  return Value.Parse(TrunkConfig, Value.Default(TrunkConfig, { ...given, ...more }));
}

const dial: AttemptDial = {
  type: 'attempt.dial',
  ...{ attemptId: 'a-1', fence: 7, seq: 1, atMs: 0, gatewayId: 'gateway-1', notAfterMs: 10_000 },
  ...{ trunk: 'carrier', destination: '+12065550123', callerId: '+12025550199' },
  ...{ setupTimeoutMs: 40_000, ringLimitMs: 60_000, callLengthMaxMs: 60_000 },
};

const uris = [
  ['sip:192.0.2.9', 'sip:u@192.0.2.9:5060'],
  ['sip:[2001:db8::1]:5070;transport=tcp', 'sip:u@[2001:db8::1]:5070;transport=tcp'],
  ['sip:192.0.2.9;transport=tls', 'sip:u@192.0.2.9:5061;transport=tls'],
  ['sip:sbc.test:5060', 'sip:u@sbc.test:5060'],
  ['sip:sbc.test', 'sip:u@sbc.test'],
  ['sip:sbc.test;transport=udp', 'sip:u@sbc.test;transport=udp'],
  ['sip:sbc.test;transport=tls', 'sip:u@sbc.test;transport=tls'],
] as const;
t.test('A Request-URI leaves to DNS what the address of the trunk leaves open', async (t) => {
  for (const [address, uri] of uris) {
    t.equal(new Trunk(trunkConfig({ address })).uriOf('u'), uri, address);
  }
});

const masks = [
  {
    name: 'a European number keeps its two-digit country',
    given: '+436641234567',
    expected: '+43…67',
  },
  { name: 'a North American number keeps one digit', given: '+12065550123', expected: '+1…23' },
  { name: 'a three-digit country code', given: '+3581234567', expected: '+358…67' },
  { name: 'a national number keeps its tail only', given: '0664123456', expected: '…56' },
  { name: 'a short extension keeps nothing', given: '1001', expected: '…' },
];
for (const { name, given, expected } of masks) {
  t.test(`maskNumber: ${name}`, async (t) => t.equal(maskNumber(given), expected));
}

t.test('maskSipUris hides the user part of every URI in a line', async (t) => {
  t.equal(
    maskSipUris('INVITE sip:+12065550123@192.0.2.9:5070;transport=tcp SIP/2.0'),
    'INVITE sip:+1…23@192.0.2.9:5070;transport=tcp SIP/2.0',
  );
  t.equal(maskSipUris('OPTIONS sip:192.0.2.9 SIP/2.0'), 'OPTIONS sip:192.0.2.9 SIP/2.0');
});

t.test(
  'CallRate spaces calls evenly and refuses one whose moment would come too late',
  async (t) => {
    const rate = new CallRate(2);
    t.equal(rate.take(1_000, 9_000), 1_000, 'the first goes at once');
    t.equal(rate.take(1_000, 9_000), 1_510, 'the second waits its half second, and a little more');
    t.equal(rate.take(1_100, 1_900), undefined, 'the third would be later than it may');
    t.equal(rate.take(1_100, 2_020), 2_020, 'a refusal took nothing');
    t.equal(rate.take(9_000, 9_000), 9_000, 'an idle trunk owes nothing');
  },
);

t.test('CallRate: no window of one second ever holds more than the rate (property)', async (t) => {
  const inputs = fc.record({
    perSecond: fc.integer({ min: 1, max: 50 }),
    gapsMs: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 }),
  });
  const holds = fc.property(inputs, ({ perSecond, gapsMs }) => {
    const rate = new CallRate(perSecond);
    let nowMs = 0;
    const moments = gapsMs.flatMap((gapMs) => {
      nowMs += gapMs;
      return rate.take(nowMs, Number.MAX_SAFE_INTEGER) ?? [];
    });
    return moments.every((fromMs, index) => {
      const sameSecond = moments.slice(index).filter((atMs) => atMs < fromMs + 1_000 - 1e-6);
      return sameSecond.length <= perSecond;
    });
  });
  fc.assert(holds);
  t.equal(
    new CallRate(0).take(0, Number.MAX_SAFE_INTEGER),
    undefined,
    '0 takes a trunk out of use',
  );
});

t.test(
  'CallRate: however long the switch takes, no second on the wire holds more (property)',
  async () => {
    const inputs = fc.record({
      perSecond: fc.integer({ min: 1, max: 50 }),
      // How long each call is on its way to the wire, and how long after that the switch says so.
      toWireMs: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 60, maxLength: 200 }),
      echoMs: fc.integer({ min: 0, max: 300 }),
    });
    const holds = fc.property(inputs, ({ perSecond, toWireMs, echoMs }) => {
      const rate = new CallRate(perSecond);
      let nowMs = 0;
      let wireMs = 0;
      let echoes: number[] = [];
      const passUntil = (untilMs: number): void => {
        for (const atMs of echoes.filter((atMs) => atMs <= untilMs)) rate.hasLeft(atMs);
        echoes = echoes.filter((atMs) => atMs > untilMs);
        nowMs = untilMs;
      };
      const onTheWire: number[] = [];
      for (const delayMs of toWireMs) {
        for (let waitMs = rate.leave(nowMs); waitMs > 0; waitMs = rate.leave(nowMs)) {
          passUntil(nowMs + Math.ceil(waitMs));
        }
        // One connection: nothing overtakes.
        wireMs = Math.max(wireMs, nowMs + delayMs);
        onTheWire.push(wireMs);
        echoes.push(wireMs + echoMs);
      }
      return onTheWire.every((fromMs, index) => {
        const next = onTheWire[index + perSecond];
        return next === undefined || next - fromMs >= 1_000;
      });
    });
    fc.assert(holds);
  },
);

t.test('CallRate: a call that was never sent does not hold the others back for long', async (t) => {
  const rate = new CallRate(10);
  let nowMs = 0;
  const leave = (): void => {
    for (let waitMs = rate.leave(nowMs); waitMs > 0; waitMs = rate.leave(nowMs)) nowMs += waitMs;
  };
  for (let lost = 0; lost < 10; lost += 1) leave();
  nowMs += 5_000;
  const fromMs = nowMs;
  for (let call = 0; call < 40; call += 1) {
    leave();
    rate.hasLeft(nowMs);
  }
  t.ok(nowMs - fromMs <= 4_080, `40 calls at 10 a second took ${nowMs - fromMs} ms`);
});

t.test('CallRate: after the process stood still, no second holds more than the rate', async () => {
  const inputs = fc.record({
    perSecond: fc.integer({ min: 1, max: 50 }),
    stallsMs: fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 200 }),
  });
  const holds = fc.property(inputs, ({ perSecond, stallsMs }) => {
    const rate = new CallRate(perSecond);
    let nowMs = 0;
    const left: number[] = [];
    for (const stallMs of stallsMs) {
      nowMs += stallMs;
      // A batch whose moments all passed while nothing ran.
      for (let call = 0; call < 5; call += 1) {
        for (let waitMs = rate.leave(nowMs); waitMs > 0; waitMs = rate.leave(nowMs)) {
          nowMs += Math.ceil(waitMs);
        }
        left.push(nowMs);
      }
    }
    return left.every((fromMs, index) => {
      return left.slice(index).filter((atMs) => atMs < fromMs + 1_000).length <= perSecond;
    });
  });
  fc.assert(holds);
});

const destinations = [
  { format: 'e164', given: '+12065550123', expected: '+12065550123' },
  { format: 'e164-no-plus', given: '+12065550123', expected: '12065550123' },
  { format: 'e164', given: '1001', expected: 'not E.164 with a plus' },
  { format: 'e164', given: '+1206555', expected: 'too short or too long for its country' },
  { format: 'any', given: '1001', expected: '1001' },
  { format: 'any', given: '*31#1001', expected: '*31%231001' },
  { format: 'any', given: 'a@evil', expected: 'not a dialable string' },
  { format: 'any', given: '1001\r\nX: y', expected: 'not a dialable string' },
] as const;
for (const { format, given, expected } of destinations) {
  t.test(`destination ${JSON.stringify(given)} on a trunk that takes ${format}`, async (t) => {
    const part = userPart(given, trunkConfig({ destinationFormat: format }));
    t.equal(part.ok ? part.user : part.problem, expected);
  });
}

t.test(
  'a possible number that is not assigned is dialled: metadata is older than numbers',
  async (t) => {
    t.match(userPart('+12345678901', trunkConfig()), { ok: true });
  },
);

t.test('the Request-URI has the trunk’s host, port and transport', async (t) => {
  const at = (address: string) => new Trunk(trunkConfig({ address })).uriOf('123');
  t.equal(at('sip:192.0.2.9'), 'sip:123@192.0.2.9:5060');
  t.equal(at('sip:192.0.2.9:5070;transport=udp'), 'sip:123@192.0.2.9:5070');
  t.equal(at('sip:sbc.example:5070;transport=tcp'), 'sip:123@sbc.example:5070;transport=tcp');
  t.equal(at('sip:[2001:db8::1]:5070'), 'sip:123@[2001:db8::1]:5070');
  t.equal(new Trunk(trunkConfig()).uriOf(), 'sip:192.0.2.9:5070');
  t.throws(() => at('sip:192.0.2.9;transport=carrier-pigeon'), { code: 'CONFIG_INVALID' });
});

t.test('the INVITE names caller, attempt and fence', async (t) => {
  const made = inviteHeaders({ ...dial, callerName: 'Dr "Who"\r\nX: y' }, trunkConfig());
  t.match(made, {
    ok: true,
    headers: {
      From: '"Dr \\"Who\\" X: y" <sip:+12025550199@localhost>',
      'P-Asserted-Identity': '<sip:+12025550199@localhost>',
      'X-Ringfence-Attempt': 'a-1;fence=7',
    },
  });
});

t.test('attempt headers can be stripped, and no header can be smuggled in', async (t) => {
  const stripped = inviteHeaders(dial, trunkConfig({ stripAttemptHeaders: true }));
  t.notOk(stripped.ok && 'X-Ringfence-Attempt' in stripped.headers);
  t.match(inviteHeaders({ ...dial, headers: { Route: '<sip:evil>' } }, trunkConfig()), {
    ok: false,
  });
  t.match(inviteHeaders({ ...dial, headers: { 'X-A': 'b\r\nVia: c' } }, trunkConfig()), {
    ok: false,
  });
  t.match(inviteHeaders({ ...dial, callerId: '1@evil' }, trunkConfig()), { ok: false });
});

function checking(config: Partial<TrunkConfig> = {}, resolves = true) {
  const srf = new FakeSrf();
  const clock = new VirtualClock();
  const link = new SipLink({
    ...{ srf, clock, log: silentLog, counters: new GatewayCounters() },
    options: {
      ...{ host: 'h', port: 1, secret: 's', connectTimeoutMs: 1_000 },
      ...{ reconnectDelayMinMs: 100, reconnectDelayMaxMs: 1_000 },
    },
  });
  link.start();
  srf.up();
  const trunk = new Trunk(trunkConfig(config));
  const check = {
    link,
    now: () => clock.now(),
    timeoutMs: 4_000,
    resolveHost: () => (resolves ? Promise.resolve() : Promise.reject(new Error('ENOTFOUND'))),
  };
  return { srf, clock, trunk, check };
}

const madeUp = { madeUp: true };
const account = { username: 'u', password: 'p' };
const verdicts: {
  name: string;
  config?: Partial<TrunkConfig>;
  resolves?: boolean;
  far: (sent: FakeSentRequest, clock: VirtualClock) => void;
  expected: object;
}[] = [
  {
    name: '200: reachable, with the time it took',
    far: (sent, clock) => {
      clock.advanceTo(12);
      sent.respond(fakeResponse(200, 'OK'));
    },
    expected: { verdict: 'ok', detail: 'reachable in 12 ms', statusCode: 200, reachable: true },
  },
  {
    name: '405: a refusal of OPTIONS is an answer',
    far: (sent) => sent.respond(fakeResponse(405, 'Method Not Allowed')),
    expected: { verdict: 'refused', reachable: true, statusCode: 405, origin: 'network' },
  },
  {
    name: '407 without credentials configured',
    far: (sent) => sent.respond(fakeResponse(407, 'Proxy Authentication Required')),
    expected: { verdict: 'auth_demanded', reachable: true, statusCode: 407 },
  },
  {
    name: '401 in spite of credentials',
    config: account,
    far: (sent) => sent.respond(fakeResponse(401, 'Unauthorized')),
    expected: { verdict: 'auth_refused', reachable: true, statusCode: 401 },
  },
  {
    name: '503 from the network: overloaded, not unreachable',
    far: (sent) => sent.respond(fakeResponse(503, 'Service Unavailable')),
    expected: { verdict: 'overloaded', reachable: true, origin: 'network' },
  },
  {
    name: '503 made up by the stack: closed port',
    far: (sent) => sent.respond(fakeResponse(503, 'Service Unavailable', madeUp)),
    expected: { verdict: 'connection_refused', reachable: false, statusCode: 503, origin: 'stack' },
  },
  {
    name: '503 made up by the stack for a name that does not resolve',
    config: { address: 'sip:nowhere.example' },
    resolves: false,
    far: (sent) => sent.respond(fakeResponse(503, 'Service Unavailable', madeUp)),
    expected: { verdict: 'unknown_host', detail: 'the name nowhere.example does not resolve' },
  },
  {
    name: '503 made up by the stack, which says why: a certificate',
    config: { address: 'sip:sbc.example;transport=tls' },
    resolves: false, // a domain with servers, and no address of its own
    far: (sent) => {
      const headers = { Warning: '399 localhost "CERT_HAS_EXPIRED"' };
      sent.respond(fakeResponse(503, 'Service Unavailable', { ...madeUp, headers }));
    },
    expected: {
      verdict: 'connection_refused',
      detail: 'sbc.example cannot be reached over tls: CERT_HAS_EXPIRED',
    },
  },
  {
    name: '408 made up by the stack: timer F',
    far: (sent) => sent.respond(fakeResponse(408, 'Request Timeout', madeUp)),
    expected: { verdict: 'no_answer', reachable: false, statusCode: 408, origin: 'stack' },
  },
  {
    name: 'silence until our own limit',
    far: (_sent, clock) => clock.advanceTo(4_000),
    expected: { verdict: 'no_answer', statusCode: null, origin: 'none', afterMs: 4_000 },
  },
];
for (const { name, config, resolves, far, expected } of verdicts) {
  t.test(`checkTrunk: ${name}`, async (t) => {
    const { srf, clock, trunk, check } = checking(config, resolves);
    const verdict = checkTrunk(trunk, check);
    const [sent] = srf.requests;
    if (sent === undefined) throw new Error('no OPTIONS was sent');
    t.equal(sent.options.method, 'OPTIONS');
    far(sent, clock);
    t.match(await verdict, expected);
  });
}

t.test('checkTrunk: the connection to the switch drops meanwhile', async (t) => {
  const { srf, trunk, check } = checking();
  const verdict = checkTrunk(trunk, check);
  srf.down();
  t.match(await verdict, { verdict: 'switch_down', statusCode: null });
});

t.test('OPTIONS tell changes only, and a silent trunk is still dialled', async (t) => {
  const { srf, clock, check } = checking();
  const news: string[] = [];
  const directory = new TrunkDirectory({
    trunks: [trunkConfig(), trunkConfig({ name: 'other', address: 'sip:192.0.2.10' })],
    groups: [{ name: 'both', members: BOTH }],
    ...{ check, clock, intervalMs: 30_000 },
    onNews: ({ name, state }) => news.push(`${name} ${state}`),
  });
  directory.start();
  const answers = [
    fakeResponse(200, 'OK'),
    fakeResponse(200, 'OK'),
    fakeResponse(408, 'Request Timeout', madeUp),
    fakeResponse(503, 'Service Unavailable', madeUp),
  ];
  const refused: (string | undefined)[] = [];
  for (const answer of answers) {
    clock.advanceTo(clock.now() + 30_000);
    for (const sent of srf.requests.splice(0)) {
      sent.respond(sent.uri.includes('.10') ? fakeResponse(200, 'OK') : answer);
    }
    await new Promise(setImmediate);
    refused.push(directory.trunks.get('carrier')?.refusal(clock.now())?.code);
  }
  t.same(news, ['carrier up', 'both up', 'other up', 'carrier down']);
  t.same(refused, [undefined, undefined, undefined, 'TRUNK_DOWN'], 'only a closed port is proof');
  await directory.close();
});

const BOTH = [
  { trunk: 'carrier', priority: 1, weight: 1 },
  { trunk: 'other', priority: 2, weight: 1 },
];
