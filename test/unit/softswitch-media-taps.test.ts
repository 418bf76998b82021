/** Goal: audio leaves a call without ever holding it up: files, FIFOs, and what is beside a leg. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { PcmSource } from '../../softswitch/media/audio-source.ts';
import { ConferenceMixer } from '../../softswitch/media/conference-mixer.ts';
import { MediaClock } from '../../softswitch/media/media-clock.ts';
import type { MediaPeer } from '../../softswitch/media/rtp-session.ts';
import { ManualTimerWheel } from '../../softswitch/timers/manual-timer-wheel.ts';
import { openAudioSink, type AudioSink } from '../../softswitch/media/recording/audio-sink.ts';
import { Recording, type RecordingOptions } from '../../softswitch/media/recording/recording.ts';
import { decodeWav } from '../../softswitch/media/wav.ts';

const AT_ONCE = { channels: 1, append: false, bufferBytes: 0 } as const;
const FRAME = Int16Array.from({ length: 160 }, (_, i) => i * 10);

async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ringfence-taps-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function fifo(t: Test): Promise<string> {
  const path = join(await folder(t), 'tap.raw');
  await promisify(execFile)('mkfifo', [path]);
  return path;
}

function failureOf(sink: AudioSink): Promise<void> {
  return new Promise((resolve) => (sink.onFailed = resolve));
}

t.test('a file is complete after close, whatever was held back', async (t) => {
  const place = await folder(t);
  for (const bufferBytes of [0, 65_536]) {
    const path = join(place, `held-${bufferBytes}.wav`);
    const sink = await openAudioSink(path, { ...AT_ONCE, bufferBytes });
    for (let frame = 0; frame < 30; frame += 1) sink.write(FRAME);
    await sink.close();
    const { pcm } = decodeWav(await readFile(path));
    t.equal(pcm.length, 30 * 160);
    t.same(pcm.subarray(-160), FRAME);
  }
});

t.test('a recording cut off by a crash can be read as far as it goes', async (t) => {
  const path = join(await folder(t), 'crash.wav');
  const sink = await openAudioSink(path, AT_ONCE);
  sink.write(FRAME);
  await sink.close();
  const whole = await readFile(path);
  const crashed = Buffer.concat([whole]);
  crashed.writeUInt32LE(0xffff_ffff, 4);
  crashed.writeUInt32LE(0xffff_ffff, 40);
  t.same(decodeWav(crashed).pcm, FRAME, 'the header it has until it is closed');
});

t.test('adding to a file keeps what it holds, and refuses another kind', async (t) => {
  const path = join(await folder(t), 'twice.wav');
  for (let time = 0; time < 2; time += 1) {
    const sink = await openAudioSink(path, { ...AT_ONCE, append: true });
    sink.write(FRAME);
    await sink.close();
  }
  t.equal(decodeWav(await readFile(path)).pcm.length, 320);
  await t.rejects(openAudioSink(path, { ...AT_ONCE, channels: 2, append: true }), {
    code: 'RECORDING_FAILED',
  });
});

t.test('a full disk is told once, and nothing after it is kept', async (t) => {
  const path = join(await folder(t), 'full.raw');
  await promisify(execFile)('ln', ['-s', '/dev/full', path]);
  const sink = await openAudioSink(path, AT_ONCE);
  const failed = failureOf(sink);
  sink.write(FRAME);
  await failed;
  sink.onFailed = () => t.fail('told twice');
  sink.write(FRAME);
  await sink.close();
});

t.test('a FIFO without a reader is refused at once', async (t) => {
  await t.rejects(openAudioSink(await fifo(t), AT_ONCE), {
    code: 'RECORDING_FAILED',
    message: /ENXIO/,
  });
});

t.test('a reader that stalls never holds a write up, and never gets half a sample', async (t) => {
  const path = await fifo(t);
  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const sink = await openAudioSink(path, AT_ONCE);
  const startedAt = performance.now();
  for (let frame = 0; frame < 5_000; frame += 1) sink.write(FRAME); // 1.6 MB; the pipe holds 64 kB
  t.ok(performance.now() - startedAt < 10_000, 'far from the 100 s they last');
  const read = Buffer.alloc(262_144);
  let length = 0;
  const drain = async (): Promise<void> => {
    for (;;) {
      const { bytesRead } = await reader
        .read(read, length, 65_536, null)
        .catch(() => ({ bytesRead: 0 }));
      if (bytesRead === 0) return;
      length += bytesRead;
    }
  };
  await drain();
  const beforeItReads = length;
  for (let frame = 0; frame < 5; frame += 1) sink.write(FRAME);
  await drain();
  t.ok(length > beforeItReads, 'and it goes on when the reader does');
  t.equal(length % 320, 0, 'whole frames');
  for (let at = 0; at < length; at += 320) {
    if (read.readInt16LE(at + 318) !== 1_590) t.fail(`frame at ${at} is shifted`);
  }
  await sink.close();
  await reader.close();
});

t.test('a reader that goes away ends the recording, not the process', async (t) => {
  const path = await fifo(t);
  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const sink = await openAudioSink(path, AT_ONCE);
  await reader.close();
  const failed = failureOf(sink);
  sink.write(FRAME);
  await failed;
  await sink.close();
});

t.test('what is held back for a reader that has gone is no failure at the end', async (t) => {
  const path = await fifo(t);
  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const sink = await openAudioSink(path, { ...AT_ONCE, bufferBytes: 640 });
  let failures = 0;
  sink.onFailed = () => {
    failures += 1;
    void sink.close();
  };
  sink.write(FRAME);
  await reader.close();
  // Closed twice, the descriptor might be somebody else's by then.
  t.equal(sink.close(), sink.close(), 'closed once');
  await sink.close();
  t.equal(failures, 0);
});

t.test('frames are written together once as many bytes are there as are asked for', async (t) => {
  const path = await fifo(t);
  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const sink = await openAudioSink(path, { ...AT_ONCE, bufferBytes: 640 });
  const bytes = Buffer.alloc(2_000);
  const waiting = async (): Promise<number> =>
    (await reader.read(bytes).catch(() => ({ bytesRead: 0 }))).bytesRead;
  const counts: number[] = [];
  for (let written = 0; written < 5; written += 1) {
    sink.write(FRAME.map((sample) => sample - written));
    counts.push(await waiting());
  }
  t.same(counts, [0, 640, 0, 640, 0]);
  t.equal(bytes.readInt16LE(2), 10 - 2, 'little-endian, in order');
  t.equal(bytes.readInt16LE(320), 0 - 3);
  await sink.close();
  t.equal(await waiting(), 320, 'the rest at the end');
  await reader.close();
});

interface MemorySink extends AudioSink {
  readonly frames: Int16Array[];
}

function memorySink(): MemorySink {
  const frames: Int16Array[] = [];
  return {
    frames,
    onFailed: undefined,
    write: (pcm) => frames.push(pcm.slice()),
    close: () => Promise.resolve(),
  };
}

const MONO: RecordingOptions = {
  sides: 'both',
  layout: 'mono',
  preBufferFrames: 0,
  silenceLevel: 0,
  initialSilenceMs: 0,
  finalSilenceMs: 0,
};
const frameOf = (level: number): Int16Array => new Int16Array(160).fill(level);

t.test('two loud sides are cut at the limit, never wrapped round', (t) => {
  const sink = memorySink();
  const recording = new Recording(sink, MONO);
  recording.frame(frameOf(30_000), frameOf(30_000));
  recording.frame(frameOf(-30_000), frameOf(-30_000));
  recording.frame(frameOf(100), frameOf(-300));
  t.same(
    sink.frames.map(([first]) => first),
    [32_767, -32_768, -200],
  );
  t.end();
});

t.test('frames after the first are held back, then written together: none is lost', (t) => {
  const sink = memorySink();
  const recording = new Recording(sink, { ...MONO, preBufferFrames: 25 });
  const written: number[] = [];
  for (let frame = 1; frame <= 30; frame += 1) {
    recording.frame(frameOf(frame), frameOf(0));
    written.push(sink.frames.length);
  }
  t.equal(written[0], 1);
  t.equal(written[25], 1, 'half a second of nothing');
  t.equal(written[26], 27, 'then all of it');
  t.same(
    sink.frames.map(([first]) => first),
    Array.from({ length: 30 }, (_, i) => i + 1),
  );
  t.end();
});

t.test('sides, stereo and its swap', (t) => {
  const table = [
    { options: { sides: 'received' }, expected: [7] },
    { options: { sides: 'sent' }, expected: [9] },
    { options: { layout: 'stereo' }, expected: [7, 9] },
    { options: { layout: 'stereoSwapped' }, expected: [9, 7] },
    { options: { layout: 'stereo', sides: 'received' }, expected: [7, 0] },
  ] as const;
  for (const { options, expected } of table) {
    const sink = memorySink();
    new Recording(sink, { ...MONO, ...options }).frame(frameOf(7), frameOf(9));
    t.same([...(sink.frames[0]?.subarray(0, expected.length) ?? [])], expected);
  }
  t.end();
});

t.test('silence ends a recording: before any speech, and after it', (t) => {
  const options = { ...MONO, silenceLevel: 200, initialSilenceMs: 100, finalSilenceMs: 60 };
  const quiet = new Recording(memorySink(), options);
  const causes: string[] = [];
  quiet.onOver = (cause) => causes.push(cause);
  for (let frame = 0; frame < 5; frame += 1) quiet.frame(frameOf(10), frameOf(0));
  t.same(causes, ['no-input-timeout']);
  const spoken = new Recording(memorySink(), options);
  spoken.onOver = (cause) => causes.push(cause);
  spoken.frame(frameOf(1_000), frameOf(0));
  for (let frame = 0; frame < 3; frame += 1) spoken.frame(frameOf(10), frameOf(0));
  t.same(causes, ['no-input-timeout', 'success-silence']);
  t.end();
});

/** Legs without a network on a clock moved by hand: each says its own level and remembers what it is sent. */
function mixedLegs(levels: readonly number[]) {
  const timers = new ManualTimerWheel();
  const clock = new MediaClock(timers);
  const mixer = new ConferenceMixer(clock);
  const legs = levels.map((level) => {
    const session = { peer: undefined as MediaPeer | undefined };
    const seat = mixer.add(session);
    const heard = new Int16Array(160);
    return {
      seat,
      session,
      say: () => session.peer?.frame(frameOf(level), 'audio'),
      hear: (): number | undefined => {
        session.peer?.read(heard);
        return heard[0];
      },
    };
  });
  /** One frame of everybody, mixed, as each of them is sent it. */
  const round = (): (number | undefined)[] => {
    for (const leg of legs) leg.say();
    timers.advance(20);
    return legs.map((leg) => leg.hear());
  };
  return { mixer, legs, round };
}

t.test('everybody hears the others, not himself; loud ones are cut only at the end', (t) => {
  const { round } = mixedLegs([1_000, 200, 30]);
  t.same(round(), [230, 1_030, 1_200]);
  const loud = mixedLegs([30_000, 30_000, -30_000]);
  t.same(loud.round(), [0, 0, 32_767], 'what was over the limit is subtracted whole');
  t.end();
});

t.test('a whisper: one alone hears the coach; a monitor hears and is not heard', (t) => {
  const { legs, round } = mixedLegs([1_000, 200, 30]);
  const [, customer, coach] = legs;
  customer?.seat.unheard.add((coach as (typeof legs)[number]).seat);
  t.same(round(), [230, 1_000, 1_200], 'nospeak to the customer');
  (coach as (typeof legs)[number]).seat.canSpeak = false;
  t.same(round(), [200, 1_000, 1_200], 'muted');
  (customer as (typeof legs)[number]).seat.canHear = false;
  t.same(round(), [200, 0, 1_200], 'deaf');
  t.end();
});

t.test('a file for all, a file for one, and their ends', (t) => {
  const { mixer, legs, round } = mixedLegs([0, 0]);
  const ends: string[] = [];
  mixer.source = new PcmSource(frameOf(500));
  mixer.onSourceEnd = () => ends.push('all');
  const [first] = legs;
  if (first === undefined) throw new Error('nobody');
  first.seat.source = new PcmSource(frameOf(70));
  first.seat.onSourceEnd = () => ends.push('one');
  t.same(round(), [570, 500]);
  t.same(round(), [0, 0]);
  t.same(ends, ['all', 'one']);
  t.end();
});

t.test('who leaves is heard no more, and the last one stops the clock', (t) => {
  const { mixer, legs, round } = mixedLegs([1_000, 200]);
  round();
  const [first, second] = legs;
  if (first === undefined || second === undefined) throw new Error('nobody');
  mixer.remove(first.seat);
  t.equal(first.session.peer, undefined, 'the leg is free');
  t.same(round()[1], 0);
  mixer.remove(second.seat);
  t.equal(second.session.peer, undefined);
  t.end();
});
