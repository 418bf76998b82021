/**
 * Prompts and recordings between hosts that share no disk: the gateway's own HTTP server on one side,
 * FreeSWITCH (mod_httapi) or the embedded switch on the other.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MediaFiles } from '../../gateway/media/media-files.ts';
import { decodeWav, encodeWav } from '../../softswitch/media/wav.ts';
import { mediaContract, type MediaTarget } from '../support/media-target.ts';
import { eventOf, stage } from '../support/media-stage.ts';

interface Shelf {
  readonly files: MediaFiles;
  readonly folder: string;
  readonly base: string;
  readonly put: (name: string, frequencyHz: number, changedAtMs?: number) => Promise<void>;
}

async function shelf(t: Test, target: MediaTarget): Promise<Shelf> {
  const folder = await mkdtemp(join(tmpdir(), 'ringfence-files-'));
  const host = target.esl.ourHost ?? '127.0.0.1';
  const files = new MediaFiles({ host, port: 0, promptsDir: folder });
  await files.listening;
  t.teardown(async () => {
    await files.close();
    await rm(folder, { recursive: true });
  });
  const base = new URL(files.prompts.resolve('any') ?? '').origin;
  const put = async (name: string, frequencyHz: number, changedAtMs = 1_000_000) => {
    const pcm = Int16Array.from({ length: 600 * 8 }, (_, i) =>
      Math.round(8_000 * Math.sin((2 * Math.PI * frequencyHz * i) / 8_000)),
    );
    const path = join(folder, `${name}.wav`);
    await writeFile(path, encodeWav(pcm));
    await utimes(path, changedAtMs / 1_000, changedAtMs / 1_000);
  };
  return { files, folder, base, put };
}

await mediaContract((t, target) => {
  t.test('a prompt is read from the gateway, once for all calls', async (t) => {
    const { leg } = await stage(t, target);
    const { files, put, folder } = await shelf(t, target);
    await put('welcome', 1_000);
    const url = files.prompts.resolve('welcome') ?? '';
    const first = await leg();
    const started = once(first.endpoint, 'playback-start') as Promise<[{ file: string }]>;
    const played = await first.endpoint.play(url);
    t.match(played, { playbackMilliseconds: '600', playbackLastOffsetPos: '4800' });
    t.same(await started, [{ file: url }]);
    await first.far.until(() => first.far.audioPackets >= 30, '600 ms of audio');
    t.ok(first.far.heard(1_000));
    await rm(join(folder, 'welcome.wav'));
    const second = await leg();
    await Promise.all([second.endpoint.play(url), second.far.hears(1_000)]);
    await Promise.all([first.endpoint.destroy(), second.endpoint.destroy()]);
  });

  t.test('a changed prompt is another file; one in a list is played in its turn', async (t) => {
    const { leg } = await stage(t, target);
    const { files, put } = await shelf(t, target);
    await put('notice', 700);
    const { endpoint, far } = await leg();
    const url = () => files.prompts.resolve('notice') ?? '';
    const [before] = [url(), await endpoint.play(url())];
    t.ok(far.heard(700));
    await put('notice', 1_100, 2_000_000);
    t.not(url(), before);
    await Promise.all([endpoint.play(['silence_stream://40', url()]), far.hears(1_100)]);
    await endpoint.destroy();
  });

  t.test('a prompt that is not there is an error, and the channel stays', async (t) => {
    const { leg } = await stage(t, target);
    const { files } = await shelf(t, target);
    const { endpoint } = await leg();
    await t.rejects(endpoint.play(files.prompts.resolve('nobody') ?? ''), /File Not Found/);
    await endpoint.play('silence_stream://20');
    await endpoint.destroy();
  });

  t.test('a recording is delivered to the gateway when it ends', async (t) => {
    const { leg, mrf } = await stage(t, target);
    const { files, folder } = await shelf(t, target);
    const path = join(folder, 'call-1.wav');
    const expected = files.expectRecording(path);
    const { endpoint, far } = await leg();
    endpoint.conn.subscribe('RECORD_STOP');
    far.speak(700);
    await endpoint.play('silence_stream://100');
    t.match(await mrf.api(`uuid_record ${endpoint.uuid} start ${expected.url}`), /^\+OK/);
    await endpoint.play('silence_stream://1000');
    const stopped = eventOf(endpoint, 'RECORD_STOP');
    t.match(await mrf.api(`uuid_record ${endpoint.uuid} stop ${expected.url}`), /^\+OK/);
    const bytes = await expected.arrived;
    t.equal((await stopped).getHeader('Record-File-Path'), expected.url);
    const { pcm } = decodeWav(await readFile(path));
    t.equal(bytes, (await readFile(path)).length);
    t.ok(pcm.length >= 800 * 8 && pcm.length <= 1_500 * 8, `${pcm.length / 8} ms`);
    t.ok(Math.max(...pcm.subarray(pcm.length / 2)) > 2_000, 'and the far end is heard in it');
    await endpoint.destroy();
  });

  t.test('the hang-up ends a recording, and it is delivered all the same', async (t) => {
    const { leg, mrf } = await stage(t, target);
    const { files, folder } = await shelf(t, target);
    const expected = files.expectRecording(join(folder, 'call-2.wav'));
    const { endpoint, far } = await leg();
    far.speak(700);
    await mrf.api(`uuid_record ${endpoint.uuid} start ${expected.url}`);
    await endpoint.play('silence_stream://500');
    await endpoint.destroy();
    t.ok((await expected.arrived) > 3_000 * 2);
    t.same(await readdir(folder), ['call-2.wav'], 'nothing else is left in the folder');
  });
  return Promise.resolve();
});

t.test('nothing but prompts is given, and nothing taken that is not expected', async (t) => {
  const target = { esl: {} } as MediaTarget;
  const { files, folder, base, put } = await shelf(t, target);
  await put('welcome', 700);
  await writeFile(join(folder, '..', 'ringfence-secret.wav'), 'secret');
  t.teardown(() => rm(join(folder, '..', 'ringfence-secret.wav'), { force: true }));
  const status = async (path: string, init?: RequestInit) =>
    (await fetch(`${base}${path}`, init)).status;
  const url = new URL(files.prompts.resolve('welcome') ?? '').pathname;
  t.equal(await status(url), 200);
  t.equal(await status(url, { method: 'HEAD' }), 200);
  for (const path of [
    '/',
    '/prompts/',
    '/prompts/missing/welcome.wav',
    url.replace('welcome', '..%2Fringfence-secret'),
    url.replace('welcome', '.hidden'),
    `${url}.bak`,
    '/recordings/x.wav',
  ]) {
    t.equal(await status(path), 404, path);
  }
  t.equal(await status(url, { method: 'POST', body: 'x' }), 405);
  t.equal(await status(url, { method: 'DELETE' }), 405);
  const put2 = { method: 'PUT', body: 'RIFF' };
  t.equal(await status('/recordings/00000000-0000-4000-8000-000000000000.wav', put2), 404);
  t.equal(await status(url, put2), 404, 'a prompt is never overwritten');

  const expected = files.expectRecording(join(folder, 'taken.wav'));
  const { pathname } = new URL(expected.url);
  t.equal(await status(`${pathname}?session_id=x`, put2), 201);
  t.equal(await status(pathname, put2), 404, 'a URL is good for one delivery');
  t.equal(await expected.arrived, 4);

  const unwritable = files.expectRecording(join(folder, 'no', 'such', 'folder.wav'));
  t.equal(await status(new URL(unwritable.url).pathname, put2), 500);
  await t.rejects(unwritable.arrived, { code: 'ENOENT' });
  const forgotten = files.expectRecording(join(folder, 'forgotten.wav'));
  forgotten.forget();
  t.equal(await status(new URL(forgotten.url).pathname, put2), 404);

  const { port } = new URL(base);
  const second = new MediaFiles({ host: '127.0.0.1', port: Number(port), promptsDir: folder });
  await t.rejects(second.listening, { code: 'MEDIA_CONNECT_FAILED' });
  await second.close();
});
