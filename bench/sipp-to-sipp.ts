/** The yardstick: SIPp calling SIPp on this machine at the same rate, without us in between. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SippFarEnd, freeUdpPort, processCpuMs } from '../test/support/sipp.ts';
import { percentile } from './bench-report.ts';

export interface SippToSipp {
  readonly attempts: number;
  readonly failed: number;
  readonly attemptsPerSecond: number;
  /** INVITE sent to 200 received; SIPp writes whole milliseconds. */
  readonly setupP50Ms: number;
  readonly setupP99Ms: number;
  /** Caller and callee together, share of one core. */
  readonly cpuShare: number;
}

const CPU_SAMPLE_MS = 200;

/** SIPp's own UAC scenario with `holdMs` between ACK and BYE, against its own UAS scenario. */
export async function benchSippToSipp(options: {
  readonly rate: number;
  readonly seconds: number;
  readonly holdMs: number;
}): Promise<SippToSipp> {
  const folder = await mkdtemp(join(tmpdir(), 'ringfence-bench-'));
  const farEnd = await SippFarEnd.start({ scenario: { builtIn: 'uas' }, traceMessages: false });
  try {
    const attempts = Math.round(options.rate * options.seconds);
    const caller = spawn('sipp', await callerArguments(farEnd, attempts, options), {
      cwd: folder,
      stdio: 'ignore',
    });
    const exited = once(caller, 'exit');
    const startedAtMs = performance.now();
    let callerCpuMs = 0;
    // A process that has ended has no CPU time left to read, so its last sample stands.
    const sampling = setInterval(() => {
      void processCpuMs(caller.pid ?? 0).then(
        (cpuMs) => (callerCpuMs = cpuMs),
        () => undefined,
      );
    }, CPU_SAMPLE_MS);
    await exited;
    clearInterval(sampling);
    const elapsedMs = performance.now() - startedAtMs;
    const cpuMs = callerCpuMs + (await farEnd.cpuMs());
    const setups = await setupTimes(folder);
    return {
      attempts,
      failed: attempts - setups.length,
      attemptsPerSecond: attempts / ((elapsedMs - options.holdMs) / 1000),
      setupP50Ms: percentile(setups, 0.5),
      setupP99Ms: percentile(setups, 0.99),
      cpuShare: cpuMs / elapsedMs,
    };
  } finally {
    await farEnd.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function callerArguments(
  farEnd: SippFarEnd,
  attempts: number,
  { rate, holdMs, seconds }: { rate: number; holdMs: number; seconds: number },
): Promise<string[]> {
  const port = await freeUdpPort();
  return [
    ...['-sn', 'uac', `${farEnd.host}:${farEnd.port}`, '-i', farEnd.host, '-p', String(port)],
    ...['-mp', String(await freeUdpPort()), '-nostdin', '-d', String(holdMs)],
    ...['-r', String(rate), '-m', String(attempts), '-timeout', `${Math.ceil(seconds + 40)}s`],
    ...['-trace_rtt', '-rtt_freq', '1'],
  ];
}

/** Columns of SIPp's response-time file: date, response time in ms, number of the stop-watch. */
async function setupTimes(folder: string): Promise<number[]> {
  const name = (await readdir(folder)).find((file) => file.endsWith('_rtt.csv'));
  if (name === undefined) return [];
  const [, ...rows] = (await readFile(join(folder, name), 'utf8')).trim().split('\n');
  return rows.map((row) => Number(row.split(';')[1]));
}
