/**
 * Load for a long time, and what stays behind: attempts at a steady rate through gateway and embedded
 * switch to SIPp in another process. There are two rounds, with nothing dialled after either, and what is
 * there after the second must have been there after the first, memory included. In the second every count
 * is sampled too: in a long one, where the load itself is steady, memory may not grow.
 *
 * A machine that is too busy to keep the rate in the first round gets half of it, or a quarter, in the
 * second: calls that time out one upon another say nothing about what calls leave behind.
 */
import { DialingRig } from '../test/support/dialing-rig.ts';
import { SippFarEnd } from '../test/support/sipp.ts';
import { hostTicks, wasStarved } from './host-share.ts';
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
  /** Attempts per second of the second round: what was asked for, or what the machine can keep. */
  readonly rate: number;
  readonly started: number;
  readonly answered: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly liveLegsPeak: number;
  readonly samples: number;
  readonly steadySeconds: number;
  /** False: too short, or the rate was not kept and calls piled up; slopes say nothing then. */
  readonly isSteady: boolean;
  readonly verdicts: Readonly<Record<string, LeakVerdict>>;
  /** What was not zero, or more than after the first round, once nothing was dialled; in words. */
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
/** The first round ends here in long runs: it is there for what first calls leave behind once. */
const FIRST_ROUND_MAX_SECONDS = 90;
/** A slope over less time is mostly that of the load. */
const SLOPE_LEAST_SECONDS = 300;
/** Attempts that have not ended: the load, as far as the machine keeps up with it. */
const LOAD = 'load.open';
/** Failures of a few in ten thousand are the machine's, not a leak; they are told all the same. */
const FAILURE_SHARE_MAX = 0.001;

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { rate, liveLegs, seconds, say } = options;
  const warmUpSeconds = SETTLE_SECONDS + (liveLegs / rate) * 2;
  const firstSeconds = Math.min(seconds / 2, FIRST_ROUND_MAX_SECONDS);
  const steadySeconds = seconds - firstSeconds - warmUpSeconds;
  if (steadySeconds < 15) throw new Error(`${seconds} s leave no steady state to look at`);
  const farEnd = await SippFarEnd.start({ scenario: { builtIn: 'uas' }, traceMessages: false });
  const rig = await DialingRig.start({
    trunks: [{ name: TRUNK, address: farEnd.uri, channelsMax: 5_000, callsPerSecondMax: 1_000 }],
    gateway: { endpointsWarm: 32, endpointsMax: 5_000 },
    endedKeptMax: 200,
  });
  const holdMs = (liveLegs / rate) * 1_000;
  const makeLoad = (rate: number): SoakLoad => {
    return new SoakLoad({
      ...{ telephony: rig.gateway, gatewayId: GATEWAY_ID, trunk: TRUNK, rate, holdMs },
    });
  };
  const settled = async (load: SoakLoad): Promise<Counts> => {
    await load.stop();
    say(`dialling has stopped: ${SETTLE_SECONDS} s until all of it has to be gone`);
    await pause(SETTLE_SECONDS);
    return readCounts(rig.gateway, rig.switch);
  };
  try {
    await untilWarm(rig);
    const first = makeLoad(rate);
    say(`first round: ${rate}/s with ${liveLegs} live legs for ${Math.round(firstSeconds)} s`);
    const ticks = hostTicks();
    first.start();
    await pause(firstSeconds);
    const isStarved = wasStarved(ticks, hostTicks());
    const between = await settled(first);
    const share = isStarved ? shareToKeep(first, liveLegs) : 1;
    if (share < 1) say(`the machine does not keep ${rate}/s: ${rate * share}/s from now on`);
    const second = makeLoad(rate * share);
    say(`second round: ${Math.round(warmUpSeconds)} s to warm up`);
    second.start();
    await pause(warmUpSeconds);
    say(`steady state for ${Math.round(steadySeconds)} s`);
    const startedBefore = second.started;
    const { series, liveLegsPeak } = await sample(rig, second, { steadySeconds, say });
    const verdicts = judge(series, second.started - startedBefore);
    const isSteady = verdicts[LOAD]?.leaks === false && steadySeconds >= SLOPE_LEAST_SECONDS;
    const leftOver = overAndAbove(between, await settled(second), second.started);
    await rig.gateway.close();
    await pause(SETTLE_SECONDS);
    leftOver.push(...notZero(ZERO_WHEN_CLOSED, await readCounts(rig.gateway, rig.switch)));
    const started = first.started + second.started;
    const answered = first.answered + second.answered;
    const failures = failuresOf(...(share < 1 ? [second] : [first, second]));
    return {
      ...{
        rate: rate * share,
        started,
        answered,
        failures,
        liveLegsPeak,
        steadySeconds,
        isSteady,
        verdicts,
        leftOver,
      },
      samples: SAMPLES,
      problems: problemsOf({ started, failures, isSteady, verdicts, leftOver }),
    };
  } finally {
    await rig.stop();
    await farEnd.stop();
  }
}

async function untilWarm(rig: DialingRig): Promise<void> {
  for (;;) {
    const { endpointsWarm, endpointsCreating } = rig.gateway.gauges;
    if (endpointsWarm >= 32 && endpointsCreating === 0) return;
    await pause(0.1);
  }
}

/** How much of the rate a machine can keep that has no more to give, as the first round went. */
function shareToKeep({ started, failures, openPeak }: SoakLoad, liveLegs: number): number {
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0) / started;
  if (failed > 0.05) return 0.25;
  return failed > FAILURE_SHARE_MAX || openPeak > liveLegs * 1.3 ? 0.5 : 1;
}

function failuresOf(...loads: readonly SoakLoad[]): Record<string, number> {
  const failures: Record<string, number> = {};
  for (const [why, count] of loads.flatMap((load) => [...load.failures])) {
    failures[why] = (failures[why] ?? 0) + count;
  }
  return failures;
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
    const counts: Counts = {
      ...(await readCounts(rig.gateway, rig.switch)),
      [LOAD]: load.open,
    };
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

function overAndAbove(between: Counts, after: Counts, attempts: number): string[] {
  const more = Object.entries(after).flatMap(([name, value]) => {
    const was = between[name] ?? 0;
    if (name === 'media.rtpPortsFree') return [];
    // Endpoints that are kept warm are renewed: one may be there twice for a moment.
    const allowed = name.endsWith('MiB') ? toleranceOf(name, was, attempts) : IDLE_MORE_MAX;
    return value - was > allowed
      ? [`${name} is ${value} after the second round, was ${was} after the first`]
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
  report: Pick<SoakReport, 'started' | 'failures' | 'isSteady' | 'verdicts' | 'leftOver'>,
): string[] {
  const { started, failures, isSteady, verdicts, leftOver } = report;
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const lost = failed > started * FAILURE_SHARE_MAX ? [`${failed} of ${started} failed`] : [];
  // Counts come and go with the load, and what leaks of them is left when it has ended, to the last one.
  // Memory does not come back all at once: its slope under a long and steady load says more.
  const memory = Object.entries(isSteady ? verdicts : {}).filter(([name]) => name.endsWith('MiB'));
  const leaks = memory.flatMap(([name, { leaks, growth, mean }]) =>
    leaks ? [`${name} grows: by ${growth.toFixed(1)} around ${mean.toFixed(1)}`] : [],
  );
  return [...lost, ...leaks, ...leftOver];
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, seconds * 1_000)));
}
