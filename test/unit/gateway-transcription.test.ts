/** Goal: what engines are sent, what is made of their answers, and that no failure tells what was said. */
/* eslint-disable @typescript-eslint/no-deprecated -- the built-in reader of forms will do for a test */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { transcriptionFaults } from '../../config/transcription-faults.ts';
import { CommandTranscriber } from '../../gateway/transcription/command-transcriber.ts';
import { HttpTranscriber } from '../../gateway/transcription/http-transcriber.ts';
import { requireTranscriber } from '../../gateway/transcription/open-transcription.ts';
import { writePieces } from '../../gateway/transcription/spoken-pieces.ts';
import type { SpokenFile } from '../../gateway/transcription/transcriber.port.ts';
import { transcriptionConfig, wavOf } from '../support/speech-to-text.ts';

const KEY = 'sk-never-to-be-seen';

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-transcription-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function spoken(t: Test, more: Partial<SpokenFile> = {}): SpokenFile {
  const path = join(folderOf(t), 'a side.wav');
  writeFileSync(path, wavOf([[500, 1_000]]));
  const { signal } = new AbortController();
  return { path, lengthMs: 1_000, language: 'de-AT', signal, ...more };
}

interface Request {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Never answers. */
  readonly hangs?: boolean;
}

async function endpoint(t: Test, answer: Answer) {
  const asked: Request[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
      if (answer.hangs !== true)
        response.writeHead(answer.status ?? 200, answer.headers).end(answer.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { asked, baseUrl: `http://127.0.0.1:${port}/v1/` };
}

const http = (baseUrl: string, timeoutMs = 20_000) =>
  new HttpTranscriber({
    ...{ baseUrl, model: 'large-v3', responseFormat: 'verbose_json', apiKey: KEY, timeoutMs },
  });

t.test('the endpoint is sent the file, the model, the language and the key', async (t) => {
  const segments = [
    { start: 0.12, end: 0.5, text: ' Grüß  Gott.\n' },
    { start: 0.5, end: 9, text: ' Ja? ' },
    { start: 0.9, end: 1, text: '  ' },
  ];
  const { asked, baseUrl } = await endpoint(t, { body: JSON.stringify({ segments, text: 'x' }) });
  const file = spoken(t);
  t.same(await http(baseUrl).transcribe(file), [
    { startMs: 120, endMs: 500, text: 'Grüß Gott.' },
    { startMs: 500, endMs: 1_000, text: 'Ja?' },
  ]);
  const [request] = asked;
  t.equal(request?.url, '/v1/audio/transcriptions');
  t.equal(request?.headers.authorization, `Bearer ${KEY}`);
  const form = await new Response(new Uint8Array(request?.body ?? []), {
    headers: { 'content-type': request?.headers['content-type'] ?? '' },
  }).formData();
  t.same([form.get('model'), form.get('language')], ['large-v3', 'de']);
  t.equal(form.get('response_format'), 'verbose_json');
  const sent = form.get('file');
  if (!(sent instanceof File)) throw new Error('no file');
  t.match({ name: sent.name, type: sent.type }, { name: /\.wav$/, type: 'audio/wav' });
  t.same(Buffer.from(await sent.arrayBuffer()), readFileSync(file.path));
});

const refusals: readonly (Answer & { mayPass: boolean; retryAfterMs?: number; detail: RegExp })[] =
  [
    { status: 401, mayPass: false, detail: /answered 401/ },
    { status: 413, mayPass: false, detail: /answered 413/ },
    { status: 503, mayPass: true, detail: /answered 503/ },
    {
      ...{ status: 429, headers: { 'retry-after': '7' }, mayPass: true, retryAfterMs: 7_000 },
      detail: /answered 429/,
    },
    { status: 200, body: 'Good evening', mayPass: false, detail: /not JSON/ },
    { status: 200, body: '{"words":"Good evening"}', mayPass: false, detail: /neither text/ },
    { status: 302, headers: { location: 'http://192.0.2.1/' }, mayPass: true, detail: /reached/ },
  ];
for (const { mayPass, retryAfterMs, detail, ...answer } of refusals) {
  t.test(`the endpoint answers ${answer.status} ${answer.body ?? ''}`, async (t) => {
    const { asked, baseUrl } = await endpoint(t, { body: `${KEY} and what was said`, ...answer });
    const error = await http(baseUrl)
      .transcribe(spoken(t))
      .then(
        () => t.fail('it succeeded'),
        (reason: unknown) => reason as Error,
      );
    t.match(error, { name: 'TranscriptionError', mayPass, retryAfterMs, message: detail });
    t.notMatch((error as Error).message, /sk-never|evening|was said/, 'nothing of it is told');
    t.equal(asked.length, 1, 'one request: tries again are the queue’s');
  });
}

t.test('an endpoint that says nothing, or is not there, is given up for now', async (t) => {
  const { baseUrl } = await endpoint(t, { hangs: true });
  await t.rejects(http(baseUrl, 50).transcribe(spoken(t)), {
    ...{ mayPass: true, message: /no answer within 50 ms/ },
  });
  await t.rejects(http('http://127.0.0.1:1/v1').transcribe(spoken(t)), {
    ...{ mayPass: true, message: /cannot be reached/ },
  });
});

const command = (script: string, args: readonly string[] = ['{file}'], timeoutMs = 20_000) =>
  new CommandTranscriber({ command: [process.execPath, '-e', script, ...args], timeoutMs });

t.test('the command is given file and language as they are, and no shell', async (t) => {
  const file = spoken(t, { language: '$(id); {file}' });
  const said = await command(
    'console.log(JSON.stringify({ text: process.argv.slice(1).join("|") }))',
    ['{file}', '--language={language}', '$HOME'],
  ).transcribe(file);
  t.same(said, [{ startMs: 0, endMs: 1_000, text: `${file.path}|--language=$(id); {file}|$HOME` }]);
  t.same(await command('console.log(" Plain\\n text ")').transcribe(file), [
    { startMs: 0, endMs: 1_000, text: 'Plain text' },
  ]);
  t.same(await command('').transcribe(file), [], 'nobody spoke');
});

t.test('a command that fails, hangs, or is not there', async (t) => {
  const file = spoken(t);
  await t.rejects(command('console.error("what was said"); process.exit(3)').transcribe(file), {
    ...{ mayPass: true, message: 'the command ended with exit code 3' },
  });
  await t.rejects(command('setInterval(() => 0, 1e6)', [], 200).transcribe(file), {
    ...{ mayPass: true, message: /longer than 200 ms/ },
  });
  const missing = ['/nowhere/transcribe', '{file}'];
  await t.rejects(new CommandTranscriber({ command: missing, timeoutMs: 1_000 }).transcribe(file), {
    mayPass: false,
    message: /ENOENT/,
  });
  const config = transcriptionConfig({ engine: 'command', command: missing });
  await t.rejects(requireTranscriber(config), { code: 'CONFIG_INVALID' }, 'said at the start');
  await requireTranscriber({ ...config, command: [process.execPath, '{file}'] });
});

t.test(
  'the sides of a call are told apart, cut where it is quiet, and silence is left out',
  async (t) => {
    const folder = folderOf(t);
    const file = join(folder, 'call.wav');
    // Left: 900 ms of speech, 100 ms quiet, 1 s of speech. Right: idle, then a paused stretch.
    const left = [
      [900, 4_000],
      [100, 20],
      [1_000, 4_000],
    ] as const;
    const right = [
      [1_000, 8],
      [1_000, 0],
    ] as const;
    writeFileSync(file, wavOf(left, right));
    const pieces = await writePieces(file, folder, 1_200);
    t.same(
      pieces.map(({ speaker, startMs, lengthMs }) => ({ speaker, startMs, lengthMs })),
      [
        { speaker: 'customer', startMs: 0, lengthMs: 1_000 },
        { speaker: 'customer', startMs: 1_000, lengthMs: 1_000 },
      ],
    );
    const [first] = pieces;
    t.same(
      readFileSync(first?.path ?? ''),
      wavOf([
        [900, 4_000],
        [100, 20],
      ]),
      'sample for sample',
    );
    writeFileSync(file, wavOf([[1_000, 4_000]]));
    t.match(await writePieces(file, folderOf(t)), [{ speaker: null, lengthMs: 1_000 }], 'mono');
    writeFileSync(file, wavOf([]));
    t.same(await writePieces(file, folderOf(t)), [], 'empty');
  },
);

t.test('what is no recording is said so, and no file is left open', async (t) => {
  const folder = folderOf(t);
  await t.rejects(writePieces(join(folder, 'none.wav'), folder), {
    ...{ mayPass: false, message: /ENOENT/ },
  });
  for (const [name, bytes] of [
    ['text', Buffer.from('not a wav file at all, and long enough to be looked at as one')],
    ['short', Buffer.from('RIFF')],
    ['8 bits', (() => wavOf([[10, 5]]).fill(8, 34, 35))()],
  ] as const) {
    const file = join(folder, 'bad.wav');
    writeFileSync(file, bytes);
    await t.rejects(writePieces(file, folder), { mayPass: false, message: /no wav/ }, name);
  }
  const open = readdirSync('/proc/self/fd').length;
  for (let count = 0; count < 20; count += 1) {
    await writePieces(join(folder, 'bad.wav'), folder).catch(() => undefined);
  }
  t.ok(readdirSync('/proc/self/fd').length < open + 10);
});

const faults = [
  { given: { engine: 'off' }, expected: [] },
  { given: { engine: 'http' }, expected: [/empty/] },
  { given: { engine: 'http', baseUrl: 'https://stt.example/v1' }, expected: [] },
  { given: { engine: 'http', baseUrl: 'http://127.0.0.1:9000/v1' }, expected: [] },
  { given: { engine: 'http', baseUrl: 'http://[::1]:9000/v1' }, expected: [] },
  { given: { engine: 'http', baseUrl: 'http://stt.example/v1' }, expected: [/in the clear/] },
  { given: { engine: 'http', baseUrl: 'https://me:pw@stt.example' }, expected: [/credentials/] },
  { given: { engine: 'command' }, expected: [/empty/] },
  { given: { engine: 'command', command: ['whisper', '{file}'] }, expected: [/path/] },
  { given: { engine: 'command', command: ['/bin/whisper'] }, expected: [/no \{file\}/] },
] as const;
for (const { given, expected } of faults) {
  t.test(`the configuration ${JSON.stringify(given)}`, async (t) => {
    const found = transcriptionFaults(transcriptionConfig(given));
    t.match(
      found.map(({ problem }) => problem),
      expected,
    );
    t.equal(found.length, expected.length);
  });
}
