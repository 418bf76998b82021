/** Goal: the service as a new user meets it, and as an operator stops it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runProgram } from '../../cli/program.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import type { Json } from '../support/api-rig.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { ROOT, ServiceProcess } from '../support/service-process.ts';
import { SippFarEnd, type SippMessage } from '../support/sipp.ts';

t.setTimeout(240_000);

t.test('[API-29] the ten calls of the README do what they say', async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, script = ''] = /ten calls: begin -->\s*```sh\n([\s\S]*?)```/.exec(readme) ?? [];
  t.equal(script.match(/^# \d+\./gm)?.length, 10);
  const service = await ServiceProcess.start(t, {
    args: ['--lab'],
    env: { RINGFENCE_DIALER_STOP_GRACE_MS: '500' },
  });
  t.match(service.said, /admin key +rf_/);
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', script], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 100_000,
    env: { ...process.env, API: service.url, KEY: service.key },
  });
  t.equal(status, 0, stderr);
  const lines = stdout.split('\n');
  t.match(lines[0], /^UniqueIdentifier,/, 'the sample');
  const told = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Json);
  t.match(told[0], { fileName: 'contacts.csv' });
  t.match(told[1], { status: 'running', lastSuspension: { type: 'apiAction' } });
  t.ok(Number(told[2]?.['attempts']) >= 5, 'calls were made');
  const events = lines.filter((line) => line.startsWith('data: '));
  t.equal(events.length, 5, 'five were watched');
  for (const line of events) {
    t.match(JSON.parse(line.slice(6)), { type: 'attempt.recorded', payload: { result: String } });
  }
  const health = await fetch(`${service.url}/health/ready`);
  t.match(await health.json(), { status: 'ready' });
  service.signal('SIGTERM');
  t.equal(await service.end(), 0, service.said);
  t.match(service.said, /Ringfence has stopped/);
  t.notMatch(service.said, /\+1206555/, 'no number in what it said');
});

t.test('journeys of a running service are published, looked at and stopped', async (t) => {
  const service = await ServiceProcess.start(t, {
    env: { RINGFENCE_DIALER_STOP_GRACE_MS: '500' },
  });
  const folder = t.testdir({
    'ringfence.yaml': JSON.stringify({ http: { adminKey: service.key } }),
    'keyless.yaml': '{}',
  });
  const file = join(folder, 'welcome.yaml');
  const run = async (...line: string[]) => {
    const terminal = new CapturedTerminal();
    const where = ['--url', service.url, '--config', join(folder, 'ringfence.yaml'), '--json'];
    const exitCode = await runProgram(['journey', ...line, ...where], terminal);
    return { exitCode, json: JSON.parse(terminal.stdout) as Json, said: terminal.stderr };
  };
  const write = (wait: string, more = ''): void => {
    const steps = `- { id: pause, type: wait, for: ${wait}, next: done }\n  - { id: done, type: exit }`;
    const entry = '{ kind: segment, segment: new people, frequency: ongoing }';
    const head = `format: ringfence-journey/1\nname: Welcome\ntimeZone: UTC\n${more}`;
    writeFileSync(file, `${head}entry: ${entry}\nsteps:\n  ${steps}\n`);
  };

  write('1d');
  const faulty = await run('publish', file);
  t.match(faulty, { exitCode: 1, json: { isPublished: false } });
  t.match(faulty.said, `${file}:4:34: /entry/segment: there is no segment 'new people'`);
  t.match(faulty.said, 'nothing was changed');
  t.match(await run('list'), { exitCode: 0, json: { items: [] }, said: /no such journeys/ });
  await service.ask('/v1/segments', { name: 'new people', kind: 'static' });

  const first = await run('publish', file, '--comment', 'The first');
  t.match(first.json, { isPublished: true, state: 'live', liveVersion: 1, isNewVersion: true });
  t.match(first, { exitCode: 0, said: /Welcome \(.*\): version 1 is published; .* is live/ });
  const again = await run('publish', file);
  t.match(again.json, { isPublished: true, liveVersion: 1, isNewVersion: false });
  write('2d');
  t.match((await run('publish', file)).json, { liveVersion: 2, isNewVersion: true });
  t.match((await run('list', '--state', 'live')).json, { items: [{ name: 'Welcome' }] });
  const status = await run('status', 'Welcome');
  t.match(status, { exitCode: 0, said: /version 2: live, 0 entered, 0 inside/ });
  t.match(status.json, { state: 'live', versions: [{ number: 2 }, { number: 1 }] });
  t.notOk('definition' in status.json);

  const id = String(status.json['id']);
  const { version } = await service.ask(`/v1/journeys/${id}`);
  const draft = await fetch(`${service.url}/v1/journeys/${id}/draft`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${service.key}`,
      'content-type': 'application/yaml',
      'if-match': `"${String(version)}"`,
    },
    body: readFileSync(file, 'utf8').replace('2d', '3d'),
  });
  t.equal(draft.status, 200);
  const inTheWay = await run('publish', file);
  t.match(inTheWay, { exitCode: 1, json: { error: { code: 'DRAFT_IN_THE_WAY' } } });
  t.match(inTheWay.said, /--overwrite/);
  t.match((await run('publish', 'Welcome')).json, { liveVersion: 3 }, 'the draft of the service');
  t.match((await run('publish', id)).json, { error: { code: 'JOURNEY_STATE' } });

  t.match(await run('stop', id, '--comment', 'Enough'), { exitCode: 0, said: /stopp/ });
  t.match(await run('stop', id), { exitCode: 1, json: { error: { code: 'JOURNEY_STATE' } } });
  const unknown = await run('stop', 'Nobody');
  t.match(unknown, { exitCode: 1, json: { error: { code: 'NOT_FOUND' } }, said: /journey list/ });
  t.match((await run('list', '--state', 'odd')).json, { error: { code: 'REQUEST_INVALID' } });
  t.match((await run('publish', join(folder, 'none.yaml'))).json, {
    error: { code: 'FILE_UNREADABLE' },
  });
  const keyless = new CapturedTerminal();
  const config = ['--config', join(folder, 'keyless.yaml'), '--url', service.url];
  t.equal(await runProgram(['journey', 'list', ...config], keyless), 1);
  t.match(keyless.stderr, /RINGFENCE_HTTP_ADMIN_KEY/);
  service.signal('SIGTERM');
  t.equal(await service.end(), 0, service.said);
  const gone = await run('list');
  t.match(gone, { exitCode: 1, json: { error: { code: 'SERVICE_UNREACHABLE' } } });
  t.match(gone.said, /ECONNREFUSED/);
});

const LIVE = 20;
/** Longer than it takes to have twenty calls, on a busy machine too. */
const TONE_MS = 9_000;

t.test('SIGTERM during 20 live calls drops none, starts none, and ends the streams', async (t) => {
  const farEnd = await SippFarEnd.start({ scenario: 'answer', pauseMs: 100, echoRtp: false });
  t.teardown(() => farEnd.stop());
  const trunk = { name: 'far', address: farEnd.uri, callerId: '+12025550100' };
  const limits = { channelsMax: 100, callsPerSecondMax: 100 };
  const yaml = JSON.stringify({ gateway: { trunks: [{ ...trunk, ...limits }] } });
  const config = join(t.testdir({ 'ringfence.yaml': yaml }), 'ringfence.yaml');
  const service = await ServiceProcess.start(t, { args: ['--config', config] });
  const made = async (path: string, body: Json) => String((await service.ask(path, body))['id']);
  const workstreamId = await made('/v1/workstreams', {
    ...{ name: 'Tone', trunk: 'far', number: '+12025550100' },
    settings: { prompts: [`tone_stream://%(${TONE_MS},0,440)`] },
  });
  const queueId = await made('/v1/queues', { name: 'Always' });
  const mode = { kind: 'copilot', maxConcurrentCalls: LIVE };
  const engagementId = await made('/v1/engagements', {
    ...{ name: 'Live', workstreamId, queueId, config: { mode }, startsSuspended: true },
  });
  for (let n = 0; n < LIVE + 10; n += 1) {
    const phones = { mobile: `+1206555${String(1_000 + n)}` };
    await made('/v1/tasks', { engagementId, contacts: [{ uniqueIdentifier: `P-${n}`, phones }] });
  }
  const stream = await fetch(`${service.url}/v1/events?types=attempt.recorded`, {
    headers: { authorization: `Bearer ${service.key}` },
  });
  const streamed = stream.text();
  await service.ask(`/v1/engagements/${engagementId}/start`, {});
  await farEnd.untilMessages((seen) => startLines(seen, /^ACK /).size === LIVE, 60_000);
  service.signal('SIGTERM');
  t.equal(await service.end(), 0, service.said);
  const recorded = (await streamed).match(/^event: attempt\.recorded$/gm) ?? [];
  t.equal(recorded.length, LIVE, 'the stream told of each, and then it ended');
  const messages = await farEnd.messages();
  t.equal(startLines(messages, /^INVITE /).size, LIVE, 'no call was started after it');
  const lengths = [...lengthsMs(messages).values()];
  t.equal(lengths.length, LIVE, 'each was hung up by us');
  t.ok(
    Math.min(...lengths) > TONE_MS - 1_000,
    `and not before it was over: ${Math.min(...lengths)} ms`,
  );
  const database = await openSqlite({ file: service.storeFile, nowMs: Date.now });
  t.teardown(() => database.close());
  const attempts = await database.db.selectFrom('attempts').select(['result', 'phase']).execute();
  t.same(
    attempts,
    Array.from({ length: LIVE }, () => ({ result: 'Undetermined', phase: 'ended' })),
  );
  const states = await database.db.selectFrom('tasks').select('state').execute();
  t.equal(states.filter(({ state }) => state === 'ready').length, 10, 'the rest waits');
});

/** Calls whose messages to the far end include such a request. */
function startLines(messages: readonly SippMessage[], request: RegExp): Set<string> {
  const received = messages.filter(
    ({ direction, startLine }) => direction === 'received' && request.test(startLine),
  );
  return new Set(received.map(callIdOf));
}

/** From our ACK to our BYE, by the far end's clock. */
function lengthsMs(messages: readonly SippMessage[]): Map<string, number> {
  const ackAt = new Map<string, number>();
  const lengths = new Map<string, number>();
  for (const message of messages.filter(({ direction }) => direction === 'received')) {
    const id = callIdOf(message);
    if (message.startLine.startsWith('ACK ') && !ackAt.has(id)) ackAt.set(id, message.atMs);
    if (message.startLine.startsWith('BYE ')) lengths.set(id, message.atMs - (ackAt.get(id) ?? 0));
  }
  return lengths;
}

function callIdOf({ text }: SippMessage): string {
  return /^Call-ID: *(.+?)\s*$/im.exec(text)?.[1] ?? '';
}
