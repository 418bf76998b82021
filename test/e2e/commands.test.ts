/**
 * Goal: what the commands say is what happened. The demo agrees with the lab's number plan for every
 * contact, and with a far end that knows nothing of us: as many Call-IDs as attempts, as many INVITE
 * transactions as invites, and every call ended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { DemoReport } from '../../cli/demo/demo-report.ts';
import { planEntryFor } from '../../lab/number-plan.ts';
import { SippFarEnd, freeUdpPort, type SippMessage } from '../support/sipp.ts';
import { RINGFENCE } from '../support/own-script.ts';

t.setTimeout(300_000);
// They wait for calls, mostly, and share nothing.
t.jobs = 3;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENDS_WITHIN_MS = 120_000;

interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One `ringfence` command, as a person would run it; killed when it hangs. */
async function ringfence(t: Test, args: readonly string[]): Promise<Run> {
  const child = spawn(process.execPath, [...RINGFENCE, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const hung = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearTimeout(hung);
  return { exitCode, stdout, stderr };
}

async function contactsFile(t: Test, rows: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ringfence-demo-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'people.csv');
  await writeFile(path, `${['phone', ...rows].join('\n')}\n`);
  return path;
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `+1206555${String(100 + n).padStart(4, '0')}`);
}

function received(messages: readonly SippMessage[], method: string): SippMessage[] {
  return messages.filter(
    ({ direction, startLine }) => direction === 'received' && startLine.startsWith(`${method} `),
  );
}

/** Distinct by Call-ID and CSeq: a retransmission is the same INVITE. */
function distinct(messages: readonly SippMessage[], header: RegExp): Set<string> {
  return new Set(messages.map(({ text }) => header.exec(text)?.[1] ?? ''));
}

const CALL_ID = /^Call-ID: *(.+?)\s*$/im;
const BRANCH = /^Via: .*?;branch=([^;\s]+)/im;

t.test(
  '[OUT-03] [OUT-04] [OUT-05] [DM-30] the shipped contacts come out as the lab’s plan says',
  async (t) => {
    const run = await ringfence(t, ['demo', '--json', '--show-numbers']);
    t.equal(run.exitCode, 0, run.stderr);
    const report = JSON.parse(run.stdout) as DemoReport;
    t.equal(report.contacts.length, 60);
    t.equal(report.attempts, 60);
    for (const { to, result, subReason, attributes } of report.contacts) {
      const { behaviour, expected } = planEntryFor(to);
      t.same({ result, subReason }, expected, `${to}: ${behaviour}`);
      const spoke = attributes?.['customerSpoke'];
      if (result === 'LiveAnswer') t.match(spoke, /^(true|false)$/, `${to}: the agent returned`);
      if (behaviour === 'silence') t.equal(spoke, 'false', `${to}: silence`);
    }
    t.ok(report.durationMs < 90_000, `${report.durationMs} ms`);
  },
);

t.test('the demo at a SIPp UAS of its own making', async (t) => {
  const stranger = await SippFarEnd.start({ scenario: { builtIn: 'uas' } });
  t.teardown(() => stranger.stop());
  const contacts = await contactsFile(t, numbers(25));
  const run = await ringfence(t, [
    ...['demo', '--trunk', stranger.uri, '--contacts', contacts, '--json'],
  ]);
  t.equal(run.exitCode, 0, run.stderr);
  const report = JSON.parse(run.stdout) as DemoReport;
  const messages = await stranger.messages();
  const invites = received(messages, 'INVITE');

  t.equal(report.attempts, 25);
  t.equal(distinct(invites, CALL_ID).size, report.attempts, 'Call-IDs as seen by the stranger');
  t.equal(distinct(invites, BRANCH).size, report.invites, 'INVITE transactions as seen there');
  t.same(
    distinct(received(messages, 'BYE'), CALL_ID),
    distinct(invites, CALL_ID),
    'every call was ended',
  );
  t.same(report.results, { LiveAnswer: 25 }, 'the AI agent took them');
  t.equal(report.contacts.length, 25);
  // It sends back every packet that it gets, so that the agent hears its own greeting.
  for (const { attributes } of report.contacts) t.match(attributes, { customerSpoke: 'true' });
  t.notMatch(run.stdout, /\+1206555\d{4}/, 'numbers are masked');
});

t.test('a bad row is told with its line, and the rest is dialled', async (t) => {
  const stranger = await SippFarEnd.start({ scenario: { builtIn: 'uas' } });
  t.teardown(() => stranger.stop());
  const [first = '', second = ''] = numbers(2);
  const contacts = await contactsFile(t, [first, 'not a number', second]);
  const run = await ringfence(t, [
    ...['demo', '--trunk', stranger.uri, '--contacts', contacts, '--json'],
  ]);
  const report = JSON.parse(run.stdout) as DemoReport;
  t.equal((await stranger.callIds()).size, report.attempts);
  t.equal(report.attempts, 2);
  t.match(run.stderr, /3/, 'the line of the bad row');
});

t.test('the demo at a closed port says that the trunk does not answer', async (t) => {
  const contacts = await contactsFile(t, numbers(2));
  const run = await ringfence(t, [
    ...['demo', '--trunk', `sip:127.0.0.1:${await freeUdpPort()}`],
    ...['--contacts', contacts, '--json'],
  ]);
  t.not(run.exitCode, 0, 'exit 0 only on success');
  t.match(run.stderr, /trunk/i);
  t.notMatch(run.stderr, /\n\s+at .*\(/, 'a message, not a stack trace');
});

t.test('one call prints its SIP messages as they passed', async (t) => {
  const stranger = await SippFarEnd.start({ scenario: { builtIn: 'uas' } });
  t.teardown(() => stranger.stop());
  const run = await ringfence(t, ['call', '+12065550123', '--trunk', stranger.uri]);
  t.equal(run.exitCode, 0, run.stderr);
  const shown = [...run.stderr.matchAll(/^.*(──▶|◀──) {2}(?:SIP\/2\.0 (\d+)|(\w+))/gm)].map(
    ([, arrow, status, method]) =>
      `${arrow === '──▶' ? 'received' : 'sent'} ${status ?? method ?? ''}`,
  );
  const passed = (await stranger.messages()).map(({ direction, startLine }) => {
    const [first = '', second = ''] = startLine.split(' ');
    return `${direction} ${first === 'SIP/2.0' ? second : first}`;
  });
  t.same(shown, passed, 'the ladder is what the far end traced');
  t.match(run.stderr, /Undetermined/);
});

t.test('trunk check tells a trunk that is up, silent, or not there', async (t) => {
  const up = await SippFarEnd.start({ scenario: 'options-200' });
  const silent = await SippFarEnd.start({ scenario: 'silent-to-options' });
  t.teardown(() => Promise.all([up.stop(), silent.stop()]));
  const closed = `sip:127.0.0.1:${await freeUdpPort()}`;
  const [whenUp, whenSilent, whenClosed] = await Promise.all(
    [up.uri, silent.uri, closed].map((trunk) => ringfence(t, ['trunk', 'check', trunk])),
  );
  t.equal(whenUp?.exitCode, 0, whenUp?.stderr ?? '');
  t.match(whenSilent?.stderr, /does not answer/);
  t.match(whenClosed?.stderr, /not there|cannot be reached/);
  t.ok(whenSilent?.exitCode !== 0 && whenClosed?.exitCode !== 0, 'exit 0 only on success');
});
