/** Goal: SIP reaches its next hop by name (RFC 3263), over IPv6 and over TLS, and says when not. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import t, { type Test } from 'tap';
import type { ResponseOrigin } from '../../softswitch/sip/client-transaction.ts';
import { createResponse } from '../../softswitch/sip/create-response.ts';
import { inOrder } from '../../softswitch/sip/locate-servers.ts';
import { headerOf, type SipRequest, type SipResponse } from '../../softswitch/sip/message.ts';
import { systemNameService } from '../../softswitch/sip/name-service.ts';
import { addressOfUri } from '../../softswitch/sip/next-hop.ts';
import type { SipAddress, SipProtocol } from '../../softswitch/sip/sip-address.ts';
import { SipStack, type SipStackOptions } from '../../softswitch/sip/sip-stack.ts';
import { realTimerWheel } from '../../softswitch/timers/timer-wheel.ts';
import { TestAuthority } from '../support/tls-certificates.ts';
import { DnsServer, type Zone } from '../support/dns-server.ts';
import { newRequest } from '../support/sip-text.ts';

const HOST = '127.0.0.1';
const OPEN: readonly SipProtocol[] = ['udp', 'tcp'];

interface Opened {
  readonly stack: SipStack;
  readonly port: number;
  /** Requests that came, for one that answers. */
  readonly taken: SipRequest[];
}

async function open(t: Test, options: Partial<SipStackOptions> & { host?: string } = {}) {
  const { host = HOST } = options;
  const timers = realTimerWheel();
  const listen = OPEN.map((protocol) => ({ protocol, host, port: 0 }));
  const stack = await SipStack.open({ listen, timers, ...options });
  t.teardown(async () => {
    await stack.close();
    timers.stop();
  });
  const opened: Opened = { stack, port: stack.listening[0]?.port ?? 0, taken: [] };
  return opened;
}

/** Answers all requests with that status. */
async function openServer(t: Test, statusCode = 200, options: Parameters<typeof open>[1] = {}) {
  const opened = await open(t, options);
  opened.stack.onRequest = (transaction) => {
    opened.taken.push(transaction.request);
    transaction.respond(createResponse(transaction.request, statusCode));
  };
  return opened;
}

/** A client whose names come from a DNS server of the test. */
async function openClient(t: Test, zone: Zone, options: Partial<SipStackOptions> = {}) {
  const dns = await DnsServer.open(zone);
  t.teardown(() => dns.close());
  const timers = realTimerWheel();
  t.teardown(() => timers.stop());
  const nowMs = (): number => timers.nowMs();
  const names = systemNameService({ nowMs, servers: [dns.server] });
  return { ...(await open(t, { names, ...options })), dns };
}

interface Answer {
  readonly response: SipResponse;
  readonly from: ResponseOrigin;
  readonly destination: SipAddress;
  readonly via: string;
}

function ask(stack: SipStack, uri: string, method = 'OPTIONS'): Promise<Answer> {
  return new Promise((resolve) => {
    const transaction = stack.send(
      newRequest(method, uri),
      {},
      {
        onResponse: (response, from) => {
          if (response.statusCode < 200) return;
          const { destination, request } = transaction;
          resolve({ response, from, destination, via: headerOf(request, 'Via') ?? '' });
        },
      },
    );
  });
}

async function closedPort(): Promise<number> {
  const timers = realTimerWheel();
  const listen = OPEN.map((protocol) => ({ protocol, host: HOST, port: 0 }));
  const stack = await SipStack.open({ timers, listen });
  const port = stack.listening[0]?.port ?? 0;
  await stack.close();
  timers.stop();
  return port;
}

function srv(port: number, priority: number, target = 'a.test', weight = 1) {
  return { priority, weight, port, target };
}

t.test('What a URI leaves to DNS (RFC 3263 §4.1, §4.2)', (t) => {
  for (const [uri, expected] of [
    ['sip:a@192.0.2.1', { protocol: 'udp', host: '192.0.2.1', port: 5060 }],
    ['sip:a@192.0.2.1;transport=tls', { protocol: 'tls', host: '192.0.2.1', port: 5061 }],
    ['sips:a@[2001:db8::1]', { protocol: 'tls', host: '2001:db8::1', port: 5061 }],
    ['sip:a@b.test:5070', { protocol: 'udp', host: 'b.test', port: 5070 }],
    ['sip:a@b.test', { protocol: 'udp', host: 'b.test', port: 5060, leftOpen: 'protocolAndPort' }],
    [
      'sip:a@b.test;transport=tcp',
      { protocol: 'tcp', host: 'b.test', port: 5060, leftOpen: 'port' },
    ],
    ['sips:a@b.test', { protocol: 'tls', host: 'b.test', port: 5061, leftOpen: 'port' }],
    [
      'sips:a@b.test;transport=tcp',
      { protocol: 'tls', host: 'b.test', port: 5061, leftOpen: 'port' },
    ],
    ['sips:a@b.test;transport=udp', undefined],
    ['sip:a@b.test;transport=sctp', undefined],
    ['tel:+12025550100', undefined],
  ] as const) {
    t.same(addressOfUri(uri, 'udp'), expected, uri);
  }
  t.end();
});

t.test('SRV records: priority decides, weight draws lots within it (RFC 2782)', (t) => {
  const records = [srv(1, 20), srv(2, 10, 'b', 0), srv(3, 10, 'c', 75), srv(4, 10, 'd', 25)];
  const ports = (lot: number): number[] => inOrder(records, () => lot).map(({ port }) => port);
  t.same(ports(0), [2, 3, 4, 1], 'weight 0 has its small chance');
  t.same(ports(0.5), [3, 4, 2, 1]);
  t.same(ports(0.99), [4, 3, 2, 1]);
  let state = 1;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  let first3 = 0;
  for (let draw = 0; draw < 4_000; draw += 1)
    if (inOrder(records, random)[0]?.port === 3) first3 += 1;
  t.ok(Math.abs(first3 / 4_000 - 0.75) < 0.03, `three quarters go to weight 75: ${first3}`);
  t.end();
});

t.test('A name is looked up: SRV of UDP, then of TCP, then its address', async (t) => {
  const server = await openServer(t);
  const addresses = { 'a.test': [HOST] };
  const byUdp = { '_sip._udp.carrier.test': [srv(server.port, 1)] };
  const client = await openClient(t, { addresses, srv: byUdp });
  const udp = await ask(client.stack, 'sip:carrier.test');
  t.equal(udp.response.statusCode, 200);
  t.match(udp.destination, { protocol: 'udp', host: HOST, port: server.port });
  const asked1 = ['NAPTR carrier.test', 'SRV _sip._udp.carrier.test'];
  t.same(client.dns.asked.slice(0, 2), asked1, 'UDP is preferred');

  const byTcp = { '_sip._tcp.other.test': [srv(server.port, 1)] };
  client.dns.zone = { addresses: { ...addresses, 'plain.test': [HOST] }, srv: byTcp };
  const tcp = await ask(client.stack, 'sip:other.test');
  t.match(
    tcp.destination,
    { protocol: 'tcp', port: server.port },
    'the records name the transport',
  );
  t.match(tcp.via, /^SIP\/2\.0\/TCP /, 'and Via says it');
  const plain = await ask(client.stack, `sip:plain.test:${server.port}`);
  t.equal(plain.response.statusCode, 200, 'with a port only the address is asked for');
  t.notOk(client.dns.asked.some((question) => /SRV.*plain/.test(question)));
  const asked = client.dns.asked.length;
  await ask(client.stack, 'sip:other.test');
  t.equal(client.dns.asked.length, asked, 'answers are remembered');
});

t.test(
  'NAPTR records say which transport the domain prefers, and where its SRV records are',
  async (t) => {
    const server = await openServer(t);
    const service = (order: number, preference: number, name: string, replacement: string) => {
      return { order, preference, service: name, replacement };
    };
    const client = await openClient(t, {
      addresses: { 'a.test': [HOST] },
      srv: {
        '_sip._udp.carrier.test': [srv(1, 1)],
        'tcp-farm.test': [srv(server.port, 1)],
        '_sip._udp.odd.test': [srv(server.port, 1)],
      },
      naptr: {
        'carrier.test': [
          service(20, 1, 'SIP+D2U', '_sip._udp.carrier.test'),
          service(10, 2, 'SIP+D2T', 'tcp-farm.test'),
          service(10, 1, 'SIPS+D2T', '_sips._tcp.carrier.test'), // we speak no TLS here
          service(1, 1, 'E2U+sip', 'elsewhere.test'),
        ],
        'odd.test': [service(1, 1, 'SIP+D2T', 'nowhere.test')],
      },
    });
    const { destination } = await ask(client.stack, 'sip:carrier.test');
    t.match(destination, { protocol: 'tcp', host: HOST, port: server.port });
    const odd = await ask(client.stack, 'sip:odd.test');
    t.match(odd.destination, { protocol: 'udp' }, 'records that lead nowhere are passed over');
    const said = await ask(client.stack, 'sip:carrier.test;transport=udp');
    t.match(said.destination, { protocol: 'udp', port: 1 }, 'what the URI says is not asked for');
  },
);

t.test('Addresses are kept for as long as their records say', async (t) => {
  const dns = await DnsServer.open({ addresses: { 'a.test': [HOST] }, ttlSeconds: 30 });
  t.teardown(() => dns.close());
  let nowMs = 0;
  const names = systemNameService({ nowMs: () => nowMs, servers: [dns.server] });
  const countAt = async (atMs: number): Promise<number> => {
    nowMs = atMs;
    await names.addresses('a.test');
    return dns.asked.filter((question) => question === 'A a.test').length;
  };
  t.equal(await countAt(0), 1);
  t.equal(await countAt(29_999), 1);
  t.equal(await countAt(30_001), 2);
  dns.zone = { addresses: { 'a.test': [HOST] }, ttlSeconds: 0 };
  t.equal(await countAt(60_002), 3);
  t.equal(await countAt(60_900), 3, 'a second at least: a burst of calls asks once');
  t.equal(await countAt(61_100), 4);
  dns.zone = { addresses: { 'a.test': [HOST] }, ttlSeconds: 86_400 };
  t.equal(await countAt(70_000), 5);
  t.equal(await countAt(371_000), 6, 'and five minutes at the most');
});

t.test(
  'A name without address, and one nobody can be asked about, is a 503 of our own',
  async (t) => {
    const client = await openClient(t, { srv: { '_sip._udp.gone.test': [srv(5060, 1, '')] } });
    for (const host of ['nobody.test', 'gone.test']) {
      const { response, from } = await ask(client.stack, `sip:${host}`);
      t.match(
        { response, from },
        { response: { statusCode: 503 }, from: { source: 'stack' } },
        host,
      );
    }
  },
);

t.test('The next server is tried where one is closed or answers 503', async (t) => {
  const good = await openServer(t);
  const overloaded = await openServer(t, 503);
  const records = [srv(await closedPort(), 1), srv(overloaded.port, 2), srv(good.port, 3)];
  for (const protocol of OPEN) {
    const zone = {
      addresses: { 'a.test': [HOST] },
      srv: { [`_sip._${protocol}.farm.test`]: records },
    };
    const client = await openClient(t, zone);
    for (const method of ['OPTIONS', 'INVITE']) {
      const { response, destination } = await ask(client.stack, 'sip:farm.test', method);
      t.equal(response.statusCode, 200, `${method} over ${protocol}`);
      t.match(destination, { protocol, port: good.port });
      const [tried, answered] = [overloaded.taken.at(-1), good.taken.at(-1)];
      t.equal(tried && headerOf(tried, 'Call-ID'), answered && headerOf(answered, 'Call-ID'));
      t.not(
        tried && headerOf(tried, 'Via'),
        answered && headerOf(answered, 'Via'),
        'a branch each',
      );
    }
  }
  const refusing = await openServer(t, 486);
  const busy = [srv(refusing.port, 1), srv(good.port, 2)];
  const zone = { addresses: { 'a.test': [HOST] }, srv: { '_sip._udp.busy.test': busy } };
  const client = await openClient(t, zone);
  const { response } = await ask(client.stack, 'sip:busy.test', 'INVITE');
  t.equal(response.statusCode, 486, 'any other answer is the answer');
  const last = [srv(await closedPort(), 1), srv(overloaded.port, 2)];
  client.dns.zone = { ...zone, srv: { '_sip._udp.last.test': last } };
  const exhausted = await ask(client.stack, 'sip:last.test', 'INVITE');
  t.match(
    exhausted,
    { response: { statusCode: 503 }, from: { source: 'network' } },
    'the last word',
  );
});

t.test('A silent server is given up after 64 × T1; only an INVITE ends there', async (t) => {
  const silent = createSocket('udp4').bind(0, HOST);
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const good = await openServer(t);
  const records = [srv(silent.address().port, 1), srv(good.port, 2)];
  const zone = { addresses: { 'a.test': [HOST] }, srv: { '_sip._udp.farm.test': records } };
  const client = await openClient(t, zone, { settings: { t1Ms: 5 } });
  t.equal((await ask(client.stack, 'sip:farm.test')).response.statusCode, 200);
  // An INVITE may be ringing somewhere in spite of the silence, and nobody is rung twice.
  const invite = await ask(client.stack, 'sip:farm.test', 'INVITE');
  t.match(invite, { response: { statusCode: 408 }, from: { source: 'stack' } });
  t.equal(good.taken.length, 1);
});

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');
const IPV6 = { skip: hasIpv6 ? false : 'NOT RUN: this machine has no ::1' };

t.test('IPv6 works like IPv4, by literal and by AAAA', IPV6, async (t) => {
  const server = await openServer(t, 200, { host: '::1' });
  const zone = { addresses: { 'six.test': ['192.0.2.1', '::1'] } };
  const client = await openClient(t, zone, {
    listen: OPEN.map((protocol) => ({ protocol, host: '::1', port: 0 })),
  });
  for (const host of ['[::1]', 'six.test']) {
    for (const protocol of OPEN) {
      const uri = `sip:a@${host}:${server.port};transport=${protocol}`;
      const { response, destination } = await ask(client.stack, uri);
      t.equal(response.statusCode, 200, uri);
      t.equal(destination.host, '::1', 'the IPv4 address cannot be reached from here');
      t.match(headerOf(response, 'Via'), /^SIP\/2\.0\/\w+ \[::1\]:\d+;.*received=::1/);
    }
  }
});

t.test('A stack on both families sends over the one of the address', IPV6, async (t) => {
  const listen = ['127.0.0.1', '::1'].flatMap((host) => {
    return OPEN.map((protocol) => ({ protocol, host, port: 0 }));
  });
  const client = await openClient(t, {}, { listen });
  for (const host of [HOST, '::1']) {
    const server = await openServer(t, 200, { host });
    const reference = host.includes(':') ? `[${host}]` : host;
    const { response, via } = await ask(client.stack, `sip:a@${reference}:${server.port}`);
    t.equal(response.statusCode, 200);
    t.ok(via.startsWith(`SIP/2.0/UDP ${reference}:`), via);
  }
});

const TLS: readonly SipProtocol[] = ['udp', 'tcp', 'tls'];

function listenOn(protocols: readonly SipProtocol[], host = HOST): SipAddress[] {
  return protocols.map((protocol) => ({ protocol, host, port: 0 }));
}

function tlsPortOf({ stack }: Opened): number {
  return stack.listening.find(({ protocol }) => protocol === 'tls')?.port ?? 0;
}

t.test('SIP over TLS', async (t) => {
  const authority = await TestAuthority.create();
  t.teardown(() => authority.remove());
  const named = await authority.issue('DNS:sbc.test', 'DNS:other.test');
  const addressed = await authority.issue(`IP:${HOST}`, 'DNS:sbc.test');
  const { authorities } = authority;
  const trusting = { ...addressed, authorities, verifiesServers: true };

  async function tlsServer(t: Test, certificate: { certificate: string; key: string }) {
    const tls = { ...certificate, authorities, verifiesServers: true };
    const server = await openServer(t, 200, { listen: listenOn(TLS), tls });
    return { ...server, tlsPort: tlsPortOf(server) };
  }

  await t.test(
    'by name: the certificate must carry it, whatever DNS says (RFC 5922)',
    async (t) => {
      const server = await tlsServer(t, named);
      const hosts = { 'host.farm.test': [HOST], 'other.test': [HOST], 'wrong.test': [HOST] };
      const zone: Zone = {
        addresses: hosts,
        srv: { '_sips._tcp.sbc.test': [srv(server.tlsPort, 1, 'host.farm.test')] },
      };
      const client = await openClient(t, zone, { listen: listenOn(TLS), tls: trusting });
      for (const uri of ['sips:sbc.test', 'sip:sbc.test;transport=tls']) {
        const { response, destination, via } = await ask(client.stack, uri);
        t.equal(response.statusCode, 200, uri);
        t.match(destination, { protocol: 'tls', serverName: 'sbc.test', port: server.tlsPort });
        t.match(via, new RegExp(`^SIP/2.0/TLS ${HOST}:${tlsPortOf(client)};`));
      }
      const other = await ask(client.stack, `sip:other.test:${server.tlsPort};transport=tls`);
      t.equal(other.response.statusCode, 200);
      t.equal(server.stack.counters.requestsReceived, 3);
      const wrong = await ask(client.stack, `sip:wrong.test:${server.tlsPort};transport=tls`);
      t.match(wrong, { response: { statusCode: 503 }, from: { source: 'stack' } });
      t.equal(headerOf(wrong.response, 'Warning'), '399 localhost "ERR_TLS_CERT_ALTNAME_INVALID"');
      t.equal(server.stack.counters.requestsReceived, 3, 'nothing was said to the wrong one');
      // In a dialog the far end's Contact names its address: the connection that proved the name serves.
      const contact = await ask(client.stack, `sip:${HOST}:${server.tlsPort};transport=tls`);
      t.equal(contact.response.statusCode, 200, 'an address known by a name');
    },
  );

  await t.test('by address: it must stand in the certificate', async (t) => {
    const uri = (port: number): string => `sip:${HOST}:${port};transport=tls`;
    const client = await open(t, { listen: listenOn(TLS), tls: trusting });
    const [right, nameless] = [await tlsServer(t, addressed), await tlsServer(t, named)];
    t.equal((await ask(client.stack, uri(right.tlsPort))).response.statusCode, 200);
    const refused = await ask(client.stack, uri(nameless.tlsPort));
    t.match(refused, { response: { statusCode: 503 }, from: { source: 'stack' } });
  });

  await t.test('an authority nobody knows is refused, unless verification is off', async (t) => {
    const stranger = await TestAuthority.create();
    t.teardown(() => stranger.remove());
    const server = await tlsServer(t, await stranger.issue(`IP:${HOST}`));
    const uri = `sip:${HOST}:${server.tlsPort};transport=tls`;
    const careful = await open(t, { listen: listenOn(TLS), tls: trusting });
    t.match(await ask(careful.stack, uri), { response: { statusCode: 503 } });
    const careless = await open(t, {
      listen: listenOn(TLS),
      tls: { ...trusting, verifiesServers: false },
    });
    t.match(await ask(careless.stack, uri), { response: { statusCode: 200 } });
  });

  await t.test(
    'one connection carries requests both ways, and is closed with the stack',
    async (t) => {
      const server = await tlsServer(t, addressed);
      const client = await open(t, { listen: listenOn(['tls']), tls: trusting });
      client.stack.onRequest = (transaction) => {
        void transaction.respond(createResponse(transaction.request, 202));
      };
      const sources = new Set<number>();
      server.stack.onRequest = (transaction) => {
        sources.add(transaction.source.port);
        transaction.respond(createResponse(transaction.request, 200));
      };
      const uri = `sip:${HOST}:${server.tlsPort};transport=tls`;
      await Promise.all(Array.from({ length: 5 }, () => ask(client.stack, uri)));
      t.equal(sources.size, 1, 'five requests over one connection');
      const [port = 0] = sources;
      const back = await ask(server.stack, `sip:${HOST}:${port};transport=tls`);
      t.equal(back.response.statusCode, 202, 'and back over the same');
    },
  );

  await t.test('what is no TLS is dropped, and the next call goes through', async (t) => {
    const server = await tlsServer(t, addressed);
    for (const bytes of [
      'OPTIONS sip:a SIP/2.0\r\n\r\n',
      '\x16\x03\x01\x02\x00',
      '\0'.repeat(99),
    ]) {
      const socket = connect({ host: HOST, port: server.tlsPort });
      socket.on('error', () => undefined);
      const closed = once(socket, 'close');
      socket.end(bytes);
      await closed;
    }
    const idle = connect({ host: HOST, port: server.tlsPort }); // never says hello
    idle.on('error', () => undefined);
    await once(idle, 'connect');
    const client = await open(t, { listen: listenOn(TLS), tls: trusting });
    const uri = `sip:${HOST}:${server.tlsPort};transport=tls`;
    t.equal((await ask(client.stack, uri)).response.statusCode, 200);
    // The teardown closes the server with the silent connection still open.
  });

  await t.test('without a certificate there is no TLS', async (t) => {
    await t.rejects(open(t, { listen: listenOn(['tls']) }), /needs a certificate/);
  });
});
