/** Goal: a representative's leg, whatever crosses on it, and who may register where. No switch, no sleeps. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { phoneUri } from '../../gateway/lobby/phone-uri.ts';
import { intervalAsked } from '../../gateway/sip/session-interval.ts';
import { DirectoryInMemory } from '../../gateway/registrar/directory-in-memory.ts';
import { bindingsAfter, readContacts } from '../../gateway/registrar/contacts.ts';
import { Nonces } from '../../gateway/registrar/nonces.ts';
import { Registrar } from '../../gateway/registrar/registrar.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import type { LobbyOpen } from '../../machines/lobby-commands.ts';
import type { LobbyCommand } from '../../machines/telephony-commands.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';
import { AttemptBench, type FakeMediaEndpoint } from '../support/attempt-bench.ts';
import {
  fakeRequest,
  fakeResponse,
  FAR_SDP,
  type FakeInvite,
  type FakeSipMessage,
} from '../support/fake-srf.ts';
import { silentLog } from '../support/silent-log.ts';

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

class Lobby {
  readonly bench: AttemptBench;
  #seq = 0;

  static async opening(more: Partial<LobbyOpen> = {}): Promise<Lobby> {
    const lobby = new Lobby(await AttemptBench.start({ warm: 3 }));
    lobby.open(more);
    await lobby.bench.settle();
    return lobby;
  }

  static async ready(more: Partial<LobbyOpen> = {}): Promise<Lobby> {
    const lobby = await Lobby.opening(more);
    lobby.invite.echo().answer();
    await lobby.bench.settle();
    return lobby;
  }

  constructor(bench: AttemptBench) {
    this.bench = bench;
  }

  open(more: Partial<LobbyOpen> = {}): CommandReply {
    const about = { gatewayId: 'gateway-1', representativeId: 'r', sipUri: 'sip:rep@192.0.2.5' };
    return this.command({
      type: 'lobby.open',
      ...{ ...about, ringLimitMs: 20_000, idleLimitMs: 60_000 },
      ...more,
    });
  }

  command(
    body: Without<LobbyCommand, 'lobbyId' | 'fence' | 'seq' | 'atMs'>,
    envelope: { fence?: number; seq?: number; lobbyId?: string } = {},
  ): CommandReply {
    this.#seq += 1;
    const own = { lobbyId: 'l', fence: 1, seq: this.#seq, atMs: 0 };
    return this.bench.lobbies.handle({ ...own, ...envelope, ...body });
  }

  get invite(): FakeInvite {
    return this.bench.invite(0);
  }

  get endpoint(): FakeMediaEndpoint {
    return this.bench.endpoint(0);
  }

  get told(): string[] {
    return this.bench.lobbyEvents.map(({ type }) => type.replace('lobby.', ''));
  }

  get left() {
    return this.bench.lobbyEvents.find(({ type }) => type === 'lobby.left');
  }

  /** The representative's phone goes on sending, for so many looks. */
  async looks(count: number, packets: number): Promise<void> {
    for (let look = 0; look < count; look += 1) {
      this.endpoint.packets = (this.endpoint.packets ?? 0) + packets;
      this.bench.clock.advanceBy(1_000);
      await this.bench.settle();
    }
  }
}

t.test(
  'a leg is called, is ready with its media server, hears a sound, and is let go',
  async (t) => {
    const lobby = await Lobby.opening();
    t.same(lobby.told, [], 'nothing before the answer');
    t.equal(lobby.invite.uri, 'sip:rep@192.0.2.5');
    t.match(lobby.invite.options.headers, { 'Session-Expires': '600;refresher=uac' });
    lobby.invite.echo().answer();
    await lobby.bench.settle();
    t.match(lobby.bench.lobbyEvents, [{ type: 'lobby.ready', mediaServerId: 'fs-1', seq: 1 }]);
    t.same(
      lobby.endpoint.plays.map(({ files }) => files[0]),
      ['silence_stream://60000,1400'],
    );
    t.same(lobby.command({ type: 'lobby.close', reason: 'released' }), { accepted: true });
    t.match(lobby.left, { reason: 'closed', seq: 2 });
    await lobby.bench.settle();
    t.equal(lobby.bench.srf.byes().length, 1);
    t.same(lobby.bench.lobbies.counts, { open: 0, ready: 0, releasing: 0 });
    t.match(lobby.command({ type: 'lobby.close', reason: 'released' }), { code: 'LOBBY_GONE' });
  },
);

t.test(
  'fences and numbers hold as for attempts; a new owner is told where it stands',
  async (t) => {
    const lobby = await Lobby.ready();
    const close = { type: 'lobby.close', reason: 'released' } as const;
    t.match(lobby.command(close, { fence: 0 }), { code: 'STALE_FENCE' });
    t.match(lobby.open({ gatewayId: 'gateway-1', fence: 2, seq: 1 }), { duplicate: true });
    t.match(lobby.bench.lobbyEvents.at(-1), { type: 'lobby.ready', fence: 2, seq: 1 });
    t.match(lobby.command(close), { code: 'STALE_FENCE' }, 'the owner of before');
    t.equal(lobby.left, undefined);
    t.match(lobby.open({ lobbyId: 'm', gatewayId: 'elsewhere' }), { code: 'WRONG_GATEWAY' });
    lobby.bench.srf.down();
    t.match(lobby.left, { reason: 'switch', fence: 2 });
    t.match(lobby.open({ lobbyId: 'n' }), { code: 'SWITCH_DOWN' });
  },
);

t.test('why there is no leg: refused, silent, unusable, withdrawn while it rings', async (t) => {
  const busy = await Lobby.opening();
  busy.invite.echo().reject(fakeResponse(486, 'Busy Here'));
  t.match(busy.left, { reason: 'notAnswered', statusCode: 486, heldMs: 0 });
  const silent = await Lobby.opening();
  silent.invite.echo().provisional(180);
  silent.bench.clock.advanceBy(20_000);
  t.match(silent.left, { reason: 'notAnswered', statusCode: null });
  t.equal(silent.invite.request.cancelled, 1);
  silent.invite.answer();
  await silent.bench.settle();
  t.equal(silent.bench.srf.byes().length, 1, 'the answer crossed our CANCEL: BYE');
  t.same(silent.told, ['left'], 'and nobody is told of a leg');
  const wrong = await Lobby.opening({ sipUri: 'sip:rep@host;\r\nX: 1' });
  t.match(wrong.left, { reason: 'notAnswered' });
  t.equal(wrong.bench.srf.invites.length, 0);
  const brief = await Lobby.opening();
  brief.invite.echo().reject(fakeResponse(422, 'Session Interval Too Small'));
  t.equal(brief.left, undefined);
  t.notOk('Session-Expires' in brief.bench.invite(1).options.headers, 'called again without');
  const longer = await Lobby.opening();
  const tooSmall = (minSe: string) =>
    fakeResponse(422, 'Session Interval Too Small', {
      headers: { 'Min-SE': minSe, 'Call-ID': 'call-7', CSeq: '1 INVITE', To: '<sip:r>;tag=x' },
    });
  longer.invite.echo().reject(tooSmall('1200'));
  t.match(longer.bench.invite(1).options.headers, {
    ...{ 'Session-Expires': '1200;refresher=uac', 'Min-SE': '1200' },
    ...{ 'Call-ID': 'call-7', CSeq: '2 INVITE', To: '<sip:r>' },
  });
  longer.bench.invite(1).echo().reject(tooSmall('1200'));
  t.equal(longer.left, undefined);
  t.notOk('Session-Expires' in longer.bench.invite(2).options.headers, 'no circle: without');
});

t.test('a 422 is answered with the interval that it asks for, and only a longer one', async (t) => {
  const asked = (minSe: string | undefined, sent: string | undefined, status = 422) => {
    const headers = minSe === undefined ? {} : { 'Min-SE': minSe };
    const response = fakeResponse(status, '', { headers });
    return intervalAsked(response, sent === undefined ? {} : { 'Session-Expires': sent });
  };
  t.same(asked('3600', '1800'), { 'Session-Expires': '3600', 'Min-SE': '3600' });
  t.same(asked('90;x=1', '60;refresher=uas'), {
    ...{ 'Session-Expires': '90;refresher=uas', 'Min-SE': '90' },
  });
  for (const useless of [
    ...[asked('3600', '1800', 486), asked('1800', '1800'), asked(undefined, '1800')],
    ...[asked('3600', undefined), asked('999999', '1800'), asked('soon', '1800')],
  ]) {
    t.equal(useless, undefined);
  }
});

t.test('[WS-14] registered phones are tried, the latest first', async (t) => {
  const lobby = new Lobby(await AttemptBench.start({ warm: 3 }));
  const addresses = [{ uri: 'sip:a@192.0.2.1:5071' }, { uri: 'sip:a@192.0.2.2:5072' }];
  lobby.bench.registered.bindingsOf = () => Promise.resolve(addresses);
  lobby.open({ sipUri: 'sip:alice@phones.example' });
  await lobby.bench.settle();
  t.equal(lobby.bench.invite(0).uri, 'sip:a@192.0.2.1:5071');
  lobby.bench.invite(0).echo().reject(fakeResponse(480, 'Unavailable'));
  t.equal(lobby.bench.invite(1).uri, 'sip:a@192.0.2.2:5072');
  lobby.bench.invite(1).echo().answer();
  await lobby.bench.settle();
  t.same(lobby.told, ['ready']);
});

t.test('a phone that is silent is asked, and only no answer is a loss', async (t) => {
  const lobby = await Lobby.ready();
  const asked = () =>
    lobby.bench.srf.requests.filter(({ options }) => options.method === 'OPTIONS').length;
  await lobby.looks(5, 50);
  t.equal(asked(), 0, 'one that speaks is not asked');
  await lobby.looks(1, 0);
  t.equal(asked(), 1);
  await lobby.looks(4, 0);
  t.ok(asked() >= 2, 'again while it is silent');
  t.equal(lobby.left, undefined, 'it answers');
  lobby.bench.srf.autoAnswerRequests = false;
  const fromMs = lobby.bench.clock.now();
  for (let look = 0; look < 6 && lobby.left === undefined; look += 1) await lobby.looks(1, 0);
  t.match(lobby.left, { reason: 'lost' });
  t.ok(lobby.bench.clock.now() - fromMs <= 5_000, 'within five seconds');
});

t.test(
  'an idle leg is released; a customer stops that clock, and their end sets it anew',
  async (t) => {
    const lobby = await Lobby.ready();
    lobby.endpoint.packets = undefined; // nothing is counted here: OPTIONS are answered
    lobby.bench.clock.advanceBy(50_000);
    lobby.bench.dial();
    lobby.bench.invite(1).echo().answer();
    await lobby.bench.settle();
    const target = { kind: 'lobby', lobbyId: 'l' } as const;
    lobby.bench.command({ type: 'attempt.connect', connectId: 'c', target });
    await lobby.bench.settle();
    lobby.endpoint.plays.at(-1)?.end({ kind: 'done', value: { getHeader: () => 'FILE PLAYED' } });
    await lobby.bench.settle();
    t.match(lobby.bench.events.at(-1), { type: 'attempt.connected', target: 'lobby' });
    t.same(lobby.bench.endpoint(1).bridgedWith, ['channel-1']);
    lobby.bench.clock.advanceBy(60_000);
    t.equal(lobby.left, undefined, 'a long call is not idleness');
    lobby.bench.invite(1).bye();
    t.match(lobby.bench.events.at(-2), { type: 'attempt.bridgeEnded', endedBy: 'far' });
    t.same(lobby.bench.srf.byes(), [], 'the representative gets no BYE');
    t.equal(lobby.left, undefined);
    lobby.bench.clock.advanceBy(60_000);
    t.match(lobby.left, { reason: 'idle' });
  },
);

t.test(
  '[DM-21] [WS-15] the cue is over before the bridge, and the tone is told within it',
  async (t) => {
    const lobby = await Lobby.ready();
    lobby.bench.dial({ lobbyId: 'l' });
    lobby.bench.invite(1).echo().answer();
    await lobby.bench.settle();
    const target = { kind: 'lobby', lobbyId: 'l' } as const;
    const connect = { type: 'attempt.connect', connectId: 'c', target } as const;
    t.same(lobby.bench.command(connect), { accepted: true });
    await lobby.bench.settle();
    const cue = lobby.endpoint.plays.at(-1);
    t.same(cue?.files, ['tone_stream://v=-14;%(60,0,880)']);
    t.same(lobby.bench.endpoint(1).bridgedWith, [], 'not yet');
    cue?.end({ kind: 'done', value: { getHeader: () => 'FILE PLAYED' } });
    await lobby.bench.settle();
    t.match(lobby.bench.events.at(-1), { type: 'attempt.connected', connectId: 'c' });
    lobby.invite.bye();
    t.match(lobby.left, { reason: 'representative' });
    t.match(lobby.bench.events.at(-1), { type: 'attempt.bridgeEnded', endedBy: 'target' });
    const late = lobby.bench.dial({ attemptId: 'b', lobbyId: 'l' });
    t.match(late, { code: 'LOBBY_GONE' }, 'nobody is dialled for a representative who left');
  },
);

t.test(
  '[DM-15] before the answer the bridge waits for the first SDP, and outlives the answer',
  async (t) => {
    const lobby = await Lobby.ready();
    lobby.bench.dial({ lobbyId: 'l' });
    const call = lobby.bench.invite(1).echo();
    const target = { kind: 'lobby', lobbyId: 'l' } as const;
    t.same(lobby.bench.command({ type: 'attempt.connect', connectId: 'c', target }), {
      accepted: true,
    });
    await lobby.bench.settle();
    lobby.endpoint.plays.at(-1)?.end({ kind: 'done', value: { getHeader: () => 'FILE PLAYED' } });
    call.provisional(180);
    await lobby.bench.settle();
    t.same(lobby.bench.endpoint(1).bridgedWith, []);
    call.provisional(183, FAR_SDP);
    await lobby.bench.settle();
    t.match(lobby.bench.events.at(-1), { type: 'attempt.connected', afterAnswerMs: 0 });
    call.answer();
    await lobby.bench.settle();
    t.match(lobby.bench.command({ type: 'attempt.query' }), { state: { connected: true } });
    call.bye();
    t.same(lobby.bench.told.slice(-2), ['bridgeEnded', 'ended']);
  },
);

for (const { uri, ok } of [
  { uri: 'sip:alice@10.0.0.1:5062;transport=tcp;rinstance=ab-1', ok: true },
  { uri: 'sip:10.0.0.1', ok: true },
  { uri: 'sip:a@[2001:db8::1]:5060', ok: true },
  { uri: 'sip:a@host?Subject=x', ok: false },
  { uri: 'sip:a@host>', ok: false },
  { uri: 'sip:a@host;transport=sctp', ok: false },
  { uri: 'sip:a@host:99999', ok: false },
  { uri: 'tel:+1', ok: false },
]) {
  t.test(`${uri} ${ok ? 'can be called' : 'cannot'}`, async (t) => {
    t.equal(phoneUri(uri).ok, ok);
  });
}

// Registrar

const LIMITS = { minS: 60, maxS: 3_600, defaultS: 300 };
const PLACE = { callId: 'c', nowMs: 0, source: 'sip:10.0.0.9:5060' };

t.test('Contacts: limits, removal, order, several phones, and a NAT', async (t) => {
  t.equal(readContacts('<sip:a@h>;expires=30', undefined, LIMITS).kind, 'tooBrief');
  t.equal(readContacts('*', '0', LIMITS).kind, 'removeAll');
  t.equal(readContacts('*', '10', LIMITS).kind, 'invalid');
  t.equal(readContacts(undefined, undefined, LIMITS).kind, 'none');
  const two = readContacts('"A, B" <sip:a@h:1>;expires=9999, sip:a@h:2', '120', LIMITS);
  if (two.kind !== 'these') throw new Error(two.kind);
  t.same(
    two.contacts.map(({ expiresS }) => expiresS),
    [3_600, 120],
  );
  const both = bindingsAfter([], two, { ...PLACE, cseq: 2 });
  t.same(
    both?.map(({ contact }) => contact),
    ['sip:a@h:1', 'sip:a@h:2'],
  );
  t.equal(both?.[0]?.received, 'sip:10.0.0.9:5060', 'the Contact says another place');
  t.equal(bindingsAfter(both ?? [], two, { ...PLACE, cseq: 2 }), undefined, 'sent again');
  const less = readContacts('<sip:a@H:1>', '0', LIMITS);
  if (less.kind !== 'these') throw new Error(less.kind);
  const one = bindingsAfter(both ?? [], less, { ...PLACE, cseq: 3 });
  t.same(
    one?.map(({ contact }) => contact),
    ['sip:a@h:2'],
  );
  const later = { ...PLACE, cseq: 4, nowMs: 200_000 };
  t.same(bindingsAfter(one ?? [], { kind: 'these', contacts: [] }, later), [], 'lapsed');
});

t.test('a nonce: signed, for a time, with a count that only rises', async (t) => {
  let nowMs = 1_000_000;
  const nonces = new Nonces(60_000, () => nowMs);
  const nonce = nonces.make();
  t.equal(nonces.check(nonce, 1), 'fresh');
  nonces.use(nonce, 1);
  t.equal(nonces.check(nonce, 1), 'stale', 'a replay');
  t.equal(nonces.check(nonce, 2), 'fresh');
  t.equal(nonces.check(`${nonce}x`, 2), 'foreign');
  t.equal(nonces.check('made-up', 1), 'foreign');
  nowMs += 60_001;
  t.equal(nonces.check(nonce, 3), 'stale');
});

const HA1 = (algorithm: string): string =>
  createHash(algorithm).update('alice:phones.example:secret').digest('hex');

class Phone {
  readonly clock = new VirtualClock();
  readonly directory = new DirectoryInMemory([
    { representativeId: 'r', sipUser: 'alice', ha1: { MD5: HA1('md5'), 'SHA-256': HA1('sha256') } },
  ]);
  readonly registrar = new Registrar({
    options: { realm: 'phones.example', expires: LIMITS, nonceLifetimeMs: 60_000 },
    ...{ directory: this.directory, clock: this.clock, log: silentLog },
  });
  #cseq = 0;

  async send(headers: Record<string, string>): Promise<FakeSipMessage> {
    this.#cseq += 1;
    const request = fakeRequest('REGISTER', {
      headers: {
        ...{ To: '<sip:alice@phones.example>', 'Call-ID': 'reg', CSeq: `${this.#cseq} REGISTER` },
        ...{ Contact: '<sip:alice@192.0.2.9:5060>', ...headers },
      },
    });
    Object.assign(request, { uri: 'sip:phones.example', source_port: 5060 });
    const response = fakeResponse(0, '');
    await this.registrar.handle(request, response);
    return response;
  }

  async nonce(): Promise<string> {
    const challenge = await this.send({});
    return (
      /nonce="([^"]+)"/.exec(JSON.stringify(challenge.sentHeaders).replaceAll('\\"', '"'))?.[1] ??
      ''
    );
  }

  credentials(nonce: string, more: { nc?: string; algorithm?: string; password?: string } = {}) {
    const { nc = '00000001', algorithm = 'SHA-256', password = 'secret' } = more;
    const hash = (text: string): string =>
      createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(text)
        .digest('hex');
    const ha1 = hash(`alice:phones.example:${password}`);
    const ha2 = hash('REGISTER:sip:phones.example');
    const response = hash(`${ha1}:${nonce}:${nc}:cn:auth:${ha2}`);
    return (
      `Digest username="alice", realm="phones.example", nonce="${nonce}", ` +
      `uri="sip:phones.example", response="${response}", algorithm=${algorithm}, ` +
      `qop=auth, nc=${nc}, cnonce="cn"`
    );
  }
}

t.test('REGISTER: both algorithms, a replay, a wrong password, another’s address', async (t) => {
  for (const algorithm of ['MD5', 'SHA-256']) {
    const phone = new Phone();
    const nonce = await phone.nonce();
    const Authorization = phone.credentials(nonce, { algorithm });
    t.match((await phone.send({ Authorization })).sent, [{ status: 200 }], algorithm);
    t.equal((await phone.directory.bindingsOf('r')).bindings.length, 1);
    const replay = await phone.send({ Authorization });
    t.match(replay.sent, [{ status: 401 }], 'heard on the wire and sent again');
    t.match(JSON.stringify(replay.sentHeaders), /stale=true/);
    const next = phone.credentials(nonce, { algorithm, nc: '00000002' });
    t.match((await phone.send({ Authorization: next })).sent, [{ status: 200 }]);
  }
  const phone = new Phone();
  const wrong = phone.credentials(await phone.nonce(), { password: 'guess' });
  const refused = await phone.send({ Authorization: wrong });
  t.match(refused.sent, [{ status: 401 }]);
  t.notMatch(JSON.stringify(refused.sentHeaders), /stale/);
  const other = phone.credentials(await phone.nonce());
  const To = '<sip:bob@phones.example>';
  t.match((await phone.send({ Authorization: other, To })).sent, [{ status: 403 }]);
  t.same((await phone.directory.bindingsOf('r')).bindings, []);
  const old = phone.credentials(await phone.nonce());
  phone.clock.advanceBy(60_001);
  t.match(JSON.stringify((await phone.send({ Authorization: old })).sentHeaders), /stale=true/);
});
