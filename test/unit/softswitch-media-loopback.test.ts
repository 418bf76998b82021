/** Goal: the same legs over real sockets on loopback: audio, order, digits, ports, strangers. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { PcmSource } from '../../softswitch/media/audio-source.ts';
import { bridgeSessions } from '../../softswitch/media/bridge.ts';
import { alaw, mulaw } from '../../softswitch/media/g711.ts';
import { MediaClock } from '../../softswitch/media/media-clock.ts';
import { ReceiveRest } from '../../softswitch/media/receive-rest.ts';
import { RtpPortPool } from '../../softswitch/media/rtp-port-pool.ts';
import { RtpSession, type RtpRemote } from '../../softswitch/media/rtp-session.ts';

const host = '127.0.0.1';

function far(session: RtpSession, more: Partial<RtpRemote> = {}): RtpRemote {
  return {
    address: host,
    port: session.localPort,
    payloadType: 0,
    telephoneEventPayloadType: 101,
    direction: 'sendrecv',
    ...more,
  };
}

/** Opens legs that are closed when the test ends. */
async function open(t: Test, count: number): Promise<RtpSession[]> {
  const clock = new MediaClock();
  const legs = await Promise.all(
    Array.from({ length: count }, () => RtpSession.open({ host, clock })),
  );
  t.teardown(async () => {
    await Promise.all(legs.map((leg) => leg.close()));
    clock.stop();
  });
  return legs;
}

async function boundSocket(port = 0): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, host);
  await once(socket, 'listening');
  return socket;
}

/** The samples of `session` that were heard as audio, until `count` of them came. */
function listen(session: RtpSession, count: number): Promise<number[]> {
  const heard: number[] = [];
  return new Promise((resolve) => {
    session.onFrame = (pcm, kind) => {
      if (kind === 'audio') heard.push(...pcm);
      if (heard.length < count) return;
      session.onFrame = undefined;
      resolve(heard);
    };
  });
}

for (const [payloadType, law] of [
  [0, mulaw],
  [8, alaw],
] as const) {
  t.test(
    `loopback: a second of audio arrives in order, equal up to payload type ${payloadType}`,
    async (t) => {
      const [a, b] = (await open(t, 2)) as [RtpSession, RtpSession];
      a.setRemote(far(b, { payloadType }));
      b.setRemote(far(a, { payloadType }));
      const pcm = Int16Array.from({ length: 8_000 }, (_, n) =>
        Math.round(9_000 * Math.sin(n / 9) + 3_000 * Math.sin(n / 2.3)),
      );
      const codes = new Uint8Array(pcm.length);
      law.encode(pcm, codes, 0);
      const expected = new Int16Array(pcm.length);
      law.decode(codes, 0, codes.length, expected);
      const heard = listen(b, pcm.length);
      a.source = new PcmSource(pcm);
      t.same(await heard, [...expected]);
      t.match(b.stats().received, { packets: 50, lost: 0, late: 0, concealedFrames: 0 });
      t.match(a.stats(), { sent: { packets: 50, octets: 8_000 }, socketErrors: 0 });
    },
  );
}

t.test('loopback: digits both ways at the same time, each once and in order', async (t) => {
  const [a, b] = (await open(t, 2)) as [RtpSession, RtpSession];
  a.setRemote(far(b));
  b.setRemote(far(a));
  a.sendSilence = true;
  const collect = (session: RtpSession, count: number) => {
    const digits: string[] = [];
    return new Promise<string>((resolve) => {
      session.onDtmf = (digit, durationMs) => {
        t.equal(durationMs, 80);
        if (digits.push(digit) === count) resolve(digits.join(''));
      };
    });
  };
  const [atA, atB] = [collect(a, 4), collect(b, 6)];
  await Promise.all([a.sendDtmf('12*#AD', 80, { gapMs: 60 }), b.sendDtmf('0099', 80)]);
  t.equal(await atB, '12*#AD');
  t.equal(await atA, '0099');
});

t.test('loopback: what a stranger sends is counted and not heard', async (t) => {
  const [a, b] = (await open(t, 2)) as [RtpSession, RtpSession];
  a.setRemote(far(b));
  b.setRemote(far(a));
  const stranger = await boundSocket();
  t.teardown(() => stranger.close());
  const loud = Buffer.alloc(172, 0x80);
  loud.writeUInt32BE(0x80000001, 0);
  const peaks: number[] = [];
  const heard = new Promise<void>((resolve) => {
    b.onFrame = (pcm, kind) => {
      if (kind === 'audio') peaks.push(Math.max(...pcm));
      stranger.send(loud, b.localPort, host);
      if (peaks.length === 20) resolve();
    };
  });
  a.source = new PcmSource(new Int16Array(8_000).fill(988));
  await heard;
  t.ok(b.stats().received.fromStranger > 10);
  t.same([...new Set(peaks)], [988]);
});

t.test('loopback: a closed port at the far end harms nobody', async (t) => {
  const [a, b, c] = (await open(t, 3)) as [RtpSession, RtpSession, RtpSession];
  await c.close();
  a.setRemote(far(c));
  a.source = new PcmSource(new Int16Array(1_600).fill(988));
  await new Promise((resolve) => {
    a.onSourceEnd = resolve;
  });
  a.setRemote(far(b));
  b.setRemote(far(a));
  a.source = new PcmSource(new Int16Array(1_600).fill(988));
  t.equal((await listen(b, 1_600)).at(-1), 988);
});

t.test('loopback: a bridge carries audio between two far ends', async (t) => {
  const [phoneA, legA, legB, phoneB] = (await open(t, 4)) as [
    RtpSession,
    RtpSession,
    RtpSession,
    RtpSession,
  ];
  phoneA.setRemote(far(legA));
  legA.setRemote(far(phoneA));
  phoneB.setRemote(far(legB, { payloadType: 8 }));
  legB.setRemote(far(phoneB, { payloadType: 8 }));
  bridgeSessions(legA, legB);
  const firstLoud = (session: RtpSession) =>
    new Promise<number>((resolve) => {
      session.onFrame = (pcm) => {
        const level = Math.abs(pcm[80] ?? 0);
        if (level > 500) resolve(level);
      };
    });
  const [heardByA, heardByB] = [firstLoud(phoneA), firstLoud(phoneB)];
  phoneA.source = new PcmSource(new Int16Array(8_000).fill(988));
  phoneB.source = new PcmSource(new Int16Array(8_000).fill(-8_828));
  t.ok(Math.abs((await heardByB) - 988) < 40, 'µ-law to A-law');
  t.ok(Math.abs((await heardByA) - 8_828) < 300, 'A-law to µ-law');
  const digit = new Promise((resolve) => {
    phoneB.onDtmf = resolve;
  });
  await phoneA.sendDtmf('5', 100);
  t.equal(await digit, '5', 'and digits');
});

t.test('ports: even ones are bound in pairs; those held by others are passed over', async (t) => {
  const clock = new MediaClock();
  const anywhere = await RtpSession.open({ host, clock });
  t.equal(anywhere.localPort % 2, 0);
  await t.rejects(boundSocket(anywhere.localPort), { code: 'EADDRINUSE' }, 'RTP');
  await t.rejects(boundSocket(anywhere.localPort + 1), { code: 'EADDRINUSE' }, 'RTCP');

  // A range of the system's choosing: from the RTCP port in use above, which blocks its own pair.
  const base = anywhere.localPort;
  let nowMs = 0;
  const options = { portMin: base, portMax: base + 199, quarantineMs: 5_000, nowMs: () => nowMs };
  const pool = new RtpPortPool(options);
  const first = await RtpSession.open({ host, pool, clock });
  t.ok(first.localPort > base, 'the pair in use was passed over');
  const taken = pool.takenCount;
  await first.close();
  await first.close();
  t.equal(pool.takenCount, taken - 1, 'given back once');
  const second = await RtpSession.open({ host, pool, clock });
  t.not(second.localPort, first.localPort, 'it rests');
  await second.close();
  await anywhere.close();

  nowMs = 10_000;
  const single = new RtpPortPool({
    ...options,
    portMin: second.localPort,
    portMax: second.localPort + 1,
  });
  const only = await RtpSession.open({ host, pool: single, clock });
  await t.rejects(RtpSession.open({ host, pool: single, clock }), { code: 'RTP_PORTS_EXHAUSTED' });
  await only.close();
  await t.rejects(RtpSession.open({ host: '203.0.113.77', clock }), {
    code: 'RTP_BIND_FAILED',
    message: /cannot open RTP on 203.0.113.77/,
  });
  const blocker = await boundSocket(second.localPort);
  nowMs = 20_000;
  await t.rejects(RtpSession.open({ host, pool: single, clock }), { code: 'RTP_PORTS_EXHAUSTED' });
  blocker.close();
});

t.test(
  'fuzz: 2,000 random datagrams on both ports, and the leg still hears and answers',
  async (t) => {
    const clock = new MediaClock();
    const session = await RtpSession.open({ host, clock });
    const peer = await boundSocket();
    t.teardown(async () => {
      peer.close();
      await session.close();
    });
    const { port } = peer.address();
    session.setRemote({
      address: host,
      port,
      rtcpPort: port,
      payloadType: 0,
      telephoneEventPayloadType: 101,
      direction: 'sendrecv',
    });
    let seed = 4_711;
    const random = (below: number) =>
      Math.floor(((seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647) * below);
    for (let round = 0; round < 2_000; round += 1) {
      const bytes = Buffer.from(Array.from({ length: random(250) }, () => random(256)));
      if (round % 2 === 0 && bytes.length > 1) {
        bytes[0] = 0x80;
        bytes[1] = [0, 8, 101, 200, 201, 13][random(6)] as number;
      }
      await new Promise((resolve) =>
        peer.send(bytes, session.localPort + random(2), host, resolve),
      );
    }
    const received = listen(session, 1_600);
    const packet = Buffer.alloc(172, mulaw.silence);
    packet.writeUInt32BE(0x80000000, 0);
    packet.writeUInt32BE(0xabcdef, 8);
    let sequence = 0;
    // Paced by the leg itself: one packet for each that it sends.
    peer.on('message', (bytes) => {
      if (bytes.length !== 172) return;
      sequence += 1;
      packet.writeUInt16BE(sequence, 2);
      packet.writeUInt32BE(sequence * 160, 4);
      peer.send(packet, session.localPort, host);
    });
    session.sendSilence = true;
    t.equal((await received).length >= 1_600, true);
    t.ok(session.stats().received.malformed > 100);
  },
);

t.test('IPv6: two legs on ::1 hear each other', async (t) => {
  const clock = new MediaClock();
  const legs = await Promise.all([0, 1].map(() => RtpSession.open({ host: '::1', clock })));
  const [a, b] = legs as [RtpSession, RtpSession];
  t.teardown(async () => {
    await Promise.all(legs.map((leg) => leg.close()));
    clock.stop();
  });
  a.setRemote(far(b, { address: '::1' }));
  b.setRemote(far(a, { address: '::1' }));
  const heard = listen(b, 1_600);
  a.source = new PcmSource(new Int16Array(8_000).fill(5_000));
  t.ok((await heard).some((sample) => Math.abs(sample - 5_000) < 200));
  t.equal(b.stats().received.fromStranger, 0, 'the address is compared as the socket reports it');
});

t.test(
  'many legs: a rest behind what has come, once for all of it, never past the clock',
  async (t) => {
    const clock = { legs: 300, msToNextSlot: Infinity };
    const rest = new ReceiveRest(clock);
    const restedMs = async (): Promise<number> => {
      const fromMs = performance.now();
      rest.received();
      rest.received();
      await new Promise((resolve) => setImmediate(resolve));
      return performance.now() - fromMs;
    };
    t.ok((await restedMs()) >= 2);
    t.ok((await restedMs()) >= 2, 'and again');
    clock.msToNextSlot = 0;
    const due: number[] = [];
    for (let turn = 0; turn < 20; turn += 1) due.push(await restedMs());
    t.ok(Math.min(...due) < 2, 'members are due');
    clock.msToNextSlot = Infinity;
    clock.legs = 10;
    const few: number[] = [];
    for (let turn = 0; turn < 20; turn += 1) few.push(await restedMs());
    t.ok(Math.min(...few) < 2, 'few legs are not worth it');
  },
);
