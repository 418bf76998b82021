/** The switch as an unmodified drachtio-srf application and a SIP far end see it, when all goes well. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { cseqOf } from '../../softswitch/sip/cseq.ts';
import { headerOf, headersOf } from '../../softswitch/sip/message.ts';
import { parseVia } from '../../softswitch/sip/via.ts';
import { RawControlClient } from '../support/raw-control-client.ts';
import { ScriptedPeer, SDP, toTagOf } from '../support/scripted-peer.ts';
import { contract, type SignallingTarget } from '../support/signalling-target.ts';
import {
  SrfClient,
  type SrfDialog,
  type SrfMessage,
  type SrfRequest,
  type SrfResponse,
} from '../support/srf-client.ts';

interface Stage {
  readonly client: SrfClient;
  readonly peer: ScriptedPeer;
}

async function stage(t: Test, target: SignallingTarget): Promise<Stage> {
  const client = await SrfClient.connect(target);
  const peer = await ScriptedPeer.open();
  t.teardown(async () => {
    client.close();
    await peer.close();
  });
  return { client, peer };
}

/** An answered outbound call, both sides of it. */
async function answeredCall({ client, peer }: Stage) {
  const call = client.call(peer.uri('bob'), { localSdp: SDP, callingNumber: '15550001111' });
  const invite = await peer.request('INVITE');
  peer.reply(invite, 180);
  peer.reply(invite, 200, { sdp: SDP });
  const dialog = await call.outcome;
  const ack = await peer.request('ACK');
  return { call, invite, dialog, ack, far: peer.dialogAsUas(invite) };
}

/** An answered inbound call, both sides of it. */
async function answeredInboundCall({ client, peer }: Stage) {
  const incoming = await client.expect('INVITE');
  const invite = peer.start('INVITE', client.uri('in'), { sdp: SDP });
  const { request, response } = await incoming.arrived;
  const dialog = await client.srf.createUAS(request, response, { localSdp: SDP });
  const answer = await peer.response(200, 'INVITE');
  const far = peer.dialogAsUac(invite, answer);
  const acked = once(dialog, 'ack');
  far.ack();
  await acked;
  return { invite, request, dialog, answer, far };
}

async function hangUp(dialog: SrfDialog, peer: ScriptedPeer): Promise<SrfRequest> {
  const destroyed = dialog.destroy();
  peer.reply(await peer.request('BYE'), 200);
  return destroyed;
}

/** The next event of that name a dialog emits with a request to answer. */
async function requestIn(
  dialog: SrfDialog,
  event: string,
): Promise<{ request: SrfRequest; response: SrfResponse }> {
  const [request, response] = (await once(dialog, event)) as [SrfRequest, SrfResponse];
  return { request, response };
}

function connecting(t: Test, target: SignallingTarget): void {
  t.test('the right secret is answered with host ports and a version srf can read', async (t) => {
    const raw = await RawControlClient.connect(target);
    t.teardown(() => raw.close());
    const answer = await raw.authenticate(target.secret, 'a,b');
    t.match(answer, /^OK\|(?:\w+\/[^|,]+:\d+,?)+\|v\d+\.\d+\.\d+.*\|/);
    t.equal(await raw.ask('ping'), 'OK|pong');
    t.equal(await raw.ask('route|options'), 'OK');
    t.equal(await raw.ask('route|options'), 'OK', 'asking twice is accepted');
    t.equal(await raw.ask('remove_route|options'), 'OK');
  });

  t.test('a wrong secret is refused and the connection closed', async (t) => {
    const raw = await RawControlClient.connect(target);
    t.equal(await raw.authenticate(`${target.secret}-wrong`), 'NO|incorrect secret');
    await raw.closed;
    await t.rejects(SrfClient.connect({ ...target, secret: 'wrong' }), {
      message: 'failed to authenticate to server',
    });
  });

  t.test('frames count bytes, so text beyond ASCII passes both ways', async (t) => {
    const { client, peer } = await stage(t, target);
    const name = 'Zoë 測試 🦊';
    const options = { method: 'OPTIONS', headers: { 'X-Name': name } };
    const outcome = client.request(peer.uri('bob'), options);
    const received = await peer.request('OPTIONS');
    t.equal(headerOf(received, 'X-Name'), name);
    peer.reply(received, 200, { headers: [{ name: 'X-Echo', value: name }] });
    t.equal((await outcome).response.get('X-Echo'), name);
  });
}

function outsideDialogs(t: Test, target: SignallingTarget): void {
  t.test('OPTIONS leaves complete, is echoed as sent, and its answer comes back', async (t) => {
    const { client, peer } = await stage(t, target);
    const outcome = client.request(peer.uri('bob'), { method: 'OPTIONS' });
    const received = await peer.request('OPTIONS');
    peer.reply(received, 200);
    const { sent, response } = await outcome;

    t.match(headerOf(received, 'Via'), /^SIP\/2\.0\/UDP .*;rport.*;branch=z9hG4bK|;branch=z9hG4bK/);
    t.equal(headerOf(received, 'Max-Forwards'), '70');
    t.match(headerOf(received, 'From'), /^<sip:[^>]+>;tag=\S+$/);
    t.equal(headerOf(received, 'To'), `<${peer.uri('bob')}>`);
    for (const name of ['Call-ID', 'From', 'CSeq', 'Via']) {
      t.equal(sent.get(name), headerOf(received, name), `the echo shows ${name}`);
    }
    t.equal(sent.source, 'application');
    t.equal(response.status, 200);
    t.match(response, { source: 'network', source_address: '127.0.0.1', protocol: 'udp' });
    t.equal(response.source_port, peer.port);
  });

  t.test('OPTIONS from the network is answered by the application', async (t) => {
    const { client, peer } = await stage(t, target);
    const incoming = await client.expect('OPTIONS');
    const sent = peer.start('OPTIONS', client.uri('switch'));
    const { request, response } = await incoming.arrived;
    t.equal(request.get('Call-ID'), headerOf(sent, 'Call-ID'));
    t.equal(request.receivedOn, client.uri('x').split('@')[1]);
    t.equal(request.source_port, peer.port);

    const echoed = new Promise<SrfMessage | undefined>((resolve) => {
      response.send(200, { headers: { 'X-App': 'ok' } }, (_error, message) => resolve(message));
    });
    const answer = await peer.response(200);
    t.equal(headerOf(answer, 'X-App'), 'ok');
    t.equal(headerOf(answer, 'Via'), (await echoed)?.get('Via'));
    t.type(toTagOf(answer), 'string', 'a To tag is added');
  });

  t.test('a request no application wants is answered 503', async (t) => {
    const { client, peer } = await stage(t, target);
    peer.start('MESSAGE', client.uri('switch'));
    await peer.response(503);
  });

  t.test('applications that want a method take turns', async (t) => {
    const peer = await ScriptedPeer.open();
    const clients = [await SrfClient.connect(target), await SrfClient.connect(target)];
    t.teardown(async () => {
      for (const client of clients) client.close();
      await peer.close();
    });
    const turns: number[] = [];
    clients.forEach((client, index) => {
      client.srf.use('subscribe', (_request, response) => {
        turns.push(index);
        response.send(489);
      });
    });
    const uri = clients[0]?.uri('switch') ?? '';
    for (const client of clients) await client.heard();
    for (let index = 0; index < 4; index += 1) {
      peer.start('SUBSCRIBE', uri);
      await peer.response(489);
    }
    t.strictSame([...turns].sort(), [0, 0, 1, 1]);
  });

  t.test('a request to the switch itself is refused', async (t) => {
    const { client } = await stage(t, target);
    await t.rejects(client.request(client.uri('loop'), { method: 'OPTIONS' }), {
      message: 'can not send request to myself',
    });
  });

  t.test('an outbound proxy decides the next hop, not the Request-URI', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call('sip:bob@192.0.2.1', {
      localSdp: SDP,
      proxy: `sip:127.0.0.1:${peer.port}`,
    });
    const invite = await peer.request('INVITE');
    t.equal(invite.uri, 'sip:bob@192.0.2.1');
    peer.reply(invite, 404);
    t.equal((await call.failure()).status, 404);
  });
}

function outboundCalls(t: Test, target: SignallingTarget): void {
  t.test('INVITE, 180, 200, ACK and BYE, with what the server fills in', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), {
      localSdp: SDP,
      callingNumber: '15550001111',
      headers: { 'X-Campaign': 'c1' },
    });
    const sent = await call.sent;
    const invite = await peer.request('INVITE');
    const switchHostPort = client.uri('').split('@')[1];
    t.match(headerOf(invite, 'From'), `<sip:15550001111@${switchHostPort}>;tag=`);
    t.equal(headerOf(invite, 'Contact'), `<sip:15550001111@${switchHostPort}>`);
    t.equal(headerOf(invite, 'Content-Type'), 'application/sdp');
    t.equal(headerOf(invite, 'X-Campaign'), 'c1');
    t.equal(invite.body.toString(), SDP);
    t.equal(sent.get('Call-ID'), headerOf(invite, 'Call-ID'));

    peer.reply(invite, 100);
    peer.reply(invite, 180);
    await call.provisional(180);
    peer.reply(invite, 200, { sdp: SDP });
    const dialog = await call.outcome;
    const ack = await peer.request('ACK');
    t.strictSame(
      call.provisionals.map(({ status }) => status),
      [180],
      'a 100 is not the application’s business',
    );
    const fromTag = sent.getParsedHeader('from').params['tag'] ?? '';
    t.equal(dialog.id, `${headerOf(invite, 'Call-ID')};from-tag=${fromTag}`);
    t.equal(ack.uri, peer.uri('peer'), 'the ACK goes to the Contact');
    t.equal(cseqOf(ack)?.number, cseqOf(invite)?.number);
    t.equal(toTagOf(ack), peer.tag);

    await hangUp(dialog, peer);
    const bye = peer.log.find((message) => message.kind === 'request' && message.method === 'BYE');
    t.equal(bye && cseqOf(bye)?.number, (cseqOf(invite)?.number ?? 0) + 1);
    t.equal(peer.count('ACK'), 1);
  });

  t.test('early media: the SDP of a 183 reaches the application', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), { localSdp: SDP });
    const invite = await peer.request('INVITE');
    peer.reply(invite, 183, { sdp: SDP });
    t.equal((await call.provisional(183)).body, SDP);
    peer.reply(invite, 200, { sdp: SDP });
    await hangUp(await call.outcome, peer);
  });

  t.test('the far end hangs up', async (t) => {
    const { client, peer } = await stage(t, target);
    const { dialog, far } = await answeredCall({ client, peer });
    const destroyed = once(dialog, 'destroy');
    far.request('BYE', { headers: [{ name: 'Reason', value: 'Q.850;cause=16' }] });
    const [bye, reason] = (await destroyed) as [SrfRequest, string];
    t.equal(bye.get('Reason'), 'Q.850;cause=16');
    t.equal(bye.source, 'network');
    t.equal(reason, 'normal release');
    await peer.response(200, 'BYE');
  });

  t.test('an INVITE without SDP: the ACK carries the answer', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), { noAck: true });
    const invite = await peer.request('INVITE');
    t.equal(invite.body.length, 0);
    t.equal(headerOf(invite, 'Content-Type'), undefined);
    peer.reply(invite, 200, { sdp: SDP });
    const offer = (await call.outcome) as unknown as {
      sdp: string;
      ack(sdp: string): Promise<SrfDialog>;
    };
    t.equal(offer.sdp, SDP);
    const dialog = await offer.ack(SDP.replace('40000', '40002'));
    const ack = await peer.request('ACK');
    t.match(ack.body.toString(), 'm=audio 40002');
    t.equal(headerOf(ack, 'Content-Type'), 'application/sdp');
    await hangUp(dialog, peer);
  });

  t.test('a route set is kept: requests go through the proxies the answer recorded', async (t) => {
    const { client, peer } = await stage(t, target);
    const proxy = await ScriptedPeer.open();
    t.teardown(() => proxy.close());
    const call = client.call(peer.uri('bob'), { localSdp: SDP });
    const invite = await peer.request('INVITE');
    const recordRoute = `<sip:127.0.0.1:${proxy.port};lr>`;
    peer.reply(invite, 200, {
      sdp: SDP,
      headers: [{ name: 'Record-Route', value: recordRoute }],
    });
    const dialog = await call.outcome;
    const ack = await proxy.request('ACK');
    t.equal(ack.uri, peer.uri('peer'));
    t.equal(headerOf(ack, 'Route'), recordRoute);
    await hangUp(dialog, proxy);
  });

  for (const status of [486, 404, 480, 484, 481, 487, 488, 491, 408, 500, 503, 603]) {
    t.test(
      `a ${status} from the far end is passed up as sent by it, and acknowledged`,
      async (t) => {
        const { client, peer } = await stage(t, target);
        const call = client.call(peer.uri('bob'), { localSdp: SDP });
        const invite = await peer.request('INVITE');
        peer.reply(invite, status, {
          reason: 'As I Say',
          headers: [{ name: 'Reason', value: 'Q.850;cause=17;text="busy"' }],
        });
        const error = await call.failure();
        t.match(error, { status, reason: 'As I Say' });
        t.match(error.res, { source: 'network', source_address: '127.0.0.1' });
        t.equal(error.res?.source_port, peer.port);
        t.equal(error.res?.get('Reason'), 'Q.850;cause=17;text="busy"');
        const ack = await peer.request('ACK');
        const branch = (message: typeof ack): string | undefined =>
          parseVia(headerOf(message, 'Via') ?? '')?.params.get('branch');
        t.match(branch(invite), /^z9hG4bK/);
        t.equal(
          branch(ack),
          branch(invite),
          'the transaction acknowledges it (RFC 3261 §17.1.1.3)',
        );
        t.equal(toTagOf(ack), peer.tag);
      },
    );
  }

  for (const [status, challengeHeader, answerHeader] of [
    [407, 'Proxy-Authenticate', 'Proxy-Authorization'],
    [401, 'WWW-Authenticate', 'Authorization'],
  ] as const) {
    t.test(`a ${status} is answered with the digest drachtio-srf makes`, async (t) => {
      const { client, peer } = await stage(t, target);
      const auth = { username: 'alice', password: 'secret' };
      const call = client.call(peer.uri('bob'), { localSdp: SDP, auth });
      const first = await peer.request('INVITE');
      const challenge = 'Digest realm="carrier", nonce="abc123", algorithm=MD5, qop="auth"';
      peer.reply(first, status, { headers: [{ name: challengeHeader, value: challenge }] });
      const second = await peer.request('INVITE');

      t.equal(headerOf(second, 'Call-ID'), headerOf(first, 'Call-ID'));
      t.equal(headerOf(second, 'From'), headerOf(first, 'From'), 'the tag stays');
      t.equal(cseqOf(second)?.number, (cseqOf(first)?.number ?? 0) + 1);
      t.not(headerOf(second, 'Via'), headerOf(first, 'Via'), 'a transaction of its own');
      t.ok(isDigestGood(headerOf(second, answerHeader) ?? '', second.uri, auth));
      peer.reply(second, 200, { sdp: SDP });
      const dialog = await call.outcome;
      await hangUp(dialog, peer);
    });
  }

  t.test('a reliable provisional response is acknowledged with PRACK', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), {
      localSdp: SDP,
      headers: { Supported: '100rel' },
    });
    const invite = await peer.request('INVITE');
    peer.reply(invite, 183, {
      sdp: SDP,
      headers: [
        { name: 'Require', value: '100rel' },
        { name: 'RSeq', value: '7' },
      ],
    });
    const prack = await peer.request('PRACK');
    t.equal(headerOf(prack, 'RAck'), `7 ${headerOf(invite, 'CSeq')}`);
    t.equal(toTagOf(prack), peer.tag);
    peer.reply(prack, 200);
    peer.reply(invite, 200, { sdp: SDP });
    await hangUp(await call.outcome, peer);
  });
}

/** RFC 2617 §3.2.2 with qop=auth, or without. */
function isDigestGood(
  value: string,
  uri: string,
  { username, password }: { username: string; password: string },
): boolean {
  const params = new Map<string, string>();
  for (const [, name, quoted, plain] of value.matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]+))/g)) {
    params.set(name ?? '', quoted ?? plain ?? '');
  }
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const ha1 = md5(`${username}:${params.get('realm')}:${password}`);
  const ha2 = md5(`INVITE:${uri}`);
  const middle = ['nonce', 'nc', 'cnonce', 'qop'].map((name) => params.get(name)).filter(Boolean);
  return params.get('response') === md5([ha1, ...middle, ha2].join(':'));
}

function insideDialogs(t: Test, target: SignallingTarget): void {
  t.test('INFO and re-INVITE from the application', async (t) => {
    const { client, peer } = await stage(t, target);
    const { dialog, invite } = await answeredCall({ client, peer });
    const info = dialog.request({
      method: 'INFO',
      headers: { 'Content-Type': 'application/dtmf-relay' },
      body: 'Signal=5\r\nDuration=160\r\n',
    });
    const receivedInfo = await peer.request('INFO');
    t.equal(receivedInfo.uri, peer.uri('peer'));
    t.equal(receivedInfo.body.toString(), 'Signal=5\r\nDuration=160\r\n');
    peer.reply(receivedInfo, 200);
    t.equal((await info).status, 200);

    const modified = dialog.modify(SDP.replace('40000', '40004'));
    const reinvite = await peer.request('INVITE');
    t.equal(cseqOf(reinvite)?.number, (cseqOf(invite)?.number ?? 0) + 2);
    t.equal(headerOf(reinvite, 'Contact'), headerOf(invite, 'Contact'));
    peer.reply(reinvite, 200, { sdp: SDP });
    t.equal(await modified, SDP);
    const ack = await peer.request('ACK');
    t.equal(cseqOf(ack)?.number, cseqOf(reinvite)?.number);
    await hangUp(dialog, peer);
  });

  t.test('a re-INVITE that is refused leaves the call as it was', async (t) => {
    const { client, peer } = await stage(t, target);
    const { dialog } = await answeredCall({ client, peer });
    const refused = dialog.modify(SDP);
    peer.reply(await peer.request('INVITE'), 488);
    t.match(await refused.catch((error: unknown) => error), { status: 488 });
    await peer.request('ACK');
    await hangUp(dialog, peer);
  });

  t.test('INFO and re-INVITE from the far end', async (t) => {
    const { client, peer } = await stage(t, target);
    const { dialog, far } = await answeredCall({ client, peer });
    const info = requestIn(dialog, 'info');
    far.request('INFO', { headers: [{ name: 'X-Key', value: '1' }] });
    const received = await info;
    t.equal(received.request.get('X-Key'), '1');
    received.response.send(200, { headers: { 'X-App': 'yes' } });
    t.equal(headerOf(await peer.response(200, 'INFO'), 'X-App'), 'yes');

    const modify = requestIn(dialog, 'modify');
    const offer = SDP.replace('40000', '40006');
    const cseq = far.request('INVITE', { sdp: offer });
    const { request, response } = await modify;
    t.equal(request.body, offer);
    response.send(200, { body: SDP });
    const answer = await peer.response(200, 'INVITE');
    t.equal(answer.body.toString(), SDP);
    t.equal(headerOf(answer, 'Content-Type'), 'application/sdp');
    const acked = once(dialog, 'ack');
    far.ack('', cseq);
    await acked;
    await hangUp(dialog, peer);
  });

  t.test('UPDATE from the far end, with an offer and without', async (t) => {
    const { client, peer } = await stage(t, target);
    const { dialog, far } = await answeredCall({ client, peer });
    const offers = requestIn(dialog, 'update');
    const offer = SDP.replace('sendrecv', 'sendonly');
    far.request('UPDATE', { sdp: offer });
    const { request, response } = await offers;
    t.equal(request.body, offer);
    const held = SDP.replace('sendrecv', 'recvonly');
    response.send(200, { body: held, headers: { 'Content-Type': 'application/sdp' } });
    t.equal((await peer.response(200, 'UPDATE')).body.toString(), held);
    const refreshes = requestIn(dialog, 'update');
    far.request('UPDATE');
    const refresh = await refreshes;
    t.equal(refresh.request.body, '');
    refresh.response.send(200);
    t.equal((await peer.response(200, 'UPDATE')).body.length, 0);
    await hangUp(dialog, peer);
  });

  t.test(
    'a re-INVITE without SDP from the far end: our offer, its answer in the ACK',
    async (t) => {
      const { client, peer } = await stage(t, target);
      const { dialog, far } = await answeredCall({ client, peer });
      const modify = requestIn(dialog, 'modify');
      const cseq = far.request('INVITE');
      const { request, response } = await modify;
      t.equal(request.body, '');
      response.send(200, { body: SDP, headers: { 'Content-Type': 'application/sdp' } });
      t.equal((await peer.response(200, 'INVITE')).body.toString(), SDP);
      const acked = once(dialog, 'ack') as Promise<[SrfRequest]>;
      const answer = SDP.replace('40000', '40008');
      far.ack(answer, cseq);
      t.equal((await acked)[0].body, answer);
      await hangUp(dialog, peer);
    },
  );

  t.test('the far end moves: its new Contact gets the requests that follow', async (t) => {
    const { client, peer } = await stage(t, target);
    const { dialog, far } = await answeredCall({ client, peer });
    const offers = requestIn(dialog, 'update');
    const moved = `<sip:moved@${peer.host}:${peer.port}>`;
    far.request('UPDATE', { contact: moved });
    (await offers).response.send(200);
    await peer.response(200, 'UPDATE');
    const destroyed = dialog.destroy();
    const bye = await peer.request('BYE');
    // drachtio-server goes on with the old one, against RFC 3261 §12.2.2.
    if (target.isEmbedded) t.equal(bye.uri, moved.slice(1, -1));
    peer.reply(bye, 200);
    await destroyed;
  });

  t.test('a request in a dialog that is gone is refused as such', async (t) => {
    const { client, peer } = await stage(t, target);
    const { dialog, far } = await answeredCall({ client, peer });
    await hangUp(dialog, peer);
    await t.rejects(dialog.request({ method: 'INFO' }), {
      code: 'ENODIALOG',
      message: 'Server error: unable to find dialog for dialog id provided',
    });
    far.request('BYE');
    await peer.response(481, 'BYE');
  });
}

function inboundCalls(t: Test, target: SignallingTarget): void {
  t.test('INVITE answered by the application, ACK, BYE by the application', async (t) => {
    const { client, peer } = await stage(t, target);
    const { invite, request, dialog, answer } = await answeredInboundCall({ client, peer });
    const fromTag = /tag=(\S+)/.exec(headerOf(invite, 'From') ?? '')?.[1] ?? '';
    t.equal(dialog.id, `${headerOf(invite, 'Call-ID')};from-tag=${fromTag}`);
    t.equal(request.receivedOn, client.uri('x').split('@')[1]);
    t.equal(toTagOf(answer), dialog.sip.localTag);
    t.equal(answer.body.toString(), SDP);
    t.match(headersOf(answer, 'Contact')[0], client.uri('x').split('@')[1] ?? '');

    const destroyed = dialog.destroy();
    const bye = await peer.request('BYE');
    t.equal(bye.uri, peer.uri('peer'));
    t.equal(toTagOf(bye), fromTag);
    peer.reply(bye, 200);
    await destroyed;
  });

  t.test('BYE by the caller', async (t) => {
    const { client, peer } = await stage(t, target);
    const { dialog, far } = await answeredInboundCall({ client, peer });
    const destroyed = once(dialog, 'destroy');
    far.request('BYE');
    await destroyed;
    await peer.response(200, 'BYE');
  });

  t.test('a refusal keeps its code, phrase and headers; its ACK stays in the server', async (t) => {
    const { client, peer } = await stage(t, target);
    const incoming = await client.expect('INVITE');
    const invite = peer.start('INVITE', client.uri('in'), { sdp: SDP });
    const { response } = await incoming.arrived;
    response.send(486, { headers: { 'Retry-After': '30' } });
    const refusal = await peer.response(486);
    t.equal(headerOf(refusal, 'Retry-After'), '30');
    peer.follow('ACK', invite, headerOf(refusal, 'To'));
    const options = await client.expect('OPTIONS');
    peer.start('OPTIONS', client.uri('x'));
    (await options.arrived).response.send(200);
    await peer.response(200, 'OPTIONS');
    t.equal(peer.count('486'), 1, 'the ACK ended the repetition');
  });

  t.test('CANCEL from the caller: 200 to it, 487 to the INVITE, and the app is told', async (t) => {
    const { client, peer } = await stage(t, target);
    const incoming = await client.expect('INVITE');
    const invite = peer.start('INVITE', client.uri('in'), { sdp: SDP });
    const { request, response } = await incoming.arrived;
    const ringing = new Promise<void>((resolve) => response.send(180, {}, () => resolve()));
    await peer.response(180);
    await ringing;
    const cancelled = once(request, 'cancel');
    peer.follow('CANCEL', invite);
    await peer.response(200, 'CANCEL');
    const terminated = await peer.response(487, 'INVITE');
    peer.follow('ACK', invite, headerOf(terminated, 'To'));
    const [cancel] = (await cancelled) as [SrfMessage];
    t.equal(cancel.get('Call-ID'), headerOf(invite, 'Call-ID'));
    const late = new Promise((resolve) => response.send(486, {}, (error) => resolve(error)));
    t.equal(await late, 'Response not sent due to unknown transaction');
  });

  t.test('a reliable provisional response is repeated until its PRACK', async (t) => {
    const { client, peer } = await stage(t, target);
    const incoming = await client.expect('INVITE');
    const invite = peer.start('INVITE', client.uri('in'), {
      sdp: SDP,
      headers: [{ name: 'Supported', value: '100rel' }],
    });
    const { request, response } = await incoming.arrived;
    const pracked = new Promise<SrfRequest>((resolve) => {
      response.send(183, { body: SDP, headers: { Require: '100rel' } }, () => undefined, resolve);
    });
    const progress = await peer.response(183);
    const rseq = headerOf(progress, 'RSeq') ?? '';
    t.match(rseq, /^\d+$/);
    await peer.response(183); // once more after T1
    const far = peer.dialogAsUac(invite, progress);
    const rack = `${rseq} ${headerOf(invite, 'CSeq') ?? ''}`;
    const prackAnswered = await client.expect('PRACK');
    far.request('PRACK', { headers: [{ name: 'RAck', value: rack }] });
    t.equal((await pracked).get('RAck'), rack);
    (await prackAnswered.arrived).response.send(200);
    await peer.response(200, 'PRACK');
    const dialog = await client.srf.createUAS(request, response, { localSdp: SDP });
    await peer.response(200, 'INVITE');
    far.ack();
    await hangUp(dialog, peer);
  });
}

function redirects(t: Test, target: SignallingTarget): void {
  t.test('a 302 is passed up with its Contact: where to go is for the application', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), { localSdp: SDP });
    const contact = '<sip:bob@192.0.2.1>;q=0.7';
    peer.reply(await peer.request('INVITE'), 302, { contact });
    const error = await call.failure();
    t.equal(error.status, 302);
    t.equal(error.res?.get('Contact'), contact);
    await peer.request('ACK');
    t.equal(peer.count('INVITE'), 1);
  });

  t.test('an application that follows it sends a new INVITE; rounds come to an end', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), { localSdp: SDP, followRedirects: true });
    for (let hop = 1; hop <= 5; hop += 1) {
      const invite = await peer.request('INVITE');
      t.match(invite.uri, hop === 1 ? /^sip:bob@/ : new RegExp(`^sip:hop${hop - 1}@`));
      peer.reply(invite, 302, { contact: `<${peer.uri(`hop${hop}`)}>` });
      await peer.request('ACK');
    }
    t.equal((await call.failure()).status, 302, 'drachtio-srf gives up at the fifth');
  });

  t.test('the same call goes on elsewhere: Call-ID, tag and the next CSeq are kept', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), { localSdp: SDP });
    const invite = await peer.request('INVITE');
    peer.reply(invite, 302, { contact: `<${peer.uri('elsewhere')}>` });
    await call.failure();
    await peer.request('ACK');
    const cseq = (cseqOf(invite)?.number ?? 0) + 1;
    const again = client.call(peer.uri('elsewhere'), {
      localSdp: SDP,
      headers: {
        'Call-ID': headerOf(invite, 'Call-ID') ?? '',
        From: headerOf(invite, 'From') ?? '',
        To: headerOf(invite, 'To') ?? '',
        CSeq: `${cseq} INVITE`,
      },
    });
    const second = await peer.request('INVITE');
    for (const name of ['Call-ID', 'From', 'To']) {
      t.equal(headerOf(second, name), headerOf(invite, name), name);
    }
    t.equal(cseqOf(second)?.number, cseq);
    peer.reply(second, 200, { sdp: SDP });
    const dialog = await again.outcome;
    const fromTag = /tag=([^;]+)/.exec(headerOf(invite, 'From') ?? '')?.[1] ?? '';
    t.equal(dialog.id, `${headerOf(invite, 'Call-ID')};from-tag=${fromTag}`);
    await hangUp(dialog, peer);
  });

  t.test('the application redirects a caller', async (t) => {
    const { client, peer } = await stage(t, target);
    const incoming = await client.expect('INVITE');
    const invite = peer.start('INVITE', client.uri('in'), { sdp: SDP });
    const { response } = await incoming.arrived;
    response.send(302, { headers: { Contact: '<sip:elsewhere@192.0.2.1:5070>' } });
    const moved = await peer.response(302, 'INVITE');
    t.equal(headerOf(moved, 'Contact'), '<sip:elsewhere@192.0.2.1:5070>');
    peer.follow('ACK', invite, headerOf(moved, 'To'));
  });
}

function cancelling(t: Test, target: SignallingTarget): void {
  t.test('CANCEL while ringing: the 487 is passed up, the 200 to the CANCEL is not', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), { localSdp: SDP });
    const invite = await peer.request('INVITE');
    peer.reply(invite, 180);
    await call.provisional(180);
    const sent = await call.sent;
    const echo = new Promise<SrfRequest | undefined>((resolve, reject) => {
      sent.cancel({ headers: { Reason: 'SIP;cause=200' } }, (error, request) => {
        if (error === null) resolve(request);
        else reject(error);
      });
    });
    const cancel = await peer.request('CANCEL');
    t.equal(headerOf(cancel, 'Via'), headerOf(invite, 'Via'), 'the branch is the INVITE’s');
    t.equal(headerOf(cancel, 'CSeq'), `${cseqOf(invite)?.number ?? 0} CANCEL`);
    t.equal(headerOf(cancel, 'Reason'), 'SIP;cause=200');
    t.equal((await echo)?.get('CSeq'), headerOf(cancel, 'CSeq'));
    peer.reply(cancel, 200);
    peer.reply(invite, 487);
    t.equal((await call.failure()).status, 487);
    await peer.request('ACK');
  });

  t.test('CANCEL before any response waits for the first one', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), { localSdp: SDP });
    const invite = await peer.request('INVITE');
    const sent = await call.sent;
    await new Promise<void>((resolve) => sent.cancel({}, () => resolve()));
    t.equal(peer.count('CANCEL'), 0);
    peer.reply(invite, 100);
    peer.reply(await peer.request('CANCEL'), 200);
    peer.reply(invite, 487);
    t.equal((await call.failure()).status, 487);
  });

  t.test('CANCEL of a call that is over is refused', async (t) => {
    const { client, peer } = await stage(t, target);
    const call = client.call(peer.uri('bob'), { localSdp: SDP });
    peer.reply(await peer.request('INVITE'), 486);
    await call.failure();
    const sent = await call.sent;
    const error = await new Promise<Error | null>((resolve) => sent.cancel({}, resolve));
    t.equal(error?.message, `unable to cancel unknown transaction id: ${sent.stackTxnId}`);
  });
}

await contract({}, async (t, target) => {
  const parts = [
    ['connecting', connecting],
    ['outside dialogs', outsideDialogs],
    ['outbound calls', outboundCalls],
    ['inside dialogs', insideDialogs],
    ['inbound calls', inboundCalls],
    ['redirects', redirects],
    ['cancelling', cancelling],
  ] as const;
  for (const [title, part] of parts) {
    await t.test(title, (t) => {
      part(t, target);
      t.end();
    });
  }
});

// The suite must never be green because nothing ran.
t.plan(2);
