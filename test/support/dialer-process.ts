/** A dialer in a process of its own, to be killed and started again. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Fault } from './fault-points.ts';
import type { StoreAddress } from './store-target.ts';

export interface ChildOptions {
  readonly store: StoreAddress;
  readonly trunkAddress: string;
  /** A switch that is there already; null: one inside the child, which dies with it. */
  readonly switchPorts: { readonly controlPort: number; readonly eslPort: number } | null;
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

const SCRIPT = fileURLToPath(new URL('./dialer.child.ts', import.meta.url));
const LINES_KEPT = 40;

/** Runs one until it has finished or has been killed. Throws when it ends in any other way. */
export async function runDialer(options: ChildOptions, killing?: Killing): Promise<ChildEnd> {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const complaints: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    complaints.push(line);
    if (complaints.length > LINES_KEPT) complaints.shift();
  });
  const killWithTest = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithTest);
  const exited = once(child, 'exit');
  const saysItIsFinished = await read(child, killing);
  await exited;
  process.off('exit', killWithTest);
  const isFinished = child.exitCode === 0 && saysItIsFinished;
  if (!isFinished && child.signalCode !== 'SIGKILL') {
    const how = child.signalCode ?? `exit code ${child.exitCode ?? 'unknown'}`;
    throw new Error(`the dialer ended with ${how}:\n${complaints.join('\n')}`);
  }
  return { isFinished };
}

/** Resolves at the end of its output to whether it came to its last line. */
async function read(
  child: ChildProcessByStdio<null, Readable, Readable>,
  killing: Killing | undefined,
): Promise<boolean> {
  let events = 0;
  let isFinished = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'all final') isFinished = true;
    if (!line.startsWith('attempt.')) continue;
    events += 1;
    if (events === killing?.afterEvents) child.kill('SIGKILL');
  }
  return isFinished;
}
