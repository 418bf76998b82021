/**
 * SIPp as the far end of a test: an independent SIP stack that shares no code with ours. Scenarios
 * are in test/e2e/sipp/, named by behaviour. Ports are picked fresh for every start; the process
 * never outlives the test.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type SippProtocol = 'udp' | 'tcp';

export interface SippOptions {
  /** A file of test/e2e/sipp/ without its ending, or `{ builtIn: 'uas' }` for one of SIPp's own. */
  readonly scenario: string | { readonly builtIn: 'uas' };
  readonly protocol?: SippProtocol;
  /** Length of the scenario's `<pause/>` in ms; what it means is told in the scenario. */
  readonly pauseMs?: number;
  /** The port its Contact names: a relay's, when one stands between. Its own port by default. */
  readonly advertisedPort?: number;
  /** Skip what the scenario does not expect at that moment, instead of giving the call up. */
  readonly ignoreUnexpected?: boolean;
  /** Sends every RTP packet back, so that audio flows both ways. Default true. */
  readonly echoRtp?: boolean;
  /** Writes every message to a file for `messages()`. Costs CPU; default true. */
  readonly traceMessages?: boolean;
}

export interface SippMessage {
  /** Epoch ms by SIPp's clock. */
  readonly atMs: number;
  readonly direction: 'sent' | 'received';
  /** The start line: `INVITE sip:... SIP/2.0` or `SIP/2.0 200 OK`. */
  readonly startLine: string;
  readonly text: string;
}

/** Cumulative counters of SIPp's statistics file. */
export interface SippStatistics {
  readonly callsCreated: number;
  readonly callsSuccessful: number;
  readonly callsFailed: number;
  readonly callsOpen: number;
  readonly retransmissions: number;
}

const SCENARIOS = fileURLToPath(new URL('../e2e/sipp/', import.meta.url));
const START_ATTEMPTS_MAX = 5;
const READY_WITHIN_MS = 10_000;
const END_WITHIN_MS = 12_000;

export class SippFarEnd {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #stderr = '';

  static async start(options: SippOptions): Promise<SippFarEnd> {
    for (let attempt = 1; ; attempt += 1) {
      const folder = await mkdtemp(join(tmpdir(), 'ringfence-sipp-'));
      const farEnd = new SippFarEnd(await freeUdpPort(), await freeMediaPort(), folder, options);
      if (await farEnd.#isListening(options.protocol ?? 'udp')) return farEnd;
      const why = await farEnd.#explain();
      await farEnd.stop();
      // Another process may take a port between our look and SIPp's bind; a bad scenario will not heal.
      if (attempt === START_ATTEMPTS_MAX || !/bind|address already in use/i.test(why)) {
        throw new Error(`sipp did not start: ${why}`);
      }
    }
  }

  private constructor(port: number, mediaPort: number, folder: string, options: SippOptions) {
    this.port = port;
    this.#folder = folder;
    this.#child = spawn('sipp', argumentsFor(port, mediaPort, options), {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#child.on('error', (error) => (this.#stderr += error.message));
  }

  get uri(): string {
    return `sip:${this.host}:${this.port}`;
  }

  /** CPU time used so far by the process, in ms. */
  cpuMs(): Promise<number> {
    return processCpuMs(this.#child.pid ?? 0);
  }

  /** What it sent and received so far. SIPp flushes its trace after every message. */
  async messages(): Promise<SippMessage[]> {
    return messagesOf(await this.#read('messages.log'));
  }

  /** Distinct Call-IDs of the INVITEs it received: how many calls a stranger saw. */
  async callIds(): Promise<Set<string>> {
    const invites = (await this.messages()).filter(
      ({ direction, startLine }) => direction === 'received' && startLine.startsWith('INVITE '),
    );
    return new Set(invites.map(({ text }) => /^(?:Call-ID|i): *(.+?)\s*$/im.exec(text)?.[1] ?? ''));
  }

  /** Resolves once the trace satisfies `condition`; rejects after `withinMs` with the trace. */
  async untilMessages(
    condition: (messages: readonly SippMessage[]) => boolean,
    withinMs = 10_000,
  ): Promise<SippMessage[]> {
    const endAtMs = Date.now() + withinMs;
    for (;;) {
      const messages = await this.messages();
      if (condition(messages)) return messages;
      if (Date.now() > endAtMs) {
        const ladder = messages.map((m) => `${m.direction} ${m.startLine}`).join('\n');
        throw new Error(`the far end did not get there within ${withinMs} ms:\n${ladder}`);
      }
      await turn();
    }
  }

  /** The last line of the statistics, which is complete once the process has ended. */
  async statistics(): Promise<SippStatistics> {
    const [header, ...rows] = (await this.#read('statistics.csv')).trim().split('\n');
    const names = header?.split(';') ?? [];
    const values = rows.at(-1)?.split(';') ?? [];
    const cumulative = (name: string): number => Number(values[names.indexOf(`${name}(C)`)] ?? 0);
    return {
      callsCreated: cumulative('IncomingCall') + cumulative('OutgoingCall'),
      callsSuccessful: cumulative('SuccessfulCall'),
      callsFailed: cumulative('FailedCall'),
      callsOpen: Number(values[names.indexOf('CurrentCall')] ?? 0),
      retransmissions: cumulative('Retransmissions'),
    };
  }

  /** What SIPp itself complained about: messages its scenario did not expect, for instance. */
  errors(): Promise<string> {
    return this.#read('errors.log');
  }

  /**
   * Ends the process, politely first so that it writes its statistics; files stay readable. Calls
   * in the `<timewait>` of their scenario count as successful only once that is over.
   */
  async end(): Promise<void> {
    if (this.#hasEnded()) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGUSR1'); // stop taking calls, leave when the open ones are over
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), END_WITHIN_MS);
    await exited;
    clearTimeout(kill);
  }

  /** Kills the process and removes its files. For `t.teardown`. */
  async stop(): Promise<void> {
    if (!this.#hasEnded()) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  #hasEnded(): boolean {
    return (
      this.#child.pid === undefined ||
      this.#child.exitCode !== null ||
      this.#child.signalCode !== null
    );
  }

  async #isListening(protocol: SippProtocol): Promise<boolean> {
    const endAtMs = Date.now() + READY_WITHIN_MS;
    while (Date.now() < endAtMs) {
      if (this.#hasEnded()) return false;
      if (await isPortBound(protocol, this.port)) return true;
      await turn();
    }
    return false;
  }

  async #read(name: string): Promise<string> {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFile(path, 'utf8') : '';
  }

  async #explain(): Promise<string> {
    const files = (await readdir(this.#folder)).filter((name) => name.endsWith('errors.log'));
    const errors = await Promise.all(files.map((name) => this.#read(name)));
    return [this.#stderr, ...errors].join('\n').trim() || 'no reason given';
  }
}

function argumentsFor(port: number, mediaPort: number, options: SippOptions): string[] {
  const { scenario, protocol = 'udp', echoRtp = true, traceMessages = true } = options;
  return [
    ...(typeof scenario === 'string'
      ? ['-sf', join(SCENARIOS, `${scenario}.xml`)]
      : ['-sn', scenario.builtIn]),
    ...['-i', '127.0.0.1', '-p', String(port), '-mp', String(mediaPort), '-nostdin'],
    ...['-t', protocol === 'udp' ? 'u1' : 't1', '-d', String(options.pauseMs ?? 0)],
    ...(echoRtp ? ['-rtp_echo'] : []),
    ...(traceMessages ? ['-trace_msg', '-message_file', 'messages.log'] : []),
    ...['-trace_err', '-error_file', 'errors.log', '-trace_stat', '-stf', 'statistics.csv'],
    ...['-fd', '1'],
    ...['-key', 'advertised_port', String(options.advertisedPort ?? port)],
    ...(options.ignoreUnexpected === true ? ['-default_behaviors', 'none'] : []),
  ];
}

/** SIPp's message trace: a ruler with the time, a line on direction and size, then the message. */
export function messagesOf(trace: string): SippMessage[] {
  const messages: SippMessage[] = [];
  for (const part of trace.split(/^-{20,} (?=\d{4}-)/m).slice(1)) {
    const end = part.indexOf('\n');
    const stamp = /^(\d{4}-\d{2}-\d{2})[ T\t]([\d:.]+)/.exec(part);
    const body = /^(?:UDP|TCP|TLS) message (sent|received)[^\n]*\n\n?/m.exec(part.slice(end + 1));
    if (stamp === null || body === null) continue;
    const text = part.slice(end + 1 + body.index + body[0].length).replace(/\n+$/, '\n');
    messages.push({
      atMs: Date.parse(`${stamp[1] ?? ''}T${(stamp[2] ?? '').slice(0, 12)}`),
      direction: body[1] === 'sent' ? 'sent' : 'received',
      startLine: text.split(/\r?\n/, 1)[0] ?? '',
      text,
    });
  }
  return messages;
}

/** CPU time of a living process so far, user and system, in ms. Linux only. */
export async function processCpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]); // utime, stime: proc(5)
  return (ticks * 1000) / 100; // USER_HZ is 100 on every Linux architecture Node runs on
}

/** A UDP port nobody holds right now, for a far end that will, or for one that is not there. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** SIPp's echo binds an even port and the one two above it. */
async function freeMediaPort(): Promise<number> {
  for (;;) {
    const port = await freeUdpPort();
    if (port % 2 === 0 && port < 65_000 && !(await isPortBound('udp', port + 2))) return port;
  }
}

/** Whether any local socket holds the port: SIPp says nothing when it is ready. */
async function isPortBound(protocol: SippProtocol, port: number): Promise<boolean> {
  assert(process.platform === 'linux', 'the SIPp helper reads /proc/net');
  const table = await readFile(`/proc/net/${protocol}`, 'utf8');
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = protocol === 'tcp' ? '0A' : '07'; // TCP_LISTEN; UDP sockets are all "close"
  return new RegExp(`^ *\\d+: [0-9A-F]+:${hexPort} [0-9A-F]+:[0-9A-F]+ ${listening} `, 'm').test(
    table,
  );
}

/** Lets the event loop breathe between two looks at a file or table nobody notifies us of. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
