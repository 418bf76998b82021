/** A dialer in a process of its own, to be killed and started again. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { Fault } from './fault-points.ts';
import { serveGateway } from './gateway-over-channel.ts';
import type { StoreAddress } from './store-target.ts';
import type { SwitchPorts } from './switch-for-children.ts';
import { ownScript } from './own-script.ts';

export interface ChildOptions {
  readonly store: StoreAddress;
  readonly trunkAddress: string;
  /** A switch that is there already; null: one inside the child, which dies with it. */
  readonly switchPorts: SwitchPorts | null;
  /** The gateway is its parent's, and is spoken to over the channel between them. */
  readonly isGatewayBeside: boolean;
  /** Answered calls are connected to this AI agent; null: something is played. */
  readonly agentUri: string | null;
  readonly callLengthMaxMs: number;
  readonly fault: Fault | null;
}

export interface Killing {
  /** From outside, once the child has told of this many events of attempts. */
  readonly afterEvents: number;
}

export interface ChildEnd {
  /** By itself, every task final. False: killed. */
  readonly isFinished: boolean;
}

const SCRIPT = ownScript(new URL('./dialer.child.ts', import.meta.url));
const LINES_KEPT = 40;

/** Runs one until it has finished or has been killed. Throws when it ends in any other way. */
export async function runDialer(
  options: ChildOptions,
  killing?: Killing,
  gatewayBeside?: TelephonyPort,
): Promise<ChildEnd> {
  const child = spawn(process.execPath, [...SCRIPT, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const stopServing = gatewayBeside && serveGateway(gatewayBeside, child);
  const complaints: string[] = [];
  createInterface({ input: piped(child.stderr) }).on('line', (line) => {
    complaints.push(line);
    if (complaints.length > LINES_KEPT) complaints.shift();
  });
  const killWithTest = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithTest);
  const exited = once(child, 'exit');
  const saysItIsFinished = await read(child, killing);
  await exited;
  stopServing?.();
  process.off('exit', killWithTest);
  const isFinished = child.exitCode === 0 && saysItIsFinished;
  if (!isFinished && child.signalCode !== 'SIGKILL') {
    const how = child.signalCode ?? `exit code ${child.exitCode ?? 'unknown'}`;
    throw new Error(`the dialer ended with ${how}:\n${complaints.join('\n')}`);
  }
  return { isFinished };
}

/** Resolves at the end of its output to whether it came to its last line. */
async function read(child: ChildProcess, killing: Killing | undefined): Promise<boolean> {
  let events = 0;
  let isFinished = false;
  for await (const line of createInterface({ input: piped(child.stdout) })) {
    if (line === 'all final') isFinished = true;
    if (!line.startsWith('attempt.')) continue;
    events += 1;
    if (events === killing?.afterEvents) child.kill('SIGKILL');
  }
  return isFinished;
}

function piped(stream: Readable | null): Readable {
  assert(stream !== null, 'asked for with stdio');
  return stream;
}
