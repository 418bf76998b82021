/** Goal: whatever an AI agent's leg does, and whenever, the customer and the account of it are right. */
import t, { type Test } from 'tap';
import { failureOfBye } from '../../gateway/ai-agents/agent-farewell.ts';
import { agentInvite } from '../../gateway/ai-agents/agent-invite.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import type { AiAgentTarget, Failsafe } from '../../machines/telephony-commands.ts';
import { AttemptBench, type FakeMediaEndpoint } from '../support/attempt-bench.ts';
import { askInDialog, fakeResponse, FAR_SDP, type FakeInvite } from '../support/fake-srf.ts';

const TARGET: AiAgentTarget = {
  kind: 'aiAgent',
  sipUri: 'sip:bot@192.0.2.7;transport=tcp',
  contextUrl: 'https://dialer.example/ai/a',
  contextToken: 'tok-EN_1',
  context: { attributes: { Slot: '10:00' } },
  setupTimeoutMs: 6_000,
};
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** An answered attempt that is to be connected. The agent's INVITE is the second one. */
class Call {
  readonly bench: AttemptBench;
  readonly agent: FakeInvite;
  readonly media: FakeMediaEndpoint;

  static async answered(failsafe?: Failsafe): Promise<AttemptBench> {
    const bench = await AttemptBench.start({ warm: 2 });
    bench.dial(failsafe === undefined ? {} : { failsafe });
    bench.invite().echo().answer();
    await bench.makeEndpoints();
    return bench;
  }

  static async ringing(target: Partial<AiAgentTarget> = {}, failsafe?: Failsafe): Promise<Call> {
    const bench = await Call.answered(failsafe);
    const connect = { connectId: 'c', target: { ...TARGET, ...target } };
    const reply = bench.command({ type: 'attempt.connect', ...connect });
    if (!reply.accepted) throw new Error(reply.detail);
    return new Call(bench);
  }

  static async talking(target: Partial<AiAgentTarget> = {}): Promise<Call> {
    const call = await Call.ringing(target);
    call.agent.echo().answer();
    await call.bench.settle();
    return call;
  }

  constructor(bench: AttemptBench, index = 1) {
    this.bench = bench;
    this.agent = bench.invite(index);
    this.media = bench.endpoint(index);
  }

  /** What was told after the answer. */
  get told(): string[] {
    return this.bench.told.slice(this.bench.told.indexOf('answered') + 1);
  }

  event(type: string): object | undefined {
    return this.bench.events.find((event) => event.type === type);
  }

  /** Call-ID part of the dialogs that were ended by BYE, in order. */
  async byes(): Promise<string[]> {
    await this.bench.settle();
    return this.bench.srf.byes().map(({ options }) => options.stackDialogId?.split(';')[0] ?? '');
  }

  hangup(seq = 3): void {
    this.bench.command({ type: 'attempt.hangup', reason: 'completed' }, { seq });
  }

  /** Nothing of it is left; a representative's leg is held on. */
  async isOver(t: Test, held = 0): Promise<void> {
    await this.bench.desk.whenReleased('a');
    t.equal(this.bench.pool.counts.inCalls, held, 'no endpoint is held');
    t.equal(this.bench.told.at(-1), 'ended', 'the end is last');
  }
}

t.test('the INVITE tells the agent its context, and who calls only by our name', async (t) => {
  const { agent } = await Call.ringing();
  t.equal(agent.uri, 'sip:bot@192.0.2.7:5060;transport=tcp');
  const { headers, localSdp } = agent.options;
  t.equal(headers['X-Ringfence-Context'], '<https://dialer.example/ai/a>;token=tok-EN_1');
  const data = Buffer.from(headers['X-Ringfence-Context-Data'] ?? '', 'base64url').toString();
  t.same(JSON.parse(data), TARGET.context);
  t.equal(headers['From'], '"Ringfence" <sip:ringfence@localhost>');
  t.notMatch(JSON.stringify(headers), /2065550123|2025550100/);
  t.match(localSdp, /m=audio/);
});

t.test('no header can be injected, and none is sent half', async (t) => {
  const unusable: Partial<AiAgentTarget>[] = [
    { sipUri: 'sip:bot@192.0.2.7\r\nX-Evil: 1' },
    { sipUri: 'sip:bot>@192.0.2.7' },
    { sipUri: 'sips:bot@192.0.2.7' },
    { sipUri: 'sip:bot@192.0.2.7;transport=sctp' },
    { sipUri: 'tel:+12065550123' },
    { contextToken: 'a b' },
    { contextToken: 'a\r\nX-Evil: 1' },
    { contextToken: 'a;b' },
    { contextUrl: 'javascript:alert(1)' },
    { contextUrl: 'not a url' },
    { contextUrl: `https://h/${'x'.repeat(600)}` },
  ];
  for (const wrong of unusable) {
    t.equal(agentInvite({ ...TARGET, ...wrong }).ok, false, JSON.stringify(wrong));
  }
  const cleaned = agentInvite({ ...TARGET, contextUrl: 'https://h/a\r\nX-Evil: 1/"<>' });
  t.ok(cleaned.ok && !/[\r\n"]/.test(cleaned.headers['X-Ringfence-Context'] ?? '\n'));
  const evil = agentInvite({ ...TARGET, context: { a: '\r\nX-Evil: 1' } });
  t.ok(evil.ok && /^[\w-]+$/.test(evil.headers['X-Ringfence-Context-Data'] ?? ''));
});

t.test('up to 800 bytes of base64url travel in the INVITE, more by URL alone', async (t) => {
  // {"a":"…"} is 8 bytes beside its value; 600 bytes of JSON are 800 of base64url.
  for (const [size, isInline] of [
    [592, true],
    [593, false],
  ] as const) {
    const invite = agentInvite({ ...TARGET, context: { a: 'x'.repeat(size) } });
    t.equal(invite.ok && 'X-Ringfence-Context-Data' in invite.headers, isInline, String(size));
  }
});

t.test('connected: both endpoints are bridged once both have media', async (t) => {
  const call = await Call.talking();
  t.same(call.bench.endpoint(0).bridgedWith, ['channel-2']);
  t.same(call.media.applied, [FAR_SDP]);
  t.match(call.event('attempt.connected'), { connectId: 'c', target: 'aiAgent', afterAnswerMs: 0 });
  const query = () => call.bench.command({ type: 'attempt.query' });
  t.match(query(), { state: { phase: 'answered', connected: true } });
  call.hangup();
  t.notMatch(query(), { state: { connected: true } });
  t.same(call.told, ['connected', 'bridgeEnded', 'ended']);
  t.match(call.event('attempt.bridgeEnded'), { endedBy: 'dialer' });
  t.same((await call.byes()).sort(), ['call-1', 'call-2']);
  await call.isOver(t);
});

t.test('a listener may connect upon the news of the answer', async (t) => {
  const bench = await AttemptBench.start({ warm: 2 });
  bench.react = (event) => {
    if (event.type !== 'attempt.answered') return;
    const command = { type: 'attempt.connect', connectId: 'c', target: TARGET } as const;
    t.match(bench.command(command), { accepted: true });
  };
  bench.dial();
  bench.invite().echo().answer();
  t.equal(bench.srf.invites.length, 2);
});

t.test(
  'it is refused before the answer, beside another, and after the end; a lobby must be there',
  async (t) => {
    const command = { type: 'attempt.connect', connectId: 'd', target: TARGET } as const;
    const bench = await AttemptBench.start();
    bench.dial();
    t.match(bench.command(command), { accepted: false, code: 'BAD_STATE' });
    const call = await Call.ringing();
    t.match(call.bench.command(command, { seq: 3 }), { accepted: false, code: 'BAD_STATE' });
    const target = { kind: 'lobby', lobbyId: 'l' } as const;
    const idle = await Call.answered();
    t.match(idle.command({ ...command, target }), { accepted: true });
    t.match(idle.events.at(-1), { type: 'attempt.connectFailed', reason: 'target_gone' });
    idle.invite().bye();
    t.match(idle.command(command, { seq: 3 }), { accepted: false, code: 'BAD_STATE' });
  },
);

t.test('the customer hangs up while the agent rings: CANCEL, and no failure', async (t) => {
  const call = await Call.ringing();
  call.agent.echo().provisional(180);
  call.bench.invite().bye();
  t.same(call.told, ['ended']);
  t.equal(call.agent.request.cancelled, 1);
  call.agent.reject(fakeResponse(487, 'Request Terminated'));
  await call.isOver(t);
});

t.test('the agent answers a customer who has left: BYE', async (t) => {
  const call = await Call.ringing();
  call.agent.echo();
  call.bench.invite().bye();
  call.agent.answer();
  t.same(await call.byes(), ['call-2']);
  t.same(call.told, ['ended']);
  await call.isOver(t);
});

t.test('the customer hangs up while the bridge is being made', async (t) => {
  const call = await Call.ringing();
  let bridged = (): void => undefined;
  call.bench.endpoint(0).bridgeOutcome = new Promise((resolve) => {
    bridged = () => resolve({ kind: 'done', value: undefined });
  });
  call.agent.echo().answer();
  await call.bench.settle();
  call.bench.invite().bye();
  bridged();
  await call.bench.settle();
  t.same(call.told, ['ended'], 'nobody was connected');
  t.same(await call.byes(), ['call-2']);
  await call.isOver(t);
});

t.test('an agent that is not connected in time is cancelled', async (t) => {
  const call = await Call.ringing();
  call.agent.echo().provisional(180);
  call.bench.clock.advanceBy(TARGET.setupTimeoutMs);
  t.same(call.told, ['aiAgent.failed', 'connectFailed']);
  t.match(call.event('aiAgent.failed'), { reason: 'setup', statusCode: null });
  t.match(call.event('attempt.connectFailed'), { connectId: 'c', reason: 'target_timeout' });
  t.equal(call.agent.request.cancelled, 1);
  call.agent.answer();
  t.same(await call.byes(), ['call-2'], 'and its late answer changes nothing');
  call.hangup();
  await call.isOver(t);
});

t.test('an agent that answers nothing, not even the CANCEL, keeps nothing busy', async (t) => {
  const call = await Call.ringing();
  call.agent.echo();
  call.bench.invite().bye();
  call.bench.clock.advanceBy(33_000);
  await call.bench.settle();
  const cancels = call.bench.srf.requests.filter(({ options }) => options.method === 'CANCEL');
  t.equal(cancels.length, 1, 'ended by its stored id');
  await call.isOver(t);
});

const refusals = [
  {
    name: 'a refusal',
    meet: (agent: FakeInvite) => agent.reject(fakeResponse(486, 'Busy Here')),
    expected: { reason: 'setup', statusCode: 486, detail: 'answered 486 Busy Here' },
  },
  {
    name: 'a 202 instead of a 200',
    meet: (agent: FakeInvite) => agent.reject(fakeResponse(202, 'Accepted', { dialogId: 'x;y' })),
    expected: { reason: 'setup', statusCode: 202 },
  },
  {
    name: 'a 200 without SDP',
    meet: (agent: FakeInvite) => agent.answer(null),
    expected: { reason: 'setup', statusCode: 200 },
  },
  {
    name: 'an address nobody can send to',
    meet: (agent: FakeInvite) => agent.refuse('unresolvable'),
    expected: { reason: 'setup', statusCode: null },
  },
  {
    name: 'a BYE before the bridge',
    meet: (agent: FakeInvite) => agent.answer().bye(),
    expected: { reason: 'lost', statusCode: null },
  },
];
for (const { name, meet, expected } of refusals) {
  t.test(`${name} is a failure, told together with the end of the connect`, async (t) => {
    const call = await Call.ringing();
    call.bench.react = ({ type }) => {
      if (type === 'aiAgent.failed') call.hangup();
    };
    meet(call.agent.echo());
    t.same(call.told, ['aiAgent.failed', 'connectFailed', 'ended']);
    t.match(call.event('aiAgent.failed'), expected);
    await call.bench.settle();
    await call.isOver(t);
  });
}

t.test('the media server does not bridge, or does not take the agent’s SDP', async (t) => {
  const unbridged = await Call.ringing();
  const problem = 'uuid_bridge: -ERR Invalid uuid';
  unbridged.bench.endpoint(0).bridgeOutcome = Promise.resolve({ kind: 'failed', problem });
  unbridged.agent.echo().answer();
  await unbridged.bench.settle();
  t.match(unbridged.event('aiAgent.failed'), { reason: 'media', detail: problem });
  const refused = await Call.ringing();
  refused.media.modifyOutcome = { kind: 'failed', problem: '488' };
  refused.agent.echo().answer();
  await refused.bench.settle();
  t.match(refused.event('aiAgent.failed'), { reason: 'media' });
  t.same(refused.bench.endpoint(0).bridgedWith, [], 'it was not bridged to a deaf agent');
});

t.test('no endpoint for the agent is a failure, in time', async (t) => {
  const bench = await AttemptBench.start({ warm: 1 });
  bench.dial();
  bench.invite().echo().answer();
  bench.command({ type: 'attempt.connect', connectId: 'c', target: TARGET });
  bench.clock.advanceBy(TARGET.setupTimeoutMs);
  t.same(bench.told.slice(-2), ['aiAgent.failed', 'connectFailed']);
  t.equal(bench.srf.invites.length, 1);
  await bench.makeEndpoints();
  t.equal(bench.pool.counts.inCalls, 1, 'one that comes late is for the next');
});

t.test('the agent hangs up: the bridge ends, and the dialer decides', async (t) => {
  const call = await Call.talking();
  call.bench.clock.advanceBy(900);
  call.agent.bye({ headers: JSON_TYPE, body: '{"attributes":{"ok":true}}' });
  t.same(call.told, ['connected', 'aiAgent.returned', 'bridgeEnded']);
  t.match(call.event('aiAgent.returned'), { by: 'bye', attributes: { ok: 'true' } });
  t.match(call.event('attempt.bridgeEnded'), { endedBy: 'target', bridgedMs: 900 });
  t.same(await call.byes(), [], 'the customer is still there');
  call.hangup();
  t.same(await call.byes(), ['call-1']);
  await call.isOver(t);
});

t.test('the reason of its BYE tells an orderly end from a broken one', async (t) => {
  const rows: [reason: string | undefined, failure: RegExp | undefined][] = [
    [undefined, undefined],
    ['Q.850;cause=16;text="Normal call clearing"', undefined],
    ['Q.850;cause=31', undefined],
    ['SIP;cause=200;text="Call completed elsewhere"', undefined],
    ['SIP;cause=487', undefined],
    ['garbage', undefined],
    ['SIP;cause=500;text="model failure"', /SIP 500 model failure/],
    ['SIP;cause=408', /SIP 408/],
    ['Q.850;cause=38', /Q\.850 38/],
    ['q.850;cause=41, SIP;cause=200', /Q\.850 41/],
  ];
  for (const [reason, failure] of rows) {
    const found = failureOfBye({ get: () => reason });
    if (failure === undefined) t.equal(found, undefined, String(reason));
    else t.match(found, failure);
  }
  const call = await Call.talking();
  call.agent.bye({ headers: { Reason: 'SIP;cause=500' } });
  t.same(call.told, ['connected', 'aiAgent.failed', 'bridgeEnded']);
  t.match(call.event('aiAgent.failed'), { reason: 'lost', detail: 'BYE: SIP 500' });
});

t.test(
  'the switch ends the leg by itself, as when the agent is silent in SIP: a failure',
  async (t) => {
    const timedOut = await Call.talking();
    timedOut.agent.bye({ bySwitch: true });
    t.match(timedOut.event('aiAgent.failed'), { reason: 'lost' });
  },
);

t.test('the agent’s channel goes: not the agent’s failure, and it is told', async (t) => {
  const ringing = await Call.ringing();
  ringing.agent.echo();
  ringing.media.gone.fire('the media server hung up');
  t.same(ringing.told, ['connectFailed']);
  t.match(ringing.event('attempt.connectFailed'), { connectId: 'c', reason: 'media' });
  t.equal(ringing.agent.request.cancelled, 1);
  const talking = await Call.talking();
  talking.media.gone.fire('the media server hung up');
  t.same(talking.told, ['connected', 'bridgeEnded']);
  t.match(talking.event('attempt.bridgeEnded'), { endedBy: 'switch' });
  t.same(await talking.byes(), ['call-2'], 'the agent is told');
});

t.test('FreeSWITCH dies while they talk: one account, whichever channel goes first', async (t) => {
  const order = [
    [0, 1],
    [1, 0],
  ];
  for (const channels of order) {
    const call = await Call.talking();
    for (const channel of channels) call.bench.endpoint(channel).gone.fire('the channel ended');
    t.same(call.told, ['connected', 'bridgeEnded', 'ended']);
    t.match(call.event('attempt.bridgeEnded'), { endedBy: 'switch' });
    t.match(call.event('attempt.ended'), { endedBy: 'switch' });
    await call.isOver(t);
  }
});

t.test('attributes in the answer to our BYE come after the end', async (t) => {
  const call = await Call.talking();
  call.bench.srf.autoAnswerRequests = false;
  call.bench.invite().bye();
  t.same(call.told, ['connected', 'bridgeEnded', 'ended']);
  await call.bench.settle();
  const [bye] = call.bench.srf.byes();
  bye?.respond(fakeResponse(200, 'OK', { headers: JSON_TYPE, body: '{"attributes":{"a":"1"}}' }));
  await call.bench.settle();
  t.same(call.told.at(-1), 'aiAgent.returned');
  t.match(call.event('aiAgent.returned'), { by: 'bye', attributes: { a: '1' }, seq: 6 });
});

t.test('INFO: attributes are taken, all else is answered for what it is', async (t) => {
  const call = await Call.talking();
  const body = (attributes: unknown) => JSON.stringify({ attributes });
  const cases = [
    { headers: JSON_TYPE, body: body({ a: '1' }), expected: 200 },
    {
      headers: { 'Content-Type': 'Application/JSON; charset=utf-8' },
      body: body({}),
      expected: 200,
    },
    { headers: {}, body: '', expected: 200 },
    { headers: JSON_TYPE, body: '{"attributes":', expected: 400 },
    { headers: JSON_TYPE, body: '{"a":"1"}', expected: 400 },
    { headers: JSON_TYPE, body: body({ a: ['nested'] }), expected: 400 },
    { headers: JSON_TYPE, body: body({ a: 'x'.repeat(4_001) }), expected: 413 },
    { headers: { 'Content-Type': 'application/dtmf-relay' }, body: 'Signal=5', expected: 415 },
  ];
  for (const { expected, ...info } of cases) {
    t.same(askInDialog(call.agent, 'INFO', info), [expected], info.body.slice(0, 30));
  }
  const returned = call.bench.events.filter(({ type }) => type === 'aiAgent.returned');
  t.match(returned, [{ by: 'info', attributes: { a: '1' } }, { attributes: {} }]);
  t.notOk(call.told.includes('dtmf'), 'and no digit of the agent’s is the customer’s');
});

/** State and body of the NOTIFYs sent so far. */
function notified(call: Call): unknown[] {
  return call.bench.srf.requests
    .filter(({ options }) => options.method === 'NOTIFY')
    .map(({ options }) => [options.headers?.['Subscription-State'], options.body?.trim()]);
}

const TRYING = ['active;expires=30', 'SIP/2.0 100 Trying'];
const REFER = { headers: { 'Refer-To': '<sip:human@example.org>' } };

t.test('REFER: taken once, told, and its outcome notified', async (t) => {
  const call = await Call.talking();
  t.same(askInDialog(call.agent, 'REFER'), [400], 'without Refer-To');
  t.same(askInDialog(call.agent, 'REFER', REFER), [202]);
  t.same(askInDialog(call.agent, 'REFER', REFER), [491], 'one at a time');
  t.match(call.event('aiAgent.escalated'), { by: 'refer', referTo: '<sip:human@example.org>' });
  t.equal(call.told.filter((type) => type === 'aiAgent.escalated').length, 1);
  t.same(notified(call), [TRYING]);
  call.bench.clock.advanceBy(30_000);
  const last = ['terminated;reason=noresource', 'SIP/2.0 480 Temporarily Unavailable'];
  t.same(notified(call), [TRYING, last], 'nobody was found: the agent can go on');
  t.same(askInDialog(call.agent, 'REFER', REFER), [202], 'and may ask again');
});

t.test('a referral ends with the call; one that crosses the hang-up is refused', async (t) => {
  const call = await Call.talking({ audioTimeoutMs: 0, firstAudioTimeoutMs: 0 });
  askInDialog(call.agent, 'REFER', REFER);
  call.hangup();
  const last = ['terminated;reason=noresource', 'SIP/2.0 487 Request Terminated'];
  t.same(notified(call), [TRYING, last]);
  const crossing = await Call.talking();
  crossing.bench.srf.autoAnswerRequests = false; // our BYE is on its way
  crossing.hangup();
  t.strictSame(askInDialog(crossing.agent, 'REFER', REFER), [481]);
  t.notOk(crossing.told.includes('aiAgent.escalated'));
});

t.test('an agent that wants no NOTIFY gets none (RFC 4488)', async (t) => {
  const call = await Call.talking();
  const headers = { ...REFER.headers, 'Refer-Sub': 'false' };
  t.same(askInDialog(call.agent, 'REFER', { headers }), [202]);
  t.same(notified(call), []);
});

t.test('a customer’s REFER is declined', async (t) => {
  const call = await Call.talking();
  t.same(askInDialog(call.bench.invite(), 'REFER', REFER), [603]);
});

/** Looks at the media server's counts run as promises between timers. */
async function pass(call: Call, durationMs: number, each?: () => void): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += 50) {
    each?.();
    call.bench.clock.advanceBy(50);
    await call.bench.settle();
  }
}

t.test('the first packet of the agent is told once, with its delay', async (t) => {
  const call = await Call.talking();
  await pass(call, 400);
  t.notOk(call.told.includes('aiAgent.firstUtterance'));
  call.media.packets = 1;
  await pass(call, 3_000, () => {
    call.media.packets = (call.media.packets ?? 0) + 1;
  });
  const told = call.bench.events.filter(({ type }) => type === 'aiAgent.firstUtterance');
  t.match(told, [{ afterConnectMs: 450, basis: 'packet' }]);
});

t.test('[OUT-07] an agent without audio fails in time; with limits off it does not', async (t) => {
  const mute = await Call.talking({ firstAudioTimeoutMs: 2_000 });
  await pass(mute, 1_950);
  t.notOk(mute.event('aiAgent.failed'));
  await pass(mute, 100);
  t.match(mute.event('aiAgent.failed'), { reason: 'media', detail: /no audio .* 2000 ms/ });
  const stopped = await Call.talking({ audioTimeoutMs: 3_000 });
  stopped.media.packets = 50;
  await pass(stopped, 2_900);
  t.notOk(stopped.event('aiAgent.failed'));
  await pass(stopped, 1_200);
  t.match(stopped.event('aiAgent.failed'), { reason: 'media', detail: /no RTP .* 3000 ms/ });
  const patient = await Call.talking({ firstAudioTimeoutMs: 0, audioTimeoutMs: 0 });
  await pass(patient, 20_000);
  t.notOk(patient.event('aiAgent.failed'));
  const unknown = await Call.talking();
  unknown.media.packets = undefined;
  await pass(unknown, 20_000);
  t.notOk(unknown.event('aiAgent.failed'), 'a media server that cannot tell is no dead agent');
});

t.test('a dialer that says nothing after the agent has gone: the customer is let go', async (t) => {
  const call = await Call.talking();
  call.agent.bye();
  call.bench.clock.advanceBy(4_999);
  t.notOk(call.told.includes('ended'));
  call.bench.clock.advanceBy(1);
  t.match(call.event('attempt.ended'), { endedBy: 'gateway', answered: true });
  await call.isOver(t);
});

t.test('a fallback keeps the customer, and the dialer has time again after it', async (t) => {
  const call = await Call.talking();
  call.agent.bye({ headers: { Reason: 'SIP;cause=500' } });
  const play = { type: 'attempt.play' as const, playId: 'fallback', prompts: ['sorry'] };
  t.match(call.bench.command(play, { seq: 3 }), { accepted: true });
  await call.bench.settle();
  call.bench.clock.advanceBy(20_000);
  t.notOk(call.told.includes('ended'), 'as long as it plays');
  const [playing] = call.bench.endpoint(0).plays;
  playing?.end({ kind: 'done', value: { getHeader: () => undefined } });
  await call.bench.settle();
  call.bench.clock.advanceBy(5_000);
  t.match(call.event('attempt.ended'), { endedBy: 'gateway' });
});

t.test('another agent may be connected after one that failed', async (t) => {
  const call = await Call.ringing();
  call.agent.echo().reject(fakeResponse(503, 'Service Unavailable'));
  await call.bench.makeEndpoints();
  const again = { type: 'attempt.connect', connectId: 'd', target: TARGET } as const;
  t.match(call.bench.command(again, { seq: 3 }), { accepted: true });
  call.bench.invite(2).echo().answer();
  await call.bench.settle();
  t.match(call.event('attempt.connected'), { connectId: 'd' });
  call.bench.clock.advanceBy(6_000);
  t.notOk(call.told.includes('ended'), 'the customer is attended to');
});

t.test('drachtio is lost: while the agent is called, and while they talk', async (t) => {
  for (const make of [() => Call.ringing(), () => Call.talking()]) {
    const call = await make();
    call.bench.srf.down();
    t.match(call.event('attempt.ended'), { endedBy: 'switch' });
    t.notOk(call.event('aiAgent.failed'), 'it is not the agent that failed');
    t.equal(call.told.filter((type) => type === 'ended').length, 1);
    t.equal(call.told.at(-1), 'ended');
  }
});

/** A call of an agent, and a lobby that is ready for it. */
class Escalation extends Call {
  static override async talking(): Promise<Escalation> {
    const bench = await AttemptBench.start({ warm: 3 });
    const lobby = { lobbyId: 'l', fence: 1, seq: 1, atMs: 0 };
    bench.lobbies.handle({
      ...{ type: 'lobby.open', ...lobby, gatewayId: 'gateway-1', representativeId: 'r' },
      ...{ sipUri: 'sip:rep@192.0.2.5', ringLimitMs: 20_000, idleLimitMs: 60_000 },
    });
    await bench.settle();
    bench.invite(0).echo().answer();
    await bench.settle();
    bench.dial();
    bench.invite(1).echo().answer();
    await bench.makeEndpoints();
    bench.command({ type: 'attempt.connect', connectId: 'c', target: TARGET });
    const call = new Escalation(bench, 2);
    call.agent.echo().answer();
    await bench.settle();
    t.same(call.told, ['connected']);
    return call;
  }

  get customer(): FakeMediaEndpoint {
    return this.bench.endpoint(1);
  }

  /** The cue has been heard, or not. */
  async join(hears = true): Promise<CommandReply> {
    const target = { kind: 'lobby', lobbyId: 'l' } as const;
    const connect = { type: 'attempt.connect', connectId: 'l-1', target } as const;
    const reply = this.bench.command(connect, { seq: 3 });
    await this.bench.settle();
    if (hears) await this.cueIsOver();
    return reply;
  }

  async cueIsOver(): Promise<void> {
    const cue = this.bench.endpoint(0).plays.at(-1);
    cue?.end({ kind: 'done', value: { getHeader: () => 'FILE PLAYED' } });
    await this.bench.settle();
  }
}

t.test(
  '[DM-19] an agent hands over: the customer is never alone, then the agent is let go',
  async (t) => {
    const call = await Escalation.talking();
    askInDialog(call.agent, 'REFER', { headers: { 'Refer-To': '<sip:human@r.invalid>' } });
    t.match(await call.join(false), { accepted: true });
    t.same(call.customer.bridgedWith, ['channel-3'], 'the agent talks on while the cue is played');
    t.same(call.told, ['connected', 'aiAgent.escalated']);
    await call.cueIsOver();
    t.same(call.customer.bridgedWith, ['channel-3', 'channel-1'], 'moved in one step');
    t.notOk(call.customer.commands.some((command) => command.startsWith('park')));
    t.same(call.told.slice(2), ['bridgeEnded', 'connected']);
    t.match(call.bench.events.slice(-2), [
      { type: 'attempt.bridgeEnded', connectId: 'c', endedBy: 'dialer' },
      { type: 'attempt.connected', connectId: 'l-1', target: 'lobby' },
    ]);
    const sent = call.bench.srf.requests.map(({ options }) => [
      options.method,
      options.body?.trim(),
    ]);
    t.same(sent, [
      ['NOTIFY', 'SIP/2.0 100 Trying'],
      ['NOTIFY', 'SIP/2.0 200 OK'],
      ['BYE', undefined],
    ]);
    t.same(await call.byes(), ['call-3'], 'the agent');
    call.bench.clock.advanceBy(20_000);
    t.notOk(call.told.includes('ended'), 'and they talk on');
    call.hangup(4);
    t.match(call.bench.events.at(-2), { type: 'attempt.bridgeEnded', connectId: 'l-1' });
    await call.isOver(t, 1);
  },
);

t.test('the representative is lost before the bridge: the agent keeps the customer', async (t) => {
  const call = await Escalation.talking();
  await call.join(false);
  call.bench.invite(0).bye();
  t.same(call.told, ['connected', 'connectFailed']);
  t.match(call.event('attempt.connectFailed'), { connectId: 'l-1', reason: 'target_gone' });
  call.bench.clock.advanceBy(9_000);
  t.notOk(call.told.includes('ended'));
  t.match(await call.join(), { accepted: true, duplicate: true });
  call.agent.bye();
  t.match(call.bench.events.at(-1), { type: 'attempt.bridgeEnded', connectId: 'c' });
});

t.test(
  'the agent leaves while the cue is played: the representative has the customer',
  async (t) => {
    const call = await Escalation.talking();
    await call.join(false);
    call.agent.bye();
    call.bench.clock.advanceBy(1_000);
    await call.cueIsOver();
    t.same(call.told, ['connected', 'bridgeEnded', 'connected']);
    t.same(await call.byes(), [], 'nobody else is let go');
    call.hangup(4);
    await call.isOver(t, 1);
  },
);

t.test('the customer hangs up while a hand-over is under way: nobody is left', async (t) => {
  const call = await Escalation.talking();
  await call.join(false);
  call.bench.invite(1).bye();
  await call.cueIsOver();
  t.same(call.told, ['connected', 'bridgeEnded', 'ended']);
  t.same(call.customer.bridgedWith, ['channel-3']);
  t.same(await call.byes(), ['call-3']);
  t.equal(call.bench.lobbies.counts.ready, 1, 'the representative is there for the next');
  await call.bench.desk.whenReleased('a');
});

t.test('two cannot take over at once, and no other agent can', async (t) => {
  const call = await Escalation.talking();
  await call.join(false);
  const again = { type: 'attempt.connect', connectId: 'x' } as const;
  const lobby = { kind: 'lobby', lobbyId: 'l' } as const;
  t.match(call.bench.command({ ...again, target: lobby }, { seq: 4 }), { code: 'BAD_STATE' });
  t.match(call.bench.command({ ...again, target: TARGET }, { seq: 5 }), { code: 'BAD_STATE' });
  const alone = await Call.talking();
  t.match(alone.bench.command({ ...again, target: TARGET }, { seq: 3 }), { code: 'BAD_STATE' });
});

const FAILSAFE: Failsafe = {
  ...{ clockFrom: 'answer', connectWithinMs: 2_000, ceilingAfterAnswerMs: 2_000 },
  ...{ promptId: 'sorry', morePrompts: ['try-later'], optOutDigits: '', orderStops: true },
};

const deaths: {
  name: string;
  reach: (call: Call) => void;
  afterMs: number;
  failed?: true;
}[] = [
  {
    name: 'the agent rings on and on',
    reach: (call) => call.agent.echo().provisional(180),
    ...{ afterMs: 9_000 + 2_000, failed: true },
  },
  {
    name: 'the agent refuses',
    reach: (call) => call.agent.echo().reject(fakeResponse(503, 'Service Unavailable')),
    afterMs: 2_000,
  },
  {
    name: 'the agent breaks off in mid-call',
    reach: (call) => call.agent.bye({ headers: { Reason: 'SIP;cause=500' } }),
    afterMs: 2_000,
  },
  {
    name: 'the agent has asked for a human and goes',
    reach: (call) => {
      askInDialog(call.agent, 'REFER', { headers: { 'Refer-To': '<sip:human@r.invalid>' } });
      call.agent.bye();
    },
    afterMs: 2_000,
  },
];
for (const { name, reach, afterMs, failed } of deaths) {
  t.test(`the dialer is dead and ${name}: the gateway itself says it is sorry`, async (t) => {
    const call = await Call.ringing({ setupTimeoutMs: 9_000 }, FAILSAFE);
    const isMidCall = name.includes('mid-call') || name.includes('asked for');
    if (isMidCall) {
      call.agent.echo().answer();
      await call.bench.settle();
    }
    const agentLeftAtMs = call.bench.clock.now();
    reach(call);
    call.bench.clock.advanceTo((failed ? 0 : agentLeftAtMs) + afterMs - 1);
    await call.bench.settle();
    t.same(call.bench.endpoint(0).plays, [], 'not before the dialer has had its time');
    call.bench.clock.advanceBy(1);
    await call.bench.settle();
    const [message] = call.bench.endpoint(0).plays;
    t.match(message?.files, [/sorry/, /try-later/]);
    t.equal(call.event('attempt.ended'), undefined, 'it is said whole');
    message?.end({ kind: 'done', value: { getHeader: () => undefined } });
    await call.bench.settle();
    t.match(call.event('attempt.played'), { playId: 'failsafe', status: 'done' });
    t.match(call.event('attempt.ended'), { endedBy: 'gateway' });
    const late = { type: 'attempt.play' as const, playId: 'fallback', prompts: ['sorry'] };
    t.match(call.bench.command(late, { seq: 3 }), { code: 'BAD_STATE' });
    if (failed) call.agent.reject(fakeResponse(487, 'Request Terminated'));
    await call.isOver(t);
  });
}

t.test('a dialer that is alive says it itself, and the gateway does not break in', async (t) => {
  const call = await Call.ringing({}, FAILSAFE);
  call.agent.echo().reject(fakeResponse(503, 'Service Unavailable'));
  const play = { type: 'attempt.play' as const, playId: 'fallback', prompts: ['sorry'] };
  t.match(call.bench.command(play, { seq: 3 }), { accepted: true });
  await call.bench.settle();
  call.bench.clock.advanceBy(60_000);
  await call.bench.settle();
  t.equal(call.bench.endpoint(0).plays.length, 1);
  t.notOk(call.event('attempt.played'), 'it plays on');
});

t.test(
  'an agent that is done and hangs up owes nothing: no message after its goodbye',
  async (t) => {
    const call = await Call.ringing({}, FAILSAFE);
    call.agent.echo().answer();
    await call.bench.settle();
    call.agent.bye();
    call.bench.clock.advanceBy(5_000);
    t.match(call.event('attempt.ended'), { endedBy: 'gateway' });
    t.same(call.bench.endpoint(0).plays, []);
  },
);

t.test('a call of prompts whose dialer died at the answer: the gateway says them', async (t) => {
  const said = { promptId: 'welcome', morePrompts: ['news'], connectWithinMs: 2_000 };
  const bench = await AttemptBench.start();
  bench.dial({ failsafe: { ...FAILSAFE, ...said } });
  bench.invite().echo().answer();
  bench.clock.advanceBy(2_000);
  await bench.settle();
  const [message] = bench.endpoint(0).plays;
  t.match(message?.files, [/welcome/, /news/]);
  t.match(
    bench.events.find(({ type }) => type === 'attempt.connectFailed'),
    { connectId: null, reason: 'failsafe' },
  );
  const attended = await AttemptBench.start();
  attended.dial({ failsafe: { ...FAILSAFE, ...said } });
  attended.invite().echo().answer();
  attended.command({ type: 'attempt.play', playId: 'p', prompts: ['welcome'] });
  attended.clock.advanceBy(30_000);
  await attended.settle();
  t.equal(attended.endpoint(0).plays.length, 1, 'once, where the dialer does it');
});
