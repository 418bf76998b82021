/**
 * Goal: a command begins and ends cleanly. Nothing of it is left on the wire or on a port, stdout
 * holds one JSON value whatever happens, and Ctrl-C never leaves a telephone ringing.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { DemoReport } from '../../cli/demo/demo-report.ts';
import { SippFarEnd, type SippMessage } from '../support/sipp.ts';
import { RINGFENCE } from '../support/own-script.ts';

t.setTimeout(300_000);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SAFETY_MS = 120_000;

class Command {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #onOutput: () => void = () => undefined;

  constructor(t: Test, program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const safety = setTimeout(() => this.#child.kill('SIGKILL'), SAFETY_MS);
    t.teardown(() => this.#child.kill('SIGKILL'));
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#onOutput();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#onOutput();
    });
    this.#ended = once(this.#child, 'close').then(([exitCode]) => {
      clearTimeout(safety);
      this.#onOutput();
      return exitCode as number | null;
    });
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  end(): Promise<number | null> {
    return this.#ended;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves once its output says so; rejects when it ends before. */
  until(isSo: (command: Command) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onOutput = () => {
        if (isSo(this)) resolve();
        else if (this.isOver) reject(new Error(`ended too soon: ${this.stderr}`));
      };
      this.#onOutput();
    });
  }
}

/** Without tsx's own process in between, so that signals arrive as a terminal sends them. */
function ringfence(t: Test, ...args: string[]): Command {
  return new Command(t, process.execPath, [...RINGFENCE, ...args]);
}

function contacts(t: Test, count: number): string {
  const rows = Array.from(
    { length: count },
    (_, n) => `+1206555${String(100 + n).padStart(4, '0')}`,
  );
  return join(t.testdir({ 'people.csv': ['phone', ...rows, ''].join('\n') }), 'people.csv');
}

function callIdsOf(messages: readonly SippMessage[], method: string): Set<string> {
  const heard = messages.filter(
    ({ direction, startLine }) => direction === 'received' && startLine.startsWith(`${method} `),
  );
  return new Set(heard.map(({ text }) => /^Call-ID: *(.+?)\s*$/im.exec(text)?.[1] ?? ''));
}

async function boundUdpPort(t: Test): Promise<number> {
  const socket = createSocket('udp4');
  t.teardown(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

/** One OPTIONS by hand: the start line of what comes back. */
async function optionsAnswer(port: number): Promise<string> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const here = `127.0.0.1:${String(socket.address().port)}`;
  const request = [
    `OPTIONS sip:127.0.0.1:${String(port)} SIP/2.0`,
    `Via: SIP/2.0/UDP ${here};branch=z9hG4bKlifecycle`,
    'Max-Forwards: 70',
    'From: <sip:test@127.0.0.1>;tag=1',
    `To: <sip:127.0.0.1:${String(port)}>`,
    'Call-ID: lifecycle@127.0.0.1',
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
  ];
  socket.send(`${request.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return answer.toString().split('\r\n', 1)[0] ?? '';
}

t.test('npm run -s demo -- --json writes one JSON value and nothing else to stdout', async (t) => {
  const command = new Command(t, 'npm', [
    ...['run', '-s', 'demo', '--', '--json', '--contacts', contacts(t, 6)],
  ]);
  t.equal(await command.end(), 0, command.stderr);
  const report = JSON.parse(command.stdout) as DemoReport;
  t.match(report, { attempts: 6, invites: 6, tasks: { Complete: 6 } });
  t.equal(command.stdout.trim().split('\n').length, 1);
  t.notMatch(command.stderr, '\u001b', 'plain lines where there is no terminal');
});

t.test('Ctrl-C cancels what rings, dials nobody else, and reports', async (t) => {
  const stranger = await SippFarEnd.start({ scenario: 'no-answer-until-cancel' });
  t.teardown(() => stranger.stop());
  const command = ringfence(
    t,
    ...['demo', '--json', '--trunk', stranger.uri, '--contacts', contacts(t, 9)],
    ...['--concurrency', '4'],
  );
  await stranger.untilMessages((seen) => callIdsOf(seen, 'INVITE').size === 4, 60_000);
  const ringing = (seen: readonly SippMessage[]) =>
    seen.filter(({ direction, startLine }) => direction === 'sent' && / 180 /.test(startLine));
  await stranger.untilMessages((seen) => ringing(seen).length >= 4);
  command.signal('SIGINT');
  t.equal(await command.end(), 130);
  const report = JSON.parse(command.stdout) as DemoReport;
  t.match(report, { attempts: 4, tasks: { Cancelled: 9 }, results: { Cancelled: 4 } });
  t.match(command.stderr, /Stopping: live calls are hung up/);
  const messages = await stranger.messages();
  t.equal(callIdsOf(messages, 'INVITE').size, 4);
  t.same(callIdsOf(messages, 'CANCEL'), callIdsOf(messages, 'INVITE'));
});

t.test('A second Ctrl-C leaves at once, even when the far end answers nothing', async (t) => {
  const stranger = await SippFarEnd.start({ scenario: 'silent' });
  t.teardown(() => stranger.stop());
  const command = ringfence(
    t,
    ...['demo', '--json', '--trunk', stranger.uri, '--contacts', contacts(t, 2)],
  );
  await stranger.untilMessages((seen) => callIdsOf(seen, 'INVITE').size >= 1, 60_000);
  const startedMs = performance.now();
  // A person who presses again and again: the first is told to wait, a later one ends it.
  const pressing = setInterval(() => command.signal('SIGINT'), 150);
  t.teardown(() => clearInterval(pressing));
  t.equal(await command.end(), 130);
  t.ok(performance.now() - startedMs < 15_000, 'long before timer B, which is 32 s');
});

t.test('The switch runs alone, tells its ports, and ends when it is told to', async (t) => {
  const command = ringfence(
    t,
    'softswitch',
    '--sip',
    '0',
    '--control',
    '0',
    '--esl',
    '0',
    '--json',
  );
  await command.until(({ stdout }) => stdout.includes('\n'));
  const ports = JSON.parse(command.stdout) as Record<string, number | string>;
  for (const name of ['sipPort', 'controlPort', 'eslPort', 'mediaSipPort']) {
    t.ok(Number(ports[name]) > 0, name);
  }
  t.match(ports['controlSecret'], /^[0-9a-f]{32}$/);
  t.not(ports['controlSecret'], ports['eslPassword']);
  t.match(await optionsAnswer(Number(ports['mediaSipPort'])), /^SIP\/2\.0 200/);
  command.signal('SIGTERM');
  t.equal(await command.end(), 0, command.stderr);
  t.match(command.stderr, /The switch has stopped/);
  const again = createSocket('udp4');
  again.bind(Number(ports['sipPort']), '127.0.0.1');
  await once(again, 'listening');
  again.close();
});

t.test('A port in use is one clear message, and nothing is left running', async (t) => {
  const port = await boundUdpPort(t);
  for (const option of ['--sip', '--media-sip']) {
    const command = ringfence(t, 'softswitch', option, String(port), '--json');
    t.equal(await command.end(), 1);
    t.match(command.stderr, `127.0.0.1:${String(port)} is in use by another program`);
    t.notMatch(command.stderr, /\n\s+at /, 'no stack');
    const { error } = JSON.parse(command.stdout) as { error: { code: string } };
    t.equal(error.code, 'LISTEN_FAILED');
  }
});
