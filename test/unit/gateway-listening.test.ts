/**
 * Goal: what customers say reaches the detectors of the moment, and nothing else does; what is to be
 * spoken is made once; and how well a line was is read from what the media server counted.
 */
import { closeSync, constants, createWriteStream, openSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { Value } from 'typebox/value';
import { SpeechConfig } from '../../config/speech.schema.ts';
import type { AudioTapFactory, OnAudio } from '../../gateway/audio-taps/audio-tap.port.ts';
import type { DetectorEvent } from '../../gateway/amd/answer-detector.ts';
import type { Detectors } from '../../gateway/audio-taps/detectors.port.ts';
import { FifoReader } from '../../gateway/audio-taps/fifo-reader.ts';
import { FifoStock } from '../../gateway/audio-taps/fifo-stock.ts';
import type { Heard } from '../../gateway/audio-taps/listening.port.ts';
import { ListeningRoom } from '../../gateway/audio-taps/listening-room.ts';
import { ListeningThread } from '../../gateway/audio-taps/listening-thread.ts';
import { VoiceActivity } from '../../gateway/audio-taps/voice-activity.ts';
import { askQuality } from '../../gateway/media/call-quality.ts';
import { MediaFiles } from '../../gateway/media/media-files.ts';
import { promptFiles } from '../../gateway/media/prompts.ts';
import { AnswerMeasure } from '../../gateway/metrics/measure-answers.ts';
import { voicesIn } from '../../gateway/speech/espeak-voices.ts';
import { GatewaySpeech } from '../../gateway/speech/gateway-speech.ts';
import { openSpeech } from '../../gateway/speech/open-speech.ts';
import { spokenPrompt } from '../../gateway/speech/spoken-prompt.ts';
import type { Meter } from '../../machines/meter.port.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import { decodeWav } from '../../softswitch/media/wav.ts';
import { joined, silence, toneOf } from '../support/recorded-audio.ts';
import { silentLog } from '../support/silent-log.ts';

const FRAME_SAMPLES = 160;

function framesOf(pcm: Int16Array): Int16Array[] {
  return Array.from({ length: Math.floor(pcm.length / FRAME_SAMPLES) }, (_, i) =>
    pcm.slice(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES),
  );
}

/** Changes as `speaking at ms`, by when the change itself was. */
function changes(pcm: Int16Array): string[] {
  const voice = new VoiceActivity();
  return framesOf(pcm).flatMap((frame, index) => {
    const change = voice.feed(frame);
    if (change === undefined) return [];
    return [`${change.speaking ? 'voice' : 'quiet'} ${(index + 1) * 20 - change.agoMs}`];
  });
}

t.test('voice begins and ends when it does, and gaps between words are none', async (t) => {
  const word = toneOf([300, 900], 400);
  t.same(changes(joined(silence(500), word, silence(200), word, silence(1_000))), [
    'quiet 0',
    'voice 500',
    'quiet 1500',
  ]);
  const click = toneOf([700], 40);
  t.same(changes(joined(silence(500), click, silence(500))), ['quiet 0'], 'a click is no voice');
  const echo = word.map((sample) => Math.round(sample / 8));
  const twoSpeakers = joined(silence(500), word, word, silence(600), echo, echo, silence(500));
  t.same(changes(twoSpeakers), ['quiet 0', 'voice 500', 'quiet 1300'], '18 dB quieter is an echo');
});

/** A tap and detectors that the test speaks for. */
class Scene {
  onAudio: OnAudio = () => undefined;
  readonly heard: Heard[] = [];
  readonly fed: string[] = [];
  stops = 0;
  tapProblem: Error | undefined;
  answerEvents: DetectorEvent[] = [];
  readonly room = new ListeningRoom(this.#taps(), this.#detectors());

  listen() {
    const channel = { channelId: 'c', api: never, message: never };
    return this.room.listen(channel, (heard) => this.heard.push(heard));
  }

  #taps(): AudioTapFactory {
    const capabilities = {
      ...{ survivesPlayback: true, survivesBridge: true, reachesOtherHosts: false },
    };
    return {
      capabilities,
      start: (_channel, onAudio) => {
        if (this.tapProblem !== undefined) return Promise.reject(this.tapProblem);
        this.onAudio = onAudio;
        const stop = (): Promise<void> => {
          this.stops += 1;
          return Promise.resolve();
        };
        return Promise.resolve({ capabilities, stop });
      },
    };
  }

  #detectors(): Detectors {
    const note = (what: string): void => void this.fed.push(what);
    return {
      answer: () => ({
        feed: () => {
          note('answer');
          return this.answerEvents.splice(0);
        },
        lost: () => {
          note('lost');
          return [];
        },
      }),
      earlyMedia: () => ({
        feed: () => {
          note('early');
          return 'busy';
        },
      }),
      digits: () => ({
        feed: () => {
          note('digits');
          return { digit: '5', durationMs: 80 };
        },
      }),
    };
  }
}

function never(): Promise<string> {
  return Promise.reject(new Error('not in this test'));
}

t.test('frames go to what is listened for now, and what is told says how long ago', async (t) => {
  const scene = new Scene();
  const frame = silence(20);
  const listening = scene.listen();
  scene.onAudio(frame);
  t.same(scene.fed, [], 'nothing was ordered');
  listening.order({ earlyMedia: true });
  scene.onAudio(frame);
  scene.onAudio(undefined);
  t.same(scene.fed.splice(0), ['early'], 'a frame that did not come is no tone');
  t.same(scene.heard.splice(0), [{ type: 'earlyMedia', verdict: 'busy' }]);
  listening.order({ answer: { limitMs: 3_000, initialSilenceMs: 2_500 } });
  scene.onAudio(frame);
  scene.onAudio(undefined);
  listening.order({ answer: { limitMs: 3_000, initialSilenceMs: 2_500 }, digits: true });
  scene.answerEvents = [{ type: 'greetingEnded', atMs: 20, decidedAtMs: 60 }];
  scene.onAudio(frame);
  t.same(scene.fed, ['answer', 'lost', 'answer', 'digits'], 'the answer’s detector goes on');
  t.same(scene.heard, [
    { type: 'greetingEnded', agoMs: 40 },
    { type: 'digit', digit: '5', durationMs: 80 },
  ]);
  listening.stop();
  listening.stop();
  scene.onAudio(frame);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(scene.heard.length, 2, 'nothing is told after the end');
  t.equal(scene.stops, 1);
});

t.test('a tap that cannot be had is told as deafness, once', async (t) => {
  const scene = new Scene();
  scene.tapProblem = new Error('uuid_record: -ERR');
  scene.listen();
  await new Promise((resolve) => setImmediate(resolve));
  t.same(scene.heard, [{ type: 'deaf', problem: 'uuid_record: -ERR' }]);
});

t.test('a thread hears what is written to its FIFO, and tells the digit in it', async (t) => {
  const folder = t.testdir();
  const thread = new ListeningThread({ kind: 'recordFifo', folder }, silentLog);
  t.teardown(() => thread.close());
  await thread.ready;
  const commands: string[] = [];
  const pcm = joined(silence(200), toneOf([852, 1_477], 120), silence(200));
  const channel = {
    channelId: 'channel-1',
    message: never,
    api: (command: string, args: string): Promise<string> => {
      commands.push(`${command} ${args.split(' ')[1] ?? ''}`);
      const path = args.split(' ')[2] ?? '';
      // In pieces that are no frames, as a pipe hands them over.
      const bytes = Buffer.from(pcm.buffer);
      const fifo = createWriteStream(path);
      for (let at = 0; at < bytes.length; at += 500) fifo.write(bytes.subarray(at, at + 500));
      return Promise.resolve('+OK Success\n');
    },
  };
  const digit = new Promise<Heard>((resolve) => {
    thread.listen(channel, resolve).order({ digits: true });
  });
  t.match(await digit, { type: 'digit', digit: '9' });
  t.same(commands, ['uuid_record start']);
  t.ok((await readdir(folder)).length > 1, 'more FIFOs are ready than are used');
  const refused = { ...channel, api: () => Promise.resolve('-ERR Cannot record session!\n') };
  const deaf = await new Promise<Heard>((resolve) => thread.listen(refused, resolve));
  t.match(deaf, { type: 'deaf', problem: /Cannot record/ });
  const lost = new Promise<Heard>((resolve) => {
    const silent = { ...channel, api: () => new Promise<string>(() => undefined) };
    thread.listen(silent, resolve).order({ digits: true });
  });
  await thread.close();
  t.equal(await Promise.race([lost, Promise.resolve('nothing')]), 'nothing', 'closed is not lost');
});

const PROMPTS: Record<string, object | undefined> = {
  'say:en-US:Hello,  world': { locale: 'en-US', text: 'Hello, world' },
  'say:de:Guten Tag: wir sind es': { locale: 'de', text: 'Guten Tag: wir sind es' },
  'say:en-US: ': undefined,
  'say::text': undefined,
  'say:../etc:x': undefined,
  [`say:en:${'x'.repeat(2_001)}`]: undefined,
  welcome: undefined,
};
for (const [prompt, expected] of Object.entries(PROMPTS)) {
  t.test(`what is spoken: ${prompt.slice(0, 30)}`, async (t) => {
    t.same(spokenPrompt(prompt), expected);
  });
}

const VOICES = `Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  de              --/M      German             gmw/de
 2  en-gb           --/M      English_(GB)       gmw/en               (en 2)
 5  en-us           --/M      English_(America)  gmw/en-US            (en 3)
`;

/** A process that is being started has our descriptors, too, until it is another program. */
async function untilClosed(fd: number, bytes: Uint8Array): Promise<void> {
  for (;;) {
    try {
      writeSync(fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') return;
      throw error;
    }
    await turn();
  }
}

t.test('FIFOs are read side by side, frame by frame however they are written', async (t) => {
  const stock = new FifoStock(t.testdir());
  const paths = [await stock.take(), await stock.take()] as const;
  const reader = new FifoReader(2);
  const heard: string[] = [];
  let onNews: () => void = () => undefined;
  const stops = paths.map((path, index) =>
    reader.open(path, (pcm) => {
      heard.push(`${index} ${pcm?.[0]} ${pcm?.at(-1)}`);
      onNews();
    }),
  );
  const writers = paths.map((path) => openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  const write = (index: number, bytes: Uint8Array): void => {
    t.equal(writeSync(writers[index] as number, bytes), bytes.length);
  };
  const until = async (count: number): Promise<void> => {
    while (heard.length < count) await new Promise<void>((done) => (onNews = done));
  };
  const frames = (...values: number[]): Buffer => {
    const pcm = values.flatMap((value) => new Array<number>(FRAME_SAMPLES).fill(value));
    return Buffer.from(Int16Array.from(pcm).buffer);
  };
  write(0, frames(1, -2));
  write(1, frames(3));
  await until(3);
  t.same(heard.splice(0).sort(), ['0 -2 -2', '0 1 1', '1 3 3']);
  const two = frames(-300, 400);
  write(0, two.subarray(0, 101));
  write(1, frames(5));
  await until(1);
  t.same(heard.splice(0), ['1 5 5'], 'a part of a frame is none');
  write(0, two.subarray(101, 601));
  await until(1);
  t.same(heard.splice(0), ['0 -300 -300']);
  write(0, Buffer.concat([two.subarray(601), frames(...Array.from({ length: 40 }, (_, i) => i))]));
  await until(41);
  t.same(heard.splice(0), ['0 400 400', ...Array.from({ length: 40 }, (_, i) => `0 ${i} ${i}`)]);
  stops[0]?.();
  stops[0]?.();
  await untilClosed(writers[0] as number, frames(6));
  write(1, frames(7));
  await until(1);
  t.same(heard.splice(0), ['1 7 7'], 'the other goes on');
  stops[1]?.();
  const again = await stock.take();
  const stop = reader.open(again, (pcm) => {
    heard.push(`again ${pcm?.[0]}`);
    stop();
    onNews();
  });
  const writer = openSync(again, constants.O_WRONLY | constants.O_NONBLOCK);
  writeSync(writer, frames(8, 9));
  await until(1);
  t.same(heard, ['again 8'], 'who has stopped hears no more, not even what was read already');
  for (const fd of [...writers, writer]) closeSync(fd);
});

t.test('voices are found by locale, else by language', async (t) => {
  const voices = voicesIn(VOICES);
  t.equal(voices.get('en-us'), 'en-us');
  t.equal(voices.get('de'), 'de');
  t.equal(voices.get('en'), 'en-gb', 'the first of its language');
  t.equal(voices.get('fr'), undefined);
});

function speechConfig(given: object): SpeechConfig {
  return Value.Parse(SpeechConfig, Value.Default(SpeechConfig, given));
}

t.test('a voice that must be there and is not is an error that says what to do', async (t) => {
  const config = speechConfig({ engine: 'espeakNg', locales: ['en-US', 'xx-YY'] });
  await t.rejects(openSpeech(config, silentLog), {
    code: 'CONFIG_INVALID',
    message: /no voice for xx-YY; `espeak-ng --voices`.*wav files/,
  });
  const flite = speechConfig({ engine: 'freeswitch', locales: ['de-DE'] });
  await t.rejects(openSpeech(flite, silentLog), {
    message: /no voice for de-DE.*freeswitchVoices/,
  });
  const off = speechConfig({ engine: 'off', locales: ['en'] });
  await t.rejects(new GatewaySpeech(off, silentLog).check(), { message: /engine is off/ });
  await new GatewaySpeech(speechConfig({ engine: 'off' }), silentLog).check();
});

t.test('a text is spoken once, and offered to the media server as a file', async (t) => {
  const folders = t.testdir({ cache: {}, prompts: {} });
  const [cacheDir, promptsDir] = [join(folders, 'cache'), join(folders, 'prompts')];
  const speech = new GatewaySpeech(speechConfig({ cacheDir }), silentLog);
  const files = new MediaFiles({ host: '127.0.0.1', port: 0, promptsDir, speech });
  t.teardown(() => files.close());
  await files.listening;
  const prompt = 'say:en-US:Press nine to opt out.';
  const [url = '', again] = await Promise.all([
    files.prompts.locate(prompt),
    files.prompts.locate(prompt),
  ]);
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/speech\/[0-9a-f]{64}\.wav$/);
  t.equal(again, url);
  t.equal((await readdir(cacheDir)).length, 1, 'made once');
  const response = await fetch(url);
  t.equal(response.status, 200);
  const { pcm } = decodeWav(new Uint8Array(await response.arrayBuffer()));
  t.ok(pcm.length > 8_000, 'a second of it at least');
  t.ok(
    pcm.some((sample) => Math.abs(sample) > 2_000),
    'that can be heard',
  );
  const other = url.replace(/[0-9a-f]{64}/, '0'.repeat(64));
  t.equal((await fetch(other)).status, 404);
  t.equal((await fetch(url.replace(/speech.*/, 'speech/..%2Fx.wav'))).status, 404);
  t.equal(await files.prompts.locate('say:xx-YY:nobody speaks this'), undefined);
  t.match(await files.prompts.locate('welcome'), /\/prompts\/missing\/welcome\.wav$/);
});

t.test('the media server’s own engine is told what to say, and no more', async (t) => {
  const speech = new GatewaySpeech(speechConfig({ engine: 'freeswitch' }), silentLog);
  const prompts = promptFiles('/prompts', () => 'http://gateway', speech);
  const said = await prompts.locate('say:en-US:Call ${us}|now');
  t.equal(said, 'speak:flite|slt|Call  {us},now');
});

function channelWith(body: string) {
  return {
    uuid: 'u',
    api: () => Promise.resolve({ getHeader: () => undefined, getBody: () => body }),
  };
}

t.test('the quality of a line is read from the media server’s variables', async (t) => {
  const counted = {
    variable_rtp_audio_in_media_packet_count: '970',
    variable_rtp_audio_in_quality_percentage: '97.00',
    variable_rtp_audio_in_jitter_max_variance: '36.00',
  };
  const quality = await askQuality(channelWith(JSON.stringify(counted)));
  t.match(quality, { packets: 970, jitterMs: 6 });
  t.ok(Math.abs((quality?.lossRatio ?? 0) - 0.03) < 1e-9);
  t.equal(await askQuality(channelWith('-ERR No such channel!\n')), undefined);
  t.equal(await askQuality(channelWith('{}')), undefined, 'nothing was received');
});

t.test('answers are measured: verdicts, delays, messages, opt-outs, lines', async (t) => {
  const told: string[] = [];
  const meter: Meter = {
    register: () => undefined,
    onScrape: () => undefined,
    add: ({ name }, labels) => told.push(`${name} ${Object.values(labels).join()}`),
    observe: ({ name }, labels, value) =>
      told.push(`${name} ${Object.values(labels).join()} ${value}`),
  };
  const measure = new AnswerMeasure(meter);
  const envelope = { attemptId: 'a', fence: 1, seq: 1, atMs: 0 };
  const events: TelephonyEvent[] = [
    {
      ...{ type: 'attempt.classified', ...envelope, verdict: 'human', humanProbability: 0.9 },
      ...{ afterAnswerMs: 1_250, evidence: {} },
    },
    {
      ...{ type: 'attempt.earlyMedia', ...envelope, statusCode: 183, afterSentMs: 5 },
      verdict: null,
    },
    {
      ...{ type: 'attempt.connected', ...envelope, connectId: 'c', target: 'lobby' },
      ...{ afterAnswerMs: 1_400, afterGreetingEndMs: -80 },
    },
    { type: 'attempt.connectFailed', ...envelope, connectId: null, reason: 'failsafe', detail: '' },
    { type: 'attempt.played', ...envelope, playId: 'failsafe', status: 'done', playedMs: 3_000 },
    { type: 'attempt.optOut', ...envelope, digit: '9', source: 'inband', playId: null },
  ];
  for (const event of events) measure.hear(event);
  measure.quality('carrier', { packets: 100, lossRatio: 0.02, jitterMs: 4 });
  t.same(told, [
    'gateway_answers_classified_total human',
    'gateway_answer_verdict_seconds human 1.25',
    'gateway_connect_delay_seconds lobby 0',
    'gateway_connects_failed_total failsafe',
    'gateway_plays_total done',
    'gateway_opt_outs_total inband',
    'gateway_rtp_loss_ratio carrier 0.02',
    'gateway_rtp_jitter_seconds carrier 0.004',
  ]);
});
