/**
 * Load for a long time, and what stays behind: attempts at a steady rate through gateway and embedded
 * switch to SIPp in another process, with every count sampled in the steady state; then nothing is
 * dialled any more, and all of it has to be gone.
 */
import { DialingRig } from '../test/support/dialing-rig.ts';
import { SippFarEnd } from '../test/support/sipp.ts';
import { leakVerdict, type LeakVerdict, type Sample } from './leak-verdict.ts';
import {
  readCounts,
  toleranceOf,
  ZERO_WHEN_CLOSED,
  ZERO_WHEN_IDLE,
  type Counts,
} from './soak-counts.ts';
import { SoakLoad } from './soak-load.ts';

export interface SoakOptions {
  /** Attempts per second. */
  readonly rate: number;
  /** Calls that are up at once. */
  readonly liveLegs: number;
  /** All of the dialing, warming up included. */
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface SoakReport {
  readonly started: number;
  readonly answered: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly liveLegsPeak: number;
  readonly samples: number;
  readonly steadySeconds: number;
  readonly verdicts: Readonly<Record<string, LeakVerdict>>;
  /** What was not zero, or more than before, once nothing was dialled; in words. */
  readonly leftOver: readonly string[];
  /** In words; empty when all is well. */
  readonly problems: readonly string[];
}

const TRUNK = 'far-end';
const GATEWAY_ID = 'rig';
/** Timers of RFC 3261 that keep what has ended for a while run out after 32 s: B, D, F, H, J. */
const SETTLE_SECONDS = 36;
const SAMPLES = 60;
const IDLE_MORE_MAX = 8;
const BACKLOG = 'gateway.endpointsWaiting';
/** Failures of a few in ten thousand are the machine's, not a leak; they are told all the same. */
const FAILURE_SHARE_MAX = 0.001;

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { rate, liveLegs, seconds, say } = options;
  const warmUpSeconds = SETTLE_SECONDS + (liveLegs / rate) * 2;
  const steadySeconds = seconds - warmUpSeconds;
  if (steadySeconds < 15) throw new Error(`${seconds} s leave no steady state to look at`);
  const farEnd = await SippFarEnd.start({ scenario: { builtIn: 'uas' }, traceMessages: false });
  const rig = await DialingRig.start({
    trunks: [{ name: TRUNK, address: farEnd.uri, channelsMax: 5_000, callsPerSecondMax: 1_000 }],
    gateway: { endpointsWarm: 32, endpointsMax: 5_000 },
    endedKeptMax: 200,
  });
  try {
    const before = await untilWarm(rig);
    const load = new SoakLoad({
      ...{ telephony: rig.gateway, gatewayId: GATEWAY_ID, trunk: TRUNK, rate },
      holdMs: (liveLegs / rate) * 1_000,
    });
    say(`${rate}/s with ${liveLegs} live legs: ${Math.round(warmUpSeconds)} s to warm up`);
    load.start();
    await pause(warmUpSeconds);
    say(`steady state for ${Math.round(steadySeconds)} s`);
    const startedBefore = load.started;
    const { series, liveLegsPeak } = await sample(rig, load, { steadySeconds, say });
    const verdicts = judge(series, load.started - startedBefore);
    await load.stop();
    say(`dialling has stopped: ${SETTLE_SECONDS} s until all of it has to be gone`);
    await pause(SETTLE_SECONDS);
    const leftOver = overAndAbove(before, await readCounts(rig.gateway, rig.switch));
    await rig.gateway.close();
    await pause(SETTLE_SECONDS);
    leftOver.push(...notZero(ZERO_WHEN_CLOSED, await readCounts(rig.gateway, rig.switch)));
    const { started, answered } = load;
    const failures = Object.fromEntries(load.failures);
    return {
      ...{ started, answered, failures, liveLegsPeak, steadySeconds, verdicts, leftOver },
      samples: SAMPLES,
      problems: problemsOf({ started, failures, verdicts, leftOver }),
    };
  } finally {
    await rig.stop();
    await farEnd.stop();
  }
}

async function untilWarm(rig: DialingRig): Promise<Counts> {
  for (;;) {
    const { endpointsWarm, endpointsCreating } = rig.gateway.gauges;
    if (endpointsWarm >= 32 && endpointsCreating === 0) break;
    await pause(0.1);
  }
  // The transactions that made the endpoints are kept for a while too.
  await pause(SETTLE_SECONDS);
  return readCounts(rig.gateway, rig.switch);
}

async function sample(
  rig: DialingRig,
  load: SoakLoad,
  { steadySeconds, say }: { steadySeconds: number; say: (line: string) => void },
) {
  const series = new Map<string, Sample[]>();
  const beganAtMs = performance.now();
  let liveLegsPeak = 0;
  for (let taken = 0; taken < SAMPLES; taken += 1) {
    const dueSeconds = (steadySeconds * (taken + 1)) / SAMPLES;
    await pause(dueSeconds - (performance.now() - beganAtMs) / 1_000);
    const counts = await readCounts(rig.gateway, rig.switch);
    const atSeconds = (performance.now() - beganAtMs) / 1_000;
    for (const [name, value] of Object.entries(counts)) {
      const samples = series.get(name) ?? [];
      series.set(name, samples);
      samples.push({ atSeconds, value });
    }
    liveLegsPeak = Math.max(liveLegsPeak, load.live);
    if ((taken + 1) % (SAMPLES / 6) === 0) {
      const resident = Math.round(counts['process.residentMiB'] ?? 0);
      say(`  ${load.started} started, ${load.live} live, ${resident} MiB resident`);
    }
  }
  return { series, liveLegsPeak };
}

function judge(
  series: ReadonlyMap<string, readonly Sample[]>,
  attempts: number,
): Record<string, LeakVerdict> {
  return Object.fromEntries(
    [...series].map(([name, samples]) => {
      const mean = samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
      return [name, leakVerdict(samples, toleranceOf(name, mean, attempts))] as const;
    }),
  );
}

/** Memory is judged by its slope: what a first call leaves behind is there once. */
function overAndAbove(before: Counts, after: Counts): string[] {
  const more = Object.entries(after).flatMap(([name, value]) => {
    const was = before[name] ?? 0;
    if (name.endsWith('MiB') || name === 'media.rtpPortsFree' || value <= was) return [];
    // Endpoints that are kept warm are renewed: one may be there twice for a moment.
    return value - was > IDLE_MORE_MAX
      ? [`${name} is ${value} after the last call, was ${was} before`]
      : [];
  });
  return [...more, ...notZero(ZERO_WHEN_IDLE, after)];
}

function notZero(names: readonly string[], counts: Counts): string[] {
  return names.flatMap((name) => {
    const value = counts[name];
    if (value === undefined) return [`${name} is not counted`];
    return value === 0 ? [] : [`${name} is ${value}, not 0`];
  });
}

function problemsOf(
  report: Pick<SoakReport, 'started' | 'failures' | 'verdicts' | 'leftOver'>,
): string[] {
  const { started, failures, verdicts, leftOver } = report;
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const lost = failed > started * FAILURE_SHARE_MAX ? [`${failed} of ${started} failed`] : [];
  // A machine that cannot keep the rate piles up calls: no steady state, and no slope that says anything.
  const backlog = verdicts[BACKLOG];
  if (backlog?.leaks === true) {
    const waiting = Math.round(backlog.growth);
    const starved = `the rate was not kept: ${waiting} more attempts came to wait for an endpoint`;
    return [...lost, starved, ...leftOver];
  }
  const leaks = Object.entries(verdicts).flatMap(([name, { leaks, growth, mean }]) =>
    leaks ? [`${name} grows: by ${growth.toFixed(1)} around ${mean.toFixed(1)}`] : [],
  );
  return [...lost, ...leaks, ...leftOver];
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, seconds * 1_000)));
}
