/**
 * Audio that leaves a call by another way than its far end: recordings to files and FIFOs, and
 * unicast. Asked of the embedded switch and of a real FreeSWITCH that shares this machine's disk.
 */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import type { TappedChannel } from '../../gateway/audio-taps/audio-tap.port.ts';
import { RecordFifoTaps } from '../../gateway/audio-taps/record-fifo-tap.ts';
import { UnicastTaps } from '../../gateway/audio-taps/unicast-tap.ts';
import { mulaw } from '../../softswitch/media/g711.ts';
import { decodeWav } from '../../softswitch/media/wav.ts';
import { mediaContract, type MediaTarget } from '../support/media-target.ts';
import {
  byeOf,
  eventOf,
  heard as heardBy,
  stage,
  type Leg,
  type Stage,
} from '../support/media-stage.ts';
import type { Endpoint, EslEvent } from '../support/mrf-client.ts';
import { shareOfTone } from '../support/rtp-far-end.ts';

async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ringfence-recording-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A leg whose recording events are heard too. */
async function recordable({ leg }: Stage): Promise<Leg> {
  const made = await leg();
  made.endpoint.conn.subscribe('RECORD_START RECORD_STOP');
  return made;
}

async function uuidRecord(endpoint: Endpoint, command: string): Promise<string> {
  return (await endpoint.api('uuid_record', `${endpoint.uuid} ${command}`)).getBody();
}

/** Whether any 100 ms of the audio are mostly that tone: a busy host puts gaps between longer ones. */
function holds(pcm: Int16Array, frequencyHz: number): boolean {
  for (let at = 0; at + 800 <= pcm.length; at += 400) {
    if (shareOfTone(pcm.subarray(at, at + 800), frequencyHz) > 0.8) return true;
  }
  return false;
}

/** One channel of an interleaved file. */
async function channelOf(path: string, channel: 0 | 1): Promise<Int16Array> {
  const bytes = await readFile(path);
  const data = bytes.subarray(44);
  return Int16Array.from({ length: Math.floor(data.length / 4) }, (_, i) =>
    data.readInt16LE(4 * i + 2 * channel),
  );
}

function files(t: Test, target: MediaTarget): void {
  t.test('uuid_record mixes both sides into a file and tells when', async (t) => {
    const scene = await stage(t, target);
    const { endpoint, far } = await recordable(scene);
    const path = join(await folder(t), 'deeper/call.wav');
    far.speak(600);
    const started = eventOf(endpoint, 'RECORD_START');
    t.equal(await uuidRecord(endpoint, `start ${path}`), '+OK Success\n');
    t.equal((await started).getHeader('Record-File-Path'), path);
    await endpoint.play('tone_stream://%(1200,0,1000)');
    far.hush();
    far.speak(400);
    await endpoint.play('silence_stream://900');
    const stopped = eventOf(endpoint, 'RECORD_STOP');
    t.equal(await uuidRecord(endpoint, `stop ${path}`), '+OK Success\n');
    const event = await stopped;
    t.equal(event.getHeader('Record-File-Path'), path);
    t.equal(event.getHeader('Record-Completion-Cause'), 'success-maxtime');
    const ms = Number(event.getHeader('variable_record_ms'));
    t.ok(ms > 1_900 && ms < 4_000, `${ms} ms`);
    t.equal(event.getHeader('variable_record_samples'), String(ms * 8));
    const { pcm, durationMs } = decodeWav(await readFile(path));
    t.equal(durationMs, ms, 'the file is complete when the command is answered');
    t.ok(holds(pcm, 400), 'what the far end said');
    const both = pcm.subarray(4_000, 8_000);
    t.ok(shareOfTone(both, 600) > 0.2 && shareOfTone(both, 1_000) > 0.2, 'and what it heard');
    t.equal(await uuidRecord(endpoint, `stop ${path}`), '-ERR Cannot stop record session!\n');
  });

  t.test('stereo keeps the two sides apart; mask writes silence', async (t) => {
    const scene = await stage(t, target);
    const { endpoint, far } = await recordable(scene);
    const path = join(await folder(t), 'stereo.wav');
    await endpoint.set('RECORD_STEREO', 'true');
    far.speak(600);
    await uuidRecord(endpoint, `start ${path}`);
    await endpoint.play('tone_stream://%(1200,0,1000)');
    t.equal(await uuidRecord(endpoint, `mask ${path}`), '+OK Success\n');
    await endpoint.play('tone_stream://%(1000,0,1000)');
    t.equal(await uuidRecord(endpoint, `unmask ${path}`), '+OK Success\n');
    await endpoint.play('tone_stream://%(600,0,1000)');
    await uuidRecord(endpoint, `stop ${path}`);
    const [left, right] = [await channelOf(path, 0), await channelOf(path, 1)];
    t.ok(holds(left, 600) && !holds(left, 1_000), 'the far end on the left');
    t.ok(holds(right, 1_000) && !holds(right, 600), 'what was played to it on the right');
    // The mask sets in and ends with the half second of frames held back at the beginning.
    const middle = left.subarray(13_000, 16_000);
    t.equal(Math.max(...middle.map(Math.abs)), 0, 'nothing of what was masked');
    t.ok(holds(left.subarray(-4_000), 600), 'and the call again after it');
  });

  t.test('a limit ends a recording by itself; the hang-up ends any', async (t) => {
    const scene = await stage(t, target);
    const { endpoint, far } = await recordable(scene);
    const place = await folder(t);
    far.speak(600);
    const limited = eventOf(endpoint, 'RECORD_STOP');
    await uuidRecord(endpoint, `start ${join(place, 'limited.wav')} 2`);
    const playing = endpoint.play('silence_stream://3000');
    const ms = Number((await limited).getHeader('variable_record_ms'));
    t.ok(ms >= 900 && ms <= 2_100, `a limit of 2 counts whole seconds of the clock: ${ms} ms`);
    await playing;
    const path = join(place, 'cut.wav');
    await uuidRecord(endpoint, `start ${path}`);
    await endpoint.play('silence_stream://800');
    const stopped = eventOf(endpoint, 'RECORD_STOP');
    await endpoint.dialog.destroy();
    t.equal((await stopped).getHeader('Record-File-Path'), path);
    t.ok(decodeWav(await readFile(path)).durationMs >= 700, 'and the file is whole');
  });

  t.test('a file that cannot be written is refused, and the call goes on', async (t) => {
    const scene = await stage(t, target);
    const { endpoint } = await recordable(scene);
    const place = await folder(t);
    t.equal(
      await uuidRecord(endpoint, `start ${place}/x.nosuchformat`),
      '-ERR Cannot record session!\n',
    );
    t.equal(
      await uuidRecord(endpoint, 'start /proc/no/such/x.wav'),
      '-ERR Cannot record session!\n',
    );
    t.match(await uuidRecord(endpoint, 'start'), /^-USAGE: <uuid> \[start\|stop\|mask\|unmask\]/);
    t.equal(
      (await endpoint.api('uuid_record', `0000 start ${place}/x.wav`)).getBody(),
      '-ERR Cannot locate session!\n',
    );
    await endpoint.play('silence_stream://40');
    t.ok(endpoint.connected);
  });

  t.test('recordSession runs beside the channel, and through a bridge', async (t) => {
    const scene = await stage(t, target);
    const [a, b] = [await recordable(scene), await scene.leg()];
    const path = join(await folder(t), 'bridged.wav');
    await a.endpoint.recordSession(path);
    await a.endpoint.play('tone_stream://%(700,0,300)');
    await a.endpoint.bridge(b.endpoint);
    a.far.speak(500);
    b.far.speak(900);
    await Promise.all([a.far.hears(900), b.far.hears(500)]);
    a.far.forget();
    await a.far.until(() => a.far.audioPackets >= 60, '1.2 s of the bridge');
    await uuidRecord(a.endpoint, 'stop all');
    const { pcm } = decodeWav(await readFile(path));
    const tail = pcm.subarray(-6_000, -2_000);
    t.ok(shareOfTone(tail, 500) > 0.2 && shareOfTone(tail, 900) > 0.2, 'both of them');
  });

  t.test('record takes what the far end says until its star', async (t) => {
    const scene = await stage(t, target);
    const { endpoint, far } = await recordable(scene);
    const path = join(await folder(t), 'message.wav');
    far.speak(800);
    const started = eventOf(endpoint, 'RECORD_START');
    const recording = endpoint.record(path, { timeLimitSecs: 20 });
    await started;
    await far.until(() => far.audioPackets >= 50, 'a second of the noise sent meanwhile');
    const stopped = eventOf(endpoint, 'RECORD_STOP');
    far.press('*');
    const { terminatorUsed, recordMilliseconds, recordSamples } = await recording;
    t.equal(terminatorUsed, '*');
    t.equal((await stopped).getHeader('Record-File-Path'), path);
    const { pcm, durationMs } = decodeWav(await readFile(path));
    t.equal(durationMs, Number(recordMilliseconds));
    t.equal(pcm.length, Number(recordSamples));
    t.ok(durationMs > 500 && holds(pcm, 800));
  });

  t.test('record ends after so many seconds below the level', async (t) => {
    const scene = await stage(t, target);
    const { endpoint, far } = await recordable(scene);
    const path = join(await folder(t), 'silent.wav');
    far.speak(0); // packets of silence: without any nothing would be counted
    const { recordMilliseconds } = await endpoint.record(path, {
      timeLimitSecs: 20,
      silenceThresh: 200,
      silenceHits: 1,
    });
    t.ok(Number(recordMilliseconds) >= 900 && Number(recordMilliseconds) <= 1_500);
    const { variable_silence_hits_exhausted: exhausted } =
      await endpoint.getChannelVariables(false);
    t.equal(exhausted, 'true');
  });

  t.test('record into a place that cannot be written costs the call', async (t) => {
    const scene = await stage(t, target);
    const { endpoint } = await recordable(scene);
    const bye = byeOf(endpoint);
    void endpoint.record('/proc/no/such/x.wav').catch(() => undefined);
    t.match((await bye).get('Reason'), /cause=27;text="DESTINATION_OUT_OF_ORDER"/);
  });
}

/** The reading end of a FIFO, opened before the writer as FreeSWITCH needs it. */
async function fifo(t: Test): Promise<{ path: string; read: (bytes: number) => Promise<Buffer> }> {
  const path = join(await folder(t), 'tap.raw');
  await promisify(execFile)('mkfifo', [path]);
  const file = await open(path, constants.O_RDWR); // never blocks, and keeps a reader there
  t.teardown(() => file.close());
  return {
    path,
    read: async (bytes) => {
      const into = Buffer.alloc(bytes);
      for (let at = 0; at < bytes;) at += (await file.read(into, at, bytes - at, null)).bytesRead;
      return into;
    },
  };
}

function samplesOf(bytes: Buffer): Int16Array {
  return Int16Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(2 * i));
}

function live(t: Test, target: MediaTarget): void {
  t.test('a FIFO hears the far end live, through a playback and a bridge', async (t) => {
    const scene = await stage(t, target);
    const [{ endpoint, far }, other] = [await recordable(scene), await scene.leg()];
    const { path, read } = await fifo(t);
    far.speak(600);
    await endpoint.set({ enable_file_write_buffering: 'false', RECORD_READ_ONLY: 'true' });
    t.equal(await uuidRecord(endpoint, `start ${path}`), '+OK Success\n');
    t.ok(holds(samplesOf(await read(16_000)), 600), 'while parked');
    const playing = endpoint.play('tone_stream://%(1500,0,1000)');
    await far.hears(1_000);
    const during = samplesOf(await read(16_000));
    t.ok(holds(during, 600) && !holds(during, 1_000), 'while a prompt plays, and none of it');
    await playing;
    await endpoint.bridge(other.endpoint);
    await other.far.hears(600);
    await read(16_000);
    t.ok(holds(samplesOf(await read(8_000)), 600), 'and while bridged');
    t.equal(await uuidRecord(endpoint, `stop ${path}`), '+OK Success\n');
    t.ok((await stat(path)).isFIFO(), 'a FIFO is left as it is');
  });

  t.test('unbuffered frames come one by one, except for the gap at the start', async (t) => {
    const scene = await stage(t, target);
    const { endpoint, far } = await recordable(scene);
    far.speak(600);
    await endpoint.set({ enable_file_write_buffering: 'false', RECORD_PRE_BUFFER_FRAMES: '0' });
    const { path, read } = await fifo(t);
    const startedAt = performance.now();
    await uuidRecord(endpoint, `start ${path}`);
    await read(320);
    t.ok(performance.now() - startedAt < 400, 'the first frame at once');
    await read(320 * 10);
    t.ok(performance.now() - startedAt < 1_000, 'and no gap when none is asked for');
    await uuidRecord(endpoint, `stop ${path}`);
  });
}

interface UnicastPeer {
  readonly port: number;
  /** Resolves with the next datagram. */
  next: () => Promise<Buffer>;
  /** Resolves with the samples of that many datagrams. */
  samples: (datagrams: number) => Promise<Int16Array>;
  send: (bytes: Buffer, port: number) => void;
  received: number;
}

async function unicastPeer(t: Test): Promise<UnicastPeer> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const peer: UnicastPeer = {
    port: socket.address().port,
    received: 0,
    next: async () => ((await once(socket, 'message')) as [Buffer])[0],
    samples: (datagrams) =>
      new Promise((resolve) => {
        const came: Buffer[] = [];
        const take = (bytes: Buffer): void => {
          came.push(bytes);
          if (came.length < datagrams) return;
          socket.off('message', take);
          resolve(samplesOf(Buffer.concat(came)));
        };
        socket.on('message', take);
      }),
    send: (bytes, port) => socket.send(bytes, port, '127.0.0.1'),
  };
  socket.on('message', () => (peer.received += 1));
  return peer;
}

/** A port nobody has, for the switch to bind. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** Resolves with the answer to the command. */
async function unicast(endpoint: Endpoint, localPort: number, peer: UnicastPeer, flags?: string) {
  const lines = [
    `sendmsg ${endpoint.uuid}`,
    'call-command: unicast',
    `local-port: ${localPort}`,
    `remote-port: ${peer.port}`,
    'transport: udp',
    ...(flags === undefined ? [] : [`flags: ${flags}`]),
  ];
  await heardBy(endpoint); // fsmrf's own commands have been answered: replies are told apart by order
  const reply = await new Promise<EslEvent>((resolve) => {
    endpoint.conn.sendRecv(lines.join('\n'), resolve);
  });
  return reply.getHeader('Reply-Text')?.trim();
}

function datagrams(t: Test, target: MediaTarget): void {
  t.test('unicast sends what the far end says, and plays what comes back', async (t) => {
    const { endpoint, far } = await (await stage(t, target)).leg();
    const [peer, port] = [await unicastPeer(t), await freePort()];
    far.speak(600);
    t.equal(await unicast(endpoint, port, peer), '+OK');
    t.ok(holds(await peer.samples(60), 600), '160 samples of L16 in each datagram');
    const tone = Buffer.alloc(320);
    for (let i = 0; i < 160; i += 1) {
      tone.writeInt16LE(Math.round(8_000 * Math.sin((2 * Math.PI * 1_000 * i) / 8_000)), 2 * i);
    }
    const heard = far.hears(1_000);
    for (let datagram = 0; datagram < 50; datagram += 1) {
      await peer.next();
      peer.send(tone, port);
    }
    await heard;
    t.pass('at the rate at which its own datagrams come');
  });

  t.test('unicast native sends the coded octets', async (t) => {
    const { endpoint, far } = await (await stage(t, target)).leg();
    const peer = await unicastPeer(t);
    far.speak(600);
    await unicast(endpoint, await freePort(), peer, 'native');
    let coded = await peer.next();
    while (coded.length !== 160) coded = await peer.next(); // until audio has come from the far end
    t.equal(coded.length, 160);
  });

  t.test('a playback ends unicast for good; a new park begins anew', async (t) => {
    const { endpoint, far } = await (await stage(t, target)).leg();
    const peer = await unicastPeer(t);
    far.speak(600);
    await unicast(endpoint, await freePort(), peer);
    await peer.samples(5);
    await endpoint.play('silence_stream://100');
    const again = await unicastPeer(t);
    t.equal(await unicast(endpoint, await freePort(), again), '+OK', 'and yet');
    peer.received = 0;
    await endpoint.play('silence_stream://300');
    t.equal(peer.received + again.received, 0, 'nothing is sent any more');
    const parked = eventOf(endpoint, 'CHANNEL_EXECUTE');
    await endpoint.api('uuid_transfer', `${endpoint.uuid} park inline`);
    t.equal((await parked).getHeader('Application'), 'park');
    await unicast(endpoint, await freePort(), again);
    await again.samples(5);
    t.pass('after a transfer it is served again');
  });
}

/** What the far end's tone is after µ-law, one period after the other. */
function decodedTone(frequencyHz: number, periodSamples: number): Int16Array {
  const codes = new Uint8Array(periodSamples);
  const pcm = Int16Array.from({ length: periodSamples }, (_, i) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * frequencyHz * i) / 8_000)),
  );
  mulaw.encode(pcm, codes, 0);
  mulaw.decode(codes, 0, periodSamples, pcm);
  return pcm;
}

/** Whether 300 ms of it came sample for sample: frames, since a busy host puts gaps between them. */
function arrivedExactly(frames: readonly Int16Array[], period: Int16Array): boolean {
  const isExact = (frame: Int16Array): boolean =>
    period.some((_, phase) =>
      frame.every((sample, i) => sample === period[(phase + i) % period.length]),
    );
  return frames.filter(isExact).length >= 15;
}

function taps(t: Test, target: MediaTarget): void {
  const mediaHost = target.esl.host;
  const factories = [
    { name: 'unicast', make: async () => new UnicastTaps({ listenHost: '127.0.0.1', mediaHost }) },
    { name: 'record-fifo', make: async (t: Test) => new RecordFifoTaps(await folder(t)) },
  ];
  for (const { name, make } of factories) {
    t.test(`the ${name} tap hears the customer bit by bit, and what it claims is so`, async (t) => {
      const scene = await stage(t, target);
      const { endpoint, far } = await scene.leg();
      await heardBy(endpoint);
      const channel: TappedChannel = {
        channelId: endpoint.uuid,
        api: async (command, args) => (await endpoint.api(command, args)).getBody(),
        message: (headers) =>
          new Promise((resolve) => {
            const lines = Object.entries(headers).map(([header, value]) => `${header}: ${value}`);
            endpoint.conn.sendRecv([`sendmsg ${endpoint.uuid}`, ...lines].join('\n'), (reply) => {
              resolve(reply.getHeader('Reply-Text') ?? '');
            });
          }),
      };
      const frames: Int16Array[] = [];
      const waiting: { count: number; done: () => void }[] = [];
      const factory = await make(t);
      const tap = await factory.start(channel, (pcm) => {
        if (pcm === undefined) return;
        frames.push(pcm.slice());
        if (frames.length >= (waiting[0]?.count ?? Infinity)) waiting.shift()?.done();
      });
      t.teardown(() => tap.stop());
      const more = (count: number): Promise<void> =>
        new Promise((done) => waiting.push({ count: frames.length + count, done }));
      far.speak(600);
      await more(40);
      t.ok(arrivedExactly(frames, decodedTone(600, 40)), '300 ms, sample for sample');
      const before = frames.length;
      await endpoint.play('silence_stream://400');
      const during = frames.length - before;
      t.equal(during >= 5, factory.capabilities.survivesPlayback, `${during} frames meanwhile`);
      const other = await scene.leg();
      await endpoint.bridge(other.endpoint);
      await other.far.hears(600);
      const atBridge = frames.length;
      other.far.forget();
      await other.far.until(() => other.far.audioPackets >= 20, '400 ms of the bridge');
      const bridged = frames.length - atBridge;
      t.equal(bridged >= 5, factory.capabilities.survivesBridge, `${bridged} frames bridged`);
      await tap.stop();
      await tap.stop();
    });
  }
}

await mediaContract(async (t, target) => {
  for (const part of [files, live, datagrams, taps]) {
    await t.test(part.name, async (t) => part(t, target));
  }
});
