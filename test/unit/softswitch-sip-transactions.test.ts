import t from 'tap';
import { createResponse } from '../../softswitch/sip/create-response.ts';
import { headerOf, headersOf, type SipResponse } from '../../softswitch/sip/message.ts';
import { tagOf } from '../../softswitch/sip/name-addr.ts';
import type { ServerTransaction } from '../../softswitch/sip/server-transaction.ts';
import type { SipAddress, SipProtocol } from '../../softswitch/sip/sip-address.ts';
import { SipStack } from '../../softswitch/sip/sip-stack.ts';
import { ManualTimerWheel } from '../../softswitch/timers/manual-timer-wheel.ts';
import { MemoryNetwork, type RawPeer } from '../support/sip-memory-network.ts';
import { newRequest, rawRequest, rawResponse } from '../support/sip-text.ts';

interface World {
  readonly timers: ManualTimerWheel;
  readonly network: MemoryNetwork;
  readonly stack: SipStack;
  readonly local: SipAddress;
  readonly peer: RawPeer;
  /** What the stack told its user of responses: `408 stack @32000`. */
  readonly told: string[];
  send(method: string): ReturnType<SipStack['send']>;
  /** Sends a response of the peer to the last request it received. */
  peerAnswers(statusCode: number, tag?: string): void;
}

async function newWorld(protocol: SipProtocol = 'udp'): Promise<World> {
  const timers = new ManualTimerWheel();
  const network = new MemoryNetwork(timers);
  const listen: SipAddress[] = [{ protocol, host: '192.0.2.1', port: 5060 }];
  const stack = await SipStack.open({ timers, listen, openTransport: network.open });
  const peer = network.peer(protocol);
  const told: string[] = [];
  const local: SipAddress = { protocol, host: '192.0.2.1', port: 5060 };
  return {
    ...{ timers, network, stack, local, peer, told },
    send: (method) =>
      stack.send(
        newRequest(method, 'sip:far@192.0.2.9'),
        { destination: peer.address },
        {
          onResponse: (response, from) =>
            told.push(`${response.statusCode} ${from.source} @${timers.nowMs()}`),
          onTerminated: () => told.push(`terminated @${timers.nowMs()}`),
        },
      ),
    peerAnswers: (statusCode, tag = 'far-tag') => {
      const request = peer.received.findLast(
        ({ message }) => message.kind === 'request' && message.method !== 'ACK',
      );
      if (request === undefined) throw new Error('the peer has received nothing');
      peer.send(rawResponse(request.message, statusCode, { toTag: tag }), local);
    },
  };
}

function timesOf(world: World, label: string): number[] {
  return world.network.packets
    .filter((packet) => packet.label === label && packet.from.host === world.local.host)
    .map(({ atMs }) => atMs);
}

t.test(
  'Timers A and B: an unanswered INVITE doubles its intervals and ends in a 408 of our own',
  async (t) => {
    const world = await newWorld();
    world.send('INVITE');
    world.timers.advance(100_000);
    t.same(timesOf(world, 'INVITE'), [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    t.same(world.told, ['408 stack @32000', 'terminated @32000']);
    t.equal(world.stack.counters.timeouts, 1);
    t.same(world.stack.transactionCounts, { client: 0, server: 0 });
    t.equal(world.timers.pending, 0, 'no timer is left behind');
  },
);

t.test('Over a reliable transport an INVITE leaves once and timer B still guards it', async (t) => {
  const world = await newWorld('tcp');
  world.send('INVITE');
  world.timers.advance(100_000);
  t.same(timesOf(world, 'INVITE'), [0]);
  t.same(world.told, ['408 stack @32000', 'terminated @32000']);
});

t.test('A provisional response stops timers A and B: a phone may ring for minutes', async (t) => {
  const world = await newWorld();
  world.send('INVITE');
  world.timers.advance(600);
  world.peerAnswers(100);
  world.timers.advance(200);
  world.peerAnswers(180);
  world.timers.advance(300_000);
  t.same(timesOf(world, 'INVITE'), [0, 500]);
  t.same(world.told, ['100 network @601', '180 network @801']);
});

t.test('Timer D: a repeated failure is acknowledged for 32 s, told once', async (t) => {
  const world = await newWorld();
  world.send('INVITE');
  world.timers.advance(10);
  world.peerAnswers(486);
  world.timers.advance(20_000);
  world.peerAnswers(486);
  world.timers.advance(12_000);
  t.same(timesOf(world, 'ACK'), [11, 20_011]);
  t.equal(world.stack.transactionCounts.client, 1);
  world.timers.advance(1);
  t.equal(world.stack.transactionCounts.client, 0, 'gone 32 s after the failure');
  world.peerAnswers(486);
  world.timers.advance(10);
  t.equal(timesOf(world, 'ACK').length, 2);
  t.equal(world.stack.counters.strayResponses, 1);
  t.same(world.told, ['486 network @11', 'terminated @32011']);
});

t.test('Timer D is zero over a reliable transport', async (t) => {
  const world = await newWorld('tcp');
  world.send('INVITE');
  world.timers.advance(10);
  world.peerAnswers(486);
  world.timers.advance(1);
  t.same(timesOf(world, 'ACK'), [11]);
  t.equal(world.stack.transactionCounts.client, 0);
});

t.test(
  "The ACK of a failure has the INVITE's branch, target and number, and the answer's To",
  async (t) => {
    const world = await newWorld();
    const invite = world.send('INVITE');
    world.timers.advance(10);
    world.peerAnswers(404, 'theirs');
    world.timers.advance(10);
    const ack = world.peer.received.at(-1)?.message;
    if (ack?.kind !== 'request') throw new Error('no ACK');
    t.equal(ack.method, 'ACK');
    t.equal(ack.uri, invite.request.uri);
    t.same(headersOf(ack, 'Via'), headersOf(invite.request, 'Via'));
    t.match(headersOf(ack, 'Via')[0], invite.id);
    t.equal(headerOf(ack, 'CSeq'), '1 ACK');
    t.equal(tagOf(headerOf(ack, 'To')), 'theirs');
    t.equal(headerOf(ack, 'Call-ID'), headerOf(invite.request, 'Call-ID'));
  },
);

t.test(
  'Timer M: every 2xx within 32 s is told, each wants an ACK; later ones are strays',
  async (t) => {
    const world = await newWorld();
    const strays: SipResponse[] = [];
    world.stack.onStrayResponse = (response) => strays.push(response);
    world.send('INVITE');
    world.timers.advance(10);
    world.peerAnswers(200, 'one');
    world.timers.advance(500);
    world.peerAnswers(200, 'one');
    world.peerAnswers(200, 'fork');
    world.timers.advance(31_500);
    t.same(world.told, ['200 network @11', '200 network @511', '200 network @511']);
    world.timers.advance(1);
    t.match(world.told.at(-1), 'terminated @32011');
    world.peerAnswers(200, 'one');
    world.timers.advance(10);
    t.equal(strays.length, 1);
    t.same(timesOf(world, 'ACK'), [], "the ACK of a 2xx is the user's");
  },
);

t.test('A failure after a 2xx, and a 2xx after a failure, change nothing', async (t) => {
  const world = await newWorld();
  world.send('INVITE');
  world.timers.advance(10);
  world.peerAnswers(200);
  world.peerAnswers(486);
  world.peerAnswers(180);
  world.timers.advance(10);
  t.same(world.told, ['200 network @11']);
  const other = await newWorld();
  other.send('INVITE');
  other.timers.advance(10);
  other.peerAnswers(486);
  other.peerAnswers(200);
  other.timers.advance(10);
  t.same(other.told, ['486 network @11']);
});

t.test('Timers E and F: a non-INVITE request is repeated up to every T2, then 408', async (t) => {
  const world = await newWorld();
  world.send('OPTIONS');
  world.timers.advance(100_000);
  t.same(
    timesOf(world, 'OPTIONS'),
    [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  );
  t.same(world.told, ['408 stack @32000', 'terminated @32000']);
  t.equal(world.timers.pending, 0);
});

t.test('Timer E runs at T2 once a provisional response has come, and F goes on', async (t) => {
  const world = await newWorld();
  world.send('BYE');
  world.timers.advance(10);
  world.peerAnswers(100);
  world.timers.advance(40_000);
  t.same(timesOf(world, 'BYE').slice(0, 4), [0, 500, 4_500, 8_500]);
  t.same(world.told, ['100 network @11', '408 stack @32000', 'terminated @32000']);
});

t.test(
  'Timer K: repeated final responses are absorbed for T4, none over a reliable transport',
  async (t) => {
    const world = await newWorld();
    world.send('OPTIONS');
    world.timers.advance(10);
    world.peerAnswers(200);
    world.peerAnswers(200);
    world.timers.advance(5_000);
    t.equal(world.stack.counters.strayResponses, 0);
    t.equal(world.stack.counters.retransmissionsReceived, 1);
    world.timers.advance(1);
    t.same(world.told, ['200 network @11', 'terminated @5011']);
    const reliable = await newWorld('tcp');
    reliable.send('OPTIONS');
    reliable.timers.advance(10);
    reliable.peerAnswers(200);
    reliable.timers.advance(1);
    t.equal(reliable.stack.transactionCounts.client, 0);
  },
);

t.test('A transport that fails is told as a 503 of our own, at once', async (t) => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const world = await newWorld();
    world.network.fate = () => 'refuse';
    world.send(method);
    world.timers.advance(50_000);
    t.same(world.told, ['503 stack @1', 'terminated @1'], method);
    t.equal(world.stack.counters.transportErrors, 1);
    t.equal(world.timers.pending, 0);
  }
});

t.test('A refused retransmission does not undo an answer that came first', async (t) => {
  const world = await newWorld();
  world.send('INVITE');
  world.timers.advance(499);
  world.peerAnswers(180); // arrives with the retransmission's error
  world.network.fate = ({ label }) => (label === 'INVITE' ? 'refuse' : 'deliver');
  world.timers.advance(10_000);
  t.same(world.told, ['180 network @500']);
});

t.test(
  "The made-up 408 has the request's Call-ID, CSeq and Via, and a tag of its own",
  async (t) => {
    const world = await newWorld();
    let got: SipResponse | undefined;
    const request = newRequest('INVITE', 'sip:far@192.0.2.9');
    world.stack.send(
      request,
      { destination: world.peer.address },
      { onResponse: (response) => (got = response) },
    );
    world.timers.advance(40_000);
    t.equal(got?.statusCode, 408);
    if (got === undefined) return;
    t.equal(headerOf(got, 'Call-ID'), 'call-1');
    t.equal(headerOf(got, 'CSeq'), '1 INVITE');
    t.equal(headerOf(got, 'Via'), headerOf(request, 'Via'));
    t.ok(tagOf(headerOf(got, 'To')));
  },
);

t.test('CANCEL waits for a provisional response, and its own 200 is not told', async (t) => {
  const world = await newWorld();
  const invite = world.send('INVITE');
  world.timers.advance(100);
  invite.cancel([{ name: 'Reason', value: 'SIP;cause=487' }]);
  world.timers.advance(100);
  t.same(timesOf(world, 'CANCEL'), []);
  world.peerAnswers(100);
  world.timers.advance(2);
  t.same(timesOf(world, 'CANCEL'), [201]);
  const cancel = world.peer.received.at(-1)?.message;
  if (cancel?.kind !== 'request') throw new Error('no CANCEL');
  t.equal(cancel.uri, invite.request.uri);
  t.same(headersOf(cancel, 'Via'), headersOf(invite.request, 'Via'));
  t.equal(headerOf(cancel, 'CSeq'), '1 CANCEL');
  t.equal(headerOf(cancel, 'Reason'), 'SIP;cause=487');
  t.equal(tagOf(headerOf(cancel, 'To')), undefined);
  world.peerAnswers(200);
  const inviteReceived = world.peer.received[0]?.message;
  if (inviteReceived !== undefined) world.peer.send(rawResponse(inviteReceived, 487), world.local);
  world.timers.advance(10);
  t.same(world.told, ['100 network @201', '487 network @203']);
  t.same(timesOf(world, 'ACK'), [203]);
});

t.test('CANCEL is dropped when the final response comes first', async (t) => {
  const world = await newWorld();
  const invite = world.send('INVITE');
  world.timers.advance(100);
  invite.cancel();
  world.peerAnswers(486);
  world.timers.advance(40_000);
  invite.cancel();
  world.timers.advance(40_000);
  t.same(timesOf(world, 'CANCEL'), []);
});

t.test('A 200 that crosses our CANCEL is told; CANCEL asked twice leaves once', async (t) => {
  const world = await newWorld();
  const invite = world.send('INVITE');
  world.timers.advance(10);
  world.peerAnswers(180);
  world.timers.advance(10);
  world.peerAnswers(200); // on its way when the CANCEL leaves
  invite.cancel();
  invite.cancel();
  world.timers.advance(400);
  t.same(world.told, ['180 network @11', '200 network @21']);
  t.same(timesOf(world, 'CANCEL'), [20]);
});

t.test(
  'A lost CANCEL is repeated; an INVITE nobody finishes after it ends in 408 after 64*T1',
  async (t) => {
    const world = await newWorld();
    world.network.fate = ({ label }) => (label === 'CANCEL' ? 'lose' : 'deliver');
    const invite = world.send('INVITE');
    world.timers.advance(10);
    world.peerAnswers(180);
    world.timers.advance(10);
    invite.cancel();
    world.timers.advance(2_000);
    t.same(timesOf(world, 'CANCEL'), [20, 520, 1_520]);
    world.timers.advance(60_000);
    t.same(world.told, ['180 network @11', '408 stack @32020', 'terminated @32020']);
    t.equal(world.timers.pending, 0);
  },
);

function taken(world: World): ServerTransaction[] {
  const transactions: ServerTransaction[] = [];
  world.stack.onRequest = (transaction) => transactions.push(transaction);
  return transactions;
}

function peerSends(
  world: World,
  method: string,
  parts: Partial<Parameters<typeof rawRequest>[0]> = {},
): void {
  const via = `192.0.2.9:${world.peer.address.port};rport;branch=z9hG4bKraw`;
  world.peer.send(rawRequest({ method, uri: 'sip:near@192.0.2.1', via, ...parts }), world.local);
}

t.test(
  'An INVITE nobody answers within 200 ms gets 100, one answered sooner does not',
  async (t) => {
    const world = await newWorld();
    const transactions = taken(world);
    peerSends(world, 'INVITE');
    world.timers.advance(1_000);
    t.same(world.network.sentBy(world.local), ['100 INVITE @201']);
    t.equal(
      tagOf(headerOf(world.peer.received[0]?.message ?? newRequest('X', 'sip:x'), 'To')),
      undefined,
    );
    peerSends(world, 'INVITE', { via: `192.0.2.9:${world.peer.address.port};branch=z9hG4bKother` });
    world.timers.advance(1);
    transactions[1]?.respond(createResponse(transactions[1].request, 180));
    world.timers.advance(1_000);
    t.same(world.network.sentBy(world.local).slice(1), ['180 INVITE @1001']);
  },
);

t.test('A repeated INVITE gets the last provisional again; the user sees one', async (t) => {
  const world = await newWorld();
  const transactions = taken(world);
  peerSends(world, 'INVITE');
  world.timers.advance(1);
  transactions[0]?.respond(createResponse(transactions[0].request, 183));
  peerSends(world, 'INVITE');
  world.timers.advance(2);
  t.equal(transactions.length, 1);
  t.same(world.network.sentBy(world.local), ['183 INVITE @1', '183 INVITE @2']);
  t.equal(world.stack.counters.retransmissionsReceived, 1);
});

t.test(
  'Timers G and H: a failure is repeated up to every T2 until 32 s without an ACK',
  async (t) => {
    const world = await newWorld();
    let timedOut = 0;
    const transactions = taken(world);
    peerSends(world, 'INVITE');
    world.timers.advance(1);
    const [transaction] = transactions;
    if (transaction === undefined) throw new Error('no INVITE');
    transaction.onTimeout = () => (timedOut = world.timers.nowMs());
    transaction.respond(createResponse(transaction.request, 486));
    world.timers.advance(100_000);
    const expected = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    t.same(
      timesOf(world, '486 INVITE'),
      expected.map((ms) => ms + 1),
    );
    t.equal(timedOut, 32_001);
    t.equal(world.stack.transactionCounts.server, 0);
    t.equal(world.timers.pending, 0);
  },
);

t.test('The ACK stops timer G; timer I absorbs its repetitions for T4', async (t) => {
  const world = await newWorld();
  const transactions = taken(world);
  const acks: string[] = [];
  const strayAcks: string[] = [];
  world.stack.onAck = (ack) => strayAcks.push(ack.uri);
  peerSends(world, 'INVITE');
  world.timers.advance(1);
  const [transaction] = transactions;
  if (transaction === undefined) throw new Error('no INVITE');
  transaction.onAck = (ack) => acks.push(ack?.method ?? 'none');
  transaction.respond(createResponse(transaction.request, 486));
  world.timers.advance(600);
  peerSends(world, 'ACK');
  world.timers.advance(10);
  peerSends(world, 'ACK');
  peerSends(world, 'INVITE');
  world.timers.advance(4_900);
  t.same(timesOf(world, '486 INVITE'), [1, 501]);
  t.same(acks, ['ACK']);
  t.same(strayAcks, []);
  t.equal(transaction.state, 'confirmed');
  world.timers.advance(100);
  t.equal(world.stack.transactionCounts.server, 0);
});

t.test('Timer G stays off and I is zero over a reliable transport', async (t) => {
  const world = await newWorld('tcp');
  const transactions = taken(world);
  peerSends(world, 'INVITE');
  world.timers.advance(1);
  const [transaction] = transactions;
  transaction?.respond(createResponse(transaction.request, 486));
  world.timers.advance(5_000);
  t.same(timesOf(world, '486 INVITE'), [1]);
  peerSends(world, 'ACK');
  world.timers.advance(2);
  t.equal(world.stack.transactionCounts.server, 0);
});

t.test(
  "Timer L: repeated INVITEs of an accepted one are absorbed for 32 s, its ACK is the user's",
  async (t) => {
    const world = await newWorld();
    const transactions = taken(world);
    const acks: string[] = [];
    world.stack.onAck = (ack) => acks.push(headerOf(ack, 'CSeq') ?? '');
    peerSends(world, 'INVITE');
    world.timers.advance(1);
    const [transaction] = transactions;
    transaction?.respond(createResponse(transaction.request, 200));
    world.timers.advance(100);
    peerSends(world, 'INVITE');
    peerSends(world, 'ACK', { via: '192.0.2.9:10000;branch=z9hG4bKack' });
    peerSends(world, 'ACK'); // the INVITE's branch: wrong, and common
    world.timers.advance(31_899);
    t.equal(transactions.length, 1);
    t.same(world.network.sentBy(world.local), ['200 INVITE @1']);
    t.same(acks, ['1 ACK', '1 ACK']);
    t.equal(world.stack.transactionCounts.server, 1);
    world.timers.advance(1);
    t.equal(world.stack.transactionCounts.server, 0);
  },
);

t.test('In Accepted only a further 2xx may be sent, after a failure nothing', async (t) => {
  const world = await newWorld();
  const transactions = taken(world);
  peerSends(world, 'INVITE');
  world.timers.advance(1);
  const [transaction] = transactions;
  if (transaction === undefined) throw new Error('no INVITE');
  const answer = (statusCode: number): number =>
    transaction.respond(createResponse(transaction.request, statusCode)).length;
  t.ok(answer(200) > 0);
  t.equal(answer(180), 0);
  t.equal(answer(486), 0);
  t.ok(answer(200) > 0);
  world.timers.advance(1);
  t.same(world.network.sentBy(world.local), ['200 INVITE @1', '200 INVITE @1']);
});

t.test('Timer J: the answer to a non-INVITE is repeated to each repetition for 32 s', async (t) => {
  const world = await newWorld();
  const transactions = taken(world);
  peerSends(world, 'OPTIONS');
  world.timers.advance(10);
  peerSends(world, 'OPTIONS'); // no answer yet: nothing is sent
  world.timers.advance(10);
  const [transaction] = transactions;
  transaction?.respond(createResponse(transaction.request, 200));
  world.timers.advance(480);
  peerSends(world, 'OPTIONS');
  world.timers.advance(10);
  t.same(timesOf(world, '200 OPTIONS'), [20, 501]);
  t.equal(transactions.length, 1);
  world.timers.advance(31_509);
  t.equal(world.stack.transactionCounts.server, 1);
  world.timers.advance(1);
  t.equal(world.stack.transactionCounts.server, 0);
  const reliable = await newWorld('tcp');
  const [, ...none] = taken(reliable);
  t.same(none, []);
  reliable.stack.onRequest = (own) => void own.respond(createResponse(own.request, 200));
  peerSends(reliable, 'OPTIONS');
  reliable.timers.advance(2);
  t.equal(reliable.stack.transactionCounts.server, 0);
});

t.test('A CANCEL gets 200, its INVITE 487 with the same To tag', async (t) => {
  const world = await newWorld();
  taken(world);
  peerSends(world, 'INVITE');
  world.timers.advance(1);
  peerSends(world, 'CANCEL');
  world.timers.advance(2);
  t.same(world.network.sentBy(world.local), ['200 CANCEL @2', '487 INVITE @2']);
  const tags = world.peer.received.map(({ message }) => tagOf(headerOf(message, 'To')));
  t.ok(tags[0]);
  t.equal(tags[0], tags[1]);
});

t.test("The user may answer a CANCEL's INVITE itself", async (t) => {
  const world = await newWorld();
  const transactions = taken(world);
  peerSends(world, 'INVITE');
  world.timers.advance(1);
  const [transaction] = transactions;
  if (transaction === undefined) throw new Error('no INVITE');
  transaction.onCancel = () =>
    void transaction.respond(createResponse(transaction.request, 487, { reason: 'Gone' }));
  peerSends(world, 'CANCEL');
  world.timers.advance(2);
  t.same(world.network.sentBy(world.local), ['200 CANCEL @2', '487 INVITE @2']);
});

t.test(
  'A CANCEL for nothing gets 481; one after the final response gets 200 and has no effect',
  async (t) => {
    const world = await newWorld();
    const transactions = taken(world);
    peerSends(world, 'CANCEL', { via: '192.0.2.9:10000;rport;branch=z9hG4bKnone' });
    world.timers.advance(2);
    t.same(world.network.sentBy(world.local), ['481 CANCEL @1']);
    peerSends(world, 'INVITE');
    world.timers.advance(1);
    const [transaction] = transactions;
    transaction?.respond(createResponse(transaction.request, 200));
    peerSends(world, 'CANCEL');
    world.timers.advance(2);
    t.same(world.network.sentBy(world.local).slice(1), ['200 INVITE @3', '200 CANCEL @4']);
  },
);

t.test(
  'A client of RFC 2543, without a unique branch, is matched by the fields of §17.2.3',
  async (t) => {
    for (const via of [
      '192.0.2.9:10000',
      '192.0.2.9:10000;branch=z9hG4bK',
      '192.0.2.9:10000;branch=1',
    ]) {
      const world = await newWorld();
      const transactions = taken(world);
      peerSends(world, 'INVITE', { via });
      peerSends(world, 'INVITE', { via });
      world.timers.advance(1);
      const [transaction] = transactions;
      if (transaction === undefined) throw new Error('no INVITE');
      transaction.respond(createResponse(transaction.request, 486));
      t.equal(transactions.length, 1, via);
      peerSends(world, 'ACK', { via, toTag: transaction.localTag });
      world.timers.advance(1);
      t.equal(transaction.state, 'confirmed', via);
      peerSends(world, 'INVITE', { via, callId: 'another' });
      world.timers.advance(1);
      t.equal(transactions.length, 2, 'another call is another transaction');
      peerSends(world, 'CANCEL', { via, callId: 'another' });
      world.timers.advance(1);
      t.match(world.network.sentBy(world.local).at(-1), '487 INVITE');
    }
  },
);

t.test('The same branch from another sent-by is another transaction', async (t) => {
  const world = await newWorld();
  const transactions = taken(world);
  peerSends(world, 'OPTIONS', { via: '192.0.2.9:10000;branch=z9hG4bKsame' });
  peerSends(world, 'OPTIONS', { via: '192.0.2.8:10000;branch=z9hG4bKsame' });
  world.timers.advance(1);
  t.equal(transactions.length, 2);
});

const RETURN_ADDRESSES = [
  { name: 'rport: where it came from', via: '10.0.0.1:7000;rport;branch=z9hG4bK1', port: 10_000 },
  { name: 'no rport: the port of sent-by', via: '10.0.0.1:7000;branch=z9hG4bK2', port: 7_000 },
  { name: 'no rport, no port: 5060', via: '10.0.0.1;branch=z9hG4bK3', port: 5_060 },
  {
    name: 'maddr',
    via: '10.0.0.1:7000;maddr=192.0.2.77;branch=z9hG4bK4',
    port: 7_000,
    host: '192.0.2.77',
  },
];

t.test('Responses go where RFC 3261 §18.2.2 and RFC 3581 send them', async (t) => {
  for (const { name, via, port, host = '192.0.2.9' } of RETURN_ADDRESSES) {
    const world = await newWorld();
    world.stack.onRequest = (own) => void own.respond(createResponse(own.request, 200));
    peerSends(world, 'OPTIONS', { via });
    world.timers.advance(1);
    const answer = world.network.packets.at(-1);
    t.equal(answer?.label, '200 OPTIONS', name);
    t.equal(answer?.to.port, port, name);
    t.equal(answer?.to.host, host, name);
    const stamped = headerOf(answer?.message ?? newRequest('X', 'sip:x'), 'Via') ?? '';
    t.match(stamped, /received=192\.0\.2\.9/, name);
    if (via.includes('rport')) t.match(stamped, /rport=10000/, name);
  }
});

t.test('Our requests carry Via with rport and a unique branch, and Max-Forwards 70', async (t) => {
  const world = await newWorld();
  const first = world.send('OPTIONS');
  const second = world.send('OPTIONS');
  t.not(first.id, second.id);
  t.match(
    first.bytesSent.toString(),
    /^OPTIONS .*\r\nVia: SIP\/2\.0\/UDP 192\.0\.2\.1:5060;rport;branch=z9hG4bK/,
  );
  t.match(first.bytesSent.toString(), /\r\nMax-Forwards: 70\r\n/);
});

t.test('Without a destination the first Route decides, else the Request-URI', async (t) => {
  const world = await newWorld();
  const port = world.peer.address.port;
  const cases = [
    { uri: `sip:x@192.0.2.9:${port}`, route: undefined, expected: `192.0.2.9:${port}` },
    { uri: 'sip:x@192.0.2.50', route: undefined, expected: '192.0.2.50:5060' },
    { uri: 'sip:x@192.0.2.50', route: '<sip:192.0.2.7:7070;lr>', expected: '192.0.2.7:7070' },
    { uri: 'sip:x@192.0.2.50;maddr=192.0.2.60', route: undefined, expected: '192.0.2.60:5060' },
  ];
  for (const { uri, route, expected } of cases) {
    const request = newRequest('OPTIONS', uri);
    if (route !== undefined) request.headers.push({ name: 'Route', value: route });
    const { destination } = world.stack.send(request, {}, { onResponse: () => undefined });
    t.equal(`${destination.host}:${destination.port}`, expected);
  }
});

t.test('A next hop that cannot be read or served ends in 503, not in an exception', async (t) => {
  for (const uri of [
    'tel:+12025550100',
    'sip:x@192.0.2.9;transport=sctp',
    'sip:x@192.0.2.9;transport=tcp',
  ]) {
    const world = await newWorld();
    world.stack.send(
      newRequest('INVITE', uri),
      {},
      {
        onResponse: (response, from) => world.told.push(`${response.statusCode} ${from.source}`),
      },
    );
    await Promise.resolve();
    world.timers.advance(5);
    t.same(world.told, ['503 stack'], uri);
  }
});

t.test('Closing stops every timer and tells nobody', async (t) => {
  const world = await newWorld();
  taken(world);
  world.send('INVITE');
  world.send('OPTIONS');
  peerSends(world, 'INVITE');
  world.timers.advance(2);
  await world.stack.close();
  world.timers.advance(100_000);
  t.same(world.told, []);
  t.equal(world.timers.pending, 0);
});
