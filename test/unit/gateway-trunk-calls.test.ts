/** Goal: a trunk that asks, fails, burns or is forbidden gets what RFC and rules say, and never a storm. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { Value } from 'typebox/value';
import { TrunkConfig } from '../../config/trunk.schema.ts';
import { Authorization } from '../../gateway/sip/authorization.ts';
import { readChallenges } from '../../gateway/sip/digest-challenge.ts';
import { digestResponse } from '../../gateway/sip/digest-response.ts';
import { canHaveRung } from '../../gateway/trunks/can-have-rung.ts';
import { refusedByRule } from '../../gateway/trunks/destination-rules.ts';
import { userPart } from '../../gateway/trunks/destination.ts';
import { inviteHeaders } from '../../gateway/trunks/invite-headers.ts';
import { TrunkGroup } from '../../gateway/trunks/trunk-group.ts';
import { Trunk } from '../../gateway/trunks/trunk.ts';
import type { RegisterOutcome } from '../../machines/trunk.events.ts';
import type { AttemptDial } from '../../machines/telephony-commands.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';
import { AttemptBench } from '../support/attempt-bench.ts';
import { fakeResponse } from '../support/fake-srf.ts';

function trunkConfig(more: Partial<TrunkConfig> = {}): TrunkConfig {
  const given = { name: 'carrier', address: 'sip:192.0.2.9', callerId: '+12025550100' };
  return Value.Parse(TrunkConfig, Value.Default(TrunkConfig, { ...given, ...more }));
}

const account = { username: 'u', password: 'p' };
const madeUp = { madeUp: true };
const unreachable = () => fakeResponse(503, 'Service Unavailable', madeUp);

// The example of RFC 7616 §3.9.1, both algorithms; its numbers are the RFC's.
const MUFASA = {
  ...{ username: 'Mufasa', password: 'Circle of Life', method: 'GET', uri: '/dir/index.html' },
  ...{ body: '', nonceCount: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
};
const MUFASA_ASKED = {
  realm: 'http-auth@example.org',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  qop: 'auth',
} as const;
t.test('digest responses are those of RFC 7616', async (t) => {
  const respond = (algorithm: 'MD5' | 'SHA-256') =>
    digestResponse({ challenge: { ...MUFASA_ASKED, algorithm }, ...MUFASA });
  t.equal(respond('MD5'), '8ca523f5e9506fed4657c9700eebdbec');
  const sha = '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1';
  t.equal(respond('SHA-256'), sha);
});

t.test('the -sess forms and auth-int add our nonce and the body', async (t) => {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const challenge = { realm: 'r', nonce: 'n', algorithm: 'MD5-sess', qop: 'auth-int' } as const;
  const made = digestResponse({
    challenge,
    ...{ username: 'u', password: 'p', method: 'INVITE', uri: 'sip:1@h', body: 'v=0' },
    ...{ nonceCount: '00000001', cnonce: 'c' },
  });
  const a1 = md5(`${md5('u:r:p')}:n:c`);
  const a2 = md5(`INVITE:sip:1@h:${md5('v=0')}`);
  t.equal(made, md5(`${a1}:n:00000001:c:auth-int:${a2}`));
});

const challenges = [
  {
    name: 'of several algorithms of one realm the strongest',
    given:
      'Digest realm="r", nonce="a", algorithm=MD5, Digest realm="r", nonce="b", algorithm=SHA-256',
    expected: ['r b SHA-256'],
  },
  {
    name: 'also when the strongest stands first, and names are in any case',
    given:
      'DIGEST Realm="r",Nonce="a",Algorithm=sha-256-sess,qop="auth",Digest realm="r",nonce="b"',
    expected: ['r a SHA-256-sess'],
  },
  {
    name: 'one for each realm',
    given: 'Digest realm="one", nonce="a", Digest realm="two", nonce="b"',
    expected: ['one a MD5', 'two b MD5'],
  },
  {
    name: 'commas and quotes inside quotes',
    given: 'Digest realm="a, \\"b\\", Digest realm=x", nonce="n"',
    expected: ['a, "b", Digest realm=x n MD5'],
  },
  { name: 'other schemes not', given: 'Bearer realm="r", Basic realm="r"', expected: [] },
  {
    name: 'unknown algorithms not',
    given: 'Digest realm="r", nonce="n", algorithm=AKAv1-MD5',
    expected: [],
  },
  {
    name: 'unknown qop alone not',
    given: 'Digest realm="r", nonce="n", qop="token"',
    expected: [],
  },
  {
    name: '-sess without qop not',
    given: 'Digest realm="r", nonce="n", algorithm=MD5-sess',
    expected: [],
  },
];
for (const { name, given, expected } of challenges) {
  t.test(`challenges that are answered: ${name}`, async (t) => {
    const read = readChallenges(given).map((one) => `${one.realm} ${one.nonce} ${one.algorithm}`);
    t.same(read, expected);
  });
}

t.test('reading challenges is quick and safe whatever is sent (property)', async (t) => {
  const text = fc.string({
    maxLength: 300,
    unit: fc.constantFrom(...'Digest realm="\\,= x'.split('')),
  });
  fc.assert(fc.property(text, (given) => Array.isArray(readChallenges(given))));
  const startedMs = performance.now();
  readChallenges(`Digest ${'realm="'.repeat(20_000)}`);
  t.ok(performance.now() - startedMs < 1_000);
});

function asked(status: 401 | 407, header: string) {
  const name = status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
  return fakeResponse(status, '', { headers: { [name]: header } });
}
const request = { method: 'INVITE', uri: 'sip:1@h', body: '' };

t.test('one answer for each realm; one more only for a stale nonce', async (t) => {
  const authorization = new Authorization(account, () => 'cnonce');
  t.ok(authorization.accept(asked(401, 'Digest realm="r", nonce="1", opaque="o", qop="auth"')));
  t.match(authorization.headersFor(request), {
    Authorization: /nonce="1", uri="sip:1@h", .*nc=00000001, cnonce="cnonce", opaque="o"$/,
  });
  t.ok(authorization.accept(asked(401, 'Digest realm="r", nonce="2", stale=TRUE, qop="auth"')));
  t.match(authorization.headersFor(request), { Authorization: /nonce="2".*nc=00000001/ });
  t.notOk(authorization.accept(asked(401, 'Digest realm="r", nonce="3", stale=true')), 'no circle');
  const wrong = new Authorization(account);
  t.ok(wrong.accept(asked(407, 'Digest realm="r", nonce="1"')));
  t.notOk(wrong.accept(asked(407, 'Digest realm="r", nonce="2"')), 'a wrong password is final');
});

t.test('a proxy and the server behind it both get their credentials', async (t) => {
  const authorization = new Authorization(account, () => 'c');
  t.ok(
    authorization.accept(asked(407, 'Digest realm="a", nonce="1", Digest realm="b", nonce="2"')),
  );
  t.ok(authorization.accept(asked(401, 'Digest realm="a", nonce="3"')));
  const headers = authorization.headersFor(request);
  t.match(headers['Authorization'], /^Digest .*realm="a", nonce="3"/);
  t.match(
    headers['Proxy-Authorization'],
    /realm="a", .*\r\nProxy-Authorization: Digest .*realm="b"/,
  );
});

t.test(
  'credentials go to the configured realm only, and nothing can be smuggled into them',
  async (t) => {
    const ours = new Authorization({ ...account, realm: 'ours' });
    t.notOk(ours.accept(asked(401, 'Digest realm="theirs", nonce="1"')));
    t.ok(
      ours.accept(asked(401, 'Digest realm="theirs", nonce="1", Digest realm="ours", nonce="2"')),
    );
    const evil = new Authorization(account);
    evil.accept(asked(401, 'Digest realm="r\r\nX-Evil: 1", nonce="\\"n"'));
    const { Authorization: value = '' } = evil.headersFor(request);
    t.notMatch(value, /[\r\n]/);
    t.match(value, 'nonce="\\"n"');
  },
);

t.test(
  'wrong password: state authFailed, no storm, one call tries again, and it recovers',
  async (t) => {
    const bench = await AttemptBench.start({ trunk: account, warm: 5 });
    bench.dial({ attemptId: 'a' });
    bench.invite(0).echo().challenge();
    bench.invite(1).echo().challenge('Digest realm="r", nonce="n2"');
    t.equal(bench.trunk.state, 'authFailed');
    for (let dial = 0; dial < 100; dial += 1) {
      t.match(bench.dial({ attemptId: `b${dial}` }), { code: 'TRUNK_AUTH_FAILED' });
    }
    t.equal(bench.srf.invites.length, 2, 'a hundred dials made no INVITE');
    bench.clock.advanceTo(59_000);
    t.match(bench.dial({ attemptId: 'c' }), { code: 'TRUNK_AUTH_FAILED' });
    bench.clock.advanceTo(125_000);
    await bench.makeEndpoints();
    t.match(bench.dial({ attemptId: 'd' }), { accepted: true }, 'one may try');
    t.match(bench.dial({ attemptId: 'e' }), { code: 'TRUNK_AUTH_FAILED' }, 'no second beside it');
    bench.invite(2).echo().challenge();
    bench.invite(3).echo().provisional(180).answer();
    t.equal(bench.trunk.state, 'up');
    t.match(bench.dial({ attemptId: 'f' }), { accepted: true });
    await bench.trunk.close();
  },
);

t.test(
  'a trunk that answers one call after another with 403 is taken for refusing our password',
  async (t) => {
    const trunk = new Trunk(trunkConfig(account), { clock: new VirtualClock() });
    const forbidden = () => trunk.inviteFailed(fakeResponse(403, 'Forbidden'));
    for (let call = 0; call < 4; call += 1) forbidden();
    trunk.inviteFailed(fakeResponse(486, 'Busy Here'));
    for (let call = 0; call < 4; call += 1) forbidden();
    t.equal(trunk.state, 'up', 'single numbers may be forbidden');
    forbidden();
    t.equal(trunk.state, 'authFailed');
    await trunk.close();
  },
);

const failures = [
  { name: '503 of the network', response: fakeResponse(503, ''), expected: 'goes on' },
  { name: '500 of the network', response: fakeResponse(500, ''), expected: 'goes on' },
  { name: '599 of the network', response: fakeResponse(599, ''), expected: 'goes on' },
  { name: '408 of the network', response: fakeResponse(408, ''), expected: 'goes on' },
  { name: '503 for a closed port', response: unreachable(), expected: 'goes on' },
  { name: '408 for silence', response: fakeResponse(408, '', madeUp), expected: 'ends' },
  { name: '480', response: fakeResponse(480, ''), expected: 'ends' },
  { name: '404', response: fakeResponse(404, ''), expected: 'ends' },
  { name: '603', response: fakeResponse(603, ''), expected: 'ends' },
  { name: '600', response: fakeResponse(600, ''), expected: 'ends' },
];
for (const { name, response, expected } of failures) {
  t.test(`failover, no 18x seen: a ${name} ${expected}`, async (t) => {
    const bench = await AttemptBench.start({
      others: [{ name: 'second', address: 'sip:192.0.2.10', destinationFormat: 'e164-no-plus' }],
    });
    bench.dial({ trunk: 'group' });
    bench.invite().echo().reject(response);
    if (expected === 'ends') {
      t.same(bench.told, ['sent', 'ended']);
      t.match(bench.ended, { invites: 1 });
      t.equal(bench.srf.invites.length, 1);
    } else {
      t.equal(bench.invite(1).uri, 'sip:12065550123@192.0.2.10:5060', 'as that trunk wants it');
      t.notOk(bench.invite(1).options.headers['Call-ID'], 'a call of its own');
      t.equal(bench.trunk.channelsInUse, 0, 'the first trunk is free');
      bench.invite(1).echo().provisional(180).answer();
      t.same(bench.told, ['sent', 'sent', 'alerting', 'answered']);
      t.match(bench.events.slice(0, 2), [
        { trunk: 'carrier', invites: 1, callId: 'call-1' },
        { trunk: 'second', invites: 2, callId: 'call-2' },
      ]);
      bench.command({ type: 'attempt.hangup', reason: 'completed' });
      t.match(bench.ended, { invites: 2, answered: true });
      t.equal(bench.counters.invitesSent, 2);
    }
    await bench.trunk.close();
  });
}

t.test('no failover once anything may be ringing, nor after our CANCEL', async (t) => {
  for (const status of [180, 181, 183]) {
    const bench = await AttemptBench.start({ others: [{ name: 'second' }] });
    bench.dial({ trunk: 'group' });
    bench.invite().echo().provisional(status).reject(fakeResponse(503, ''));
    t.equal(bench.srf.invites.length, 1, String(status));
    t.match(bench.ended, { sip: { statusCode: 503 } });
  }
  const bench = await AttemptBench.start({ others: [{ name: 'second' }] });
  bench.dial({ trunk: 'group' });
  bench.invite().echo();
  bench.command({ type: 'attempt.cancel', reason: 'cancelled' });
  bench.invite().reject(fakeResponse(503, ''));
  t.equal(bench.srf.invites.length, 1);
  t.match(bench.ended, { cancelReason: 'cancelled' });
});

t.test(
  'no failover once the calling window has ended, however late the first trunk fails',
  async (t) => {
    for (const [failsAtMs, invites] of [
      [8_999, 2],
      [9_000, 1],
      [20_000, 1],
    ] as const) {
      const bench = await AttemptBench.start({ others: [{ name: 'second' }] });
      const windowEndMs = bench.clock.now() + 9_000;
      bench.dial({ trunk: 'group', windowEndMs });
      bench.invite().echo();
      bench.clock.advanceTo(failsAtMs);
      bench.invite().reject(fakeResponse(503, ''));
      t.equal(bench.srf.invites.length, invites, `failed at ${failsAtMs} ms`);
      if (invites === 1) t.match(bench.ended, { sip: { statusCode: 503 } });
      await bench.trunk.close();
    }
    const bench = await AttemptBench.start({
      others: [{ name: 'second', callsPerSecondMax: 1 }],
      warm: 2,
    });
    bench.dial({ attemptId: 'other', trunk: 'second' });
    bench.dial({ trunk: 'group', windowEndMs: bench.clock.now() + 500 });
    bench.invite(1).echo().reject(fakeResponse(500, ''));
    t.match(bench.ended, { sip: { statusCode: 500 } }, 'nor is the rate waited for beyond it');
    await bench.trunk.close();
  },
);

t.test('nor when the rate, once more asked, would let it go only after the window', async (t) => {
  for (const [windowMs, invites] of [
    [1_320, 2],
    [1_321, 3],
  ] as const) {
    const bench = await AttemptBench.start({
      others: [{ name: 'second', callsPerSecondMax: 1 }],
      warm: 2,
    });
    bench.dial({ attemptId: 'other', trunk: 'second' });
    bench.dial({ trunk: 'group', windowEndMs: bench.clock.now() + windowMs });
    bench.invite(1).echo().reject(fakeResponse(500, ''));
    bench.clock.advanceTo(300);
    bench.invite(0).echo(); // the switch took its time: the next counts from here
    bench.clock.advanceTo(2_000);
    t.equal(bench.srf.invites.length, invites, `${windowMs} ms`);
    if (invites === 2) {
      t.match(bench.ended, { invites: 1, sip: { statusCode: 500 } });
      t.equal(bench.trunk.ratios.sessions, 1, 'the trunk that it was tried on has it');
    }
    await bench.trunk.close();
  }
});

t.test('a call given up while it waits for the rate of the other trunk ends at once', async (t) => {
  const bench = await AttemptBench.start({
    others: [{ name: 'second', callsPerSecondMax: 1 }],
    warm: 2,
  });
  bench.dial({ attemptId: 'other', trunk: 'second' });
  bench.dial({ trunk: 'group' });
  bench.invite(1).echo().reject(fakeResponse(500, ''));
  t.equal(bench.srf.invites.length, 2, 'it waits');
  t.notOk(bench.ended);
  bench.command({ type: 'attempt.cancel', reason: 'cancelled' });
  t.match(bench.ended, { invites: 1, cancelReason: 'cancelled', sip: { statusCode: 500 } });
  bench.clock.advanceTo(5_000);
  t.equal(bench.srf.invites.length, 2, 'and nobody is called after it');
});

t.test('over TCP a connection that broke is not tried elsewhere, a refused one is', async (t) => {
  const warned = (problem: string) =>
    fakeResponse(503, '', { ...madeUp, headers: { Warning: `399 localhost "${problem}"` } });
  t.equal(canHaveRung(warned('ECONNREFUSED'), 'tcp'), false);
  t.equal(canHaveRung(warned('ENOTFOUND'), 'tls'), false);
  t.equal(canHaveRung(warned('ECONNRESET'), 'tcp'), true);
  t.equal(canHaveRung(unreachable(), 'tcp'), true, 'a switch that does not say why');
  t.equal(canHaveRung(unreachable(), 'udp'), false, 'ICMP');
});

t.test(
  'a dead trunk of a group is passed over, tried again by one call, and is back by itself',
  async (t) => {
    const bench = await AttemptBench.start({
      others: [{ name: 'second', address: 'sip:192.0.2.10' }],
      warm: 6,
    });
    bench.dial({ attemptId: 'a', trunk: 'group' });
    bench.invite(0).echo().reject(unreachable());
    t.equal(bench.trunk.state, 'down');
    bench.clock.advanceTo(100); // its rate spaces the calls of the other
    bench.dial({ attemptId: 'b', trunk: 'group' });
    bench.invite(1).echo();
    t.match(bench.invite(2).echo().uri, '192.0.2.10', 'straight to the one that works');
    bench.clock.advanceTo(5_000);
    await bench.makeEndpoints();
    bench.dial({ attemptId: 'c', trunk: 'group' });
    t.match(bench.invite(3).uri, '192.0.2.9', 'one call tries');
    bench.dial({ attemptId: 'd', trunk: 'group' });
    bench.clock.advanceTo(5_100);
    t.match(bench.invite(4).uri, '192.0.2.10', 'the others do not wait for it');
    bench.invite(3).echo().provisional(180).answer();
    t.equal(bench.trunk.state, 'up');
  },
);

t.test('a 503 with Retry-After is obeyed, and bounded', async (t) => {
  const bench = await AttemptBench.start({ warm: 3 });
  bench.dial({ attemptId: 'a' });
  bench
    .invite()
    .echo()
    .reject(fakeResponse(503, '', { headers: { 'Retry-After': '18 (full)' } }));
  t.match(bench.dial({ attemptId: 'b' }), { code: 'TRUNK_RATE_LIMITED', detail: /18 s/ });
  bench.clock.advanceTo(17_900);
  t.match(bench.dial({ attemptId: 'c' }), { code: 'TRUNK_RATE_LIMITED' });
  bench.clock.advanceTo(18_001);
  t.match(bench.dial({ attemptId: 'd' }), { accepted: true });
  const trunk = new Trunk(trunkConfig(), { clock: new VirtualClock() });
  trunk.inviteFailed(fakeResponse(503, '', { headers: { 'Retry-After': '999999999' } }));
  t.ok(trunk.refusal(299_999));
  t.notOk(trunk.refusal(300_001));
});

t.test('groups: lower priorities first, weights among equals, weight 0 last', async (t) => {
  const named = (name: string) => new Trunk(trunkConfig({ name }));
  const [a, b, c, spare] = [named('a'), named('b'), named('c'), named('spare')];
  const group = new TrunkGroup('g', [
    { trunk: spare, priority: 2, weight: 100 },
    { trunk: a, priority: 1, weight: 3 },
    { trunk: b, priority: 1, weight: 1 },
    { trunk: c, priority: 1, weight: 0 },
  ]);
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  let first = 0;
  for (let call = 0; call < 4_000; call += 1) {
    const order = group.inOrder(random).map(({ name }) => name);
    if (order.slice(2).join() !== 'c,spare') t.fail(order.join());
    if (order[0] === 'a') first += 1;
  }
  t.ok(first > 2_880 && first < 3_120, `3 of 4 go to a: ${first} of 4000`);
});

t.test(
  'a list whose numbers do not exist suspends the trunk: told, refused, resumed',
  async (t) => {
    const clock = new VirtualClock();
    const news: string[] = [];
    const suspending = (invalid: number, more: Partial<TrunkConfig> = {}) => {
      const trunk = new Trunk(trunkConfig(more), {
        clock,
        onNews: ({ state }) => news.push(state),
      });
      for (let call = 0; call < 50; call += 1) {
        trunk.callEnded({
          ...{ endedBy: 'far', cancelReason: null, answered: false, ringMs: null, talkMs: null },
          ...{ invites: 1, q850: [], reasonHeaders: [] },
          sip: { statusCode: call < invalid ? 404 : 486, reasonPhrase: '', origin: 'network' },
        });
      }
      return trunk;
    };
    t.equal(suspending(15).state, 'unknown', '15 of 50 is 30 %: not above');
    const trunk = suspending(16, { suspendMs: 60_000 });
    t.same(news, ['suspended']);
    t.match(trunk.refusal(0), { code: 'TRUNK_SUSPENDED', detail: /16 of the last 50/ });
    trunk.works('answers calls');
    trunk.optionsDone({ state: 'up', detail: 'reachable', isDead: false });
    t.equal(trunk.state, 'suspended', 'what the trunk says does not open it');
    clock.advanceTo(60_000);
    t.equal(trunk.refusal(60_000), undefined, 'the configured time is over');
    const byHand = suspending(50, { suspendMs: 0 });
    clock.advanceTo(10_000_000);
    t.equal(byHand.state, 'suspended', 'without a time only an operator resumes it');
    byHand.resume();
    t.equal(byHand.refusal(0), undefined);
    t.equal(suspending(50, { invalidRatioMax: 1 }).state, 'unknown', '1 never suspends');
  },
);

t.test('what closed a trunk before a restart goes on for what is left of it', async (t) => {
  const clock = new VirtualClock();
  clock.advanceTo(1_000_000);
  const news: unknown[] = [];
  const started = (more: Partial<TrunkConfig> = {}) =>
    new Trunk(trunkConfig({ suspendMs: 60_000, ...more }), {
      clock,
      onNews: ({ state, closure }) => news.push([state, closure]),
    });
  const trunk = started();
  const share = { cause: 'share', sinceMs: 980_000, untilMs: 1_040_000 } as const;
  trunk.restore(share, 'too many do not exist', clock.now());
  t.match(trunk.refusal(0), { code: 'TRUNK_SUSPENDED', detail: 'too many do not exist' });
  t.same(news, [['suspended', share]]);
  clock.advanceTo(1_039_999);
  t.equal(trunk.state, 'suspended');
  clock.advanceTo(1_040_000);
  t.equal(trunk.refusal(0), undefined, 'not for a whole suspendMs');
  t.equal(trunk.closure, undefined);

  trunk.restore(share, 'late', clock.now());
  t.equal(trunk.refusal(0), undefined, 'what is over by then is over');

  const byHand = started();
  byHand.restore({ cause: 'operator', sinceMs: 1, untilMs: null }, 'by ada', clock.now());
  clock.advanceTo(90_000_000);
  t.match(byHand.closure, { cause: 'operator', sinceMs: 1, untilMs: null });
  byHand.resume();
  t.equal(byHand.refusal(0), undefined);

  const auth = started();
  const refused = { cause: 'auth', sinceMs: 5, untilMs: clock.now() + 300_000 } as const;
  auth.restore(refused, 'did not accept our credentials', clock.now());
  t.match([auth.state, auth.closure], ['authFailed', refused]);
  t.match(auth.refusal(0), { code: 'TRUNK_AUTH_FAILED' });
  clock.advanceBy(299_999);
  t.match(auth.refusal(0), { code: 'TRUNK_AUTH_FAILED' });
  clock.advanceBy(1);
  t.equal(auth.refusal(0), undefined, 'one call may try');
  auth.takeChannel();
  auth.inviteFailed(fakeResponse(401, 'Unauthorized'));
  t.match(auth.closure, { cause: 'auth', untilMs: clock.now() + 240_000 }, 'the next pause');
  auth.resume();
  t.equal(auth.refusal(0), undefined, 'somebody has put the password right');
});

const rules: { number: string; rule: string | undefined; more?: Partial<TrunkConfig> }[] = [
  { number: '+12065550123', rule: undefined },
  { number: '+442079460000', rule: undefined },
  { number: '+1911', rule: 'emergency' },
  { number: '+1933', rule: 'emergency' },
  { number: '+44999', rule: 'emergency' },
  { number: '+49112', rule: 'emergency' },
  { number: '+61000', rule: 'emergency' },
  { number: '112', rule: 'emergency', more: { destinationFormat: 'any' } },
  { number: '9911', rule: 'emergency', more: { destinationFormat: 'any' } },
  { number: '1001', rule: undefined, more: { destinationFormat: 'any' } },
  { number: '112', rule: undefined, more: { destinationClassesAllowed: ['emergency'] } },
  { number: '+19005550123', rule: 'premium' },
  { number: '+12129765555', rule: 'premium' },
  { number: '+449098790000', rule: 'premium' },
  { number: '+4990012345678', rule: 'premium' },
  { number: '+33899123456', rule: 'premium' },
  { number: '+97912345678', rule: 'premium' },
  { number: '+19005550123', rule: undefined, more: { destinationClassesAllowed: ['premium'] } },
  { number: '+491805123456', rule: 'sharedCost' },
  { number: '+870773123456', rule: 'satellite' },
  { number: '+881612345678', rule: 'satellite' },
  { number: '+882161234567', rule: 'satellite' },
  { number: '+8835100123456', rule: 'satellite' },
  { number: '+870773123456', rule: undefined, more: { destinationClassesAllowed: ['satellite'] } },
  { number: '+18095550123', rule: 'denied', more: { destinationsDenied: ['+1809', '+1876'] } },
  { number: '+18195550123', rule: undefined, more: { destinationsDenied: ['+1809'] } },
  { number: '+442079460000', rule: 'notAllowed', more: { destinationsAllowed: ['+1'] } },
  { number: '+19005550123', rule: 'premium', more: { destinationsAllowed: ['+1'] } },
  {
    number: '+18095550123',
    rule: 'denied',
    more: { destinationsAllowed: ['+1'], destinationsDenied: ['+1809'] },
  },
];
t.test('destination rules, before any INVITE', async (t) => {
  for (const { number, rule, more } of rules) {
    t.equal(
      refusedByRule(number, trunkConfig(more))?.rule,
      rule,
      `${number} ${JSON.stringify(more)}`,
    );
  }
  const bench = await AttemptBench.start();
  t.match(bench.dial({ destination: '+1911' }), {
    code: 'DESTINATION_REFUSED',
    detail: /emergency/,
  });
  t.equal(bench.srf.invites.length, 0);
  t.same([...bench.counters.rules], [['emergency', 1]]);
});

t.test('digits are stripped and put in front as the trunk wants them', async (t) => {
  const cases: [Partial<TrunkConfig>, string][] = [
    [{ destinationFormat: 'e164-no-plus' }, '12065550123'],
    [{ destinationStrip: '+1' }, '2065550123'],
    [{ destinationStrip: '+44' }, '+12065550123'],
    [{ destinationStrip: '+', destinationPrefix: '00' }, '0012065550123'],
    [{ destinationFormat: 'e164-no-plus', destinationPrefix: '1010#' }, '1010%2312065550123'],
  ];
  for (const [more, expected] of cases) {
    t.match(userPart('+12065550123', trunkConfig(more)), { ok: true, user: expected });
  }
});

const dial: AttemptDial = {
  type: 'attempt.dial',
  ...{ attemptId: 'a-1', fence: 7, seq: 1, atMs: 0, gatewayId: 'gateway-1', notAfterMs: 10_000 },
  ...{
    trunk: 'carrier',
    destination: '+12065550123',
    callerId: '+12025550199',
    callerName: 'Acme',
  },
  ...{ setupTimeoutMs: 40_000, ringLimitMs: 60_000, callLengthMaxMs: 60_000 },
};
t.test('[DN-05] the display number of the dial is in From and P-Asserted-Identity', async (t) => {
  const headersOf = (more: Partial<TrunkConfig> = {}) => {
    const made = inviteHeaders(dial, trunkConfig(more));
    return made.ok ? made.headers : {};
  };
  const plain = headersOf();
  t.match(plain, {
    From: '"Acme" <sip:+12025550199@localhost>',
    'P-Asserted-Identity': '<sip:+12025550199@localhost>',
    ...{ 'Session-Expires': '1800', 'Min-SE': '90', Supported: 'timer' },
  });
  t.notOk('Privacy' in plain);
  const subscriber = headersOf({
    ...{ domain: 'sip.carrier.example', sessionSeconds: 0 },
    identityHeaders: ['P-Preferred-Identity', 'Remote-Party-ID'],
  });
  t.match(subscriber, {
    From: '"Acme" <sip:+12025550199@sip.carrier.example>',
    'P-Preferred-Identity': '<sip:+12025550199@sip.carrier.example>',
    'Remote-Party-ID': /^"Acme" <sip:\+12025550199@.*>;party=calling;privacy=off;screen=yes$/,
  });
  t.notOk('P-Asserted-Identity' in subscriber || 'Session-Expires' in subscriber);
  t.match(headersOf({ hidesCallerId: true }), {
    From: '"Anonymous" <sip:anonymous@anonymous.invalid>',
    'P-Asserted-Identity': '<sip:+12025550199@localhost>',
    Privacy: 'id',
  });
});

t.test(
  'registration: refreshed at three quarters, 423 obeyed, backed off, taken back',
  async (t) => {
    const clock = new VirtualClock();
    const asked: number[] = [];
    const answers: RegisterOutcome[] = [
      { kind: 'tooBrief', seconds: 120 },
      { kind: 'registered', seconds: 100, detail: 'registered for 100 s' },
      { kind: 'failed', detail: 'silent', lot: 0, retryAfterMs: null },
      { kind: 'failed', detail: 'silent', lot: 0.5, retryAfterMs: null },
      { kind: 'failed', detail: 'silent', lot: 0, retryAfterMs: 60_000 },
      { kind: 'authRefused', detail: 'the registrar did not accept our credentials', lot: 0 },
      { kind: 'registered', seconds: 120, detail: 'registered for 120 s' },
      { kind: 'registered', seconds: 0, detail: '' },
    ];
    const atMs: number[] = [];
    const states: string[] = [];
    const trunk = new Trunk(trunkConfig({ ...account, registerSeconds: 60 }), {
      clock,
      register: (seconds) => {
        asked.push(seconds);
        atMs.push(clock.now());
        return Promise.resolve(answers.shift() as RegisterOutcome);
      },
      onNews: ({ state }) => states.push(state),
    });
    trunk.start();
    const settle = () => new Promise(setImmediate);
    await settle();
    await settle();
    t.same(asked, [60, 120], 'longer, as the registrar wants it');
    for (let step = 0; step < 5; step += 1) {
      clock.advanceTo(clock.nextDueMs ?? clock.now());
      await settle();
    }
    t.same(atMs.slice(1), [0, 75_000, 76_000, 79_000, 139_000, 147_000]);
    t.same(states, ['up', 'authFailed', 'up']);
    const closed = trunk.close();
    await settle();
    await closed;
    t.equal(asked.at(-1), 0, 'un-registered');
    t.equal(clock.pending, 0);
  },
);
