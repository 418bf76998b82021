import fc from 'fast-check';
import t from 'tap';
import type { CallEndCause } from '../../softswitch/sip/call-leg.ts';
import { createResponse } from '../../softswitch/sip/create-response.ts';
import type { DigestChallenge } from '../../softswitch/sip/digest-challenge.ts';
import { DigestClient } from '../../softswitch/sip/digest-client.ts';
import { digestResponse, parseDigestParams } from '../../softswitch/sip/digest.ts';
import type { IncomingCall } from '../../softswitch/sip/incoming-call.ts';
import {
  headerOf,
  headersOf,
  type SipMessage,
  type SipResponse,
} from '../../softswitch/sip/message.ts';
import { tagOf } from '../../softswitch/sip/name-addr.ts';
import type { InviteOptions, OutgoingCall } from '../../softswitch/sip/outgoing-call.ts';
import type { SipAddress } from '../../softswitch/sip/sip-address.ts';
import { SipStack } from '../../softswitch/sip/sip-stack.ts';
import { UserAgent, type UserAgentOptions } from '../../softswitch/sip/user-agent.ts';
import { ManualTimerWheel } from '../../softswitch/timers/manual-timer-wheel.ts';
import { MemoryNetwork, type Packet, type RawPeer } from '../support/sip-memory-network.ts';
import { rawRequest, rawResponse, type RequestParts } from '../support/sip-text.ts';

const CALLER: SipAddress = { protocol: 'udp', host: '192.0.2.1', port: 5060 };
const CALLEE: SipAddress = { protocol: 'udp', host: '192.0.2.2', port: 5060 };
const OFFER = 'v=0\r\no=offer\r\n';
const ANSWER = 'v=0\r\no=answer\r\n';

interface World {
  readonly timers: ManualTimerWheel;
  readonly network: MemoryNetwork;
  readonly caller: UserAgent;
  readonly callee: UserAgent;
  readonly stacks: readonly [SipStack, SipStack];
  /** Calls the callee took. */
  readonly taken: IncomingCall[];
  readonly ended: { caller: CallEndCause[]; callee: CallEndCause[] };
  invite(options?: Partial<InviteOptions>): OutgoingCall;
  /** `who LABEL`, in order of sending. */
  ladder(): string[];
}

async function newWorld(
  calleeOptions: Partial<UserAgentOptions> = {},
  callerOptions: Partial<UserAgentOptions> = {},
): Promise<World> {
  const timers = new ManualTimerWheel();
  const network = new MemoryNetwork(timers);
  const open = (address: SipAddress): Promise<SipStack> =>
    SipStack.open({ timers, listen: [address], openTransport: network.open });
  const [callerStack, calleeStack] = [await open(CALLER), await open(CALLEE)];
  const caller = new UserAgent(callerStack, { timers, contactUser: 'caller', ...callerOptions });
  const callee = new UserAgent(calleeStack, { timers, contactUser: 'callee', ...calleeOptions });
  const taken: IncomingCall[] = [];
  const ended: World['ended'] = { caller: [], callee: [] };
  callee.onInvite = (call) => {
    taken.push(call);
    call.onEnded = (cause) => ended.callee.push(cause);
  };
  return {
    ...{
      timers,
      network,
      caller,
      callee,
      taken,
      ended,
      stacks: [callerStack, calleeStack] as const,
    },
    invite: (options = {}) => {
      const to = 'sip:bob@192.0.2.2';
      const call = caller.invite({ to, from: 'sip:alice@192.0.2.1', sdp: OFFER, ...options });
      call.onEnded = (cause) => ended.caller.push(cause);
      return call;
    },
    ladder: () =>
      network.packets.map(({ from, label }) => `${from.host === CALLER.host ? '>' : '<'} ${label}`),
  };
}

/** An answered, acknowledged call. */
async function newCall(): Promise<World & { out: OutgoingCall; in: IncomingCall }> {
  const world = await newWorld();
  const out = world.invite();
  world.timers.advance(1);
  const [incoming] = world.taken;
  if (incoming === undefined) throw new Error('no call');
  incoming.answer({ sdp: ANSWER });
  world.timers.advance(10);
  world.network.packets.length = 0;
  return { ...world, out, in: incoming };
}

function isQuiet(world: World): boolean {
  world.timers.advance(100_000);
  const counts = world.stacks.map(({ transactionCounts }) => transactionCounts);
  const open = counts.reduce((sum, { client, server }) => sum + client + server, 0);
  return open === 0 && world.timers.pending === 0 && world.caller.calls + world.callee.calls === 0;
}

t.test('A call from INVITE to BYE, and nothing is left behind', async (t) => {
  const world = await newWorld();
  const told: string[] = [];
  const call = world.invite();
  call.onProvisional = (response, sdp) => told.push(`${response.statusCode} ${sdp ?? '-'}`);
  call.onAnswer = (response, sdp) => {
    told.push(`${response.statusCode} ${sdp ?? '-'}`);
    return undefined;
  };
  world.timers.advance(1);
  const [incoming] = world.taken;
  t.equal(incoming?.sdp, OFFER);
  t.equal(incoming?.callId, call.callId);
  incoming?.provisional(180);
  incoming?.provisional(183, { sdp: ANSWER });
  incoming?.answer({ sdp: ANSWER });
  t.equal(incoming?.state, 'answered');
  world.timers.advance(10);
  t.equal(incoming?.state, 'confirmed');
  t.equal(call.state, 'confirmed');
  t.equal(call.remoteTag, incoming?.localTag);
  call.bye();
  call.bye();
  world.timers.advance(10);
  t.same(told, ['180 -', `183 ${ANSWER}`, `200 ${ANSWER}`]);
  t.same(world.ended, { caller: ['byeSent'], callee: ['byeReceived'] });
  t.same(world.ladder(), [
    ...['> INVITE', '< 180 INVITE', '< 183 INVITE', '< 200 INVITE', '> ACK', '> BYE', '< 200 BYE'],
  ]);
  t.ok(isQuiet(world));
});

t.test('The callee hangs up, with a Reason the caller sees', async (t) => {
  const world = await newCall();
  let reason = '';
  world.out.onBye = (bye) => (reason = headerOf(bye, 'Reason') ?? '');
  world.in.bye([{ name: 'Reason', value: 'Q.850;cause=16' }]);
  world.timers.advance(10);
  t.same(world.ended, { caller: ['byeReceived'], callee: ['byeSent'] });
  t.equal(reason, 'Q.850;cause=16');
  t.ok(isQuiet(world));
});

t.test('A lost ACK: the 200 comes again after T1, the very same ACK answers it', async (t) => {
  const world = await newWorld();
  let acks = 0;
  world.network.fate = ({ label }) => (label === 'ACK' && (acks += 1) <= 2 ? 'lose' : 'deliver');
  const call = world.invite();
  let answers = 0;
  call.onAnswer = () => {
    answers += 1;
    return undefined;
  };
  world.timers.advance(1);
  world.taken[0]?.answer({ sdp: ANSWER });
  world.timers.advance(30_000);
  t.same(world.network.sentBy(CALLEE), ['200 INVITE @1', '200 INVITE @501', '200 INVITE @1501']);
  const sentAcks = world.network.packets.filter(({ label }) => label === 'ACK');
  t.equal(sentAcks.length, 3);
  t.same(new Set(sentAcks.map(({ bytes }) => bytes.toString())).size, 1);
  t.equal(answers, 1);
  t.equal(world.taken[0]?.state, 'confirmed');
});

t.test(
  'No ACK at all: the 200 is repeated up to every T2 for 64*T1, then a BYE ends it',
  async (t) => {
    const world = await newWorld();
    world.network.fate = ({ label }) => (label === 'ACK' ? 'lose' : 'deliver');
    world.invite();
    world.timers.advance(1);
    world.taken[0]?.answer({ sdp: ANSWER });
    world.timers.advance(40_000);
    const times = world.network.packets
      .filter(({ label }) => label === '200 INVITE')
      .map(({ atMs }) => atMs - 1);
    t.same(times, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    t.same(world.ended, { caller: ['byeReceived'], callee: ['ackTimeout'] });
    t.ok(isQuiet(world));
  },
);

t.test('A lost 200 comes again; the caller confirms once', async (t) => {
  const world = await newWorld();
  let lost = 0;
  world.network.fate = ({ label }) =>
    label === '200 INVITE' && (lost += 1) === 1 ? 'lose' : 'deliver';
  const call = world.invite();
  world.timers.advance(1);
  world.taken[0]?.provisional(180);
  world.taken[0]?.answer({ sdp: ANSWER });
  world.timers.advance(5_000);
  t.equal(call.state, 'confirmed');
  t.equal(world.taken[0]?.state, 'confirmed');
});

t.test('CANCEL while it rings: 200, 487, ACK', async (t) => {
  const world = await newWorld();
  let rejected = 0;
  const call = world.invite();
  call.onRejected = (response) => (rejected = response.statusCode);
  world.timers.advance(1);
  world.taken[0]?.provisional(180);
  world.timers.advance(1);
  call.bye(); // before the answer a hang-up is a CANCEL
  world.timers.advance(10);
  t.same(world.ladder(), [
    '> INVITE',
    '< 180 INVITE',
    '> CANCEL',
    '< 200 CANCEL',
    '< 487 INVITE',
    '> ACK',
  ]);
  t.same(world.ended, { caller: ['cancelled'], callee: ['cancelled'] });
  t.equal(rejected, 487);
  world.taken[0]?.answer({ sdp: ANSWER }); // a script that is a moment late
  t.ok(isQuiet(world));
});

t.test('A 200 that crosses the CANCEL is acknowledged and ended with BYE', async (t) => {
  const world = await newWorld();
  const call = world.invite();
  let answered = false;
  call.onAnswer = () => {
    answered = true;
    return undefined;
  };
  world.timers.advance(1);
  world.taken[0]?.provisional(180);
  world.timers.advance(1);
  call.cancel([{ name: 'Reason', value: 'SIP;cause=487;text="Ring time-out"' }]);
  world.taken[0]?.answer({ sdp: ANSWER });
  world.timers.advance(10);
  t.same(world.ladder().slice(2), [
    '> CANCEL',
    '< 200 INVITE',
    '< 200 CANCEL',
    '> ACK',
    '> BYE',
    '< 200 BYE',
  ]);
  t.notOk(answered);
  t.same(world.ended, { caller: ['cancelled'], callee: ['byeReceived'] });
  const bye = world.network.packets.find(({ label }) => label === 'BYE');
  t.match(bye && headerOf(bye.message, 'Reason'), 'Ring time-out');
  t.ok(isQuiet(world));
});

t.test('Refusals reach the caller with code, phrase and headers', async (t) => {
  const world = await newWorld();
  const call = world.invite();
  let got: SipResponse | undefined;
  call.onRejected = (response) => (got = response);
  world.timers.advance(1);
  world.taken[0]?.reject(603, 'Network Blocked', [{ name: 'Reason', value: 'Q.850;cause=21' }]);
  world.timers.advance(10);
  t.match(got, { statusCode: 603, reason: 'Network Blocked' });
  t.equal(got && headerOf(got, 'Reason'), 'Q.850;cause=21');
  t.same(world.ended, { caller: ['rejected'], callee: ['rejected'] });
  t.ok(isQuiet(world));
});

/** The caller's peer is a script: forks, repeats and comes late as it likes. */
async function newForkWorld(): Promise<
  World & { far: RawPeer; call: OutgoingCall; answer(tag: string): void }
> {
  const world = await newWorld();
  const far = world.network.peer();
  const call = world.invite({ destination: far.address });
  world.timers.advance(1);
  const invite = far.received[0]?.message;
  if (invite === undefined) throw new Error('no INVITE');
  const headers = [{ name: 'Contact', value: `<sip:fork@192.0.2.9:${far.address.port}>` }];
  return {
    ...world,
    far,
    call,
    answer: (toTag) => {
      far.send(rawResponse(invite, 200, { toTag, headers, body: ANSWER }), CALLER);
      world.timers.advance(2);
    },
  };
}

function requestsFor(far: RawPeer, tag: string): string[] {
  return far.received
    .filter(({ message }) => message.kind === 'request' && tagOf(headerOf(message, 'To')) === tag)
    .map(({ label }) => label);
}

t.test(
  'A forked INVITE answered twice: the first is kept, the second gets ACK and one BYE',
  async (t) => {
    const world = await newForkWorld();
    world.answer('one');
    world.answer('two');
    world.answer('two');
    world.answer('one');
    t.same(requestsFor(world.far, 'one'), ['ACK', 'ACK']);
    t.same(requestsFor(world.far, 'two'), ['ACK', 'BYE', 'ACK']);
    t.equal(world.call.state, 'confirmed');
    t.equal(world.call.remoteTag, 'one');
  },
);

t.test('An answer after the INVITE timed out is acknowledged and ended', async (t) => {
  const world = await newForkWorld();
  let origin = '';
  world.call.onRejected = (response, from) => (origin = `${response.statusCode} ${from.source}`);
  world.timers.advance(32_000);
  t.equal(origin, '408 stack');
  t.same(world.ended.caller, ['rejected']);
  world.answer('late');
  t.same(requestsFor(world.far, 'late'), ['ACK', 'BYE']);
});

t.test(
  'A 2xx of a live call that is later than its transaction does not end the call',
  async (t) => {
    const world = await newForkWorld();
    world.answer('one');
    world.timers.advance(33_000);
    world.answer('one');
    t.same(requestsFor(world.far, 'one'), ['ACK']);
    t.equal(world.call.state, 'confirmed');
  },
);

interface Far {
  readonly far: RawPeer;
  /** Sends a request of the scripted caller; the dialog's tag once there is one. */
  send(method: string, parts?: Partial<RequestParts>): void;
  answers(): string[];
  last(label: string): SipMessage | undefined;
}

/** The callee's peer is a script. */
async function newScriptedCaller(options: Partial<UserAgentOptions> = {}): Promise<World & Far> {
  const world = await newWorld(options);
  const far = world.network.peer();
  let branches = 0;
  return {
    ...world,
    far,
    send: (method, parts = {}) => {
      branches += 1;
      const via = `192.0.2.9:${far.address.port};rport;branch=z9hG4bKs${branches}`;
      const contact = `Contact: <sip:far@192.0.2.9:${far.address.port}>`;
      const full = { method, uri: 'sip:bob@192.0.2.2', via, headers: [contact], ...parts };
      far.send(rawRequest(full), CALLEE);
      world.timers.advance(2);
    },
    answers: () => far.received.map(({ label }) => label),
    last: (label) => far.received.findLast((packet: Packet) => packet.label === label)?.message,
  };
}

t.test('BYE before the ACK ends the call and stops the repetition of the 200', async (t) => {
  const world = await newScriptedCaller();
  world.send('INVITE');
  const [call] = world.taken;
  call?.answer({ sdp: OFFER });
  world.timers.advance(2);
  world.send('BYE', { cseq: 2, toTag: call?.localTag ?? '' });
  world.timers.advance(60_000);
  t.same(world.answers(), ['200 INVITE', '200 BYE']);
  t.same(world.ended.callee, ['byeReceived']);
});

t.test('Our own BYE waits for the ACK of our 200 (RFC 3261 §15)', async (t) => {
  const world = await newScriptedCaller();
  world.send('INVITE');
  const [call] = world.taken;
  call?.answer({ sdp: OFFER });
  call?.bye();
  world.timers.advance(400);
  t.same(world.answers(), ['200 INVITE']);
  world.send('ACK', { toTag: call?.localTag ?? '' });
  t.same(world.answers(), ['200 INVITE', 'BYE']);
  t.same(world.ended.callee, ['byeSent']);
});

t.test('A caller may end an unanswered call by BYE: 200 for it, 487 for the INVITE', async (t) => {
  const world = await newScriptedCaller();
  world.send('INVITE');
  const [call] = world.taken;
  call?.provisional(180);
  world.send('BYE', { cseq: 2, toTag: call?.localTag ?? '' });
  t.same(world.answers(), ['180 INVITE', '200 BYE', '487 INVITE']);
  t.same(world.ended.callee, ['byeReceived']);
});

const OUTSIDE: {
  name: string;
  method: string;
  parts?: Partial<RequestParts>;
  expected: string;
  header?: [string, string];
}[] = [
  { name: 'BYE for no dialog', method: 'BYE', parts: { toTag: 'nobody' }, expected: '481 BYE' },
  {
    name: 're-INVITE for no dialog',
    method: 'INVITE',
    parts: { toTag: 'nobody' },
    expected: '481 INVITE',
  },
  { name: 'BYE without a To tag', method: 'BYE', expected: '481 BYE' },
  {
    name: 'OPTIONS',
    method: 'OPTIONS',
    expected: '200 OPTIONS',
    header: ['Accept', 'application/sdp'],
  },
  {
    name: 'REGISTER at no registrar',
    method: 'REGISTER',
    expected: '405 REGISTER',
    header: ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE'],
  },
  { name: "a method of nobody's", method: 'FROBNICATE', expected: '501 FROBNICATE' },
  {
    name: 'another scheme',
    method: 'INVITE',
    parts: { uri: 'tel:+12025550100' },
    expected: '416 INVITE',
  },
  {
    name: 'a required extension',
    method: 'INVITE',
    parts: { headers: ['Require: 100rel, x'] },
    expected: '420 INVITE',
    header: ['Unsupported', '100rel, x'],
  },
  {
    name: 'a body we cannot read',
    method: 'INVITE',
    parts: { headers: ['Content-Type: text/html'], body: '<p>' },
    expected: '415 INVITE',
    header: ['Accept', 'application/sdp'],
  },
  {
    name: 'an encoded body',
    method: 'INVITE',
    parts: { headers: ['Content-Encoding: gzip'], body: 'v=0' },
    expected: '415 INVITE',
  },
];

t.test('Requests outside a dialog get what RFC 3261 §8.2 gives them', async (t) => {
  for (const { name, method, parts, expected, header } of OUTSIDE) {
    const world = await newScriptedCaller();
    world.send(method, parts);
    t.same(world.answers(), [expected], name);
    const answer = world.last(expected);
    if (header !== undefined) t.equal(answer && headerOf(answer, header[0]), header[1], name);
    t.ok(answer && tagOf(headerOf(answer, 'To')), name);
    t.same(world.taken, [], name);
  }
});

t.test('The same INVITE by another way is a loop: 482', async (t) => {
  const world = await newScriptedCaller();
  world.send('INVITE');
  world.send('INVITE'); // another branch, same Call-ID, tag and CSeq
  t.equal(world.taken.length, 1);
  t.same(world.answers(), ['482 INVITE']);
});

t.test('Inside a dialog: CSeq order, INFO, UPDATE, OPTIONS, unknown methods', async (t) => {
  const world = await newScriptedCaller();
  world.send('INVITE', { cseq: 10 });
  const [call] = world.taken;
  if (call === undefined) throw new Error('no call');
  const toTag = call.localTag;
  const infos: string[] = [];
  call.onInfo = (info) => {
    infos.push(info.body.toString());
    return infos.length === 1
      ? undefined
      : { statusCode: 469, headers: [{ name: 'Recv-Info', value: 'x' }] };
  };
  call.onReinvite = (sdp) => (sdp === OFFER ? ANSWER : { statusCode: 488 });
  call.answer({ sdp: OFFER });
  world.send('ACK', { cseq: 10, toTag });
  world.send('INFO', {
    cseq: 11,
    toTag,
    headers: ['Content-Type: application/dtmf-relay'],
    body: 'Signal=5',
  });
  world.send('INFO', { cseq: 12, toTag });
  world.send('INFO', { cseq: 5, toTag });
  world.send('OPTIONS', { cseq: 13, toTag });
  world.send('UPDATE', { cseq: 14, toTag, headers: ['Contact: <sip:moved@192.0.2.9:9999>'] });
  world.send('UPDATE', {
    cseq: 15,
    toTag,
    headers: ['Content-Type: application/sdp'],
    body: OFFER,
  });
  world.send('UPDATE', {
    cseq: 16,
    toTag,
    headers: ['Content-Type: application/sdp'],
    body: 'v=0\r\n',
  });
  world.send('NOTIFY', { cseq: 17, toTag });
  t.same(world.answers().slice(1), [
    ...[
      '200 INFO',
      '469 INFO',
      '500 INFO',
      '200 OPTIONS',
      '200 UPDATE',
      '200 UPDATE',
      '488 UPDATE',
      '405 NOTIFY',
    ],
  ]);
  t.same(infos, ['Signal=5', '']);
  call.bye();
  const bye = world.network.packets.at(-1);
  t.match(bye?.bytes.toString(), /^BYE sip:moved@192\.0\.2\.9:9999 /, 'UPDATE moved the target');
});

t.test(
  'Re-INVITEs of both sides change the media; without SDP the ACK brings the answer',
  async (t) => {
    const world = await newCall();
    const acks: (string | undefined)[] = [];
    world.in.onReinvite = (sdp) =>
      sdp === undefined ? 'v=0\r\no=our-offer\r\n' : `${sdp}a=answered\r\n`;
    world.in.onAck = (sdp) => acks.push(sdp);
    const first = world.out.sendRequest('INVITE', { sdp: OFFER });
    world.timers.advance(10);
    t.equal((await first).body.toString(), `${OFFER}a=answered\r\n`);
    const offers: (string | undefined)[] = [];
    const second = world.out.sendRequest('INVITE', {
      answerOffer: (offer) => {
        offers.push(offer);
        return ANSWER;
      },
    });
    world.timers.advance(10);
    t.equal((await second).statusCode, 200);
    t.same(offers, ['v=0\r\no=our-offer\r\n']);
    t.same(acks, [undefined, ANSWER]);
    world.out.onReinvite = () => ({ statusCode: 488, reason: 'No' });
    const third = world.in.sendRequest('INVITE', { sdp: OFFER });
    world.timers.advance(10);
    t.match(await third, { statusCode: 488, reason: 'No' });
    t.same(
      [world.out.state, world.in.state],
      ['confirmed', 'confirmed'],
      'a refusal changes nothing',
    );
  },
);

t.test('Glare: both re-INVITEs get 491, and both come through later', async (t) => {
  const world = await newCall();
  world.in.onReinvite = () => ANSWER;
  world.out.onReinvite = () => ANSWER;
  const both = [
    world.out.sendRequest('INVITE', { sdp: OFFER }),
    world.in.sendRequest('INVITE', { sdp: OFFER }),
  ];
  world.timers.advance(20_000);
  t.same(
    (await Promise.all(both)).map(({ statusCode }) => statusCode),
    [200, 200],
  );
  const refusals = world.network.packets.filter(({ label }) => label === '491 INVITE');
  t.equal(refusals.length, 2);
  const retries = world.network.packets.filter(({ label }) => label === 'INVITE').slice(2);
  const callers = retries.find(({ from }) => from.host === CALLER.host);
  const firstAtMs = world.network.packets[0]?.atMs ?? 0;
  t.ok((callers?.atMs ?? 0) - firstAtMs >= 2_100, 'the caller waits 2.1 s or more (§14.1)');
});

t.test('A re-INVITE while our offer in a 200 is unanswered gets 491', async (t) => {
  const world = await newScriptedCaller();
  world.send('INVITE');
  const [call] = world.taken;
  call?.answer({ sdp: OFFER }); // the INVITE had none: this is an offer
  world.send('INVITE', {
    cseq: 2,
    toTag: call?.localTag ?? '',
    headers: ['Content-Type: application/sdp'],
    body: OFFER,
  });
  t.match(world.answers(), ['200 INVITE', '491 INVITE']);
});

t.test(
  'An UPDATE with an offer before the INVITE is answered gets 500 with Retry-After',
  async (t) => {
    const world = await newScriptedCaller();
    world.send('INVITE');
    const [call] = world.taken;
    call?.provisional(180);
    world.send('UPDATE', {
      cseq: 2,
      toTag: call?.localTag ?? '',
      headers: ['Content-Type: application/sdp'],
      body: OFFER,
    });
    const answer = world.last('500 UPDATE');
    t.match(answer && headerOf(answer, 'Retry-After'), /^\d+$/);
  },
);

t.test('Our re-INVITE waits until the peer has acknowledged its own', async (t) => {
  const world = await newCall();
  world.in.onReinvite = () => ANSWER;
  world.out.onReinvite = () => ANSWER;
  let acks = 0;
  world.network.fate = ({ label }) => (label === 'ACK' && (acks += 1) === 1 ? 'lose' : 'deliver');
  const first = world.out.sendRequest('INVITE', { sdp: OFFER });
  world.timers.advance(5);
  t.equal((await first).statusCode, 200);
  const second = world.in.sendRequest('INVITE', { sdp: OFFER });
  world.timers.advance(100);
  t.equal(world.network.packets.filter(({ label }) => label === 'INVITE').length, 1);
  world.timers.advance(1_000); // the 200 is repeated, the ACK comes
  t.equal((await second).statusCode, 200);
});

t.test('A peer that does not know the dialog, or is silent, is lost', async (t) => {
  const unknown = await newCall();
  unknown.in.onBye = () => undefined;
  unknown.network.fate = ({ label }) => (label === 'BYE' ? 'lose' : 'deliver');
  unknown.in.bye(); // never arrives
  const info = unknown.out.sendRequest('INFO');
  unknown.timers.advance(10);
  t.equal((await info).statusCode, 481);
  t.same(unknown.ended.caller, ['peerLost']);
  const silent = await newCall();
  silent.network.fate = ({ from }) => (from.host === CALLEE.host ? 'lose' : 'deliver');
  const update = silent.out.sendRequest('UPDATE');
  silent.timers.advance(40_000);
  t.equal((await update).statusCode, 408);
  t.same(silent.ended.caller, ['peerLost']);
  t.same(silent.ended.callee, ['byeReceived'], 'a BYE is sent all the same');
  t.equal((await silent.out.sendRequest('INFO')).statusCode, 481, 'nothing leaves an ended call');
});

const CHALLENGES: { name: string; challenge: Partial<DigestChallenge>; response: RegExp }[] = [
  { name: '401, MD5, qop', challenge: {}, response: /algorithm=MD5, qop=auth, nc=00000001/ },
  { name: '407', challenge: { statusCode: 407 }, response: /qop=auth/ },
  {
    name: 'SHA-256 before MD5',
    challenge: { algorithms: ['SHA-256', 'MD5'] },
    response: /response="[0-9a-f]{64}".*algorithm=SHA-256/,
  },
  { name: 'without qop (RFC 2069)', challenge: { qop: false }, response: /^Digest (?!.*qop)/ },
];

t.test('A challenged INVITE comes again with credentials, and its call goes on', async (t) => {
  for (const { name, challenge, response } of CHALLENGES) {
    const digest = {
      realm: 'lab',
      passwordOf: (user: string) => (user === 'u' ? 'p"w' : undefined),
      ...challenge,
    };
    const world = await newWorld({ digest });
    const call = world.invite({ credentials: { username: 'u', password: 'p"w' } });
    world.timers.advance(10);
    t.equal(world.taken.length, 1, name);
    world.taken[0]?.answer({ sdp: ANSWER });
    world.timers.advance(10);
    t.equal(call.state, 'confirmed', name);
    const statusCode = challenge.statusCode ?? 401;
    t.same(
      world.ladder(),
      [...['> INVITE', `< ${statusCode} INVITE`, '> ACK', '> INVITE', '< 200 INVITE', '> ACK']],
      name,
    );
    const invites = world.network.packets
      .filter(({ label }) => label === 'INVITE')
      .map(({ message }) => message);
    t.same(
      invites.map((invite) => headerOf(invite, 'CSeq')),
      ['1 INVITE', '2 INVITE'],
      name,
    );
    t.equal(new Set(invites.map((invite) => headerOf(invite, 'Call-ID'))).size, 1, name);
    t.equal(new Set(invites.map((invite) => tagOf(headerOf(invite, 'From')))).size, 1, name);
    const field = statusCode === 407 ? 'Proxy-Authorization' : 'Authorization';
    const credentials = invites[1] && headerOf(invites[1], field);
    t.match(credentials, response, name);
    const ack = world.network.packets.findLast(({ label }) => label === 'ACK')?.message;
    t.equal(ack && headerOf(ack, field), credentials, `${name}: the ACK repeats them (§22.1)`);
  }
});

t.test('Wrong credentials are tried once, none at all never', async (t) => {
  const digest = { realm: 'lab', passwordOf: () => 'right' };
  for (const [credentials, invites] of [
    [{ username: 'u', password: 'wrong' }, 2],
    [{ username: 'u', password: 'right', realm: 'elsewhere' }, 1],
    [undefined, 1],
  ] as const) {
    const world = await newWorld({ digest });
    const call = world.invite(credentials === undefined ? {} : { credentials });
    let rejected = 0;
    call.onRejected = (response) => (rejected = response.statusCode);
    world.timers.advance(20);
    t.equal(rejected, 401);
    t.equal(world.network.packets.filter(({ label }) => label === 'INVITE').length, invites);
    t.same(world.ended.caller, ['rejected']);
  }
});

t.test('An old nonce is stale, a used count is refused, and both can be answered', async (t) => {
  const digest = { realm: 'lab', passwordOf: () => 'p', nonceLifeMs: 1_000 };
  const world = await newScriptedCaller({ digest });
  world.callee.onRegister = (transaction) =>
    void transaction.respond(createResponse(transaction.request, 200));
  const client = new DigestClient({ username: 'u', password: 'p' });
  let cseq = 0;
  const register = (credentials: string | undefined): SipResponse => {
    cseq += 1;
    const headers = credentials === undefined ? [] : [`Authorization: ${credentials}`];
    world.send('REGISTER', { uri: 'sip:lab', cseq, headers });
    const answer = world.far.received.at(-1)?.message;
    if (answer?.kind !== 'response') throw new Error('no answer');
    return answer;
  };
  const next = (): string => client.headersFor('REGISTER', 'sip:lab')[0]?.value ?? '';

  t.ok(client.accept(register(undefined)));
  const first = next();
  t.match(first, /nc=00000001/);
  t.equal(register(first).statusCode, 200);
  t.match(stale(register(first)), 'true', 'a replay is not accepted');
  const second = next();
  t.match(second, /nc=00000002/, 'the nonce is used again, counted');
  t.equal(register(second).statusCode, 200);
  world.timers.advance(2_000);
  const tooOld = register(next());
  t.equal(stale(tooOld), 'true');
  t.ok(client.accept(tooOld), 'stale is no refusal of the password');
  t.equal(register(next()).statusCode, 200);
  t.equal(stale(register(next().replace(/response="./, 'response="x'))), undefined);
});

function stale(response: SipResponse): string | undefined {
  if (response.statusCode !== 401) return `a ${response.statusCode}`;
  return parseDigestParams(headersOf(response, 'WWW-Authenticate')[0] ?? '')?.get('stale');
}

t.test('Digest values agree with the examples of RFC 2617 §3.5 and RFC 7616 §3.9.1', (t) => {
  const common = { username: 'Mufasa', method: 'GET', uri: '/dir/index.html' };
  t.equal(
    digestResponse({
      ...common,
      algorithm: 'MD5',
      realm: 'testrealm@host.com',
      password: 'Circle Of Life',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      qop: { nonceCount: '00000001', cnonce: '0a4f113b' },
    }),
    '6629fae49393a05397450978507c4ef1',
  );
  const newer = {
    ...common,
    realm: 'http-auth@example.org',
    password: 'Circle of Life',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    qop: { nonceCount: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
  };
  t.equal(digestResponse({ ...newer, algorithm: 'MD5' }), '8ca523f5e9506fed4657c9700eebdbec');
  t.equal(
    digestResponse({ ...newer, algorithm: 'SHA-256' }),
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  );
  t.end();
});

/** Small, seeded, good enough to lose packets by. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

t.test('With a third of all packets lost every call still ends on both sides, once', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const random = randomOf(seed);
      const world = await newWorld();
      world.network.fate = () => (random() < 1 / 3 ? 'lose' : 'deliver');
      const onInvite = world.callee.onInvite;
      world.callee.onInvite = (call) => {
        onInvite(call);
        const roll = random();
        world.timers.schedule(random() * 3_000, () => {
          if (roll < 0.2) call.reject(486);
          else call.answer({ sdp: ANSWER });
        });
        world.timers.schedule(5_000 + random() * 60_000, () => call.bye());
      };
      for (let index = 0; index < 5; index += 1) {
        const call = world.invite();
        world.timers.schedule(random() * 20_000, () => call.bye());
        world.timers.advance(random() * 1_000);
      }
      world.timers.advance(120_000);
      world.network.fate = () => 'deliver';
      const isOver = isQuiet(world);
      const counts = { caller: world.ended.caller.length, callee: world.ended.callee.length };
      return isOver && counts.caller === 5 && counts.callee === world.taken.length;
    }),
    { numRuns: 60 },
  );
  t.pass();
});

const RELIABLE: Partial<UserAgentOptions> = { supported: ['100rel'] };

/** A call that rings, not answered. */
async function newRinging(
  callee: Partial<UserAgentOptions>,
  caller: Partial<UserAgentOptions>,
  options: Partial<InviteOptions> = {},
) {
  const world = await newWorld(callee, caller);
  const out = world.invite(options);
  world.timers.advance(1);
  const [incoming] = world.taken;
  if (incoming === undefined) throw new Error('no call');
  return { ...world, world, out, in: incoming };
}

t.test('100rel: a reliable 183 is repeated until its PRACK; the 200 waits for it', async (t) => {
  const { world, network, timers, ...call } = await newRinging(RELIABLE, RELIABLE);
  let lost = 0;
  network.fate = ({ label }) => (label === 'PRACK' && (lost += 1) <= 2 ? 'lose' : 'deliver');
  const early: (string | undefined)[] = [];
  call.out.onProvisional = (_response, sdp) => early.push(sdp);
  call.in.provisional(183, { sdp: ANSWER, reliable: true });
  call.in.answer({});
  timers.advance(1_400);
  t.equal(call.in.state, 'alerting', 'the answer waits');
  t.same(early, [ANSWER], 'told once, however often it came');
  timers.advance(200);
  const sent = network.sentBy(CALLEE).filter((label) => !label.startsWith('100'));
  t.same(
    sent.map((label) => label.split(' @')[0]),
    ['183 INVITE', '183 INVITE', '183 INVITE', '200 PRACK', '200 INVITE'],
    'at 0, T1 and 3*T1, then both answers',
  );
  timers.advance(10);
  t.equal(call.in.state, 'confirmed');
  t.equal(call.out.state, 'confirmed');
  const pracks = network.packets.filter(({ label }) => label === 'PRACK');
  t.equal(new Set(pracks.map(({ message }) => headerOf(message, 'RAck'))).size, 1);
  call.out.bye();
  t.ok(isQuiet(world));
});

t.test('100rel: one at a time, and only where the caller understands it', async (t) => {
  const { world, network, timers, ...call } = await newRinging(RELIABLE, RELIABLE);
  call.in.provisional(183, { reliable: true });
  call.in.provisional(180, { reliable: true });
  t.equal(network.packets.filter(({ label }) => label === '180 INVITE').length, 0, 'it waits');
  timers.advance(10);
  const [first, second] = ['183 INVITE', '180 INVITE'].map((label) => {
    const packet = network.packets.find((one) => one.label === label);
    return Number(packet && headerOf(packet.message, 'RSeq'));
  });
  t.equal(second, (first ?? 0) + 1, 'RSeq goes up by one');
  call.in.answer({ sdp: ANSWER });
  timers.advance(10);
  call.out.bye();
  t.ok(isQuiet(world));

  const plain = await newRinging(RELIABLE, {});
  plain.in.provisional(183, { reliable: true });
  const [packet] = plain.network.packets.filter(({ label }) => label === '183 INVITE');
  t.equal(packet && headerOf(packet.message, 'RSeq'), undefined, 'this caller does not');
  t.equal(plain.network.packets.filter(({ label }) => label === 'PRACK').length, 0);

  const demanding = await newWorld({});
  demanding.invite({ requiresReliable: true });
  demanding.timers.advance(10);
  t.same(demanding.ended.caller, ['rejected'], 'demanded of one that cannot: 420');
  t.equal(demanding.network.packets.at(-2)?.label, '420 INVITE');
});

t.test('100rel: without a PRACK in 64*T1 the INVITE is refused with 504', async (t) => {
  const options = { requiresReliable: true };
  const { world, network, timers, ...call } = await newRinging(RELIABLE, RELIABLE, options);
  network.fate = ({ label }) => (label === 'PRACK' ? 'lose' : 'deliver');
  call.in.provisional(180); // demanded, so reliable without being asked to
  timers.advance(31_999);
  t.equal(call.in.state, 'alerting');
  const repeats = network.packets.filter(({ label }) => label === '180 INVITE').length;
  t.equal(repeats, 7, 'after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s: T2 is no bound');
  timers.advance(100);
  t.same([call.in.state, call.out.state], ['ended', 'ended']);
  t.same(world.ended, { caller: ['rejected'], callee: ['rejected'] });
  t.ok(isQuiet(world));
});

t.test(
  '100rel: offer in the 183, answer in the PRACK, and an UPDATE before the answer',
  async (t) => {
    const { world, timers, ...call } = await newRinging(RELIABLE, RELIABLE, { sdp: '' });
    const answers: string[] = [];
    call.out.onEarlyOffer = (offer) => {
      t.equal(offer, OFFER);
      return ANSWER;
    };
    call.in.onEarlyAnswer = (sdp) => answers.push(sdp);
    call.in.onReinvite = (sdp) => (sdp === undefined ? undefined : `${sdp}a=again\r\n`);
    call.in.provisional(183, { sdp: OFFER, reliable: true });
    timers.advance(10);
    t.same(answers, [ANSWER]);
    const early = rawInDialog(world, 'UPDATE', OFFER);
    timers.advance(10);
    t.equal(early(), 200, 'offer and answer are through: an UPDATE may follow (RFC 3311 §5.1)');
    call.in.answer({});
    timers.advance(10);
    t.equal(call.out.state, 'confirmed');
    call.in.bye();
    t.ok(isQuiet(world));
  },
);

/** A request of the caller's side inside its dialog, past its user agent; returns the status it got. */
function rawInDialog(world: World, method: string, sdp: string): () => number | undefined {
  const [invite] = world.network.packets;
  const ringing = world.network.packets.find(({ label }) => label === '183 INVITE');
  if (invite === undefined || ringing === undefined) throw new Error('no early dialog');
  const field = (message: SipMessage, name: string): string => headerOf(message, name) ?? '';
  const [stack] = world.stacks;
  let status: number | undefined;
  stack.send(
    {
      kind: 'request',
      method,
      uri: 'sip:callee@192.0.2.2',
      headers: [
        { name: 'From', value: field(invite.message, 'From') },
        { name: 'To', value: field(ringing.message, 'To') },
        { name: 'Call-ID', value: field(invite.message, 'Call-ID') },
        { name: 'CSeq', value: `77 ${method}` },
        { name: 'Content-Type', value: 'application/sdp' },
      ],
      body: Buffer.from(sdp),
    },
    { destination: CALLEE },
    { onResponse: ({ statusCode }) => (status = statusCode) },
  );
  return () => status;
}

t.test('A PRACK that acknowledges nothing gets 481', async (t) => {
  const { timers, world, ...call } = await newRinging(RELIABLE, RELIABLE);
  call.in.provisional(183, { sdp: ANSWER });
  const status = rawInDialog(world, 'PRACK', '');
  timers.advance(10);
  t.equal(status(), 481);
});

const TIMED: Partial<UserAgentOptions> = { supported: ['timer'], sessionTimer: { seconds: 1_800 } };
const TAKES_TIMER: Partial<UserAgentOptions> = { supported: ['timer'] };

async function newTimedCall(callee: Partial<UserAgentOptions>, caller: Partial<UserAgentOptions>) {
  const made = await newRinging(callee, caller);
  made.in.onReinvite = () => ANSWER;
  made.out.onReinvite = () => OFFER;
  made.in.answer({ sdp: ANSWER });
  made.timers.advance(10);
  const { network } = made;
  const answer = network.packets.find(({ label }) => label === '200 INVITE');
  network.packets.length = 0;
  return { ...made, granted: answer && headerOf(answer.message, 'Session-Expires') };
}

for (const { name, callee, caller, granted, refresh } of [
  {
    name: 'the caller asks',
    callee: TAKES_TIMER,
    caller: TIMED,
    granted: '1800;refresher=uac',
    refresh: '>',
  },
  {
    name: 'the callee asks',
    callee: TIMED,
    caller: TAKES_TIMER,
    granted: '1800;refresher=uac',
    refresh: '>',
  },
  {
    name: 'the callee rather does it itself',
    callee: { supported: ['timer'], sessionTimer: { refresher: 'uas' as const } },
    caller: TIMED,
    granted: '1800;refresher=uas',
    refresh: '<',
  },
  {
    name: 'only the callee can',
    callee: TIMED,
    caller: {},
    granted: '1800;refresher=uas',
    refresh: '<',
  },
]) {
  t.test(`Session timer: ${name}; refreshed by UPDATE half-way, for hours`, async (t) => {
    const call = await newTimedCall(callee, caller);
    t.equal(call.granted, granted);
    call.timers.advance(4 * 3_600_000);
    t.same([call.in.state, call.out.state], ['confirmed', 'confirmed']);
    t.ok(call.ladder().length >= 14, `${call.ladder().length} messages`);
    const kinds = new Set(call.ladder());
    const other = refresh === '>' ? '<' : '>';
    t.same(kinds, new Set([`${refresh} UPDATE`, `${other} 200 UPDATE`]));
    call.in.bye();
    t.ok(isQuiet(call.world));
  });
}

t.test('Session timer: nobody asks, nobody refreshes', async (t) => {
  const call = await newTimedCall(TAKES_TIMER, TAKES_TIMER);
  t.equal(call.granted, undefined);
  call.timers.advance(86_400_000);
  t.same(call.ladder(), []);
  t.equal(call.in.state, 'confirmed');
});

t.test('Session timer: by re-INVITE with the same session where UPDATE is unknown', async (t) => {
  const call = await newTimedCall({ ...TAKES_TIMER, allow: ['INVITE', 'ACK', 'BYE'] }, TIMED);
  call.timers.advance(900_100);
  t.same(call.ladder(), ['> INVITE', '< 200 INVITE', '> ACK']);
  t.equal(call.network.packets[0]?.message.body.toString(), OFFER);
});

t.test('Session timer: a far end that has gone is hung up 32 s before the end', async (t) => {
  const call = await newTimedCall(TAKES_TIMER, TIMED);
  call.network.fate = ({ from }) => (from.host === CALLER.host ? 'lose' : 'deliver');
  call.timers.advance(1_767_900);
  t.equal(call.in.state, 'confirmed');
  call.timers.advance(200);
  t.same(call.ended.callee, ['sessionExpired']);
  const bye = call.network.packets.find(
    ({ label, from }) => label === 'BYE' && from.host === CALLEE.host,
  );
  t.match(bye && headerOf(bye.message, 'Reason'), /Session timer expired/);
});

t.test('Session timer: too short an interval gets 422, and comes again longer', async (t) => {
  const strict = { supported: ['timer'], sessionTimer: { minSeconds: 600 } };
  const brisk = { supported: ['timer'], sessionTimer: { seconds: 120 } };
  const { timers, network, taken, ...world } = await newWorld(strict, brisk);
  const out = world.invite();
  timers.advance(10);
  taken[0]?.answer({ sdp: ANSWER });
  timers.advance(10);
  t.equal(out.state, 'confirmed');
  const invites = network.packets.filter(({ label }) => label === 'INVITE');
  t.same(
    invites.map(({ message }) => [
      headerOf(message, 'Session-Expires'),
      headerOf(message, 'Min-SE'),
    ]),
    [
      ['120', '90'],
      ['600', '600'],
    ],
  );
  t.equal(network.packets.filter(({ label }) => label === '422 INVITE').length, 1);
});
