/**
 * Goal: every attempt tells one truthful story that ends once, whatever crosses on the wire, and
 * leaves nothing behind: no channel of the trunk, no endpoint, no timer, no dialog.
 */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { CommandGate } from '../../gateway/attempts/command-gate.ts';
import { digitOfInfo } from '../../gateway/attempts/info-digit.ts';
import type { SipFailure } from '../../gateway/sip/srf.port.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import { AttemptBench, type BenchOptions } from '../support/attempt-bench.ts';
import { DyingMediaServer } from '../support/dying-media-server.ts';
import { FAR_SDP, fakeRequest, fakeResponse } from '../support/fake-srf.ts';

/** What must hold after every attempt. */
async function nothingIsLeft(t: Test, bench: AttemptBench): Promise<void> {
  await bench.trunk.close(); // its own pauses are no attempt's
  await bench.settle();
  bench.pool.pause('the test is over');
  t.equal(bench.trunk.channelsInUse, 0, 'the channel is free');
  t.equal(bench.registry.active.size, 0, 'no attempt is active');
  t.equal(bench.ender.inHand, 0, 'no dialog is left to end');
  t.equal(bench.pool.counts.inCalls, 0, 'no endpoint is in use');
  t.equal(bench.clock.pending, 0, 'no timer is left');
  const last = bench.told.filter((type) => type === 'ended' || type === 'refused');
  t.equal(last.length, 1, 'ended once');
  t.equal(bench.told.at(-1), last[0], 'and last');
  const seqs = bench.events.map(({ seq }) => seq);
  t.same(
    seqs,
    [...seqs.keys()].map((index) => index + 1),
    'numbered without a gap',
  );
}

const refusals: {
  name: string;
  bench?: BenchOptions;
  prepare?: (bench: AttemptBench) => void;
  dial?: Parameters<AttemptBench['dial']>[0];
  code: string;
}[] = [
  { name: 'another gateway', dial: { gatewayId: 'gateway-2' }, code: 'WRONG_GATEWAY' },
  { name: 'an unknown trunk', dial: { trunk: 'other' }, code: 'UNKNOWN_TRUNK' },
  {
    name: 'an extension on an E.164 trunk',
    dial: { destination: '1001' },
    code: 'INVALID_DESTINATION',
  },
  { name: 'a dial that is too old', dial: { notAfterMs: -1 }, code: 'TOO_LATE' },
  {
    name: 'a trunk out of use',
    bench: { trunk: { channelsMax: 0 } },
    code: 'TRUNK_CHANNELS_EXHAUSTED',
  },
  {
    name: 'a trunk whose rate is used up',
    bench: { trunk: { callsPerSecondMax: 0.01 } },
    prepare: (bench) => bench.dial({ attemptId: 'other' }),
    code: 'TRUNK_RATE_LIMITED',
  },
  {
    name: 'a trunk that is known to be dead',
    prepare: (bench) =>
      bench.trunk.optionsDone({ state: 'down', detail: 'closed port', isDead: true }),
    code: 'TRUNK_DOWN',
  },
  { name: 'while drachtio is away', prepare: (bench) => bench.srf.down(), code: 'SWITCH_DOWN' },
  {
    name: 'while FreeSWITCH is away',
    prepare: (bench) => bench.media.down('killed'),
    code: 'SWITCH_DOWN',
  },
];
for (const { name, bench: options, prepare, dial, code } of refusals) {
  t.test(`a dial is refused: ${name}`, async (t) => {
    const bench = await AttemptBench.start(options);
    prepare?.(bench);
    const before = bench.srf.invites.length;
    const reply = bench.dial(dial);
    t.match(reply, { accepted: false, code });
    t.notMatch(JSON.stringify(reply), '2065550123', 'no number in the reason');
    t.equal(bench.srf.invites.length, before);
    t.match(bench.command({ type: 'attempt.query' }), {
      state: { phase: 'ended', ended: { invites: 0 } },
    });
  });
}

t.test(
  'a refused dial stays refused when it is delivered twice, and may be tried anew',
  async (t) => {
    const bench = await AttemptBench.start();
    t.match(bench.dial({ notAfterMs: -1 }), { accepted: false, code: 'TOO_LATE' });
    t.match(bench.dial(), { accepted: false, code: 'TOO_LATE' }, 'the same number again');
    t.equal(bench.srf.invites.length, 0);
    t.match(bench.dial({ seq: 2 }), { accepted: true });
    t.equal(bench.srf.invites.length, 1);
  },
);

t.test('an answered attempt: sent, alerting, answered, played, ended', async (t) => {
  const bench = await AttemptBench.start();
  t.match(bench.dial(), { accepted: true });
  bench.invite().echo();
  bench.clock.advanceTo(50);
  bench.invite().provisional(180);
  bench.clock.advanceTo(4_050);
  bench.invite().answer();
  await bench.settle();
  t.same(bench.endpoint().applied, [FAR_SDP], 'the far end’s SDP goes to the endpoint');
  t.equal(bench.endpoint().scheduledHangupMs, 125_000, 'the switch’s own limit, behind ours');
  bench.command({
    type: 'attempt.play',
    playId: 'p',
    prompts: ['welcome', 'silence_stream://200'],
  });
  await bench.settle();
  const [play] = bench.endpoint().plays;
  t.same(play?.files, ['http://gateway/prompts/missing/welcome.wav', 'silence_stream://200']);
  bench.clock.advanceTo(6_050);
  play?.end({ kind: 'done', value: { getHeader: () => 'FILE PLAYED' } });
  await bench.settle();
  t.match(bench.command({ type: 'attempt.hangup', reason: 'completed' }, { seq: 3 }), {
    accepted: true,
  });
  t.same(bench.told, ['sent', 'alerting', 'answered', 'played', 'ended']);
  t.match(bench.events[3], { playId: 'p', status: 'done', playedMs: 2_000 });
  t.match(bench.ended, {
    ...{ answered: true, ringMs: 4_000, talkMs: 2_000, invites: 1, endedBy: 'dialer' },
    ...{ cancelReason: null, sip: { statusCode: 200, origin: 'network' } },
  });
  await bench.settle();
  t.equal(bench.srf.byes().length, 1);
  await bench.makeEndpoints();
  await nothingIsLeft(t, bench);
});

t.test('a prompt commanded while the answer is being told waits for the media', async (t) => {
  const bench = await AttemptBench.start();
  bench.react = ({ type }) => {
    if (type !== 'attempt.answered') return;
    t.match(bench.command({ type: 'attempt.play', playId: 'p', prompts: ['welcome'] }), {
      accepted: true,
    });
    t.same(bench.endpoint().applied, [FAR_SDP], 'the re-INVITE is on its way');
    t.equal(bench.endpoint().plays.length, 0, 'nothing is played into the void');
  };
  bench.dial();
  bench.invite().echo().answer();
  await bench.settle();
  t.equal(bench.endpoint().plays.length, 1);
});

for (const when of ['sent', 'alerting', 'earlyMedia', 'answered'] as const) {
  t.test(`a hang-up commanded while ${when} is being told leaves nothing behind`, async (t) => {
    const bench = await AttemptBench.start();
    bench.react = ({ type }) => {
      if (type === `attempt.${when}`)
        bench.command({ type: 'attempt.hangup', reason: 'completed' });
    };
    bench.dial();
    bench.invite().echo().provisional(183, FAR_SDP).answer();
    t.match(bench.ended, { endedBy: 'dialer', answered: true });
    await bench.makeEndpoints();
    await nothingIsLeft(t, bench);
  });
}

t.test('the INVITE carries what the trunk and the dial say', async (t) => {
  const bench = await AttemptBench.start({
    trunk: { username: 'u', password: 'p', codecs: ['PCMU'] },
  });
  bench.dial({ headers: { 'X-Campaign': 'c1' } });
  const { uri, options } = bench.invite();
  t.equal(uri, 'sip:+12065550123@192.0.2.9:5060');
  t.match(options.headers, { 'X-Ringfence-Attempt': 'a;fence=1', 'X-Campaign': 'c1' });
  t.match(options.localSdp, 'm=audio 40000 RTP/AVP 0 101');
});

const finals = [
  { name: '486', response: fakeResponse(486, 'Busy Here'), endedBy: 'far', origin: 'network' },
  { name: '404', response: fakeResponse(404, 'Not Found'), endedBy: 'far', origin: 'network' },
  {
    name: '503 of the network',
    response: fakeResponse(503, ''),
    endedBy: 'far',
    origin: 'network',
  },
  {
    name: '503 made up for a closed port',
    response: fakeResponse(503, '', { madeUp: true }),
    endedBy: 'trunk',
    origin: 'stack',
  },
  {
    name: '408 made up for a silent peer',
    response: fakeResponse(408, '', { madeUp: true }),
    endedBy: 'trunk',
    origin: 'stack',
  },
  {
    name: '487 that nobody here asked for',
    response: fakeResponse(487, ''),
    endedBy: 'far',
    origin: 'network',
  },
];
for (const { name, response, endedBy, origin } of finals) {
  t.test(`a final response ends the attempt: ${name}`, async (t) => {
    const bench = await AttemptBench.start();
    bench.dial();
    bench.invite().echo().reject(response);
    t.same(bench.told, ['sent', 'ended']);
    t.match(bench.ended, {
      ...{ endedBy, answered: false, cancelReason: null, ringMs: null, talkMs: null },
      sip: { statusCode: response.status, origin },
    });
    t.equal(bench.srf.byes().length, 0);
    await bench.makeEndpoints();
    await nothingIsLeft(t, bench);
  });
}

t.test('digest retries are INVITEs inside the attempt', async (t) => {
  const bench = await AttemptBench.start({ trunk: { username: 'u', password: 'p' } });
  bench.dial();
  bench.invite().echo().challenge();
  const second = bench.invite(1);
  t.match(second.options.headers, {
    ...{ 'Call-ID': 'call-1', From: '<sip:us@h>;tag=our', To: '<sip:them@h>', CSeq: '11 INVITE' },
    'Proxy-Authorization': /^Digest username="u", realm="r", nonce="n", .*qop=auth, nc=00000001/,
  });
  second.echo().challenge('Digest realm="r", nonce="n2"');
  t.equal(bench.srf.invites.length, 2, 'a password that was refused is not tried again');
  t.same(bench.told, ['sent', 'ended'], 'it was sent once');
  t.match(bench.ended, { invites: 2, sip: { statusCode: 407 } });
  t.equal(bench.trunk.state, 'authFailed');
});

function moved(contact: string, status = 302, cseq = 10) {
  const headers = {
    ...{ From: '<sip:us@h>;tag=our', To: '<sip:them@h>;tag=proxy', CSeq: `${cseq} INVITE` },
    ...(contact === '' ? {} : { Contact: contact }),
  };
  return fakeResponse(status, 'Moved Temporarily', { headers });
}

t.test('a 302 to the same number is one more INVITE of the same call', async (t) => {
  const bench = await AttemptBench.start({ trunk: { username: 'u', password: 'p' } });
  bench.dial();
  const first = bench.invite().echo();
  const user = /^sip:([^@]+)@/.exec(first.uri)?.[1] ?? '';
  const best = `<sip:${user};npdi;rn=+12065550000@192.0.2.77:5090;transport=tcp>;q=0.9`;
  first.reject(moved(`"A, b" <sip:${user}@192.0.2.78>;q=0.2, ${best}`));
  const second = bench.invite(1);
  t.equal(second.uri, `sip:${user};npdi;rn=+12065550000@192.0.2.77:5090;transport=tcp`);
  t.match(second.options.headers, {
    ...{ 'Call-ID': 'call-1', From: '<sip:us@h>;tag=our', To: '<sip:them@h>', CSeq: '11 INVITE' },
    ...{ 'X-Ringfence-Attempt': first.options.headers['X-Ringfence-Attempt'] },
  });
  second.echo().provisional(180).challenge();
  t.equal(bench.srf.invites.length, 2, 'another host does not get our credentials');
  t.same(bench.told, ['sent', 'alerting', 'ended'], 'it was sent once');
  t.match(bench.ended, { invites: 2, sip: { statusCode: 407 } });
});

t.test('redirects that go round, go on, or go to somebody else end the attempt', async (t) => {
  for (const { name, contact, status } of [
    { name: 'another number', contact: '<sip:+12065550999@192.0.2.77>' },
    { name: 'no Contact', contact: '' },
    { name: 'not SIP', contact: '<tel:+12065550123>' },
    { name: 'headers in the URI', contact: '<sip:+12065550123@192.0.2.77?Subject=x>' },
    { name: 'another proxy', contact: '<sip:+12065550123@192.0.2.77>', status: 305 },
  ]) {
    const bench = await AttemptBench.start();
    bench.dial();
    bench.invite().echo().reject(moved(contact, status));
    t.match(bench.ended, { invites: 1, sip: { statusCode: status ?? 302 } }, name);
  }
  const loop = await AttemptBench.start();
  loop.dial();
  const { uri } = loop.invite().echo();
  loop.invite().reject(moved(`<${uri}>`));
  t.match(loop.ended, { invites: 1, sip: { statusCode: 302 } }, 'round and round');

  const chain = await AttemptBench.start();
  chain.dial();
  for (let hop = 0; chain.ended === undefined; hop += 1) {
    const user = /^sip:([^@]+)@/.exec(chain.invite(hop).uri)?.[1] ?? '';
    chain
      .invite(hop)
      .echo()
      .reject(moved(`<sip:${user}@192.0.2.${100 + hop}>`));
  }
  t.match(chain.ended, { invites: 5, sip: { statusCode: 302 } }, 'on and on');

  const cancelled = await AttemptBench.start();
  cancelled.dial();
  const going = cancelled.invite().echo();
  cancelled.command({ type: 'attempt.cancel', reason: 'cancelled' });
  going.reject(moved('<sip:+12065550123@192.0.2.77>'));
  t.match(cancelled.ended, { invites: 1 }, 'and one that crossed our CANCEL');
});

t.test('cancel while ringing: CANCEL, 487, ended by the dialer', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().provisional(180);
  bench.clock.advanceTo(30_000);
  bench.command({ type: 'attempt.cancel', reason: 'ring_timeout' });
  t.equal(bench.invite().request.cancelled, 1);
  t.equal(bench.ended, undefined, 'not before the final response');
  bench.invite().reject(fakeResponse(487, 'Request Terminated'));
  t.match(bench.ended, {
    ...{ endedBy: 'dialer', cancelReason: 'ring_timeout', ringMs: 30_000 },
    sip: { statusCode: 487, origin: 'network' },
  });
  await bench.makeEndpoints();
  await nothingIsLeft(t, bench);
});

t.test(
  'CANCEL crossing 200: it was answered, BYE ends it, and the reason stays ours',
  async (t) => {
    const bench = await AttemptBench.start();
    bench.dial();
    bench.invite().echo().provisional(180);
    bench.command({ type: 'attempt.cancel', reason: 'ring_timeout' });
    bench.invite().answer();
    t.same(bench.told, ['sent', 'alerting', 'answered', 'ended']);
    t.match(bench.ended, { answered: true, endedBy: 'dialer', cancelReason: 'ring_timeout' });
    await bench.settle();
    t.match(bench.srf.byes()[0]?.options, { stackDialogId: 'call-1;from-tag=our' });
    t.equal(bench.endpoint().plays.length, 0);
    await bench.makeEndpoints();
    await nothingIsLeft(t, bench);
  },
);

t.test('CANCEL crossing 486: the far end’s own code counts', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().provisional(180);
  bench.command({ type: 'attempt.cancel', reason: 'ring_timeout' });
  bench.invite().reject(fakeResponse(486, 'Busy Here'));
  t.match(bench.ended, { endedBy: 'far', cancelReason: 'ring_timeout', sip: { statusCode: 486 } });
});

t.test('a CANCEL that is never answered ends the attempt after 64 × T1', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().provisional(180);
  bench.command({ type: 'attempt.cancel', reason: 'cancelled' });
  bench.clock.advanceTo(33_000);
  t.match(bench.ended, {
    endedBy: 'dialer',
    sip: { statusCode: null, origin: 'none' },
    invites: 1,
  });
  bench.invite().answer();
  t.same(bench.told.at(-1), 'ended', 'a 200 after that is told no more');
  await bench.makeEndpoints();
  await nothingIsLeft(t, bench);
});

t.test('cancel while the endpoint is being made: no INVITE leaves', async (t) => {
  const bench = await AttemptBench.start({ warm: 0 });
  t.match(bench.dial(), { accepted: true });
  t.match(bench.command({ type: 'attempt.query' }), { state: { phase: 'starting' } });
  bench.command({ type: 'attempt.cancel', reason: 'cancelled' });
  await bench.makeEndpoints();
  t.equal(bench.srf.invites.length, 0);
  t.match(bench.ended, {
    ...{ invites: 0, endedBy: 'dialer', cancelReason: 'cancelled' },
    sip: { origin: 'none' },
  });
  t.match(bench.pool.counts, { warm: 1 }, 'the endpoint waits for the next');
  await nothingIsLeft(t, bench);
});

t.test('cancel between the INVITE and its echo: CANCEL follows the echo', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.command({ type: 'attempt.cancel', reason: 'cancelled' });
  t.equal(bench.ended, undefined);
  bench.invite().echo();
  t.equal(bench.invite().request.cancelled, 1);
  bench.invite().reject(fakeResponse(487, 'Request Terminated'));
  t.same(bench.told, ['sent', 'ended']);
  t.match(bench.ended, { cancelReason: 'cancelled', invites: 1 });
});

t.test('an endpoint that comes after notAfterMs is no use: refused, and no INVITE', async (t) => {
  const bench = await AttemptBench.start({ warm: 0 });
  bench.dial({ notAfterMs: 2_000 });
  bench.clock.advanceTo(2_000);
  await bench.makeEndpoints();
  t.same(bench.told, ['refused']);
  t.equal(bench.srf.invites.length, 0);
  await nothingIsLeft(t, bench);
});

t.test(
  'calls are spaced to the trunk’s rate, and the last look at notAfterMs is at the INVITE',
  async (t) => {
    const bench = await AttemptBench.start({ trunk: { callsPerSecondMax: 2 }, warm: 3 });
    for (const attemptId of ['a', 'b', 'c']) bench.dial({ attemptId });
    t.equal(bench.srf.invites.length, 1);
    bench.clock.advanceTo(509);
    t.equal(bench.srf.invites.length, 1);
    bench.clock.advanceTo(510);
    t.equal(bench.srf.invites.length, 2);
    bench.clock.advanceTo(1_020);
    t.equal(bench.srf.invites.length, 3);
    t.match(bench.dial({ attemptId: 'd', notAfterMs: 1_400 }), { code: 'TRUNK_RATE_LIMITED' });
  },
);

t.test('a channel is taken from the dial until the BYE is answered', async (t) => {
  const bench = await AttemptBench.start({ trunk: { channelsMax: 1 } });
  bench.srf.autoAnswerRequests = false;
  bench.dial();
  t.match(bench.dial({ attemptId: 'b' }), { code: 'TRUNK_CHANNELS_EXHAUSTED' });
  bench.invite().echo().answer();
  bench.command({ type: 'attempt.hangup', reason: 'completed' });
  t.equal(bench.told.at(-1), 'ended');
  t.match(bench.dial({ attemptId: 'b', seq: 2 }), { code: 'TRUNK_CHANNELS_EXHAUSTED' });
  await bench.settle();
  const released = bench.desk.whenReleased('a');
  bench.srf.byes()[0]?.respond(fakeResponse(200, 'OK'));
  await released;
  await bench.makeEndpoints();
  t.match(bench.dial({ attemptId: 'b', seq: 3 }), { accepted: true });
});

t.test('183 with SDP: told as early media and applied at once; its 200 repeats it', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().provisional(183, FAR_SDP);
  t.same(bench.endpoint().applied, [FAR_SDP]);
  t.same(bench.told, ['sent', 'alerting', 'earlyMedia']);
  bench.invite().provisional(183, FAR_SDP).provisional(180);
  t.same(bench.told.slice(3), ['alerting'], 'a repeat is no news, another code is');
  bench.invite().answer(null);
  t.equal(bench.told.at(-1), 'answered', 'the SDP of the 183 stands (RFC 3261 §13.2.1)');
});

t.test('200 without SDP: acknowledged, ended with BYE, and not an answer', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().provisional(180).answer(null);
  t.same(bench.told, ['sent', 'alerting', 'ended']);
  t.match(bench.ended, { answered: false, endedBy: 'gateway', sip: { statusCode: 200 } });
  await bench.settle();
  t.equal(bench.srf.byes().length, 1);
  await bench.makeEndpoints();
  await nothingIsLeft(t, bench);
});

t.test('a 202 to an INVITE builds a dialog nobody wants: BYE by its id', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  const headers = { From: '<sip:a@h>;tag=our', To: '<sip:b@h>;tag=far', Contact: '<sip:b@h>' };
  const answer = fakeResponse(202, 'Accepted', { headers, dialogId: 'call-1;from-tag=our' });
  bench.invite().echo().reject(answer);
  t.match(bench.ended, { answered: false, endedBy: 'gateway', sip: { statusCode: 202 } });
  await bench.settle();
  t.match(bench.srf.byes()[0]?.options, { stackDialogId: 'call-1;from-tag=our' });
});

t.test('the far end hangs up while a prompt plays: stopped, then ended', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().answer();
  bench.command({ type: 'attempt.play', playId: 'p', prompts: ['one'] });
  bench.command({ type: 'attempt.play', playId: 'q', prompts: ['two'] }, { seq: 3 });
  await bench.settle();
  bench.clock.advanceTo(700);
  bench.invite().bye({ headers: { Reason: 'Q.850;cause=16;text="Normal"' } });
  t.same(bench.told, ['sent', 'answered', 'played', 'played', 'ended']);
  t.match(bench.events.slice(2, 4), [
    { playId: 'p', status: 'stopped', playedMs: 700 },
    { playId: 'q', status: 'stopped', playedMs: 0 },
  ]);
  t.match(bench.ended, {
    ...{ endedBy: 'far', talkMs: 700, q850: [{ cause: 16 }] },
    reasonHeaders: ['Q.850;cause=16;text="Normal"'],
  });
  t.equal(bench.srf.byes().length, 0, 'no BYE to a BYE');
  await bench.makeEndpoints();
  await nothingIsLeft(t, bench);
});

t.test('two BYEs cross: one story', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().answer();
  bench.command({ type: 'attempt.hangup', reason: 'completed' });
  bench.invite().bye();
  t.match(bench.ended, { endedBy: 'dialer' });
  await bench.makeEndpoints();
  await nothingIsLeft(t, bench);
});

t.test('a BYE that the switch made up is the switch’s', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().answer();
  bench.invite().bye({ bySwitch: true, headers: { Reason: 'SIP ;cause=200 ;text="ACK timeout"' } });
  t.match(bench.ended, { endedBy: 'switch', answered: true });
});

const plays = [
  { name: 'a file that is not there', said: 'FILE NOT FOUND', status: 'notFound' },
  { name: 'a file that cannot be read', said: 'PLAYBACK ERROR', status: 'failed' },
] as const;
for (const { name, said, status } of plays) {
  t.test(`playing ${name}: ${status}, and the call goes on`, async (t) => {
    const bench = await AttemptBench.start();
    bench.dial();
    bench.invite().echo().answer();
    bench.command({ type: 'attempt.play', playId: 'p', prompts: ['one'] });
    bench.command({ type: 'attempt.play', playId: 'q', prompts: ['../two'] }, { seq: 3 });
    await bench.settle();
    bench.endpoint().plays[0]?.end({ kind: 'done', value: { getHeader: () => said } });
    await bench.settle();
    t.match(bench.events.slice(2), [
      { playId: 'p', status, playedMs: 0 },
      { playId: 'q', status: 'notFound' },
    ]);
    t.match(bench.command({ type: 'attempt.query' }), { state: { phase: 'answered' } });
  });
}

t.test('playing is refused before the answer and after the end', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().provisional(180);
  const play = { type: 'attempt.play' as const, playId: 'p', prompts: ['one'] };
  t.match(bench.command(play), { accepted: false, code: 'BAD_STATE' });
  bench.invite().reject(fakeResponse(486, 'Busy Here'));
  t.match(bench.command(play, { seq: 3 }), { accepted: false, code: 'BAD_STATE' });
  t.match(bench.command({ type: 'attempt.hold', prompts: [] }, { seq: 4 }), { code: 'BAD_STATE' });
});

const limits = [
  { name: 'set-up', dial: { setupTimeoutMs: 5_000 }, ringing: false, reason: 'setup_timeout' },
  { name: 'ringing', dial: { ringLimitMs: 5_000 }, ringing: true, reason: 'ring_timeout' },
];
for (const { name, dial, ringing, reason } of limits) {
  t.test(`the gateway’s own limit for ${name} cancels with ${reason}`, async (t) => {
    const bench = await AttemptBench.start();
    bench.dial(dial);
    bench.invite().echo();
    if (ringing) bench.invite().provisional(180);
    bench.clock.advanceTo(4_999);
    t.equal(bench.invite().request.cancelled, 0);
    bench.clock.advanceTo(5_000);
    t.equal(bench.invite().request.cancelled, 1);
    bench.invite().reject(fakeResponse(487, 'Request Terminated'));
    t.match(bench.ended, { endedBy: 'gateway', cancelReason: reason });
  });
}

t.test('the call length limit hangs up', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial({ callLengthMaxMs: 8_000 });
  bench.invite().echo().answer();
  bench.clock.advanceTo(8_000);
  t.match(bench.ended, { endedBy: 'gateway', talkMs: 8_000, cancelReason: null });
  await bench.makeEndpoints();
  await nothingIsLeft(t, bench);
});

const reInvites: {
  name: string;
  fail: (media: DyingMediaServer, bench: AttemptBench) => void;
  endedBy: string;
}[] = [
  { name: 'refused with 488', fail: (media) => media.reInvite(failure(488)), endedBy: 'gateway' },
  { name: 'unknown there (481)', fail: (media) => media.reInvite(failure(481)), endedBy: 'switch' },
  { name: 'answered with 500', fail: (media) => media.reInvite(failure(500)), endedBy: 'switch' },
  { name: 'never sent', fail: (media) => media.reInvite(failure(undefined)), endedBy: 'switch' },
  {
    name: 'never answered',
    fail: (_media, bench) => bench.clock.advanceTo(5_000),
    endedBy: 'switch',
  },
];
for (const { name, fail, endedBy } of reInvites) {
  t.test(`the re-INVITE to the media server is ${name}: ended by the ${endedBy}`, async (t) => {
    const bench = await AttemptBench.start({ warm: 0 });
    const media = new DyingMediaServer(bench);
    bench.dial();
    bench.creating.shift()?.(media.endpoint as never);
    await bench.settle();
    bench.invite().echo().answer();
    await bench.settle();
    fail(media, bench);
    await bench.settle();
    t.match(bench.ended, { endedBy, answered: true });
    await nothingIsLeft(t, bench);
  });
}

/** Of drachtio-srf, to a re-INVITE; undefined: it did not leave. */
function failure(status: number | undefined): SipFailure {
  return Object.assign(new Error('not modified'), status === undefined ? {} : { status });
}

t.test('a channel that the media server ends takes the call with it', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  bench.invite().echo().answer();
  bench.endpoint().gone.fire('the channel ended');
  t.match(bench.ended, { endedBy: 'switch', answered: true });
  await bench.settle();
  t.equal(bench.srf.byes().length, 1, 'the customer is not left in silence');
  await bench.makeEndpoints();
  await nothingIsLeft(t, bench);
});

const mediaDeaths: { name: string; sequence: ('reInvite' | 'eventSocket')[] }[] = [
  { name: 'its SIP port is found closed first', sequence: ['reInvite', 'eventSocket'] },
  { name: 'its event socket breaks first', sequence: ['eventSocket', 'reInvite'] },
  { name: 'its event socket says nothing, as when a host goes down', sequence: ['reInvite'] },
];
for (const { name, sequence } of mediaDeaths) {
  t.test(`FreeSWITCH dies while the answer is applied, and ${name}: one account`, async (t) => {
    const bench = await AttemptBench.start({ warm: 0 });
    const media = new DyingMediaServer(bench);
    bench.dial();
    bench.creating.shift()?.(media.endpoint as never);
    await bench.settle();
    bench.invite().echo().answer();
    bench.command({ type: 'attempt.play', playId: 'p', prompts: ['silence_stream://60000'] });
    await bench.settle();
    for (const sign of sequence) {
      media[sign]();
      await bench.settle();
    }
    t.same(bench.told, ['sent', 'answered', 'played', 'ended']);
    t.match(bench.events[2], { playId: 'p', status: 'stopped' });
    t.match(bench.ended, { endedBy: 'switch', answered: true });
    t.match(
      bench.srf.byes().map(({ options }) => options.stackDialogId),
      ['call-1;from-tag=our', 'media;from-tag=our'],
      'the customer first; the media server too, should it be there after all',
    );
    await nothingIsLeft(t, bench);
  });
}

t.test('re-INVITE of the far end: the media server’s answer goes back, or 488', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  const { dialog } = bench.invite().echo().answer();
  const moved = FAR_SDP.replace('40000', '40002');
  const ask = async () => {
    const response = fakeResponse(0, '');
    dialog?.emit('modify', fakeRequest('INVITE', { body: moved }), response);
    await bench.settle();
    return response.sent;
  };
  t.same(await ask(), [{ status: 200, body: FAR_SDP }]);
  t.equal(bench.endpoint().applied.at(-1), moved);
  bench.endpoint().modifyOutcome = { kind: 'failed', problem: '488' };
  t.same(await ask(), [{ status: 488 }]);
  const offerless = fakeResponse(0, '');
  dialog?.emit('modify', fakeRequest('INVITE'), offerless);
  t.match(offerless.sent, [{ status: 200, body: /^v=0/ }]);
  dialog?.emit('ack', fakeRequest('ACK', { body: moved }));
  t.equal(bench.endpoint().applied.length, 4, 'the answer came with the ACK');
});

t.test('UPDATE of the far end: with SDP like a re-INVITE, without a refresh', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  const { dialog } = bench.invite().echo().answer();
  const before = bench.endpoint().applied.length;
  const held = FAR_SDP.replace('m=audio', 'a=sendonly\r\nm=audio');
  const update = async (more: { body?: string }) => {
    const response = fakeResponse(0, '');
    dialog?.emit('update', fakeRequest('UPDATE', more), response);
    await bench.settle();
    return response.sent;
  };
  t.same(await update({ body: held }), [{ status: 200, body: FAR_SDP }]);
  t.equal(bench.endpoint().applied.at(-1), held);
  t.same(await update({}), [{ status: 200 }]);
  t.equal(bench.endpoint().applied.length, before + 1, 'the media stays as it is');
});

t.test('digits come by RTP and by INFO', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial();
  const { dialog } = bench.invite().echo().answer();
  bench.endpoint().onDigit?.({ digit: '5', durationMs: 100, source: 'rtp' });
  const response = fakeResponse(0, '');
  const headers = { 'Content-Type': 'application/dtmf-relay' };
  const info = fakeRequest('INFO', { headers, body: 'Signal=#\r\nDuration=160\r\n' });
  dialog?.emit('info', info, response);
  t.same(response.sent, [{ status: 200 }]);
  t.match(bench.events.slice(2), [
    { type: 'attempt.dtmf', digit: '5', durationMs: 100, source: 'rtp' },
    { type: 'attempt.dtmf', digit: '#', durationMs: 160, source: 'info' },
  ]);
  const bare = { 'Content-Type': 'application/dtmf' };
  t.match(digitOfInfo(fakeRequest('INFO', { headers: bare, body: '*' })), { digit: '*' });
  t.equal(digitOfInfo(fakeRequest('INFO', { headers: bare, body: 'x' })), undefined);
  t.equal(digitOfInfo(fakeRequest('INFO', { body: '1' })), undefined);
});

const losses = [
  { name: 'before the echo of the INVITE', reach: () => undefined, answered: false, invites: 1 },
  {
    name: 'while ringing',
    reach: (bench: AttemptBench) => bench.invite().echo().provisional(180),
    ...{ answered: false, invites: 1 },
  },
  {
    name: 'in conversation',
    reach: (bench: AttemptBench) => bench.invite().echo().answer(),
    ...{ answered: true, invites: 1 },
  },
];
for (const { name, reach, answered, invites } of losses) {
  t.test(
    `drachtio is lost ${name}: told as the switch’s, and cleared when it is back`,
    async (t) => {
      const bench = await AttemptBench.start();
      bench.dial();
      reach(bench);
      bench.srf.down();
      t.match(bench.ended, { endedBy: 'switch', answered, invites });
      t.match(bench.dial({ attemptId: 'b' }), { code: 'SWITCH_DOWN' });
      t.ok(
        bench.endpoints.every(({ gone }) => gone.fired),
        'no endpoint is kept',
      );
      bench.clock.advanceTo(100);
      bench.srf.up();
      await bench.settle();
      const methods = bench.srf.requests.map(({ options }) => options.method);
      const expected = answered ? ['BYE'] : ['CANCEL', 'BYE'];
      t.same(methods, bench.told.includes('sent') ? expected : []);
      await bench.makeEndpoints();
      await nothingIsLeft(t, bench);
    },
  );
}

for (const trunk of [{}, { callsPerSecondMax: 0.2 }]) {
  const waitsFor = 'callsPerSecondMax' in trunk ? 'its moment' : 'an endpoint';
  t.test(
    `drachtio is lost while a dial waits for ${waitsFor}: refused, nobody was rung`,
    async (t) => {
      const bench = await AttemptBench.start({ warm: 0, trunk });
      if ('callsPerSecondMax' in trunk) bench.trunk.takeMoment(0, 0);
      t.match(bench.dial(), { accepted: true });
      bench.srf.down();
      t.match(bench.events, [{ type: 'attempt.refused', code: 'SWITCH_DOWN' }]);
      await bench.makeEndpoints();
      t.equal(bench.srf.invites.length, 0);
      bench.link.close();
      await nothingIsLeft(t, bench);
    },
  );
}

t.test('FreeSWITCH’s connection is lost: calls whose channels live go on', async (t) => {
  const bench = await AttemptBench.start({ warm: 2 });
  bench.dial();
  bench.invite().echo().answer();
  bench.media.down('reset');
  t.equal(bench.ended, undefined);
  t.ok(bench.endpoint(1).gone.fired, 'but no warm endpoint is kept');
  bench.endpoint(0).gone.fire('the channel ended');
  t.match(bench.ended, { endedBy: 'switch' });
});

t.test('a stale fence is refused and changes nothing; a higher one takes over', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial({ fence: 5 });
  bench.invite().echo().answer();
  const hangup = { type: 'attempt.hangup', reason: 'completed' } as const;
  t.match(bench.command(hangup, { fence: 4 }), { accepted: false, code: 'STALE_FENCE' });
  t.match(bench.command({ type: 'attempt.query' }, { fence: 6, seq: 1 }), {
    accepted: true,
    state: { phase: 'answered', fence: 6, dialogId: 'call-1;from-tag=our', channelId: 'channel-1' },
  });
  t.match(bench.command(hangup, { fence: 5 }), { code: 'STALE_FENCE' }, 'the owner of before');
  t.match(bench.command(hangup, { fence: 6, seq: 1 }), { accepted: true });
  t.match(bench.ended, { fence: 6, seq: 1 }, 'a new owner reads from 1');
});

t.test('a new owner is told again what the one before did not write down', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial({ fence: 5 });
  bench.invite().echo().provisional(180);
  bench.invite().answer();
  t.same(bench.told, ['sent', 'alerting', 'answered']);
  const ask = (fence: number, heard: object) =>
    bench.command({ type: 'attempt.query', ...heard }, { fence, seq: 1 });
  const since = (count: number) =>
    bench.events.slice(count).map(({ type, fence, seq }) => [type.slice(8), fence, seq]);
  t.match(ask(6, { heard: { fence: 5, seq: 1 } }), { state: { phase: 'answered', told: 2 } });
  const again = [
    ['alerting', 6, 1],
    ['answered', 6, 2],
  ];
  t.same(since(3), again);
  t.match(ask(6, { heard: { fence: 5, seq: 1 } }), { state: { told: 2 } });
  t.same(since(3), again, 'asked again, it is told once');
  const hangup = { type: 'attempt.hangup', reason: 'completed' } as const;
  bench.command(hangup, { fence: 6, seq: 1 });
  t.same(since(5), [['ended', 6, 3]]);
  t.match(ask(7, { heard: { fence: 6, seq: 1 } }), { state: { phase: 'ended', told: 2 } });
  t.same(since(6), [
    ['answered', 7, 1],
    ['ended', 7, 2],
  ]);
  t.match(ask(8, { heard: { fence: 0, seq: 0 } }), { state: { told: 4 } }, 'who knows nothing');
  t.same(
    since(8).map(([type]) => type),
    ['sent', 'alerting', 'answered', 'ended'],
  );
  t.match(ask(9, {}), { state: { told: 0 } }, 'and nothing who does not say what it knows');
});

t.test('an attempt is dialled once, however often and by whomever it is asked for', async (t) => {
  const bench = await AttemptBench.start({ warm: 3 });
  bench.dial();
  t.match(bench.dial(), { accepted: true, duplicate: true });
  t.match(bench.dial({ fence: 2 }), {
    accepted: true,
    duplicate: true,
    state: { phase: 'starting' },
  });
  bench.invite().echo().reject(fakeResponse(486, 'Busy Here'));
  t.match(bench.dial({ fence: 3 }), { duplicate: true, state: { phase: 'ended' } });
  t.equal(bench.srf.invites.length, 1);
});

t.test('commands for what nobody knows', async (t) => {
  const bench = await AttemptBench.start();
  const hangup = { type: 'attempt.hangup', reason: 'completed' } as const;
  t.match(bench.command(hangup), { accepted: false, code: 'UNKNOWN_ATTEMPT' });
  t.match(bench.command({ type: 'attempt.query' }), {
    accepted: true,
    state: { phase: 'unknown' },
  });
});

t.test('a call of a gateway before it is ended by its dialog’s id, once', async (t) => {
  const bench = await AttemptBench.start();
  const hangup = { type: 'attempt.hangup', reason: 'failed', dialogId: 'c9;from-tag=x' } as const;
  t.match(bench.command(hangup), { accepted: true });
  t.match(bench.command(hangup, { seq: 2 }), { accepted: true }, 'asked again while it is ended');
  await new Promise((resolve) => setImmediate(resolve));
  const [bye, ...more] = bench.srf.byes();
  t.match(bye?.options, { method: 'BYE', stackDialogId: 'c9;from-tag=x' });
  t.same(more, []);
  t.equal(bench.ender.inHand, 0);
});

t.test('ended attempts can be asked about for a time, and then are forgotten', async (t) => {
  const bench = await AttemptBench.start({ warm: 5, endedKeptMs: 10_000, endedKeptMax: 2 });
  const dialAndEnd = (attemptId: string, index: number): void => {
    bench.dial({ attemptId });
    bench.clock.advanceTo(bench.clock.now() + 50);
    bench.invite(index).echo().reject(fakeResponse(486, 'Busy Here'));
  };
  const phase = (attemptId: string) =>
    (bench.command({ type: 'attempt.query' }, { attemptId }) as CommandReply & { accepted: true })
      .state?.phase;
  dialAndEnd('a', 0);
  t.equal(phase('a'), 'ended');
  dialAndEnd('b', 1);
  dialAndEnd('c', 2);
  t.same([phase('a'), phase('b'), phase('c')], ['unknown', 'ended', 'ended'], 'by number');
  bench.clock.advanceTo(20_000);
  await bench.makeEndpoints();
  dialAndEnd('d', 3);
  t.same([phase('b'), phase('c'), phase('d')], ['unknown', 'unknown', 'ended'], 'by age');
});

t.test(
  'CommandGate: a command takes effect at most once, and never for an older owner (property)',
  async (t) => {
    const command = fc.record({
      type: fc.constantFrom('attempt.play', 'attempt.hangup', 'attempt.query'),
      fence: fc.integer({ min: 0, max: 3 }),
      seq: fc.integer({ min: 1, max: 6 }),
    });
    const holds = fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const gate = new CommandGate(0);
      const done = new Set<string>();
      let highestFence = 0;
      return commands.every((one) => {
        const { kind } = gate.admit(one);
        if (one.fence < highestFence) return kind === 'refuse';
        highestFence = one.fence;
        if (kind !== 'act') return one.type !== 'attempt.query';
        gate.remember(one, { accepted: true });
        if (one.type === 'attempt.query') return true;
        const key = `${one.fence}/${one.seq}`;
        const isNew = !done.has(key);
        done.add(key);
        return isNew;
      });
    });
    fc.assert(holds);
    t.pass();
  },
);

t.test('whatever crosses, an attempt ends once and leaves nothing (property)', async (t) => {
  const happenings = {
    provisional: (bench: AttemptBench) => bench.srf.invites[0]?.provisional(180),
    early: (bench: AttemptBench) => bench.srf.invites[0]?.provisional(183, FAR_SDP),
    echo: (bench: AttemptBench) => bench.srf.invites[0]?.echo(),
    cancel: (bench: AttemptBench, seq: number) =>
      bench.command({ type: 'attempt.cancel', reason: 'cancelled' }, { seq }),
    hangup: (bench: AttemptBench, seq: number) =>
      bench.command({ type: 'attempt.hangup', reason: 'completed' }, { seq }),
    play: (bench: AttemptBench, seq: number) =>
      bench.command({ type: 'attempt.play', playId: 'p', prompts: ['one'] }, { seq }),
    bye: (bench: AttemptBench) => bench.srf.invites[0]?.bye(),
    channelEnds: (bench: AttemptBench) => bench.endpoints[0]?.gone.fire('ended'),
    drachtioLost: (bench: AttemptBench) => bench.srf.down(),
    time: (bench: AttemptBench) => bench.clock.advanceTo(bench.clock.now() + 7_000),
    endpoint: (bench: AttemptBench) => bench.makeEndpoints(),
  };
  const names = Object.keys(happenings) as (keyof typeof happenings)[];
  const holds = fc.asyncProperty(
    fc.array(fc.constantFrom(...names, 'final' as const), { maxLength: 14 }),
    fc.constantFrom(200, 486, 487),
    fc.constantFrom(0, 1),
    async (steps, status, warm) => {
      const bench = await AttemptBench.start({ warm });
      bench.dial({ setupTimeoutMs: 20_000, ringLimitMs: 20_000, callLengthMaxMs: 20_000 });
      let echoed = false;
      let final = false;
      for (const [index, step] of steps.entries()) {
        // drachtio echoes first, and once; a final response comes after it, and once.
        if (step === 'echo' && echoed) continue;
        if (['provisional', 'early', 'final'].includes(step) && (!echoed || final)) continue;
        if (step === 'final') {
          final = true;
          if (status === 200) bench.srf.invites[0]?.answer();
          else bench.srf.invites[0]?.reject(fakeResponse(status, ''));
        } else {
          if (step === 'echo' && bench.srf.invites[0] === undefined) continue;
          echoed ||= step === 'echo';
          await happenings[step](bench, index + 2);
        }
        await bench.settle();
      }
      for (let more = 0; more < 12; more += 1) {
        bench.srf.up();
        await bench.settle();
        await bench.makeEndpoints();
        bench.clock.advanceTo(bench.clock.now() + 12_000);
        await bench.settle();
      }
      const ends = bench.told.filter((type) => type === 'ended' || type === 'refused');
      const seqs = bench.events.map(({ seq }) => seq);
      return (
        ends.length === 1 &&
        bench.told.at(-1) === ends[0] &&
        seqs.every((seq, index) => seq === index + 1) &&
        bench.trunk.channelsInUse === 0 &&
        bench.registry.active.size === 0 &&
        bench.ender.inHand === 0 &&
        bench.pool.counts.inCalls === 0
      );
    },
  );
  await fc.assert(holds, { numRuns: 300 });
  t.pass();
});
