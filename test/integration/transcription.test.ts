/** Goal: what a workstream wants in writing is put in writing once, whatever fails or dies meanwhile. */
/* eslint-disable @typescript-eslint/no-deprecated, @typescript-eslint/no-unsafe-class-instance-assignment -- the built-in reader of forms will do for a test */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createKeyIn } from '../../dialer/api-keys/api-keys.ts';
import { systemClock } from '../../dialer/clock.ts';
import { writeRecordings } from '../../dialer/recordings/recordings.ts';
import { requireTranscriberWanted } from '../../dialer/recordings/transcriber-wanted.ts';
import { TranscriptionWork } from '../../dialer/recordings/transcription-work.ts';
import { withoutNumbers } from '../../dialer/recordings/transcripts.ts';
import type { GatewayConfig } from '../../config/gateway.schema.ts';
import { openTranscription } from '../../gateway/transcription/open-transcription.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { RecordingTranscribe } from '../../machines/transcription.ts';
import { ApiRig, type Json } from '../support/api-rig.ts';
import { silentLog } from '../support/silent-log.ts';
import { transcriptionConfig, wavOf } from '../support/speech-to-text.ts';
import { storeTargets } from '../support/store-target.ts';
import { WorkScene } from '../support/work-scene.ts';

t.setTimeout(120_000);

const CUSTOMER_PEAK = 4_000;
const REP_PEAK = 9_000;
const STEREO = wavOf(
  [
    [300, CUSTOMER_PEAK],
    [700, 0],
  ],
  [
    [500, 0],
    [500, REP_PEAK],
  ],
);

/** The gateway's part, on a folder with recordings. */
class Gateway implements TelephonyPort {
  readonly folder: string;
  readonly asked: RecordingTranscribe[] = [];
  inHandMax = 0;
  readonly #desk: ReturnType<typeof openTranscription>;
  readonly #listeners = new Set<(event: TelephonyEvent) => void>();
  #seq = 0;

  constructor(t: Test, given: Parameters<typeof transcriptionConfig>[0]) {
    this.folder = mkdtempSync(join(tmpdir(), 'ringfence-recordings-'));
    const transcription = transcriptionConfig(given);
    const config = { id: 'gateway-1', recordingsDir: this.folder, transcription } as GatewayConfig;
    this.#desk = openTranscription(config, { clock: systemClock, log: silentLog }, (body) => {
      this.#seq += 1;
      const envelope = { gatewayId: 'gateway-1', seq: this.#seq, atMs: Date.now() };
      for (const listener of this.#listeners) listener({ ...envelope, ...body });
    });
    t.teardown(async () => {
      await this.#desk.close();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  async send(command: Parameters<TelephonyPort['send']>[0]) {
    if (command.type !== 'recording.transcribe') throw new Error(command.type);
    this.asked.push(command);
    const reply = this.#desk.take(command);
    this.inHandMax = Math.max(this.inHandMax, this.#desk.inHand);
    return reply;
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Calls of one workstream, in a store that `/v1` stands on too. */
class Calls {
  readonly rig: ApiRig;
  readonly scene: WorkScene;

  static async open(rig: ApiRig, settings: Json = {}): Promise<Calls> {
    const { database, clock, ids } = rig;
    const scene = await WorkScene.open({ database, clock, ids });
    const all = { prompts: ['hello'], recording: true, transcription: true, ...settings };
    await database.db
      .updateTable('workstreams')
      .set({ settings: JSON.stringify(all), language: 'de-AT' })
      .where('business_unit_id', '=', scene.writer.businessUnitId)
      .execute();
    return new Calls(rig, scene);
  }

  private constructor(rig: ApiRig, scene: WorkScene) {
    this.rig = rig;
    this.scene = scene;
  }

  /** Of the unit whose calls they are. */
  key(role: 'read' | 'operate', showsNumbers = false): Promise<string> {
    const input = { name: `${role} ${showsNumbers}`, role, showsNumbers, origin: 'api' } as const;
    const { database } = this.rig;
    return database.db
      .transaction()
      .execute(async (tx) => (await createKeyIn(tx, this.scene.writer, input)).key);
  }

  /** A call whose recording has just ended; told as often as that. */
  async recorded(mobile: string, location: string, told = 1) {
    await this.scene.add([{ phones: { mobile } }]);
    const [start] = (await this.scene.claim(1)).starts;
    if (start === undefined) throw new Error('no call');
    const { attemptId, deliveryId, fence } = start;
    for (let seq = 1; seq <= told; seq += 1) await this.ended(attemptId, location, fence, seq);
    return { attemptId, deliveryId };
  }

  ended(attemptId: string, location: string, fence = 1, seq = 1): Promise<void> {
    const envelope = { attemptId, fence, seq, atMs: Date.now(), recordingId: attemptId };
    const ended = { type: 'recording.ended', ...envelope, location, lengthMs: 1_000 } as const;
    return this.rig.database.db.transaction().execute((tx) => writeRecordings(tx, [ended]));
  }

  work(t: Test, telephony: TelephonyPort, more: Json = {}): TranscriptionWork {
    const settings = { timeoutMs: 20_000, atOnceMax: 2, triesMax: 3, retryDelayMinMs: 10, ...more };
    const work = new TranscriptionWork({
      ...{ database: this.rig.database, telephony, settings, clock: systemClock, log: silentLog },
      ...{ actor: 'dialer:test', storeRetryMs: 20, lookEveryMs: 10 },
    });
    t.teardown(() => work.stop());
    return work;
  }

  async row(attemptId: string) {
    return this.rig.database.db
      .selectFrom('recordings')
      .selectAll()
      .where('attempt_id', '=', attemptId)
      .executeTakeFirstOrThrow();
  }

  /** Once it is so; the test's own limit ends the wait. */
  async until(attemptId: string, transcription: string) {
    for (;;) {
      const row = await this.row(attemptId);
      if (row.transcription === transcription) return row;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  events(attemptId: string) {
    return this.rig.database.db
      .selectFrom('events')
      .select(['type', 'payload', 'actor'])
      .where('stream_id', '=', `attempt:${attemptId}`)
      .where('type', 'like', 'recording.trans%')
      .orderBy('seq')
      .execute();
  }
}

/** Says who it hears by how loud they are. */
async function endpoint(t: Test, statuses: number[]) {
  const languages: ReturnType<FormData['get']>[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const type = request.headers['content-type'] ?? '';
      const form = new Response(new Uint8Array(Buffer.concat(chunks)), {
        headers: { 'content-type': type },
      }).formData();
      void form.then(async (fields) => {
        languages.push(fields.get('language'));
        const wav = Buffer.from(await (fields.get('file') as File).arrayBuffer());
        const isRep = wav.includes(Buffer.from(Int16Array.of(REP_PEAK).buffer));
        const segments = isRep
          ? [{ start: 0.5, end: 0.9, text: 'Guten Abend, unter +43 664 123 4567.' }]
          : [
              { start: 0, end: 0.3, text: 'Hallo?' },
              { start: 0.95, end: 1, text: 'Gut.' },
            ];
        response.writeHead(statuses.shift() ?? 200).end(JSON.stringify({ segments }));
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { languages, baseUrl: `http://127.0.0.1:${port}/v1` };
}

/** A program that reads the header of the wav file it is given. */
const HEADER_READER = `
  const wav = require('node:fs').readFileSync(process.argv[1]);
  const ms = wav.readUInt32LE(40) / wav.readUInt32LE(28) * 1000;
  setTimeout(() => console.log(process.argv[2], wav.readUInt16LE(22), 'channel,', ms, 'ms'), 50);
`;
const COMMAND = {
  engine: 'command',
  command: [process.execPath, '-e', HEADER_READER, '{file}', '{language}'],
};

function transcriptTests(t: Test, rig: ApiRig): void {
  t.test('without the flag nothing is queued; with it a start needs a transcriber', async (t) => {
    const calls = await Calls.open(rig, { transcription: false });
    const { attemptId } = await calls.recorded('+12065550501', 'call.wav');
    t.equal((await calls.row(attemptId)).transcription, null);
    await requireTranscriberWanted(rig.database, false);
    const stream = { name: 'Said', trunk: 'carrier', number: '+12025550100' };
    const settings = { recording: true, transcription: true };
    const wanting = await rig.make('/v1/workstreams', { ...stream, settings });
    await requireTranscriberWanted(rig.database, true);
    await t.rejects(requireTranscriberWanted(rig.database, false), {
      ...{ code: 'CONFIG_INVALID', message: new RegExp(`engine is off.*${wanting}`) },
    });
  });

  t.test('[WS-03] a recorded call is put in writing, by who said what, and shown', async (t) => {
    const { baseUrl, languages } = await endpoint(t, [503]);
    const gateway = new Gateway(t, { engine: 'http', baseUrl });
    const calls = await Calls.open(rig);
    writeFileSync(join(gateway.folder, 'call.wav'), STEREO);
    const { attemptId, deliveryId } = await calls.recorded('+12065550101', 'call.wav');
    t.match(await calls.row(attemptId), { transcription: 'waiting', language: 'de-AT' });
    calls.work(t, gateway).start();
    await calls.until(attemptId, 'done');
    t.same(new Set(languages), new Set(['de']), 'in the language of the workstream');
    const [reader, shower, operator] = await Promise.all([
      ...[calls.key('read'), calls.key('read', true), calls.key('operate')],
    ]);
    const url = `/v1/deliveries/${deliveryId}/transcripts`;
    const turns = [
      { speaker: 'customer', startMs: 0, endMs: 300, text: 'Hallo?' },
      ...[{ speaker: 'representative', startMs: 500, endMs: 900 }],
      { speaker: 'customer', startMs: 950, endMs: 1_000, text: 'Gut.' },
    ];
    const shown = await calls.rig.get(url, shower);
    t.match(shown.body['items'], [{ attemptId, status: 'done', tries: 2, problem: null, turns }]);
    t.match(shown.text, /\+43 664 123 4567/);
    const masked = await calls.rig.get(url, reader);
    t.match(masked.body['items'], [{ turns }]);
    t.match(masked.text, /unter \+43…67\./);
    t.notMatch(masked.text, /4567/, 'no number for who may see none');
    t.match((await calls.rig.get(`/v1/deliveries/${deliveryId}`, reader)).body, {
      recordings: [{ transcription: 'done', location: 'call.wav' }],
    });
    t.equal((await calls.rig.get(url)).status, 404, 'another unit knows nothing of it');
    const events = await calls.events(attemptId);
    t.match(events, [{ type: 'recording.transcribed', actor: 'dialer:test' }]);
    t.same(JSON.parse(events[0]?.payload ?? ''), {
      ...{ recordingId: attemptId, language: 'de-AT', turns: 3, tries: 2 },
    });
    await calls.ended(attemptId, 'call.wav', 1, 9);
    t.match(await calls.row(attemptId), { transcription: 'done' }, 'told again, it stays');
    t.match(await calls.rig.ask({ method: 'DELETE', url, key: reader ?? null }), { status: 403 });
    t.match(await calls.rig.ask({ method: 'DELETE', url, key: operator ?? null }), {
      ...{ status: 200, body: { items: [{ status: 'erased', turns: [] }] } },
    });
    t.equal((await calls.row(attemptId)).transcript, null);
    await calls.ended(attemptId, 'call.wav', 1, 10);
    t.match(await calls.row(attemptId), { transcription: 'erased' });
  });

  t.test('[WS-03] a program beside the gateway, once per recording, one at a time', async (t) => {
    const gateway = new Gateway(t, { ...COMMAND, atOnceMax: 2 });
    const calls = await Calls.open(rig);
    writeFileSync(join(gateway.folder, 'mono.wav'), wavOf([[250, CUSTOMER_PEAK]]));
    const attempts = [];
    for (const n of [1, 2, 3]) {
      attempts.push((await calls.recorded(`+1206555020${n}`, 'mono.wav', 2)).attemptId);
    }
    calls.work(t, gateway, { atOnceMax: 1 }).start();
    for (const attemptId of attempts) {
      const row = await calls.until(attemptId, 'done');
      t.same(JSON.parse(row.transcript ?? ''), [
        { speaker: null, startMs: 0, endMs: 250, text: 'de-AT 1 channel, 250 ms' },
      ]);
      t.equal((await calls.events(attemptId)).length, 1);
    }
    t.equal(gateway.asked.length, 3, 'each once, however often its end was told');
    t.equal(gateway.inHandMax, 1);
  });

  t.test(
    'what another process had asked for is asked for again, and what failed is said',
    async (t) => {
      const gateway = new Gateway(t, COMMAND);
      const calls = await Calls.open(rig);
      writeFileSync(join(gateway.folder, 'mono.wav'), wavOf([[250, CUSTOMER_PEAK]]));
      const { attemptId } = await calls.recorded('+12065550301', 'mono.wav');
      // It takes what it is asked, and dies with the process that asked.
      const dying = {
        send: async () => ({ accepted: true }) as const,
        subscribe: () => () => undefined,
      };
      const before = calls.work(t, dying);
      before.start();
      await calls.until(attemptId, 'asked');
      await before.stop();
      const gone = await calls.recorded('+12065550302', 'gone.wav');
      const silent = (await calls.recorded('+12065550303', 'mono.wav')).attemptId;
      await calls.rig.database.db
        .updateTable('recordings')
        .set({ transcription: 'asked', transcription_tries: 3 })
        .where('attempt_id', '=', silent)
        .execute();
      calls.work(t, gateway).start();
      t.match(await calls.until(attemptId, 'done'), { transcription_tries: 2 });
      t.match(await calls.until(gone.attemptId, 'failed'), {
        ...{ transcript: null, transcription_tries: 1, transcription_problem: /ENOENT/ },
      });
      t.match(await calls.events(gone.attemptId), [{ type: 'recording.transcriptionFailed' }]);
      const url = `/v1/deliveries/${gone.deliveryId}/transcripts`;
      t.match((await calls.rig.get(url, await calls.key('read'))).body['items'], [
        { status: 'failed', problem: /cannot be read/, turns: [] },
      ]);
      t.match(await calls.until(silent, 'failed'), { transcription_problem: /no word/ });
    },
  );

  t.test(
    'tries come to an end; a gateway that refuses is waited for, and that is no try',
    async (t) => {
      const calls = await Calls.open(rig);
      const failing = new Gateway(t, { ...COMMAND, command: ['/bin/false', '{file}'] });
      writeFileSync(join(failing.folder, 'mono.wav'), wavOf([[250, CUSTOMER_PEAK]]));
      const { attemptId } = await calls.recorded('+12065550401', 'mono.wav');
      const off = calls.work(t, new Gateway(t, { engine: 'off' }));
      off.start();
      for (;;) if ((await calls.row(attemptId)).transcription_problem !== null) break;
      await off.stop();
      t.match(await calls.row(attemptId), {
        ...{ transcription: 'waiting', transcription_tries: 0 },
        transcription_problem: /BAD_STATE: no transcriber is configured/,
      });
      calls.work(t, failing).start();
      t.match(await calls.until(attemptId, 'failed'), {
        ...{ transcription_tries: 3, transcription_problem: /exit code 1/ },
      });
      t.equal(failing.asked.length, 3);
    },
  );
}

const targets = await storeTargets(t);
for (const target of targets) {
  t.test(target.name, async (t) => {
    transcriptTests(t, await ApiRig.open(t, target.place(t), { hasTranscriber: true }));
  });
}

t.test('the flag is refused where it is set while nothing transcribes', async (t) => {
  const rig = await ApiRig.open(t, targets[0].place(t));
  const url = '/v1/workstreams';
  const stream = { name: 'Said', trunk: 'carrier', number: '+12025550100' };
  const wish = { recording: true, transcription: true };
  const refusal = { status: 400, body: { detail: /no transcriber is configured/ } };
  t.match(await rig.post(url, { ...stream, settings: wish }), refusal);
  t.match(await rig.post(url, { ...stream, settings: { transcription: true } }), {
    ...{ status: 400, body: { detail: /needs settings.recording/ } },
  });
  t.match((await rig.get(url)).body, { items: [] }, 'and nothing was made');
  const id = await rig.make(url, { ...stream, settings: { recording: true } });
  const headers = { 'if-match': '"1"' };
  const patch = { method: 'PATCH', url: `${url}/${id}`, headers } as const;
  t.match(await rig.ask({ ...patch, body: { settings: wish } }), refusal);
  t.match((await rig.get(`${url}/${id}`)).body, { settings: { transcription: false } });
});

const texts = [
  { name: 'with a plus', given: 'Call +43 664 123-4567!', expected: 'Call +43…67!' },
  { name: 'as it is said', given: 'it is 206 555 01 23, yes', expected: 'it is …23, yes' },
  { name: 'in one', given: '2065550123', expected: '…23' },
  { name: 'prices and hours stay', given: '1200 euros at 10:30', expected: '1200 euros at 10:30' },
];
for (const { name, given, expected } of texts) {
  t.test(`numbers in what was said: ${name}`, async (t) => {
    t.equal(withoutNumbers(given), expected);
  });
}
