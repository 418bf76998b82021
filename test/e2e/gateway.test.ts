/**
 * Goal: the gateway keeps its promises on real sockets, above all when one half of the switch is lost
 * under its feet. Far end: SIPp. What each far end's answer means is in sipp-far-end.test.ts.
 */
import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import { GatewayConfig } from '../../config/gateway.schema.ts';
import { createGateway, type Gateway } from '../../gateway/gateway.ts';
import type { AttemptDial } from '../../machines/telephony-commands.ts';
import { isAttemptEvent, type AttemptEvent } from '../../machines/telephony-events.ts';
import { CustomerPhone } from '../support/customer-phone.ts';
import { silentLog } from '../support/silent-log.ts';
import { SippFarEnd, type SippOptions } from '../support/sipp.ts';
import { startMediaPart, startSignallingPart, type SwitchPart } from '../support/switch-part.ts';
import { TcpRelay } from '../support/tcp-relay.ts';
import { ManualTimerWheel } from '../../softswitch/timers/manual-timer-wheel.ts';
import type { MediaPorts, SignallingPorts } from '../../softswitch/worker-messages.ts';

const HOST = '127.0.0.1';
const SECRET = 'test-secret';
const WITHIN_MS = 15_000;

/** A gateway on the two halves of the switch, each reached through a relay that can be cut. */
class Stand {
  readonly events: AttemptEvent[] = [];
  readonly #news = new EventEmitter();
  readonly gateway: Gateway;
  readonly control: TcpRelay;
  readonly esl: TcpRelay;
  signalling: SwitchPart<SignallingPorts>;
  media: SwitchPart<MediaPorts>;

  static async start(t: Test, trunks: object[], gateway: object = {}): Promise<Stand> {
    const [signalling, media] = await Promise.all([signallingPart(), mediaPart()]);
    const control = await TcpRelay.to(signalling.ports.controlPort);
    const esl = await TcpRelay.to(media.ports.eslPort);
    const config = {
      ...{
        id: 'g',
        trunkCheckIntervalMs: 0,
        listenInThread: false,
        connectTimeoutMs: WITHIN_MS,
        reconnectDelayMinMs: 20,
      },
      reconnectDelayMaxMs: 100,
      drachtio: { host: HOST, port: control.port, secret: SECRET },
      freeswitch: { host: HOST, port: esl.port, password: SECRET },
      trunks: trunks.map((trunk) => ({ callerId: '+12025550100', ...trunk })),
      ...gateway,
    };
    const made = await createGateway({
      config: Value.Parse(GatewayConfig, Value.Default(GatewayConfig, config)),
      log: silentLog,
    });
    const stand = new Stand({ gateway: made, control, esl, signalling, media });
    t.teardown(() => stand.stop());
    return stand;
  }

  private constructor(parts: Pick<Stand, 'gateway' | 'control' | 'esl' | 'signalling' | 'media'>) {
    this.gateway = parts.gateway;
    this.control = parts.control;
    this.esl = parts.esl;
    this.signalling = parts.signalling;
    this.media = parts.media;
    this.#news.setMaxListeners(0);
    this.gateway.subscribe((event) => {
      if (isAttemptEvent(event)) this.events.push(event);
      this.#news.emit('event');
    });
  }

  dial(attemptId: string, more: Partial<AttemptDial> = {}) {
    return this.gateway.send({
      type: 'attempt.dial',
      ...{ attemptId, fence: 1, seq: 1, atMs: Date.now(), gatewayId: 'g' },
      ...{ notAfterMs: Date.now() + 10_000, trunk: 'far', destination: '+12065550123' },
      ...{ callerId: '+12025550100', setupTimeoutMs: 40_000, ringLimitMs: 60_000 },
      ...{ callLengthMaxMs: 60_000, ...more },
    });
  }

  play(attemptId: string, seq: number, ...prompts: string[]) {
    const envelope = { attemptId, fence: 1, seq, atMs: Date.now() };
    return this.gateway.send({ type: 'attempt.play', ...envelope, playId: `p${seq}`, prompts });
  }

  hangup(attemptId: string, seq = 2) {
    const envelope = { attemptId, fence: 1, seq, atMs: Date.now() };
    return this.gateway.send({ type: 'attempt.hangup', ...envelope, reason: 'completed' });
  }

  told(attemptId: string): string[] {
    return this.events.filter((e) => e.attemptId === attemptId).map(({ type }) => type.slice(8));
  }

  /** The first event of a type that an attempt tells, now or soon. */
  async until<T extends AttemptEvent['type']>(attemptId: string, type: T) {
    type Found = Extract<AttemptEvent, { type: T }>;
    const find = () =>
      this.events.find((e): e is Found => e.attemptId === attemptId && e.type === type);
    await this.#wait(() => find() !== undefined, `${attemptId} ${type}`);
    return find() as Found;
  }

  /** A state of the gateway that no event tells; looked at whenever anything happens. */
  async untilGauges(isSo: (gauges: Gateway['gauges']) => boolean, what: string): Promise<void> {
    const poke = setInterval(() => this.#news.emit('event'), 5);
    try {
      await this.#wait(() => isSo(this.gateway.gauges), what);
    } finally {
      clearInterval(poke);
    }
  }

  untilUp(): Promise<void> {
    return this.untilGauges((g) => g.signallingUp === 1 && g.mediaUp === 1, 'the switch is up');
  }

  /** Nothing is left of any call: what the tests of losses come down to. */
  async untilIdle(): Promise<void> {
    await this.untilGauges(
      (g) =>
        g.attemptsInFlight + g.attemptsReleasing + g.dialogsEnding + g.endpointsInCalls === 0 &&
        g.endpointsCreating === 0,
      'the gateway is idle',
    );
  }

  async stop(): Promise<void> {
    await this.gateway.close();
    await Promise.all([this.control.close(), this.esl.close()]);
    await Promise.all([this.signalling.kill(), this.media.kill()]);
  }

  async #wait(isSo: () => boolean, what: string): Promise<void> {
    const limit = AbortSignal.timeout(WITHIN_MS);
    while (!isSo()) {
      await once(this.#news, 'event', { signal: limit }).catch(() => {
        const heard = this.events.map((e) => `${e.attemptId} ${e.type}`).join('\n');
        throw new Error(`not within ${WITHIN_MS} ms: ${what}\n${heard}`);
      });
    }
  }
}

function signallingPart(ports: Partial<SignallingPorts> = {}) {
  return startSignallingPart({
    host: HOST,
    sip: { port: ports.sipPort ?? 0, protocols: ['udp', 'tcp'] },
    control: { port: ports.controlPort ?? 0, secret: SECRET },
  });
}

function mediaPart(ports: Partial<MediaPorts> = {}) {
  return startMediaPart({
    host: HOST,
    media: {
      ...{ sipPort: ports.mediaSipPort ?? 0, rtpPortMin: 20_000, rtpPortMax: 29_998 },
      rtpQuarantineMs: 0,
    },
    esl: { port: ports.eslPort ?? 0, password: SECRET },
  });
}

async function farEnd(t: Test, scenario: SippOptions['scenario'], more: Partial<SippOptions> = {}) {
  const far = await SippFarEnd.start({ scenario, ...more });
  t.teardown(() => far.stop());
  return far;
}

/** A far end that understands session timers (RFC 4028), and whose calls live by that clock. */
async function sessionPhone(t: Test, timers: ManualTimerWheel, refresher: 'uac' | 'uas') {
  const phone = await CustomerPhone.open({
    ...{ timers, supported: ['timer'] },
    sessionTimer: { refresher },
  });
  t.teardown(() => phone.close());
  return phone;
}

/** A call of which neither half of the switch is left, nor will be: nobody can send its BYE. */
async function killedInConversation(t: Test, stand: Stand, phone: CustomerPhone) {
  const ringing = phone.nextCall();
  await stand.dial('a');
  const call = await ringing;
  await stand.until('a', 'attempt.answered');
  await stand.untilGauges(() => call.isConfirmed, 'the ACK');
  await Promise.all([stand.signalling.kill(), stand.media.kill()]);
  t.match(await stand.until('a', 'attempt.ended'), { endedBy: 'switch', answered: true });
  return call;
}

/** Where the dead switch listened: hears everything, answers nothing. */
class UdpWitness {
  readonly #messages: string[] = [];
  readonly #socket = createSocket('udp4');

  static async listen(t: Test, port: number): Promise<UdpWitness> {
    const witness = new UdpWitness();
    witness.#socket.on('message', (datagram) => witness.#messages.push(datagram.toString()));
    witness.#socket.bind(port, HOST);
    await once(witness.#socket, 'listening');
    t.teardown(() => witness.#socket.close());
    return witness;
  }

  heard(request: RegExp): boolean {
    return this.#messages.some((message) => request.test(message));
  }

  async until(request: RegExp): Promise<string> {
    const signal = AbortSignal.timeout(WITHIN_MS);
    for (;;) {
      const found = this.#messages.find((message) => request.test(message));
      if (found !== undefined) return found;
      await once(this.#socket, 'message', { signal });
    }
  }
}

const received = (method: string) => (m: { direction: string; startLine: string }) =>
  m.direction === 'received' && m.startLine.startsWith(`${method} `);

t.test('the connection to drachtio is cut in a conversation', async (t) => {
  const far = await farEnd(t, 'answer');
  const stand = await Stand.start(t, [{ name: 'far', address: far.uri }]);
  await stand.dial('a');
  await stand.until('a', 'attempt.answered');
  await far.untilMessages((messages) => messages.some(received('ACK')));
  stand.control.cut();
  const ended = await stand.until('a', 'attempt.ended');
  t.match(ended, { endedBy: 'switch', answered: true, sip: { statusCode: 200 } });
  t.match(await stand.dial('b'), { accepted: false, code: 'SWITCH_DOWN' });
  t.notOk((await far.messages()).some(received('BYE')), 'nobody could tell the far end yet');
  stand.control.mend();
  await far.untilMessages((messages) => messages.some(received('BYE')));
  await stand.untilUp();
  await stand.untilIdle();
  t.match(stand.gateway.counters, { signallingLost: 1, signallingConnected: 2 });
  t.ok(stand.gateway.counters.byesRecovered >= 1);
  t.match(await stand.dial('c'), { accepted: true }, 'and dials are taken again');
  await stand.until('c', 'attempt.answered');
  await stand.hangup('c');
  await stand.gateway.whenReleased('c');
});

t.test('the connection to drachtio is cut while it rings: the far end stops ringing', async (t) => {
  const far = await farEnd(t, 'no-answer-until-cancel');
  const stand = await Stand.start(t, [{ name: 'far', address: far.uri }]);
  await stand.dial('a');
  await stand.until('a', 'attempt.alerting');
  stand.control.cut();
  t.match(await stand.until('a', 'attempt.ended'), {
    ...{ endedBy: 'switch', answered: false, invites: 1 },
    sip: { statusCode: null, origin: 'none' },
  });
  stand.control.mend();
  await far.untilMessages((messages) => messages.some(received('CANCEL')));
});

t.test('drachtio is started anew in a conversation: the far end still gets its BYE', async (t) => {
  const far = await farEnd(t, 'answer');
  const stand = await Stand.start(t, [{ name: 'far', address: far.uri }]);
  await stand.dial('a');
  await stand.until('a', 'attempt.answered');
  const { ports } = stand.signalling;
  await stand.signalling.kill();
  t.match(await stand.until('a', 'attempt.ended'), { endedBy: 'switch', answered: true });
  stand.signalling = await signallingPart(ports);
  const messages = await far.untilMessages((m) => m.some(received('BYE')));
  const callIds = messages.map(({ text }) => /^Call-ID: *(.+?)\s*$/im.exec(text)?.[1]);
  t.equal(new Set(callIds).size, 1, 'in the same call');
  await stand.untilUp();
  await stand.untilIdle();
});

t.test('FreeSWITCH is killed in a conversation, and comes back', async (t) => {
  const far = await farEnd(t, 'answer');
  const stand = await Stand.start(t, [{ name: 'far', address: far.uri }]);
  await stand.dial('a');
  await stand.until('a', 'attempt.answered');
  await stand.play('a', 2, 'silence_stream://60000');
  const { ports } = stand.media;
  await stand.media.kill();
  t.match(await stand.until('a', 'attempt.played'), { status: 'stopped' });
  t.match(await stand.until('a', 'attempt.ended'), { endedBy: 'switch', answered: true });
  await far.untilMessages((messages) => messages.some(received('BYE')));
  await stand.untilGauges((gauges) => gauges.mediaUp === 0, 'the loss is noticed');
  t.match(await stand.dial('b'), { accepted: false, code: 'SWITCH_DOWN' });
  stand.media = await mediaPart(ports);
  await stand.untilUp();
  t.match(await stand.dial('c'), { accepted: true });
  await stand.until('c', 'attempt.answered');
  await stand.hangup('c');
  await stand.gateway.whenReleased('c');
});

for (const refresher of ['uac', 'uas'] as const) {
  const who = refresher === 'uac' ? 'we refreshed' : 'it refreshes';
  t.test(
    `the switch dies for good: a far end whose session ${who} ends it by itself`,
    async (t) => {
      const clock = new ManualTimerWheel();
      const phone = await sessionPhone(t, clock, refresher);
      const stand = await Stand.start(t, [
        { name: 'far', address: phone.address, sessionSeconds: 90 },
      ]);
      const call = await killedInConversation(t, stand, phone);
      const witness = await UdpWitness.listen(t, stand.signalling.ports.sipPort);
      clock.advance(59_900);
      t.notOk(call.isOver, 'within the interval it waits');
      clock.advance(200);
      t.equal(
        await call.ended,
        'sessionExpired',
        'a third of 90 s before their end (RFC 4028 §10)',
      );
      const bye = await witness.until(/^BYE /);
      t.match(bye, /^Reason: .*Session timer expired/im);
      t.equal(
        witness.heard(/^(?:UPDATE|INVITE) /),
        refresher === 'uas',
        'nobody answered its refresh',
      );
    },
  );
}

t.test('without a session timer nothing would end it', async (t) => {
  const clock = new ManualTimerWheel();
  const phone = await sessionPhone(t, clock, 'uac');
  const stand = await Stand.start(t, [{ name: 'far', address: phone.address, sessionSeconds: 0 }]);
  const call = await killedInConversation(t, stand, phone);
  clock.advance(86_400_000);
  t.notOk(call.isOver, 'a day later');
});

t.test('only the event socket to FreeSWITCH is cut: the conversation goes on', async (t) => {
  const far = await farEnd(t, 'answer');
  const stand = await Stand.start(t, [{ name: 'far', address: far.uri }]);
  await stand.dial('a');
  await stand.until('a', 'attempt.answered');
  stand.esl.cut();
  await stand.untilGauges((gauges) => gauges.mediaUp === 0, 'the loss is noticed');
  t.match(await stand.dial('b'), { accepted: false, code: 'SWITCH_DOWN' });
  await stand.play('a', 2, 'tone_stream://%(100,0,440)');
  t.match(await stand.until('a', 'attempt.played'), { status: 'done' });
  stand.esl.mend();
  await stand.untilUp();
  t.match(await stand.dial('c'), { accepted: true });
  await stand.until('c', 'attempt.answered');
  for (const attemptId of ['a', 'c']) await stand.hangup(attemptId, 9);
  await stand.untilIdle();
});

t.test('caps of a trunk hold on the wire', async (t) => {
  const far = await farEnd(t, 'answer');
  const stand = await Stand.start(t, [
    { name: 'far', address: far.uri, callsPerSecondMax: 20, channelsMax: 5 },
  ]);
  await stand.dial('first'); // code that runs for the first time takes its time
  await stand.until('first', 'attempt.answered');
  await stand.hangup('first');
  await stand.untilIdle();
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const askedAtMs = Date.now();
  const replies = await Promise.all(ids.map((id) => stand.dial(id)));
  t.same(
    replies.map((reply) => (reply.accepted ? 'taken' : reply.code)),
    [...Array<string>(5).fill('taken'), ...Array<string>(3).fill('TRUNK_CHANNELS_EXHAUSTED')],
  );
  for (const id of ids.slice(0, 5)) await stand.until(id, 'attempt.answered');
  const sentAtMs = stand.events.filter((e) => e.type === 'attempt.sent').map((e) => e.atMs);
  const spanMs = (sentAtMs.at(-1) ?? 0) - askedAtMs;
  // The fifth may leave 200 ms after the first at the earliest; a busy machine only adds to that.
  t.ok(spanMs >= 199, `five calls at 20 per second took ${spanMs} ms`);
  for (const id of ids.slice(0, 5)) await stand.hangup(id);
  await stand.untilIdle();
  t.match(await stand.dial('f', { seq: 2 }), { accepted: true }, 'channels are free again');
  t.match(await stand.dial('z', { notAfterMs: Date.now() + 10 }), { code: 'TRUNK_RATE_LIMITED' });
  await stand.until('f', 'attempt.answered');
  t.equal((await far.callIds()).size, 7, 'the far end saw the calls that were taken, no other');
});

t.test('an endpoint serves one call, also when more calls come than are warm', async (t) => {
  const far = await farEnd(t, 'answer');
  const stand = await Stand.start(t, [{ name: 'far', address: far.uri, callsPerSecondMax: 200 }], {
    endpointsWarm: 2,
    endpointsMax: 6,
  });
  const ids = Array.from({ length: 12 }, (_, index) => `call-${index}`);
  await Promise.all(ids.map((id) => stand.dial(id)));
  const channels = await Promise.all(
    ids.map(async (id) => {
      const { channelId } = await stand.until(id, 'attempt.answered');
      await stand.hangup(id);
      return channelId;
    }),
  );
  t.equal(new Set(channels).size, 12);
  await stand.untilIdle();
  await stand.untilGauges((gauges) => gauges.endpointsWarm === 2, 'two are warm again');
});

t.test('prompts: played, not there, and not a prompt', async (t) => {
  const far = await farEnd(t, 'answer');
  const stand = await Stand.start(t, [{ name: 'far', address: far.uri }]);
  await stand.dial('a');
  await stand.until('a', 'attempt.answered');
  await stand.play('a', 2, 'tone_stream://%(60,0,440)', 'silence_stream://60');
  await stand.play('a', 3, 'no-such-prompt');
  await stand.play('a', 4, '../secret');
  await stand.play('a', 5, 'silence_stream://20');
  await stand.untilGauges(
    () => stand.told('a').filter((type) => type === 'played').length === 4,
    'all have been played',
  );
  const statuses = stand.events.flatMap((e) => (e.type === 'attempt.played' ? [e.status] : []));
  t.same(statuses, ['done', 'notFound', 'notFound', 'done']);
  await stand.hangup('a', 6);
  await stand.gateway.whenReleased('a');
});

t.test('a wrong digest password ends in the challenge, after two INVITEs', async (t) => {
  const far = await farEnd(t, 'challenge-401');
  const account = { username: 'ringfence', password: 'wrong' };
  const stand = await Stand.start(t, [
    { name: 'far', address: far.uri, ...account },
    { name: 'other-realm', address: far.uri, ...account, authRealm: 'not-theirs' },
  ]);
  await stand.dial('a', { trunk: 'other-realm' });
  t.match(await stand.until('a', 'attempt.ended'), { invites: 1, sip: { statusCode: 401 } });
  await stand.dial('b');
  t.match(await stand.until('b', 'attempt.ended'), { invites: 2, answered: false });
});

t.test('closing hangs up what talks, cancels what rings, and leaves nothing', async (t) => {
  const [talking, ringing] = [await farEnd(t, 'answer'), await farEnd(t, 'no-answer-until-cancel')];
  const stand = await Stand.start(t, [
    { name: 'far', address: talking.uri },
    { name: 'ringing', address: ringing.uri },
  ]);
  await stand.dial('a');
  await stand.dial('b', { trunk: 'ringing' });
  await stand.until('a', 'attempt.answered');
  await stand.until('b', 'attempt.alerting');
  const closed = stand.gateway.close();
  t.match(await stand.dial('c'), { accepted: false, code: 'SWITCH_DOWN' });
  await closed;
  t.match(await stand.until('a', 'attempt.ended'), { endedBy: 'dialer', answered: true });
  t.match(await stand.until('b', 'attempt.ended'), { cancelReason: 'shutdown' });
  await talking.untilMessages((messages) => messages.some(received('BYE')));
  await ringing.untilMessages((messages) => messages.some(received('CANCEL')));
});

t.test('a gateway that cannot reach its switch says why', async (t) => {
  const [signalling, media] = await Promise.all([signallingPart(), mediaPart()]);
  t.teardown(() => Promise.all([signalling.kill(), media.kill()]));
  const config = (drachtio: object, freeswitch: object) =>
    Value.Parse(
      GatewayConfig,
      Value.Default(GatewayConfig, {
        ...{ connectTimeoutMs: 1_500, reconnectDelayMinMs: 50, reconnectDelayMaxMs: 100 },
        drachtio: { port: signalling.ports.controlPort, secret: SECRET, ...drachtio },
        freeswitch: { port: media.ports.eslPort, password: SECRET, ...freeswitch },
      }),
    );
  const connect = (drachtio: object, freeswitch: object) =>
    createGateway({ config: config(drachtio, freeswitch), log: silentLog });
  await t.rejects(connect({ secret: 'wrong' }, {}), { code: 'SWITCH_AUTH_FAILED' });
  await t.rejects(connect({ port: 1 }, {}), { code: 'SWITCH_CONNECT_FAILED' });
  await t.rejects(connect({}, { password: 'wrong' }), {
    code: 'MEDIA_CONNECT_FAILED',
    message: /password/,
  });
  await t.rejects(connect({}, { port: 1 }), { code: 'MEDIA_CONNECT_FAILED', message: /REFUSED/ });
});
