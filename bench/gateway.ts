/**
 * The gateway's full path: attempt.dial → media endpoint → INVITE → 200 → ACK, 200 ms of hold,
 * BYE, through the embedded switch to SIPp in another process. Open loop: attempts start on time
 * whether or not those before them have ended, so a slow path shows as delay and failures, not as a
 * lower rate. SIPp calling SIPp at the same rate is measured in the same run, as the yardstick.
 *
 * CPU is that of this whole process, all threads: gateway, both workers of the switch, and the
 * loop that asks for the attempts. SIPp's is reported apart.
 */
import { randomUUID } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { AttemptEvent } from '../machines/telephony-events.ts';
import { isAttemptEvent } from '../machines/telephony-events.ts';
import { DialingRig } from '../test/support/dialing-rig.ts';
import { SippFarEnd } from '../test/support/sipp.ts';
import {
  atLeast,
  atMost,
  benchHost,
  percentile,
  rounded,
  type BenchMetric,
  type BenchOptions,
  type BenchReport,
} from './bench-report.ts';
import { benchSippToSipp, type SippToSipp } from './sipp-to-sipp.ts';

const HOLD_MS = 200;
const WARM_UP_SECONDS = 3;
const BASELINE_SECONDS_MAX = 20;
const BACKLOG_GRACE_MS = 1_000; // what is answered later than this after the last start was queued
const DRAIN_LIMIT_MS = 40_000; // longer than timer B and F, so that nothing is still undecided
const TRUNK = 'far-end';

interface Measured {
  readonly started: number;
  /** Answered while attempts were started, or within the grace after it: not from a backlog. */
  readonly answeredInTime: number;
  readonly failures: ReadonlyMap<string, number>;
  /** attempt.dial handed over → attempt.answered heard. */
  readonly setupsMs: readonly number[];
  /** INVITE sent → 200 received, by the gateway's own account. */
  readonly inviteToAnswerMs: readonly number[];
  /** First start to last start: what the offered load took. */
  readonly elapsedMs: number;
  /** Until the last attempt had ended. */
  readonly cpuMs: number;
  readonly farEndCpuMs: number;
  readonly eventLoopDelayP99Ms: number;
  readonly rssMb: number;
}

export async function benchGateway(options: BenchOptions): Promise<BenchReport> {
  const { rate, seconds, say } = options;
  const baselineSeconds = Math.min(seconds, BASELINE_SECONDS_MAX);
  say(`SIPp to SIPp, ${rate}/s for ${baselineSeconds} s`);
  const baseline = await benchSippToSipp({ rate, seconds: baselineSeconds, holdMs: HOLD_MS });
  say(`gateway, ${rate}/s for ${seconds} s after ${WARM_UP_SECONDS} s of warming up`);
  return report(await measureGateway(options), baseline, options);
}

async function measureGateway({ rate, seconds, say }: BenchOptions): Promise<Measured> {
  const farEnd = await SippFarEnd.start({ scenario: { builtIn: 'uas' }, traceMessages: false });
  const rig = await DialingRig.start({
    trunks: [{ name: TRUNK, address: farEnd.uri, channelsMax: 10_000, callsPerSecondMax: 1_000 }],
    gateway: { endpointsWarm: 32, endpointsMax: 5_000 },
  });
  try {
    await new AttemptLoad(rig).run(rate, WARM_UP_SECONDS);
    const load = new AttemptLoad(rig);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const cpuBefore = process.cpuUsage();
    const farEndCpuBefore = await farEnd.cpuMs();
    let rssMb = 0;
    const watching = setInterval(() => {
      rssMb = Math.max(rssMb, process.memoryUsage.rss() / 2 ** 20);
      say(`  ${load.inWords()}`);
    }, 10_000);
    const elapsedMs = await load.run(rate, seconds);
    clearInterval(watching);
    const cpu = process.cpuUsage(cpuBefore);
    delay.disable();
    return {
      started: load.started,
      answeredInTime: load.answeredBy(elapsedMs + BACKLOG_GRACE_MS),
      failures: load.failures,
      setupsMs: load.setupsMs,
      inviteToAnswerMs: load.inviteToAnswerMs,
      elapsedMs,
      cpuMs: (cpu.user + cpu.system) / 1000,
      farEndCpuMs: (await farEnd.cpuMs()) - farEndCpuBefore,
      eventLoopDelayP99Ms: delay.percentile(99) / 1e6,
      rssMb: Math.max(rssMb, process.memoryUsage.rss() / 2 ** 20),
    };
  } finally {
    await rig.stop();
    await farEnd.stop();
  }
}

/** Starts attempts at fixed moments and keeps account of what became of each. */
class AttemptLoad {
  readonly setupsMs: number[] = [];
  readonly inviteToAnswerMs: number[] = [];
  readonly failures = new Map<string, number>();
  started = 0;
  readonly #rig: DialingRig;
  readonly #answeredAtMs: number[] = [];
  #startedAtMs = 0;
  readonly #open = new Map<string, { readonly dialedAtMs: number; answered: boolean }>();
  #onIdle: (() => void) | undefined;

  constructor(rig: DialingRig) {
    this.#rig = rig;
  }

  /** Resolves when all attempts have ended, to the ms during which attempts were started. */
  async run(rate: number, seconds: number): Promise<number> {
    const unsubscribe = this.#rig.gateway.subscribe((event) => {
      if (isAttemptEvent(event)) this.#hear(event);
    });
    const total = Math.round(rate * seconds);
    const startedAtMs = performance.now();
    this.#startedAtMs = startedAtMs;
    while (this.started < total) {
      const dueAtMs = startedAtMs + (this.started * 1000) / rate;
      const waitMs = dueAtMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      else this.#dial();
    }
    const elapsedMs = performance.now() - startedAtMs;
    await this.#untilIdle();
    unsubscribe();
    return elapsedMs;
  }

  /** How many had been answered by then, ms after the first start. */
  answeredBy(afterMs: number): number {
    return this.#answeredAtMs.filter((atMs) => atMs - this.#startedAtMs <= afterMs).length;
  }

  inWords(): string {
    const failed = [...this.failures.values()].reduce((sum, count) => sum + count, 0);
    const p99 = percentile(this.setupsMs.slice(-1_000), 0.99).toFixed(1);
    return `${this.started} started, ${failed} failed, ${this.#open.size} open, p99 ${p99} ms`;
  }

  #dial(): void {
    const attemptId = randomUUID();
    this.started += 1;
    this.#open.set(attemptId, { dialedAtMs: performance.now(), answered: false });
    const atMs = Date.now();
    void this.#rig.gateway
      .send({
        ...{ type: 'attempt.dial', attemptId, fence: 1, seq: 1, atMs },
        ...{ gatewayId: 'rig', notAfterMs: atMs + 30_000, trunk: TRUNK },
        ...{ destination: '+12065550123', callerId: '+12025550100' },
        ...{ setupTimeoutMs: 30_000, ringLimitMs: 30_000, callLengthMaxMs: 60_000 },
      })
      .then((reply) => {
        if (!reply.accepted) this.#settle(attemptId, reply.code);
      });
  }

  #hear(event: AttemptEvent): void {
    const attempt = this.#open.get(event.attemptId);
    if (attempt === undefined) return;
    if (event.type === 'attempt.answered') {
      attempt.answered = true;
      this.#answeredAtMs.push(performance.now());
      this.setupsMs.push(performance.now() - attempt.dialedAtMs);
      this.inviteToAnswerMs.push(event.afterSentMs);
      setTimeout(() => this.#hangUp(event.attemptId), HOLD_MS);
    } else if (event.type === 'attempt.refused') {
      this.#settle(event.attemptId, event.code);
    } else if (event.type === 'attempt.ended') {
      const wasHeld = attempt.answered && event.endedBy === 'dialer';
      this.#settle(event.attemptId, wasHeld ? undefined : failureOf(event));
    }
  }

  #hangUp(attemptId: string): void {
    const atMs = Date.now();
    void this.#rig.gateway.send({
      ...{ type: 'attempt.hangup', attemptId, fence: 1, seq: 2, atMs, reason: 'completed' },
    });
  }

  #settle(attemptId: string, failure: string | undefined): void {
    if (!this.#open.delete(attemptId)) return;
    if (failure !== undefined) this.#count(failure);
    if (this.#open.size === 0) this.#onIdle?.();
  }

  #count(failure: string): void {
    this.failures.set(failure, (this.failures.get(failure) ?? 0) + 1);
  }

  async #untilIdle(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, DRAIN_LIMIT_MS);
      this.#onIdle = () => {
        clearTimeout(limit);
        resolve();
      };
    });
    for (const attemptId of [...this.#open.keys()]) this.#settle(attemptId, 'never ended');
  }
}

function failureOf(event: Extract<AttemptEvent, { type: 'attempt.ended' }>): string {
  const { statusCode, origin } = event.sip;
  return `ended by ${event.endedBy}, ${statusCode ?? 'no status'} from ${origin}`;
}

function report(measured: Measured, baseline: SippToSipp, { rate }: BenchOptions): BenchReport {
  const { started, failures, setupsMs, inviteToAnswerMs, elapsedMs } = measured;
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  const attemptsPerSecond = measured.answeredInTime / (elapsedMs / 1000);
  const cpuShare = measured.cpuMs / elapsedMs;
  const setupP99Ms = percentile(setupsMs, 0.99);
  const ms = (value: number): BenchMetric => ({ value: rounded(value), unit: 'ms' });
  const share = (value: number): BenchMetric => ({ value: rounded(value), unit: 'of one core' });
  const count = (value: number): BenchMetric => ({ value, unit: 'attempts' });
  return {
    name: 'gateway',
    host: benchHost(),
    metrics: {
      offeredPerSecond: { value: rate, unit: '1/s' },
      attemptsPerSecond: { value: rounded(attemptsPerSecond), unit: '1/s' },
      attempts: count(started),
      failed: count(failed),
      ...Object.fromEntries(
        [...failures].map(([why, times]) => [`failed (${why})`, count(times)] as const),
      ),
      setupP50: ms(percentile(setupsMs, 0.5)),
      setupP99: ms(setupP99Ms),
      setupMax: ms(percentile(setupsMs, 1)),
      inviteToAnswerP99: ms(percentile(inviteToAnswerMs, 0.99)),
      cpu: share(cpuShare),
      cpuPerAttempt: ms(measured.cpuMs / started),
      farEndCpu: share(measured.farEndCpuMs / elapsedMs),
      eventLoopDelayP99: ms(measured.eventLoopDelayP99Ms),
      rss: { value: rounded(measured.rssMb), unit: 'MiB' },
      sippToSippPerSecond: { value: rounded(baseline.attemptsPerSecond), unit: '1/s' },
      sippToSippFailed: count(baseline.failed),
      sippToSippSetupP50: ms(baseline.setupP50Ms),
      sippToSippSetupP99: ms(baseline.setupP99Ms),
      sippToSippCpu: share(baseline.cpuShare),
    },
    ratios: {
      cpuOverSippToSipp: rounded(cpuShare / baseline.cpuShare),
      perSecondOverSippToSipp: rounded(attemptsPerSecond / baseline.attemptsPerSecond),
    },
    targets: {
      attemptsPerSecond: atLeast(attemptsPerSecond, 100),
      failed: atMost(failed, 0),
      setupP99Ms: atMost(setupP99Ms, 40),
      cpu: atMost(cpuShare, 0.75),
    },
  };
}
