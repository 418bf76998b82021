/** Goal: no media wait hangs, no endpoint serves two calls, and none is lost or made for nothing. */
import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { GatewayCounters } from '../../gateway/counters.ts';
import { EndpointPool, type Acquired } from '../../gateway/media/endpoint-pool.ts';
import type { EslConnection, FsmrfMediaServer } from '../../gateway/media/fsmrf.port.ts';
import { connectMediaServer } from '../../gateway/media/media-server-connector.ts';
import { MediaEndpoint, type MediaEndpointParts } from '../../gateway/media/media-endpoint.ts';
import { mediaWait } from '../../gateway/media/media-wait.ts';
import { promptFiles } from '../../gateway/media/prompts.ts';
import { hasUsableAudio, offerFor, sameMedia } from '../../gateway/media/sdp-offer.ts';
import { OneTimeSignal } from '../../gateway/one-time-signal.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';

/** FreeSWITCH's 3PCC offer with its default SRTP twin, as it is on the wire. */
const MEDIA_SDP = [
  'v=0',
  'o=FreeSWITCH 1 2 IN IP4 127.0.0.1',
  's=FreeSWITCH',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 29536 RTP/SAVP 0 8 101 13',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x',
  'm=audio 29538 RTP/AVP 0 8 101 13',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
  'a=rtpmap:13 CN/8000',
  'a=recvonly',
  'a=ptime:20',
  '',
].join('\r\n');

t.test(
  'the offer holds one plain stream with the trunk’s codecs, in the trunk’s order',
  async (t) => {
    const offer = offerFor(MEDIA_SDP, ['PCMA', 'PCMU']) ?? '';
    t.match(offer, 'm=audio 29538 RTP/AVP 8 0 101\r\n');
    t.equal(offer.match(/^m=/gm)?.length, 1, 'the SRTP twin is left out');
    t.notMatch(offer, 'CN/8000');
    t.notMatch(offer, 'recvonly');
    t.match(offer, 'a=fmtp:101 0-15\r\n');
    t.match(offerFor(MEDIA_SDP, ['PCMU']), 'm=audio 29538 RTP/AVP 0 101\r\n');
    t.notMatch(offerFor(MEDIA_SDP, ['PCMU']) ?? '', 'PCMA');
    t.equal(offerFor('v=0\r\nm=audio 4000 RTP/AVP 18\r\n', ['PCMU']), undefined);
    t.equal(offerFor('', ['PCMU']), undefined);
  },
);

t.test(
  'a media server that offers SRTP alone is offered on with its keys, never in clear',
  async (t) => {
    const secure = MEDIA_SDP.replace(/m=audio 29536 [\s\S]*?(?=m=)/, '')
      .replace('RTP/AVP', 'RTP/SAVP')
      .replace('a=ptime', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\na=ptime');
    const offer = offerFor(secure, ['PCMU']) ?? '';
    t.match(offer, 'm=audio 29538 RTP/SAVP 0 101\r\n');
    t.match(offer, 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n');
    t.notMatch(offer, 'RTP/AVP');
  },
);

t.test('a 200 that repeats the 183 asks for no second re-INVITE', async (t) => {
  const later = MEDIA_SDP.replace('o=FreeSWITCH 1 2', 'o=FreeSWITCH 1 3');
  t.ok(sameMedia(MEDIA_SDP, later));
  t.notOk(sameMedia(MEDIA_SDP, MEDIA_SDP.replace('29538', '29540')));
  t.notOk(hasUsableAudio(undefined));
  t.notOk(hasUsableAudio('v=0\r\nm=audio 0 RTP/AVP 0\r\n'), 'a refused stream');
  t.ok(hasUsableAudio(MEDIA_SDP));
});

t.test('prompt ids stay inside their folder', async (t) => {
  const prompts = promptFiles('/srv/prompts', () => 'http://gateway:1');
  t.equal(prompts.resolve('welcome'), 'http://gateway:1/prompts/missing/welcome.wav');
  t.equal(prompts.resolve('tone_stream://%(200,0,440)'), 'tone_stream://%(200,0,440)');
  for (const bad of ['../secret', '/etc/passwd', 'a!b', '', '.hidden', 'tone_stream://a!b']) {
    t.equal(prompts.resolve(bad), undefined, bad);
  }
});

const races = [
  { name: 'the work is done first', first: 'work', expected: { kind: 'done', value: 'played' } },
  { name: 'the work fails first', first: 'failure', expected: { kind: 'failed', problem: 'no' } },
  { name: 'the channel ends first', first: 'gone', expected: { kind: 'gone', problem: 'BYE' } },
  { name: 'the time is over first', first: 'time', expected: { kind: 'timeout' } },
] as const;
for (const { name, first, expected } of races) {
  t.test(`mediaWait: ${name}, and what comes later changes nothing`, async (t) => {
    const clock = new VirtualClock();
    const gone = new OneTimeSignal<string>();
    let done: (value: string) => void = () => undefined;
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<string>((resolve, reject) => ([done, fail] = [resolve, reject]));
    const wait = mediaWait(work, { gone, limitMs: 100, clock });
    const happen = {
      work: () => done('played'),
      failure: () => fail(new Error('no')),
      gone: () => gone.fire('BYE'),
      time: () => clock.advanceTo(100),
    };
    happen[first]();
    t.same(await wait, expected);
    for (const late of Object.values(happen)) late();
    t.same(await wait, expected);
    t.equal(clock.pending, 0, 'no timer is left');
  });
}

class FakeEndpoint {
  readonly gone = new OneTimeSignal<string>();
  released = 0;
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }

  release(): void {
    this.released += 1;
    this.gone.fire('released');
  }
}

function pool(more: Partial<ConstructorParameters<typeof EndpointPool>[1]> = {}) {
  const clock = new VirtualClock();
  const created: { resolve: (e: FakeEndpoint) => void; reject: (error: Error) => void }[] = [];
  const endpoints: FakeEndpoint[] = [];
  const create = () =>
    new Promise<FakeEndpoint>((resolve, reject) => created.push({ resolve, reject }));
  const options = {
    ...{ warm: 2, max: 4, warmAgeMaxMs: 60_000, creatingMax: 16 },
    ...{ retryDelayMinMs: 100, retryDelayMaxMs: 400 },
    ...more,
  };
  const made = new EndpointPool<FakeEndpoint>(create, options, clock);
  /** The media server has made as many endpoints as it was asked for. */
  const settle = async (): Promise<void> => {
    for (let next = created.shift(); next !== undefined; next = created.shift()) {
      const endpoint = new FakeEndpoint(endpoints.length);
      endpoints.push(endpoint);
      next.resolve(endpoint);
      await Promise.resolve();
    }
    await Promise.resolve();
  };
  const acquire = (limitMs = 1_000) => {
    const acquired: Acquired<FakeEndpoint>[] = [];
    const withdraw = made.acquire(limitMs, (one) => acquired.push(one));
    return { acquired, withdraw };
  };
  return { clock, created, endpoints, made, settle, acquire };
}

t.test('the pool hands out the longest warm at once and refills behind it', async (t) => {
  const { made, settle, acquire, endpoints } = pool();
  made.resume();
  await settle();
  t.match(made.counts, { warm: 2, creating: 0, inCalls: 0 });
  t.match(acquire().acquired, [{ kind: 'endpoint', endpoint: endpoints[0] }]);
  t.match(made.counts, { warm: 1, creating: 1, inCalls: 1 });
  await settle();
  t.match(made.counts, { warm: 2, creating: 0, inCalls: 1 });
});

t.test('an endpoint is used for one call: after it, it is gone and not warm again', async (t) => {
  const { made, settle, acquire, endpoints } = pool({ warm: 1 });
  made.resume();
  await settle();
  acquire();
  endpoints[0]?.release();
  await settle();
  t.match(acquire().acquired, [{ endpoint: { number: 1 } }]);
});

t.test('an endpoint that no call used goes back on the shelf', async (t) => {
  const { made, settle, acquire, endpoints } = pool({ warm: 1, max: 1 });
  made.resume();
  await settle();
  const [first] = endpoints;
  acquire();
  t.match(made.counts, { warm: 0, inCalls: 1 });
  if (first !== undefined) made.giveBack(first);
  t.match(made.counts, { warm: 1, inCalls: 0 });
  t.match(acquire().acquired, [{ endpoint: { number: 0 } }]);
  first?.release();
  t.match(made.counts, { inCalls: 0 }, 'counted once in spite of two loans');
});

t.test('above the maximum, who comes waits for an endpoint to be freed, in order', async (t) => {
  const { made, settle, acquire, endpoints } = pool({ warm: 0, max: 1 });
  made.resume();
  const first = acquire();
  const second = acquire();
  await settle();
  t.equal(first.acquired.length, 1);
  t.equal(second.acquired.length, 0);
  t.match(made.counts, { inCalls: 1, waiting: 1, creating: 0 });
  endpoints[0]?.release();
  await settle();
  t.match(second.acquired, [{ kind: 'endpoint', endpoint: { number: 1 } }]);
});

t.test('a wait ends by its time limit, with what was in the way', async (t) => {
  const { made, clock, acquire, settle } = pool({ warm: 0, max: 1 });
  made.resume();
  acquire();
  await settle();
  const late = acquire(500);
  clock.advanceTo(500);
  t.same(late.acquired, [{ kind: 'none', problem: 'all 1 endpoints are in calls' }]);
  t.equal(made.counts.waiting, 0);
});

t.test('a withdrawn wish is not served, and its endpoint stays for the next', async (t) => {
  const { made, acquire, settle } = pool({ warm: 0 });
  made.resume();
  const withdrawn = acquire();
  withdrawn.withdraw();
  await settle();
  t.same(withdrawn.acquired, []);
  t.match(made.counts, { warm: 1, waiting: 0 });
});

t.test('a media server that fails is asked again with growing pauses', async (t) => {
  const { made, clock, created } = pool({ warm: 1 });
  made.resume();
  const asked: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    asked.push(clock.now());
    created.shift()?.reject(new Error('SIP 503'));
    await new Promise(setImmediate);
    t.equal(created.length, 0, 'not before the pause is over');
    clock.advanceTo(clock.nextDueMs ?? 0);
  }
  t.same(asked, [0, 100, 300, 700]);
});

t.test('a pause takes the warm ones away and tells who waits', async (t) => {
  const { made, settle, acquire, endpoints, created } = pool({ warm: 2, max: 2 });
  made.resume();
  await settle();
  acquire();
  acquire();
  const waiting = acquire();
  endpoints[0]?.release();
  made.pause('FreeSWITCH lost');
  t.same(waiting.acquired, [{ kind: 'none', problem: 'FreeSWITCH lost' }]);
  await settle();
  t.match(made.counts, { warm: 0, inCalls: 1 });
  t.equal(endpoints.at(-1)?.released, 1, 'one that was being made is let go');
  t.same(acquire().acquired, [{ kind: 'none', problem: 'FreeSWITCH lost' }]);
  made.resume();
  t.equal(created.length, 1, 'and refilled when it is back');
});

t.test('a warm endpoint that ends or grows old is replaced', async (t) => {
  const { made, settle, endpoints, clock } = pool({ warm: 2 });
  made.resume();
  await settle();
  endpoints[0]?.gone.fire('the media server hung up');
  clock.advanceTo(1_000);
  await settle();
  t.match(made.counts, { warm: 2 });
  clock.advanceTo(60_000);
  t.equal(endpoints[1]?.released, 1, 'after warmAgeMaxMs');
  t.equal(endpoints[2]?.released, 0, 'the younger one stays');
  await settle();
  t.match(made.counts, { warm: 2 });
});

t.test('the pool never holds more than its maximum, and loses none (property)', async (t) => {
  const steps = fc.array(fc.constantFrom('acquire', 'release', 'settle', 'giveBack', 'end'), {
    maxLength: 60,
  });
  const holds = fc.asyncProperty(steps, async (todo) => {
    const { made, settle, acquire, endpoints } = pool({ warm: 2, max: 5 });
    const taken: FakeEndpoint[] = [];
    const holders: Acquired<FakeEndpoint>[][] = [];
    made.resume();
    for (const step of todo) {
      if (step === 'acquire') holders.push(acquire(1e9).acquired);
      if (step === 'settle') await settle();
      for (const held of holders) {
        for (const one of held.splice(0)) if (one.kind === 'endpoint') taken.push(one.endpoint);
      }
      if (step === 'release') taken.shift()?.release();
      if (step === 'giveBack') {
        const unused = taken.shift();
        if (unused !== undefined) made.giveBack(unused);
      }
      if (step === 'end') endpoints.at(-1)?.gone.fire('ended');
      const { warm, creating, inCalls } = made.counts;
      if (warm + creating + inCalls > 5) return false;
    }
    await settle();
    const alive = endpoints.filter(({ gone }) => !gone.fired).length;
    return alive === made.counts.warm + made.counts.inCalls;
  });
  await fc.assert(holds);
  t.pass();
});

/** An event socket that says what the test has it say. */
class FakeEslConnection extends EventEmitter {
  static last: FakeEslConnection;
  readonly socket = Object.assign(new EventEmitter(), {
    ...{ setNoDelay: () => undefined, write: () => true },
    destroyed: false,
    destroy() {
      this.destroyed = true;
    },
  });
  closing = false;
  sofiaStatus = '';
  /** What `module_exists mod_flite` says. */
  isLoaded = 'false';
  readonly ready: () => void;

  constructor(_host: string, _port: number, _password: string, onReady: () => void) {
    super();
    this.ready = onReady;
    FakeEslConnection.last = this;
  }

  send(): void {
    /* nothing is at the other end */
  }

  api(command: string, reply: (event: unknown) => void): void {
    const said = command === 'module_exists mod_flite' ? this.isLoaded : this.sofiaStatus;
    reply({ getBody: () => said, getHeader: () => undefined });
  }
}

class FakeMediaServer extends EventEmitter {
  static last: FakeMediaServer | undefined;
  readonly netServer = Object.assign(new EventEmitter(), { closed: 0, close: () => undefined });
  readonly _server = Object.assign(new EventEmitter(), { server: this.netServer });

  constructor() {
    super();
    FakeMediaServer.last = this;
  }
}

const PROFILE_LINE = '   drachtio_mrf\tprofile\t sip:mod_sofia@127.0.0.1:5080\tRUNNING (0)\n';
const connections: {
  name: string;
  requiredModule?: string;
  happen: (connection: FakeEslConnection, clock: VirtualClock) => void;
  expected: string;
}[] = [
  {
    name: 'the port is closed',
    happen: (connection) => connection.emit('error', new Error('connect ECONNREFUSED')),
    expected: 'down: connect ECONNREFUSED',
  },
  {
    name: 'the password is refused, which fsmrf alone would never notice',
    happen: (connection) => connection.emit('esl::event::auth::fail'),
    expected: 'down: FreeSWITCH refused the password',
  },
  {
    name: 'the access list refuses us',
    happen: (connection) => connection.emit('esl::event::raw::text/rude-rejection'),
    expected: 'down: FreeSWITCH refused our address',
  },
  {
    name: 'nothing answers',
    happen: (_connection, clock) => clock.advanceTo(1_000),
    expected: 'down: no answer from h:8021 within 1000 ms',
  },
  {
    name: 'the profile is missing, on which fsmrf alone ends the process',
    happen: (connection) => {
      connection.sofiaStatus = '1 profile 0 aliases';
      connection.ready();
    },
    expected: 'down: FreeSWITCH has no SIP profile drachtio_mrf',
  },
  {
    name: 'the module that is to speak is not loaded',
    requiredModule: 'mod_flite',
    happen: (connection) => {
      connection.sofiaStatus = PROFILE_LINE;
      connection.ready();
    },
    expected: 'down: FreeSWITCH has not loaded mod_flite, which gateway.speech needs',
  },
  {
    name: 'the module that is to speak is loaded',
    requiredModule: 'mod_flite',
    happen: (connection) => {
      connection.sofiaStatus = PROFILE_LINE;
      connection.isLoaded = 'true';
      connection.ready();
      FakeMediaServer.last?.emit('ready');
    },
    expected: 'up',
  },
  {
    name: 'all is well',
    happen: (connection) => {
      connection.sofiaStatus = PROFILE_LINE;
      connection.ready();
      FakeMediaServer.last?.emit('ready');
    },
    expected: 'up',
  },
  {
    name: 'it is lost after that',
    happen: (connection) => {
      connection.sofiaStatus = PROFILE_LINE;
      connection.ready();
      FakeMediaServer.last?.emit('ready');
      connection.emit('esl::end');
    },
    expected: 'up, down: FreeSWITCH closed the connection',
  },
  {
    name: 'its host vanishes: the heartbeat stops',
    happen: (connection, clock) => {
      connection.sofiaStatus = PROFILE_LINE;
      connection.ready();
      FakeMediaServer.last?.emit('ready');
      connection.emit('esl::event::HEARTBEAT::*');
      clock.advanceTo(20_000);
      connection.emit('esl::event::HEARTBEAT::*');
      clock.advanceTo(85_000);
    },
    expected: 'up, down: no heartbeat of FreeSWITCH',
  },
];
for (const { name, requiredModule, happen, expected } of connections) {
  t.test(`connecting to FreeSWITCH: ${name}`, async (t) => {
    const clock = new VirtualClock();
    const told: string[] = [];
    const address = {
      ...{ host: 'h', port: 8021, password: 'p', listenHost: '127.0.0.1', requiredModule },
    };
    const parts = {
      EslConnection: FakeEslConnection as unknown as new () => EslConnection,
      MediaServer: FakeMediaServer as unknown as new () => FsmrfMediaServer,
      signalling: { createUAC: () => Promise.reject(new Error('not used')) },
      clock,
    };
    connectMediaServer(address, 1_000, parts, {
      onUp: () => told.push('up'),
      onDown: (problem) => told.push(`down: ${problem}`),
    });
    const connection = FakeEslConnection.last;
    happen(connection, clock);
    t.equal(told.join(', '), expected);
    const isDown = expected.includes('down');
    t.equal(connection.closing, isDown, 'modesl must not connect again by itself');
    t.equal(connection.socket.destroyed, isDown);
    connection.emit('error', new Error('late'));
    t.equal(told.filter((one) => one.startsWith('down')).length, 1, 'told once');
  });
}

for (const { tookMs, isBroken, kind } of [
  { tookMs: 20, isBroken: false, kind: 'failed' },
  { tookMs: 20, isBroken: true, kind: 'done' },
  { tookMs: 400, isBroken: false, kind: 'done' },
]) {
  const how = isBroken ? 'broken off' : 'over';
  t.test(`a text that is ${how} after ${tookMs} ms of \`speak\` is ${kind}`, async (t) => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const channel = Object.assign(new EventEmitter(), {
      ...{ uuid: 'c', conn: null, dialog: null, local: { sdp: '' } },
      api: () => Promise.resolve({ getBody: () => '+OK', getHeader: () => undefined }),
      execute: (application: string, argument: string) => {
        ran.push(`${application} ${argument}`);
        if (application === 'speak') {
          if (isBroken) void endpoint.stopPlaying();
          clock.advanceTo(tookMs);
        }
        return Promise.resolve({ getBody: () => '', getHeader: () => '_none_' });
      },
    });
    const endpoint = new MediaEndpoint({
      ...{ endpoint: channel, clock, counters: new GatewayCounters(), commandTimeoutMs: 1_000 },
      ...{ mediaServerId: 'fs-1', dialog: Object.assign(new EventEmitter(), { remote: {} }) },
    } as unknown as MediaEndpointParts);
    const outcome = await endpoint.play(['speak:flite|slt|Good day'], 60_000);
    t.equal(ran.at(-1), 'speak flite|slt|Good day');
    t.equal(outcome.kind, kind);
  });
}
