import { once } from 'node:events';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type AddressInfo, type Socket as TcpSocket } from 'node:net';
import t, { type Test } from 'tap';
import { createResponse } from '../../softswitch/sip/create-response.ts';
import { headerOf, type SipResponse } from '../../softswitch/sip/message.ts';
import type { ResponseOrigin } from '../../softswitch/sip/client-transaction.ts';
import type { SipAddress, SipProtocol } from '../../softswitch/sip/sip-address.ts';
import { formatHostPort } from '../../softswitch/sip/sip-uri.ts';
import { SipStack, type SipStackOptions } from '../../softswitch/sip/sip-stack.ts';
import { UserAgent } from '../../softswitch/sip/user-agent.ts';
import { realTimerWheel } from '../../softswitch/timers/timer-wheel.ts';
import { CORPUS, mutate, randomOf } from '../support/sip-mutation.ts';
import { newRequest, parsed, rawRequest } from '../support/sip-text.ts';

const HOST = '127.0.0.1';

async function openStack(
  t: Test,
  protocols: readonly SipProtocol[] = ['udp', 'tcp'],
  options: Partial<SipStackOptions> = {},
): Promise<{ stack: SipStack; port: number }> {
  const timers = options.timers ?? realTimerWheel();
  const listen = protocols.map((protocol) => ({ protocol, host: HOST, port: 0 }));
  const stack = await SipStack.open({ listen, ...options, timers });
  t.teardown(async () => {
    await stack.close();
    timers.stop();
  });
  return { stack, port: stack.listening[0]?.port ?? 0 };
}

/** A stack that answers every request with 200. */
async function openAnswering(
  t: Test,
  protocols?: readonly SipProtocol[],
): Promise<{ stack: SipStack; port: number }> {
  const opened = await openStack(t, protocols);
  opened.stack.onRequest = (transaction) =>
    void transaction.respond(createResponse(transaction.request, 200));
  return opened;
}

interface FinalResponse {
  readonly response: SipResponse;
  readonly from: ResponseOrigin;
  readonly sentOver: SipProtocol;
}

function ask(
  stack: SipStack,
  destination: SipAddress,
  method = 'OPTIONS',
  body = '',
): Promise<FinalResponse> {
  return new Promise((resolve) => {
    const request = newRequest(
      method,
      `sip:far@${formatHostPort(destination.host, destination.port)}`,
      body,
    );
    const transaction = stack.send(
      request,
      { destination },
      {
        onResponse: (response, from) => {
          if (response.statusCode < 200) return;
          resolve({ response, from, sentOver: transaction.destination.protocol });
        },
      },
    );
  });
}

function at(protocol: SipProtocol, port: number): SipAddress {
  return { protocol, host: HOST, port };
}

async function udpSocket(t: Test): Promise<{ socket: UdpSocket; port: number }> {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return { socket, port: socket.address().port };
}

async function closedUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** A TCP connection to a stack, collecting what it says. */
async function tcpClient(
  t: Test,
  port: number,
): Promise<{ socket: TcpSocket; said(): Promise<string>; closed: Promise<unknown> }> {
  const socket = connect({ host: HOST, port });
  await once(socket, 'connect');
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  return {
    socket,
    closed,
    said: async () => {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      return chunk.toString();
    },
  };
}

t.test('UDP and TCP listen on one port, and both are answered', async (t) => {
  const { stack, port } = await openAnswering(t);
  t.same(
    stack.listening.map((address) => address.port),
    [port, port],
  );
  const client = await openStack(t);
  for (const protocol of ['udp', 'tcp'] as const) {
    const { response, from } = await ask(client.stack, at(protocol, port));
    t.equal(response.statusCode, 200);
    t.same(from, { source: 'network', address: at(protocol, port) });
  }
  t.match(stack.counters, { requestsReceived: 2, responsesSent: 2, malformed: 0 });
});

t.test('A closed UDP port is a 503 of our own before anything is repeated', async (t) => {
  const answering = await openAnswering(t);
  const { stack } = await openStack(t);
  const port = await closedUdpPort();
  for (const method of ['INVITE', 'OPTIONS', 'INVITE']) {
    const startMs = performance.now();
    const [refused, answered] = await Promise.all([
      ask(stack, at('udp', port), method),
      ask(stack, at('udp', answering.port), method),
    ]);
    t.equal(refused.response.statusCode, 503, method);
    t.equal(refused.from.source, 'stack');
    t.equal(answered.response.statusCode, 200, 'other destinations notice nothing');
    t.comment(`${method}: 503 after ${(performance.now() - startMs).toFixed(1)} ms`);
  }
  t.equal(stack.counters.retransmissionsSent, 0);
  t.equal(stack.counters.transportErrors, 3);
});

t.test('Many calls at once to a closed port each get their 503', async (t) => {
  const { stack } = await openStack(t);
  const port = await closedUdpPort();
  const all = await Promise.all(
    Array.from({ length: 40 }, () => ask(stack, at('udp', port), 'INVITE')),
  );
  t.same(new Set(all.map(({ response }) => response.statusCode)), new Set([503]));
});

t.test('A port that was closed and opens again is reached', async (t) => {
  const { stack } = await openStack(t);
  const port = await closedUdpPort();
  t.equal((await ask(stack, at('udp', port))).response.statusCode, 503);
  const timers = realTimerWheel();
  const late = await SipStack.open({ timers, listen: [at('udp', port)] });
  late.onRequest = (transaction) =>
    void transaction.respond(createResponse(transaction.request, 200));
  t.equal((await ask(stack, at('udp', port))).response.statusCode, 200);
  await late.close();
  timers.stop();
});

t.test('The peer sees one port of ours, and may answer or ask from any of its own', async (t) => {
  const { stack, port } = await openAnswering(t);
  const peer = await udpSocket(t);
  const stranger = await udpSocket(t);
  const pending = ask(stack, at('udp', peer.port));
  const [bytes, from] = (await once(peer.socket, 'message')) as [Buffer, { port: number }];
  t.equal(from.port, port, 'requests leave from the port we listen on');
  const message = parsed(bytes);
  if (message.kind !== 'request') throw new Error('no request');
  const via = `SIP/2.0/UDP ${HOST}:${stranger.port};rport;branch=z9hG4bKstranger`;
  const question = rawRequest({ method: 'OPTIONS', uri: 'sip:a@b' })
    .toString()
    .replace(/SIP\/2\.0\/UDP .*/, via);
  stranger.socket.send(question, port, HOST);
  const [answer] = (await once(stranger.socket, 'message')) as [Buffer];
  t.match(answer.toString(), /^SIP\/2\.0 200 /, 'a third party is heard meanwhile');
  const reply = `SIP/2.0 486 Busy\r\nVia: ${headerOf(message, 'Via') ?? ''}\r\nFrom: <sip:a@b>;tag=near\r\nTo: <sip:a@b>;tag=x\r\nCall-ID: call-1\r\nCSeq: 1 OPTIONS\r\n\r\n`;
  stranger.socket.send(reply, port, HOST); // from another port than it was asked at
  t.equal((await pending).response.statusCode, 486);
});

t.test('A port in use is refused, in UDP as in TCP, and nothing stays half open', async (t) => {
  const { port } = await openStack(t);
  for (const protocols of [['udp'], ['tcp'], ['udp', 'tcp']] as const) {
    const timers = realTimerWheel();
    const listen = protocols.map((protocol) => at(protocol, port));
    await t.rejects(SipStack.open({ timers, listen }), { code: 'EADDRINUSE' }, protocols.join('+'));
    timers.stop();
  }
  const tcpOnly = await openStack(t, ['tcp']);
  const timers = realTimerWheel();
  const listen = [at('udp', tcpOnly.port), at('tcp', tcpOnly.port)];
  await t.rejects(SipStack.open({ timers, listen }), { code: 'EADDRINUSE' });
  const udpAfterwards = await SipStack.open({ timers, listen: [at('udp', tcpOnly.port)] });
  await udpAfterwards.close();
  timers.stop();
});

const LONG_BODY = `v=0\r\n${'a=x\r\n'.repeat(400)}`; // 2,005 bytes, above 1,300

t.test('A request above 1300 bytes goes over TCP where TCP is accepted (§18.1.1)', async (t) => {
  const both = await openAnswering(t);
  const { stack } = await openStack(t);
  const { response, sentOver } = await ask(stack, at('udp', both.port), 'INVITE', LONG_BODY);
  t.equal(response.statusCode, 200);
  t.equal(sentOver, 'tcp');
  t.match(headerOf(response, 'Via'), /^SIP\/2\.0\/TCP /);
});

t.test('It comes back to UDP where TCP is refused, and the refusal is remembered', async (t) => {
  const udpOnly = await openAnswering(t, ['udp']);
  const sent: string[] = [];
  const trace: SipStackOptions['trace'] = ({ direction, peer }) => {
    if (direction === 'sent') sent.push(peer.protocol);
  };
  const { stack } = await openStack(t, ['udp', 'tcp'], { trace });
  for (const expected of [
    ['tcp', 'udp', 'udp'],
    ['udp', 'udp'],
  ]) {
    sent.length = 0;
    const { response, sentOver } = await ask(stack, at('udp', udpOnly.port), 'INVITE', LONG_BODY);
    t.equal(response.statusCode, 200);
    t.equal(sentOver, 'udp');
    t.match(headerOf(response, 'Via'), /^SIP\/2\.0\/UDP /);
    stack.sendAck(newRequest('ACK', `sip:far@${HOST}:${udpOnly.port}`));
    t.same(sent, expected);
  }
});

t.test('Without a TCP port of our own a long request leaves over UDP', async (t) => {
  const both = await openAnswering(t);
  const { stack } = await openStack(t, ['udp']);
  t.equal((await ask(stack, at('udp', both.port), 'INVITE', LONG_BODY)).sentOver, 'udp');
});

t.test('One TCP connection carries all requests to a peer; a refused one is a 503', async (t) => {
  const { stack } = await openStack(t);
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('data', (chunk: Buffer) => {
      for (const part of chunk.toString().split(/(?=OPTIONS )/)) {
        const request = parsed(Buffer.from(part));
        if (request.kind !== 'request') return;
        const lines = request.headers.filter(({ name }) =>
          /^(Via|From|To|Call-ID|CSeq)$/.test(name),
        );
        socket.write(
          `SIP/2.0 200 OK\r\n${lines.map(({ name, value }) => `${name}: ${value}\r\n`).join('')}l: 0\r\n\r\n`,
        );
      }
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const answers = await Promise.all([1, 2, 3].map(() => ask(stack, at('tcp', port))));
  t.same(
    answers.map(({ response }) => response.statusCode),
    [200, 200, 200],
  );
  t.equal(connections, 1);
  const closed = createServer();
  closed.listen(0, HOST);
  await once(closed, 'listening');
  const closedPort = (closed.address() as AddressInfo).port;
  await new Promise((resolve) => closed.close(resolve));
  const refused = await ask(stack, at('tcp', closedPort));
  t.match(refused, { response: { statusCode: 503 }, from: { source: 'stack' } });
});

t.test('A connection that is reset fails what waits on it', async (t) => {
  const { stack } = await openStack(t);
  const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { response, from } = await ask(stack, at('tcp', (server.address() as AddressInfo).port));
  t.equal(response.statusCode, 503);
  t.equal(from.source, 'stack');
});

t.test('An answer follows its TCP connection, and Via once that is gone (§18.2.2)', async (t) => {
  const { stack, port } = await openStack(t);
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const via = `SIP/2.0/TCP ${HOST}:${(server.address() as AddressInfo).port};branch=z9hG4bK`;
  const question = (branch: string): string =>
    rawRequest({ method: 'OPTIONS', uri: 'sip:a@b' })
      .toString()
      .replace(/SIP\/2\.0\/UDP .*/, `${via}${branch}`);
  const client = await tcpClient(t, port);

  stack.onRequest = (transaction) =>
    void transaction.respond(createResponse(transaction.request, 200));
  client.socket.write(question('one'));
  t.match(await client.said(), /^SIP\/2\.0 200 /);

  stack.onRequest = (transaction) => {
    client.socket.end();
    void client.closed.then(() => transaction.respond(createResponse(transaction.request, 202)));
  };
  client.socket.write(question('two'));
  const [accepted] = (await once(server, 'connection')) as [TcpSocket];
  const [answer] = (await once(accepted, 'data')) as [Buffer];
  t.match(answer.toString(), /^SIP\/2\.0 202 /);
  accepted.destroy();
});

t.test('A CRLF ping over TCP gets its pong; over UDP keep-alives are ignored', async (t) => {
  const { stack, port } = await openAnswering(t);
  const client = await tcpClient(t, port);
  client.socket.write('\r\n\r\n');
  t.equal(await client.said(), '\r\n');
  const udp = await udpSocket(t);
  for (const keepAlive of ['\r\n\r\n', '\r\n', '\0']) udp.socket.send(keepAlive, port, HOST);
  const question = rawRequest({ method: 'OPTIONS', uri: 'sip:a@b' });
  udp.socket.send(question, port, HOST);
  await once(udp.socket, 'message');
  t.equal(stack.counters.malformed, 0);
});

t.test(
  'A TCP stream that is not SIP is closed; one with a broken length is told why first',
  async (t) => {
    const { stack, port } = await openAnswering(t);
    const garbage = await tcpClient(t, port);
    garbage.socket.write('GET / HTTP/1.1\r\n\r\n');
    await garbage.closed;
    const good = rawRequest({ method: 'OPTIONS', uri: 'sip:a@b' }).toString();
    for (const [text, status] of [
      [good.replace(/Content-Length: 0\r\n/, ''), '400'],
      [good.replace('Content-Length: 0', 'Content-Length: 9999999'), '513'],
    ] as const) {
      const client = await tcpClient(t, port);
      client.socket.write(text);
      t.match(await client.said(), new RegExp(`^SIP/2\\.0 ${status} `));
      await client.closed;
    }
    t.equal(stack.counters.malformed, 3);
  },
);

t.test('Bad requests get 400 with the reason, bad responses and ACKs get nothing', async (t) => {
  const { stack, port } = await openAnswering(t);
  const { socket } = await udpSocket(t);
  const good = rawRequest({ method: 'OPTIONS', uri: 'sip:a@b' }).toString();
  const answerTo = async (text: string): Promise<string> => {
    socket.send(text, port, HOST);
    const [answer] = (await once(socket, 'message')) as [Buffer];
    return answer.toString().split('\r\n')[0] ?? '';
  };
  t.equal(
    await answerTo(good.replace('1 OPTIONS', '1 BYE')),
    'SIP/2.0 400 Bad Request: CSeq names another method than the request line',
  );
  t.equal(
    await answerTo(good.replace(' SIP/2.0\r\n', ' SIP/7.0\r\n')),
    'SIP/2.0 505 Version Not Supported',
  );
  const badAck = rawRequest({ method: 'ACK', uri: 'sip:a@b' }).toString().replace('1 ACK', '1 BYE');
  for (const unanswerable of [
    badAck,
    'SIP/2.0 999 What\r\n\r\n',
    'nonsense',
    good.replace(/Via: .*\r\n/, ''),
  ]) {
    socket.send(unanswerable, port, HOST);
  }
  t.equal(await answerTo(good), 'SIP/2.0 200 OK', "the next answer is the next request's");
  t.equal(stack.counters.malformed, 6);
});

t.test('The last message before closing still leaves', async (t) => {
  const peer = await udpSocket(t);
  const timers = realTimerWheel();
  const stack = await SipStack.open({ timers, listen: [at('udp', 0)] });
  stack.send(
    newRequest('BYE', 'sip:a@b'),
    { destination: at('udp', peer.port) },
    { onResponse: () => undefined },
  );
  const received = once(peer.socket, 'message');
  await stack.close();
  timers.stop();
  const [bytes] = (await received) as [Buffer];
  t.match(bytes.toString(), /^BYE /);
});

const FUZZ_BATCHES = 30;
const FUZZ_BATCH = 50;

t.test('1,500 damaged messages over UDP and TCP: the next OPTIONS is answered', async (t) => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
  t.comment(`replay with FUZZ_SEED=${seed}`);
  const random = randomOf(seed);
  const noNames = (): Promise<never> => Promise.reject(new Error('no names in this test'));
  const timers = realTimerWheel();
  const { stack, port } = await openStack(t, ['udp', 'tcp'], {
    timers,
    names: { services: noNames, srv: noNames, addresses: noNames },
  });
  const agent = new UserAgent(stack, { timers, userAgent: 'under fire' });
  agent.onInvite = (call) => {
    call.provisional(180);
    if (random(2) === 0) call.answer({ sdp: 'v=0\r\n' });
    else call.reject(486);
  };
  const { socket } = await udpSocket(t);
  const client = await openStack(t);
  for (let batch = 0; batch < FUZZ_BATCHES; batch += 1) {
    const tcp = connect({ host: HOST, port });
    tcp.on('error', () => undefined);
    for (let index = 0; index < FUZZ_BATCH; index += 1) {
      const original = CORPUS[random(CORPUS.length)] ?? Buffer.alloc(0);
      const bytes = index === 0 && batch < CORPUS.length ? original : mutate(original, random);
      if (index % 10 === 9) tcp.write(bytes);
      else socket.send(bytes, port, HOST);
    }
    tcp.end();
    tcp.resume();
    await once(tcp, 'close');
    for (const protocol of ['udp', 'tcp'] as const) {
      const { response } = await ask(client.stack, at(protocol, port));
      if (response.statusCode !== 200)
        t.fail(`batch ${batch}: ${response.statusCode} over ${protocol}`);
    }
  }
  const { requestsReceived, responsesReceived, malformed } = stack.counters;
  t.comment(
    `${requestsReceived} requests and ${responsesReceived} responses taken, ${malformed} refused`,
  );
  t.ok(malformed > 300, 'the mutations do damage');
  t.ok(requestsReceived > 300, 'and leave enough alive');
});
