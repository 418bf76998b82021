/** Goal: a leg on an injected clock and a network of ours: pacing, order, loss, events, reports. */
import t from 'tap';
import { FRAME_SAMPLES } from '../../softswitch/media/audio-format.ts';
import { LoopedPcmSource, PcmSource } from '../../softswitch/media/audio-source.ts';
import { bridgeSessions } from '../../softswitch/media/bridge.ts';
import { writeDtmfPayload } from '../../softswitch/media/dtmf-event.ts';
import { DtmfReceiver } from '../../softswitch/media/dtmf-receiver.ts';
import { mulaw } from '../../softswitch/media/g711.ts';
import { JitterBuffer } from '../../softswitch/media/jitter-buffer.ts';
import { MediaClock, type MediaTime } from '../../softswitch/media/media-clock.ts';
import { readRtcpPacket, writeRtcpReport } from '../../softswitch/media/rtcp-report.ts';
import {
  emptyRtpFields,
  readRtpPacket,
  writeRtpHeader,
} from '../../softswitch/media/rtp-packet.ts';
import { RtpPortPool } from '../../softswitch/media/rtp-port-pool.ts';
import { RtpSession, type RtpRemote } from '../../softswitch/media/rtp-session.ts';
import type { RtpTransport } from '../../softswitch/media/rtp-transport.ts';
import { SequenceTracker } from '../../softswitch/media/sequence-tracker.ts';
import { openStream } from '../../softswitch/media/tone-stream.ts';
import { ManualTimerWheel } from '../../softswitch/timers/manual-timer-wheel.ts';

interface SentPacket {
  readonly atMs: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/** One leg on a network that only the test delivers to. */
function leg(remote: Partial<RtpRemote> | undefined = {}) {
  const time = new ManualTimerWheel();
  const clock = new MediaClock(time);
  const sent: SentPacket[] = [];
  const reports: Buffer[] = [];
  const transport: RtpTransport = {
    localPort: 4_000,
    errorCount: 0,
    onRtp: () => undefined,
    onRtcp: () => undefined,
    sendRtp(bytes) {
      const fields = emptyRtpFields();
      if (!readRtpPacket(bytes, fields)) throw new Error('we sent what is no RTP');
      const { payloadOffset, payloadLength, ...header } = fields;
      const payload = Buffer.from(bytes.slice(payloadOffset, payloadOffset + payloadLength));
      sent.push({ atMs: time.nowMs(), ...header, payload });
    },
    sendRtcp: (bytes) => reports.push(Buffer.from(bytes)),
    close: () => Promise.resolve(),
  };
  const session = new RtpSession(transport, { clock });
  const far: RtpRemote = {
    address: '192.0.2.1',
    port: 5_000,
    payloadType: 0,
    telephoneEventPayloadType: 101,
    direction: 'sendrecv',
    ...remote,
  };
  session.setRemote(far);
  const deliver = (bytes: Uint8Array, port = far.port, address = far.address) =>
    transport.onRtp(bytes, address, port);
  return { time, clock, session, sent, reports, far, transport, deliver };
}

/** A packet whose samples are all `level`, which G.711 must be able to carry exactly. */
function audioPacket(
  sequence: number,
  { level = 988, timestamp = sequence * 160, samples = 160, ssrc = 7, marker = false } = {},
): Buffer {
  const packet = Buffer.alloc(12 + samples);
  writeRtpHeader(packet, marker, 0, sequence & 0xffff, timestamp >>> 0, ssrc);
  mulaw.encode(new Int16Array(samples).fill(level), packet, 12);
  return packet;
}

function eventPacket(
  sequence: number,
  timestamp: number,
  event: number,
  duration: number,
  end = false,
): Buffer {
  const packet = Buffer.alloc(16);
  writeRtpHeader(packet, false, 101, sequence, timestamp, 7);
  writeDtmfPayload(packet, 12, { event, end, volume: 10, duration });
  return packet;
}

t.test('clock: ticks stand on absolute time, whatever each one cost', async (t) => {
  const time = new ManualTimerWheel();
  const clock = new MediaClock(time);
  const at: number[] = [];
  const leave = clock.add({ tick: () => at.push(time.nowMs()) });
  time.advance(1_000);
  t.equal(at.length, 50);
  t.same([...new Set(at.slice(1).map((ms, i) => ms - (at[i] ?? 0)))], [20]);
  leave();
  leave();
  t.equal(time.pending, 0, 'no timer without members');
});

t.test('clock: legs are spread over four slots of 5 ms, one timer for all', async (t) => {
  const time = new ManualTimerWheel();
  const clock = new MediaClock(time);
  const slots = [0, 0, 0, 0];
  for (let i = 0; i < 40; i += 1) {
    clock.add({
      tick: () => {
        const slot = (time.nowMs() % 20) / 5;
        slots[slot] = (slots[slot] ?? 0) + 1;
      },
    });
  }
  t.equal(time.pending, 1);
  time.advance(20);
  t.same(slots, [10, 10, 10, 10]);
  clock.stop();
  time.advance(100);
  t.same(slots, [10, 10, 10, 10], 'nothing after stop');
});

/** Time that can stand still for the process: what was due in a stall fires late. */
class StallingTime implements MediaTime {
  #nowMs = 0;
  #due: { atMs: number; fire: () => void } | undefined;
  nowMs = () => this.#nowMs;
  schedule(delayMs: number, fire: () => void) {
    const due = { atMs: this.#nowMs + delayMs, fire };
    this.#due = due;
    return {
      cancel: () => {
        if (this.#due === due) this.#due = undefined;
      },
    };
  }
  stall(ms: number): void {
    this.#nowMs += ms;
  }
  run(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.#due !== undefined && this.#due.atMs <= untilMs) {
      const { atMs, fire } = this.#due;
      this.#due = undefined;
      this.#nowMs = Math.max(this.#nowMs, atMs);
      fire();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }
}

t.test('clock: a short stall is made up for, a long one given up and told', async (t) => {
  const time = new StallingTime();
  const clock = new MediaClock(time);
  const skips: number[] = [];
  clock.add({ tick: (skipped) => skips.push(skipped) });
  time.run(100);
  time.stall(100);
  time.run(0);
  t.equal(skips.length, 10, '100 ms late: all ten ticks are there');
  t.ok(clock.lateness().latenessMaxMs >= 80);
  time.stall(1_000);
  time.run(0);
  const told = skips.reduce((sum, skipped) => sum + skipped, 0);
  t.ok(skips.length <= 20, `no more than 200 ms in one burst: ${skips.length - 10} ticks`);
  t.equal(skips.length + told, 60, 'ticks and skipped ticks are the time that passed');
  time.run(200);
  t.equal(skips.length + told, 70, 'and then on as before');
  t.equal(clock.lateness().skippedTicks, told);
});

t.test('clock: members may leave, join and empty the clock while it ticks', async (t) => {
  const time = new ManualTimerWheel();
  const clock = new MediaClock(time);
  const log: string[] = [];
  let leaveB: () => void = () => undefined;
  clock.add({ tick: () => undefined }); // slot 0
  const leaveA = clock.add({
    tick: () => {
      log.push('a');
      leaveA();
      leaveB();
      clock.add({ tick: () => log.push('c') });
    },
  });
  for (let i = 0; i < 2; i += 1) clock.add({ tick: () => undefined }); // slots 2 and 3
  clock.add({ tick: () => undefined }); // slot 0
  leaveB = clock.add({ tick: () => log.push('b') }); // slot 1, after a
  time.advance(100);
  t.equal(log[0], 'a');
  t.notOk(log.includes('b'), 'removed in the same slot: not ticked any more');
  t.ok(log.filter((entry) => entry === 'c').length >= 4);
});

t.test('ports: even, oldest first, resting after release, and an end to them', async (t) => {
  let nowMs = 0;
  const pool = new RtpPortPool({
    portMin: 20_001,
    portMax: 20_007,
    quarantineMs: 5_000,
    nowMs: () => nowMs,
  });
  t.same([pool.take(), pool.take(), pool.take()], [20_002, 20_004, 20_006]);
  t.throws(() => pool.take(), { code: 'RTP_PORTS_EXHAUSTED', message: /3 in use, 0 resting/ });
  pool.release(20_004);
  nowMs = 1_000;
  pool.release(20_002);
  nowMs = 4_999;
  t.throws(() => pool.take(), { message: /1 in use, 2 resting/ });
  t.equal(pool.restingCount, 2);
  nowMs = 5_000;
  t.equal(pool.take(), 20_004);
  nowMs = 6_000;
  t.same([pool.freeCount, pool.takenCount, pool.restingCount], [1, 2, 0]);
  t.equal(pool.take(), 20_002);
  t.throws(() => pool.release(20_010), /was not taken/);
  const bad = { portMin: 20_001, portMax: 20_002, quarantineMs: 0, nowMs: () => 0 };
  t.throws(() => new RtpPortPool(bad), /no pair of RTP and RTCP port/);
});

const headers = [
  { name: 'shorter than a header', bytes: '800000', expected: undefined },
  { name: 'version 1', bytes: '40000001000000020000000300', expected: undefined },
  { name: 'RTCP on the RTP port', bytes: '80c80006000000020000000300', expected: undefined },
  { name: 'a plain packet', bytes: '808000010000000200000003ffff', expected: [12, 2] },
  { name: 'two CSRCs', bytes: '8200000100000002000000030000000a0000000bff', expected: [20, 1] },
  { name: 'CSRCs beyond the end', bytes: '8f0000010000000200000003', expected: undefined },
  { name: 'an extension', bytes: '900000010000000200000003bede000100000000ff', expected: [20, 1] },
  {
    name: 'an extension beyond the end',
    bytes: '900000010000000200000003bedeffff',
    expected: undefined,
  },
  { name: 'half an extension header', bytes: '900000010000000200000003be', expected: undefined },
  { name: 'padding', bytes: 'a00000010000000200000003ff000003', expected: [12, 1] },
  { name: 'padding of none', bytes: 'a00000010000000200000003ff00', expected: undefined },
  { name: 'padding beyond the header', bytes: 'a00000010000000200000003ffff', expected: undefined },
];
for (const { name, bytes, expected } of headers) {
  t.test(`packet: ${name}`, async (t) => {
    const fields = emptyRtpFields();
    const read = readRtpPacket(Buffer.from(bytes, 'hex'), fields);
    t.same(read ? [fields.payloadOffset, fields.payloadLength] : undefined, expected);
  });
}

const sequences = [
  {
    name: 'in order over the wrap',
    given: [65_534, 65_535, 0, 1],
    verdicts: 'restart next next next',
    lost: 0,
  },
  { name: 'a gap', given: [10, 11, 14], verdicts: 'restart next jumped', lost: 2 },
  { name: 'a gap filled late', given: [10, 12, 11], verdicts: 'restart jumped reordered', lost: 0 },
  {
    name: 'a duplicate of the newest and of an older one',
    given: [10, 11, 11, 10],
    verdicts: 'restart next duplicate duplicate',
    lost: 0,
  },
  { name: 'older than the first', given: [10, 9], verdicts: 'restart invalid', lost: 0 },
  { name: 'one stray far off', given: [10, 40_000, 11], verdicts: 'restart invalid next', lost: 0 },
  {
    name: 'a sender that starts again',
    given: [10, 40_000, 40_001, 40_002],
    verdicts: 'restart invalid restart next',
    lost: 0,
  },
];
for (const { name, given, verdicts, lost } of sequences) {
  t.test(`sequence: ${name}`, async (t) => {
    const tracker = new SequenceTracker();
    t.equal(given.map((number) => tracker.take(number)).join(' '), verdicts);
    t.equal(tracker.lost, lost);
  });
}

t.test('sequence: the fraction lost is of the interval, of 256', async (t) => {
  const tracker = new SequenceTracker();
  for (const number of [0, 1, 2, 3]) tracker.take(number);
  t.equal(tracker.takeFractionLost(), 0);
  for (const number of [4, 7]) tracker.take(number);
  t.equal(tracker.takeFractionLost(), 128, 'two of four');
  t.equal(tracker.takeFractionLost(), 0);
});

/** What a jitter buffer plays, given what arrives in which tick; letters name packets by level. */
const LEVELS = { a: 988, b: 1_980, c: 3_772, d: 8_828 } as const;
function played(arrivals: readonly string[], ptime = 160): { heard: string; buffer: JitterBuffer } {
  const buffer = new JitterBuffer({ initialMs: 40 });
  const frame = new Int16Array(FRAME_SAMPLES);
  let heard = '';
  arrivals.forEach((arrival, tick) => {
    for (const letter of arrival) {
      const index = 'abcd'.indexOf(letter);
      const pcm = new Int16Array(ptime).fill(LEVELS[letter as keyof typeof LEVELS]);
      buffer.put((4_294_967_000 + index * ptime) >>> 0, pcm, ptime, tick * 20 + 1);
    }
    const kind = buffer.pull(frame);
    const level = frame[FRAME_SAMPLES - 1];
    const letter = 'abcd'.split('').find((key) => LEVELS[key as keyof typeof LEVELS] === level);
    heard += kind === 'quiet' ? '_' : kind === 'lost' ? '-' : (letter ?? '?');
  });
  return { heard, buffer };
}

const playouts = [
  { name: 'in order, after 40 ms', given: ['a', 'b', 'c', 'd', '', ''], expected: '__abcd' },
  { name: 'swapped in time', given: ['b', 'a', 'c', 'd', '', ''], expected: '_abcd-' },
  { name: 'swapped a little later', given: ['a', 'c', 'b', 'd', '', ''], expected: '__abcd' },
  { name: 'one lost', given: ['a', '', 'c', 'd', '', ''], expected: '__a-cd' },
  { name: 'a burst after a pause', given: ['a', '', '', 'bcd', '', '', ''], expected: '__abcd-' },
  {
    name: 'late once the store is empty: played, with more delay',
    given: ['a', '', '', '', 'bcd', '', ''],
    expected: '__a-bcd',
  },
  {
    name: 'too late while newer ones wait: dropped, and a frame held',
    given: ['a', '', 'cd', '', 'b', '', ''],
    expected: '__a--cd',
  },
];
for (const { name, given, expected } of playouts) {
  t.test(`jitter buffer: ${name}`, async (t) => {
    t.equal(played(given).heard, expected);
  });
}

t.test('jitter buffer: a late packet is counted, and raises the delay by a frame', async (t) => {
  const buffer = new JitterBuffer();
  const pcm = new Int16Array(160).fill(500);
  const frame = new Int16Array(160);
  let nowMs = 0;
  const step = (...indices: number[]) => {
    for (const index of indices) buffer.put(index * 160, pcm, 160, nowMs);
    nowMs += 20;
    return buffer.pull(frame);
  };
  for (let i = 0; i < 10; i += 1) if (i !== 5) step(i);
  const levelBefore = buffer.levelMs;
  t.equal(step(5, 10), 'lost', 'held');
  t.match(buffer.counters, { late: 1, heldFrames: 1 });
  t.equal(buffer.levelMs, levelBefore + 20);
});

for (const ms of [10, 20, 30, 40, 60]) {
  t.test(`jitter buffer: packets of ${ms} ms come out whole in frames of 20 ms`, async (t) => {
    const buffer = new JitterBuffer({ initialMs: 60 });
    const samples = ms * 8;
    const out: number[] = [];
    const frame = new Int16Array(160);
    let index = 0;
    for (let tick = 0; tick < 300; tick += 1) {
      while (index * ms <= tick * 20) {
        const pcm = Int16Array.from({ length: samples }, (_, i) => (index * samples + i) % 30_011);
        buffer.put(index * samples, pcm, samples, tick * 20);
        index += 1;
      }
      if (buffer.pull(frame) === 'audio') out.push(...frame);
    }
    t.ok(out.length >= 290 * 160);
    t.ok(
      out.every((sample, n) => sample === n % 30_011),
      'every sample once and in order',
    );
    t.match(buffer.counters, { late: 0, concealedFrames: 0, skippedFrames: 0, resyncs: 0 });
  });
}

/** Feeds `count` packets with given arrival delays, one tick per 20 ms; returns the buffer. */
function soak(count: number, arrivalMs: (index: number) => number, skewPpm = 0) {
  const buffer = new JitterBuffer();
  const arrivals = Array.from({ length: count }, (_, index) => ({
    index,
    atMs: index * 20 * (1 + skewPpm / 1e6) + arrivalMs(index),
  })).sort((a, b) => a.atMs - b.atMs);
  const pcm = new Int16Array(160).fill(100);
  const frame = new Int16Array(160);
  const kinds = { audio: 0, lost: 0, quiet: 0 };
  let levelMaxMs = 0;
  let next = 0;
  for (let tick = 1; tick <= count; tick += 1) {
    for (; (arrivals[next]?.atMs ?? Infinity) <= tick * 20; next += 1) {
      const { index, atMs } = arrivals[next] as { index: number; atMs: number };
      buffer.put(index * 160, pcm, 160, atMs);
    }
    levelMaxMs = Math.max(levelMaxMs, buffer.levelMs);
    kinds[buffer.pull(frame)] += 1;
  }
  return { buffer, kinds, levelMaxMs };
}

t.test(
  'jitter buffer: grows to bridge jitter, and loses next to nothing from then on',
  async (t) => {
    let seed = 1;
    const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const { buffer, kinds } = soak(5_000, () => random() * 90);
    t.ok(kinds.lost < 50, `${kinds.lost} of 5000 frames lost with up to 90 ms of jitter`);
    t.ok(buffer.targetMs >= 80 && buffer.targetMs <= 120, `aims at ${buffer.targetMs} ms`);
    t.ok(buffer.jitterSamples / 8 > 15, 'and reports the jitter');
  },
);

t.test('jitter buffer: after a stall of the far end the delay comes down again', async (t) => {
  const burst = (index: number) => (index >= 100 && index < 110 ? (110 - index) * 20 : 0);
  const { buffer, levelMaxMs } = soak(3_000, burst);
  t.ok(levelMaxMs >= 180, `the burst was kept: ${levelMaxMs} ms`);
  t.ok(buffer.levelMs <= 80, `and the delay is back at ${buffer.levelMs} ms`);
  t.ok(buffer.counters.skippedFrames > 0);
});

for (const skewPpm of [-500, 500]) {
  t.test(
    `jitter buffer: a far end ${skewPpm} ppm off stays within bounds for ten minutes`,
    async (t) => {
      const { buffer, kinds, levelMaxMs } = soak(30_000, () => 0, skewPpm);
      t.ok(levelMaxMs <= 140, `never more than ${levelMaxMs} ms in store`);
      t.ok(kinds.lost + kinds.quiet <= 40, `${kinds.lost} frames made up: the 300 ms of drift`);
      t.equal(buffer.counters.late, 0);
    },
  );
}

t.test('jitter buffer: a sender that pauses or jumps in time begins anew', async (t) => {
  const buffer = new JitterBuffer();
  const pcm = new Int16Array(160).fill(700);
  const frame = new Int16Array(160);
  const tick = (timestamp?: number) => {
    if (timestamp !== undefined) buffer.put(timestamp >>> 0, pcm, 160, 0);
    return buffer.pull(frame);
  };
  for (let i = 0; i < 5; i += 1) tick(i * 160);
  const kinds = Array.from({ length: 12 }, () => tick());
  t.same(kinds.slice(-5), ['quiet', 'quiet', 'quiet', 'quiet', 'quiet']);
  t.ok(
    frame.every((sample) => sample === 0),
    'digital silence in the pause',
  );
  const after = [0, 1, 2, 3].map((i) => tick(20_000 + i * 160));
  t.equal(after.at(-1), 'audio', 'a talk spurt 2.4 s later');
  const jumped = [0, 1, 2, 3].map((i) => tick(0xfff00000 + i * 160));
  t.equal(jumped.at(-1), 'audio', 'another time base');
  t.equal(buffer.counters.resyncs, 2);
});

t.test(
  'jitter buffer: lost frames are concealed at the pitch heard, and fade within 60 ms',
  async (t) => {
    const buffer = new JitterBuffer();
    const frame = new Int16Array(160);
    const voice = (n: number) => Math.round(8_000 * Math.sin((2 * Math.PI * 100 * n) / 8_000));
    const pcmAt = (index: number) =>
      Int16Array.from({ length: 160 }, (_, i) => voice(index * 160 + i));
    const rms: number[] = [];
    let worst = 0;
    for (let index = 0; index < 30; index += 1) {
      if (index < 10 || index > 16) buffer.put(index * 160, pcmAt(index), 160, index * 20);
      buffer.pull(frame);
      rms.push(Math.sqrt(frame.reduce((sum, sample) => sum + sample ** 2, 0) / 160));
      if (index === 12) {
        worst = Math.max(...frame.map((sample, i) => Math.abs(sample - voice(10 * 160 + i))));
      }
    }
    t.ok((rms[12] ?? 0) > 4_500, 'the first lost frame is loud as speech was');
    t.ok(worst < 2_500, `and in phase with it: off by ${worst} at most`);
    t.equal(rms[16], 0, 'the fifth is silence');
    t.ok((rms[29] ?? 0) > 5_000, 'and audio is back');
  },
);

interface EventCase {
  name: string;
  /** [timestamp, event, duration, end, at ms] */
  given: [number, number, number, boolean, number][];
  expected: [string, number][];
}
const press = (timestamp: number, event: number, atMs: number): EventCase['given'] => [
  [timestamp, event, 160, false, atMs],
  [timestamp, event, 320, false, atMs + 20],
  [timestamp, event, 800, false, atMs + 80],
  [timestamp, event, 800, true, atMs + 80],
  [timestamp, event, 800, true, atMs + 100],
  [timestamp, event, 800, true, atMs + 120],
];
const eventCases: EventCase[] = [
  { name: 'a digit, its end three times', given: press(1_000, 5, 0), expected: [['5', 100]] },
  {
    name: 'only the last end packet',
    given: press(1_000, 10, 0).slice(-1),
    expected: [['*', 100]],
  },
  { name: 'no end packet', given: press(1_000, 11, 0).slice(0, 3), expected: [['#', 100]] },
  {
    name: 'one packet in the middle',
    given: press(1_000, 12, 0).slice(1, 2),
    expected: [['A', 40]],
  },
  {
    name: 'the same digit twice',
    given: [...press(1_000, 1, 0), ...press(3_000, 1, 250)],
    expected: [
      ['1', 100],
      ['1', 100],
    ],
  },
  {
    name: 'another digit without the end of the first',
    given: [...press(1_000, 1, 0).slice(0, 2), ...press(2_000, 2, 40)],
    expected: [
      ['1', 40],
      ['2', 100],
    ],
  },
  {
    name: 'another event with the same timestamp',
    given: [...press(1_000, 1, 0), ...press(1_000, 2, 200)],
    expected: [
      ['1', 100],
      ['2', 100],
    ],
  },
  {
    name: 'an end packet of the first digit within the second',
    given: [
      ...press(1_000, 1, 0),
      ...press(2_000, 2, 130).slice(0, 2),
      [1_000, 1, 800, true, 160],
      ...press(2_000, 2, 150).slice(2),
    ],
    expected: [
      ['1', 100],
      ['2', 100],
    ],
  },
  {
    name: 'reordered updates',
    given: [
      [9, 3, 480, false, 0],
      [9, 3, 160, false, 5],
      [9, 3, 800, true, 9],
    ],
    expected: [['3', 100]],
  },
  {
    name: 'an event of 12 s in two segments',
    given: [
      [0, 4, 65_535, false, 0],
      [65_535, 4, 160, false, 20],
      [65_535, 4, 30_465, true, 140],
    ],
    expected: [['4', 12_000]],
  },
  {
    name: 'timestamps over the wrap',
    given: [...press(0xfffffff0, 7, 0), ...press(0x400, 8, 250)],
    expected: [
      ['7', 100],
      ['8', 100],
    ],
  },
  { name: 'a fax tone: counted, not a digit', given: [[5, 36, 800, true, 0]], expected: [] },
  { name: 'a hook flash', given: [[5, 16, 800, true, 0]], expected: [['F', 100]] },
];
for (const { name, given, expected } of eventCases) {
  t.test(`events received: ${name}`, async (t) => {
    const heard: [string, number][] = [];
    const receiver = new DtmfReceiver((digit, ms) => heard.push([digit, ms]));
    const payload = Buffer.alloc(4);
    for (const [timestamp, event, duration, end, atMs] of given) {
      receiver.tick(atMs);
      writeDtmfPayload(payload, 0, { event, duration, end, volume: 10 });
      receiver.take(payload, 0, 4, timestamp, atMs);
    }
    receiver.tick((given.at(-1)?.[4] ?? 0) + 150);
    t.same(heard, expected);
    t.equal(receiver.digitCount, expected.length);
  });
}

t.test('sending: one packet per 20 ms, marker on the first, timestamps over silence', async (t) => {
  const { time, session, sent } = leg();
  session.source = new LoopedPcmSource(Int16Array.of(988));
  time.advance(200);
  session.source = undefined;
  time.advance(100);
  session.source = new LoopedPcmSource(Int16Array.of(988));
  time.advance(100);
  t.equal(sent.length, 15);
  t.same(
    sent.flatMap(({ marker }, i) => (marker ? [i] : [])),
    [0, 10],
    'a marker where a talk spurt begins',
  );
  const first = sent[0] as SentPacket;
  t.ok(sent.every(({ sequence }, i) => sequence === ((first.sequence + i) & 0xffff)));
  t.ok(sent.every(({ ssrc, payload }) => ssrc === first.ssrc && payload.length === 160));
  for (const { timestamp, atMs } of sent) {
    t.equal((timestamp - first.timestamp) >>> 0, (atMs - first.atMs) * 8, 'RTP time is wall time');
  }
});

t.test(
  'sending: frames given up after a stall leave a hole in RTP time, not a drift',
  async (t) => {
    const time = new StallingTime();
    const timestamps: number[] = [];
    const transport: RtpTransport = {
      localPort: 4_000,
      errorCount: 0,
      onRtp: () => undefined,
      onRtcp: () => undefined,
      sendRtp: (bytes) => timestamps.push(Buffer.from(bytes).readUInt32BE(4)),
      sendRtcp: () => undefined,
      close: () => Promise.resolve(),
    };
    const session = new RtpSession(transport, { clock: new MediaClock(time) });
    session.setRemote({ address: '192.0.2.1', port: 5_000, payloadType: 0, direction: 'sendrecv' });
    session.sendSilence = true;
    time.run(100);
    time.stall(2_000);
    time.run(100);
    const elapsed = ((timestamps.at(-1) ?? 0) - (timestamps[0] ?? 0)) >>> 0;
    t.ok(timestamps.length < 25, 'most of the stall was given up');
    t.ok(Math.abs(elapsed / 8 - 2_180) <= 20, `RTP time moved ${elapsed / 8} ms`);
  },
);

t.test(
  'receiving: after a stall of ours the packets that wait are played, none made up',
  async (t) => {
    const time = new StallingTime();
    const transport: RtpTransport = {
      localPort: 4_000,
      errorCount: 0,
      onRtp: () => undefined,
      onRtcp: () => undefined,
      sendRtp: () => undefined,
      sendRtcp: () => undefined,
      close: () => Promise.resolve(),
    };
    const session = new RtpSession(transport, { clock: new MediaClock(time) });
    session.setRemote({ address: '192.0.2.1', port: 5_000, payloadType: 0, direction: 'sendrecv' });
    let frames = 0;
    session.onFrame = (_pcm, kind) => (frames += kind === 'audio' ? 1 : 0);
    let sequence = 0;
    const deliver = () => {
      transport.onRtp(audioPacket(sequence), '192.0.2.1', 5_000);
      sequence += 1;
    };
    for (let i = 0; i < 20; i += 1) {
      deliver();
      time.run(20);
    }
    const before = frames;
    time.stall(160);
    time.run(0); // the clock catches up before any socket is read
    for (let i = 0; i < 8; i += 1) deliver();
    time.run(20);
    t.equal(frames - before, 9);
    t.match(session.stats(), { received: { concealedFrames: 0, late: 0 }, jitterBufferMs: 20 });
  },
);

t.test('sending: A-law or µ-law as negotiated, and nothing when on hold', async (t) => {
  const { time, session, sent, far } = leg({ payloadType: 8 });
  session.sendSilence = true;
  time.advance(40);
  t.ok(sent.every(({ payloadType, payload }) => payloadType === 8 && payload[0] === 0xd5));
  session.setRemote({ ...far, direction: 'recvonly' });
  time.advance(100);
  session.setRemote({ ...far, address: '0.0.0.0' });
  time.advance(100);
  t.equal(sent.length, 2);
  session.setRemote({ ...far, payloadType: 0 });
  time.advance(20);
  t.match(sent.at(-1), { payloadType: 0, marker: true, ssrc: sent[0]?.ssrc });
  t.equal(sent.at(-1)?.payload[0], 0xff);
});

t.test('sending: a source that ends is told, and its successor misses no frame', async (t) => {
  const { time, session, sent } = leg();
  const ended: unknown[] = [];
  const first = new PcmSource(new Int16Array(320).fill(988));
  session.onSourceEnd = (source) => {
    ended.push(source);
    if (source === first) session.source = new PcmSource(new Int16Array(160).fill(1_980));
  };
  session.source = first;
  time.advance(200);
  t.equal(ended.length, 2);
  t.equal(ended[0], first);
  t.same(
    sent.map(({ atMs }) => atMs - (sent[0]?.atMs ?? 0)),
    [0, 20, 40],
  );
  session.onSourceEnd = () => {
    session.source = new PcmSource(new Int16Array(0));
  };
  session.source = new PcmSource(new Int16Array(0));
  time.advance(20);
  t.equal(sent.length, 3, 'empty sources without end do not hang the clock');
});

t.test(
  'sending: both taps see every frame, and the source has precedence over a peer',
  async (t) => {
    const { time, session, deliver } = leg();
    const sentLevels: string[] = [];
    session.onSentFrame = (pcm, kind) => sentLevels.push(`${kind} ${pcm[0]}`);
    session.peer = {
      frame: () => undefined,
      dtmf: () => undefined,
      read: (into) => into.fill(1_980).length > 0,
    };
    session.source = new PcmSource(new Int16Array(160).fill(988));
    time.advance(40);
    session.peer = undefined;
    time.advance(20);
    t.same(sentLevels, ['audio 988', 'audio 1980', 'silence 0']);
    const heard: string[] = [];
    session.onFrame = (pcm, kind) => heard.push(`${kind} ${pcm[100]}`);
    time.advance(60);
    t.same(heard, [], 'nothing before the first packet');
    for (let i = 0; i < 3; i += 1) {
      deliver(audioPacket(i));
      time.advance(20);
    }
    t.same(heard, ['lost 0', 'lost 0', 'audio 988']);
  },
);

t.test('events sent: marker, rising duration, three ends, gaps, audio in between', async (t) => {
  const { time, session, sent } = leg();
  session.sendSilence = true;
  time.advance(40);
  const before = sent.length;
  const sending = session.sendDtmf('1#', 100, { gapMs: 100, volume: 13 });
  time.advance(600);
  await sending;
  const events = sent.slice(before).filter(({ payloadType }) => payloadType === 101);
  t.equal(events.length, 14, 'seven packets for each digit');
  const [one, hash] = [events.slice(0, 7), events.slice(7)];
  const durations = [160, 320, 480, 640, 800, 800, 800];
  for (const [digit, event] of [
    [one, 1],
    [hash, 11],
  ] as const) {
    t.same(
      digit.map(({ payload }) => payload[0]),
      Array(7).fill(event),
    );
    t.same(
      digit.map(({ payload }) => payload.readUInt16BE(2)),
      durations,
    );
    t.same(
      digit.map(({ payload }) => payload[1]),
      [13, 13, 13, 13, 0x8d, 0x8d, 0x8d],
    );
    t.same(
      digit.map(({ marker }) => marker),
      [true, ...Array<boolean>(6).fill(false)],
    );
    t.equal(new Set(digit.map(({ timestamp }) => timestamp)).size, 1, 'one timestamp for all');
  }
  const apart = ((hash[0]?.timestamp ?? 0) - (one[0]?.timestamp ?? 0)) >>> 0;
  t.equal(apart, 1_600, '100 ms of digit and 100 ms of gap');
  t.ok(sent.every(({ sequence }, i) => sequence === (((sent[0]?.sequence ?? 0) + i) & 0xffff)));
  t.equal(session.stats().sent.dtmfEvents, 2);
  t.notOk(sent.at(-1)?.marker, 'audio goes on in the same talk spurt');
});

t.test('events sent: pauses, and what is refused, taken back or cut off', async (t) => {
  const { time, session, sent, far } = leg();
  await t.rejects(session.sendDtmf('1x', 100), { code: 'INVALID_DTMF', message: /"x"/ });
  await t.rejects(session.sendDtmf('', 100), { code: 'INVALID_DTMF' });
  await t.rejects(session.sendDtmf('1', 10), { code: 'INVALID_DTMF' });
  await t.rejects(session.sendDtmf('1', 60_000), { code: 'INVALID_DTMF' });
  await t.rejects(session.sendDtmf('1'.repeat(300), 100), { message: /256 digits/ });
  void session.sendDtmf('1w2', 60);
  time.advance(1_000);
  const starts = sent.filter(({ marker }) => marker).map(({ atMs }) => atMs);
  t.equal((starts[1] ?? 0) - (starts[0] ?? 0), 60 + 100 + 500, 'w waits half a second');

  const taken = session.sendDtmf('345', 100);
  time.advance(20);
  session.stopDtmf();
  await t.rejects(taken, { code: 'INVALID_DTMF' });
  time.advance(1_000);
  t.equal(session.stats().sent.dtmfEvents, 3, 'the digit under way was finished');

  const cut = session.sendDtmf('6', 100);
  await session.close();
  await t.rejects(cut, { code: 'RTP_SESSION_CLOSED' });
  await t.rejects(session.sendDtmf('7', 100), { code: 'RTP_SESSION_CLOSED' });

  const plain = leg();
  const { address, port, payloadType, direction } = far;
  plain.session.setRemote({ address, port, payloadType, direction });
  await t.rejects(plain.session.sendDtmf('1', 100), { code: 'TELEPHONE_EVENT_NOT_NEGOTIATED' });
});

t.test(
  'receiving: strangers, duplicates, garbage and other codecs are counted and not heard',
  async (t) => {
    const { time, session, deliver } = leg();
    const levels = new Set<number>();
    session.onFrame = (pcm) => levels.add(pcm[80] ?? 0);
    for (let i = 0; i < 20; i += 1) {
      deliver(audioPacket(i));
      deliver(audioPacket(i + 500, { level: 8_828 }), 5_002);
      deliver(audioPacket(i + 500, { level: 8_828 }), 5_000, '192.0.2.66');
      time.advance(20);
    }
    deliver(audioPacket(19));
    deliver(Buffer.from('not RTP'));
    const video = audioPacket(20);
    video[1] = 99;
    deliver(video);
    deliver(audioPacket(21, { samples: 1_400 }));
    t.match(session.stats().received, {
      packets: 21,
      fromStranger: 40,
      duplicate: 1,
      malformed: 2,
      unknownPayload: 1,
      lost: 0,
    });
    t.same([...levels].sort(), [0, 988]);
    t.equal(session.idleMs, 0);
    time.advance(3_000);
    t.equal(session.stats().idleMs, 3_000);
  },
);

t.test('receiving: loss and reordering are counted as RFC 3550 has it', async (t) => {
  const { time, session, deliver } = leg();
  const order = [0, 1, 3, 2, 4, 7, 8, 9];
  for (const sequence of order) {
    deliver(audioPacket(65_530 + sequence, { timestamp: sequence * 160 }));
    time.advance(20);
  }
  t.match(session.stats().received, { packets: 8, lost: 2, reordered: 1, duplicate: 0 });
});

t.test('receiving: another SSRC takes over with its second packet in a row', async (t) => {
  const { time, session, deliver } = leg();
  const heard: number[] = [];
  session.onFrame = (pcm, kind) => kind === 'audio' && heard.push(pcm[80] ?? 0);
  const step = (...packets: Buffer[]) => {
    for (const packet of packets) deliver(packet);
    time.advance(20);
  };
  for (let i = 0; i < 10; i += 1) {
    step(audioPacket(i), audioPacket(900 + i, { ssrc: 8, level: 8_828 }));
  }
  t.notOk(heard.includes(8_828), 'two streams at a time: the first one is kept');
  for (let i = 0; i < 10; i += 1) step(audioPacket(3_000 + i, { ssrc: 9, level: 3_772 }));
  t.equal(heard.at(-1), 3_772);
  t.match(session.stats().received, { ssrcChanges: 1, lost: 0 });
});

t.test(
  'receiving: a time that runs back with the sequence in order is heard at once',
  async (t) => {
    // As FreeSWITCH sends, from a bridge to what it plays, measured: -3680 samples under one SSRC.
    const { time, session, deliver } = leg();
    const heard: number[] = [];
    session.onFrame = (pcm, kind) => kind === 'audio' && heard.push(pcm[80] ?? 0);
    const step = (...packets: Buffer[]) => {
      for (const packet of packets) deliver(packet);
      time.advance(20);
    };
    const later = { level: 3_772 };
    for (let i = 0; i < 50; i += 1) step(audioPacket(i));
    for (let i = 50; i < 55; i += 1) step(audioPacket(i, { ...later, timestamp: i * 160 - 3_680 }));
    time.advance(100);
    t.equal(heard.filter((level) => level === later.level).length, 5, 'all of it');
    t.equal(session.stats().received.late, 0);
    heard.length = 0;
    // Out of order on the way is no other time: each in its place.
    step(...[57, 55, 56].map((i) => audioPacket(i, { timestamp: 60_000 + i * 160 })));
    time.advance(100);
    t.equal(heard.length, 3);
    t.match(session.stats().received, { late: 0, reordered: 2 });
  },
);

t.test('receiving: nothing is heard while our direction is sendonly', async (t) => {
  const { time, session, deliver, far } = leg({ direction: 'sendonly' });
  let frames = 0;
  session.onFrame = () => (frames += 1);
  for (let i = 0; i < 5; i += 1) {
    deliver(audioPacket(i));
    time.advance(20);
  }
  t.equal(frames, 0);
  t.equal(session.stats().received.unwanted, 5);
  session.setRemote({ ...far, direction: 'sendrecv' });
  deliver(audioPacket(6));
  time.advance(20);
  t.equal(frames, 1);
});

t.test('receiving: digits come through loss and are given once', async (t) => {
  const { time, session, deliver } = leg();
  const digits: string[] = [];
  session.onDtmf = (digit, durationMs) => digits.push(`${digit} ${durationMs}`);
  deliver(eventPacket(1, 800, 9, 320));
  time.advance(20);
  for (let i = 0; i < 3; i += 1) deliver(eventPacket(3 + i, 800, 9, 800, true));
  deliver(eventPacket(9, 4_000, 0, 480));
  time.advance(200);
  t.same(digits, ['9 100', '0 60']);
  t.equal(session.stats().received.dtmfEvents, 2);
});

t.test(
  'receiving: 5,000 random datagrams, then a call is heard as if nothing had been',
  async (t) => {
    const { time, session, deliver } = leg();
    let seed = 99;
    const random = (below: number) =>
      Math.floor(((seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647) * below);
    for (let round = 0; round < 5_000; round += 1) {
      const bytes =
        round % 2 === 0
          ? Buffer.from(Array.from({ length: random(200) }, () => random(256)))
          : audioPacket(random(65_536), { timestamp: random(2 ** 31), ssrc: random(3) });
      if (round % 2 === 1) for (let n = random(4); n > 0; n -= 1) bytes[random(16)] = random(256);
      if (round % 5 === 0 && bytes.length > 2) {
        bytes[0] = 0x80;
        bytes[1] = 101;
      }
      deliver(bytes);
      if (round % 3 === 0) time.advance(20);
    }
    const heard: number[] = [];
    session.onFrame = (pcm, kind) => kind === 'audio' && heard.push(pcm[80] ?? 0);
    for (let i = 0; i < 100; i += 1) {
      deliver(audioPacket(40_000 + i, { ssrc: 77 }));
      time.advance(20);
    }
    t.ok(heard.length > 90 && heard.slice(5).every((level) => level === 988));
  },
);

t.test('bridge: each hears the other, digits pass, silence when there is nothing', async (t) => {
  const [a, b] = [leg(), leg()];
  const step = (packets: { a?: Buffer; b?: Buffer } = {}) => {
    if (packets.a) a.deliver(packets.a);
    if (packets.b) b.deliver(packets.b);
    a.time.advance(20);
    b.time.advance(20);
  };
  const bridge = bridgeSessions(a.session, b.session);
  t.throws(() => bridgeSessions(a.session, b.session), /in a bridge already/);
  step();
  t.equal(b.sent.at(-1)?.payload[0], 0xff, 'silence at first');
  for (let i = 0; i < 50; i += 1) {
    step({ a: audioPacket(i), b: audioPacket(i, { level: 8_828 }) });
  }
  const level = (packet: SentPacket | undefined) => {
    const pcm = new Int16Array(1);
    mulaw.decode(packet?.payload ?? Buffer.alloc(1), 80, 1, pcm);
    return pcm[0];
  };
  t.equal(level(b.sent.at(-1)), 988, 'b is sent what a said');
  t.equal(level(a.sent.at(-1)), 8_828, 'a is sent what b said');
  t.ok(b.sent.filter((packet) => level(packet) === 988).length >= 45);
  a.deliver(eventPacket(50, 9_999, 7, 640, true));
  for (let i = 0; i < 20; i += 1) step();
  const relayed = b.sent.filter(({ payloadType }) => payloadType === 101);
  t.match(relayed.at(-1)?.payload, Buffer.from([7, 0x8a, 0x02, 0x80]), 'digit 7, 80 ms');
  bridge.end();
  bridge.end();
  const sentBefore = b.sent.length;
  step({ a: audioPacket(60) });
  t.equal(b.sent.length, sentBefore, 'ended: nothing passes');
  t.doesNotThrow(() => bridgeSessions(a.session, b.session), 'and may be bridged again');
});

t.test('bridge: a burst adds 60 ms of delay at most', async (t) => {
  const [a, b] = [leg(), leg()];
  bridgeSessions(a.session, b.session);
  for (let i = 0; i < 30; i += 1) {
    a.deliver(audioPacket(i));
    a.time.advance(20); // a hears half a second, b's clock stands still
  }
  a.session.peer?.frame(new Int16Array(160).fill(8_828), 'audio');
  b.time.advance(80);
  const levels = b.sent.map(({ payload }) => payload[80]);
  t.equal(levels.length, 4);
  t.equal(new Set(levels.slice(0, 2)).size, 1);
  t.not(levels[2], levels[1], 'the newest comes third');
  t.equal(levels[3], 0xff, 'and then there is no more');
});

t.test('RTCP: a sender report with a block, SDES and at last BYE', async (t) => {
  const { time, session, sent, reports, deliver, transport } = leg();
  session.sendSilence = true;
  for (let i = 0; i < 200; i += 1) {
    if (i % 4 !== 3) deliver(audioPacket(i));
    time.advance(20);
  }
  t.ok(reports.length >= 1, 'the first after 1.25 to 3.75 s');
  const report = reports[0] as Buffer;
  t.same([report[0], report[1]], [0x81, 200], 'SR with one block');
  t.equal(report.readUInt32BE(4), sent[0]?.ssrc);
  const packets = report.readUInt32BE(20);
  t.equal(report.readUInt32BE(24), packets * 160);
  const upTo = sent[packets - 1] as SentPacket;
  t.ok(Math.abs((report.readUInt32BE(16) - upTo.timestamp) | 0) <= 160, 'RTP time of now');
  const ntp = report.readUInt32BE(8) - 2_208_988_800;
  t.ok(Math.abs(ntp - Date.now() / 1_000) < 5, 'NTP time is wall time');
  t.equal(report.readUInt32BE(28), 7, 'about the far end');
  t.ok(Math.abs((report[32] ?? 0) - 64) <= 5, 'a quarter lost, of 256');
  t.equal(report.readUInt8(52 + 1), 202, 'SDES follows');
  t.equal(report.length % 4, 0);

  const ourSsrc = sent[0]?.ssrc ?? 0;
  const read = readRtcpPacket(report, 7);
  const about = { ...read?.about, ssrc: ourSsrc, lost: 3, lastSenderReport: 0 };
  const answer = writeRtcpReport({
    ssrc: 7,
    cname: 'far',
    sender: undefined,
    reception: about as NonNullable<typeof read>['about'],
    bye: false,
  });
  transport.onRtcp(answer, '192.0.2.1', 5_001);
  transport.onRtcp(answer, '192.0.2.1', 5_003);
  t.equal(session.stats().sent.lostRemotely, 3);
  await session.close();
  const last = readRtcpPacket(reports.at(-1) as Buffer, 7);
  t.match(last, { bye: true, ssrc: ourSsrc });
});

t.test('RTCP: a leg that only listens sends receiver reports; garbage is refused', async (t) => {
  const { time, reports, deliver, transport, session } = leg({ direction: 'recvonly' });
  for (let i = 0; i < 200; i += 1) {
    deliver(audioPacket(i));
    time.advance(20);
  }
  t.equal(reports[0]?.[1], 201);
  for (const hex of ['', '80', '80c80000', '81c80006', '80ca000100000000', '40c9000100000001']) {
    t.equal(readRtcpPacket(Buffer.from(hex, 'hex'), 1), undefined, hex);
  }
  t.equal(readRtcpPacket(Buffer.from('9fc9000100000001', 'hex'), 1), undefined, 'too many blocks');
  transport.onRtcp(Buffer.from('garbage'), '192.0.2.1', 5_001);
  t.equal(session.stats().roundTripMs, undefined);
});

t.test('a leg never used sends nothing at all, not even BYE', async (t) => {
  const { session, sent, reports } = leg();
  await session.close();
  await session.close();
  t.same([sent.length, reports.length], [0, 0]);
});

t.test('a tone played over a leg reaches the far end sample for sample, up to G.711', async (t) => {
  const { time, session, sent } = leg();
  session.source = openStream('tone_stream://%(400,200,440,480)');
  time.advance(1_000);
  t.equal(sent.length, 30);
  const pcm = new Int16Array(160);
  mulaw.decode(sent[29]?.payload ?? Buffer.alloc(160), 0, 160, pcm);
  t.ok(
    pcm.every((sample) => sample === 0),
    'the pause at its end is sent as silence',
  );
});
