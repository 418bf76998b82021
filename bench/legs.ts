/**
 * 300 legs at once, each with audio both ways, heard by the detectors of who answered and of keys: what
 * it costs, whether anything is lost, and how long what is heard takes to be told. The same legs without
 * taps are measured in the same run, and the same packets through bare sockets, as the yardsticks.
 *
 * CPU is that of this whole process, all threads: gateway, listening thread, both workers of the
 * switch. The far end's, which makes and counts the audio in a process of its own, is reported apart.
 * Every key is a tone of 100 ms in the audio: one that is not told within two seconds counts as lost.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import type { CallQuality } from '../gateway/media/call-quality.ts';
import { isAttemptEvent, type AttemptEvent } from '../machines/telephony-events.ts';
import { startWorker } from '../softswitch/start-worker.ts';
import { DialingRig } from '../test/support/dialing-rig.ts';
import {
  atMost,
  benchHost,
  percentile,
  rounded,
  type BenchMetric,
  type BenchOptions,
  type BenchReport,
} from './bench-report.ts';
import {
  FRAME_MS,
  GREETING_FROM_MS,
  GREETING_MS,
  keyEndMs,
  keyOf,
  type FarEndReport,
  type FloorLegs,
  type FromFarEnd,
  type ToFarEnd,
} from './legs-plan.ts';

const HOST = '127.0.0.1';

/** `--share` makes them fewer. */
const LEGS_MAX = 300;
const TRUNK = 'far-end';
/** All are up and have been greeted when the measured part begins. */
const SETTLE_MS = 4_000;
/** Longer than a set-up and the end of one that hangs. */
const SETUP_LIMIT_MS = 90_000;
const TOLD_WITHIN_MS = 2_000;
const DETECTION = { mode: 'alongside', limitMs: 3_000, initialSilenceMs: 2_500 } as const;
const PROMPT = 'silence_stream://600000,1400';

interface Measured {
  /** Legs that did not come up, or did not stay. */
  readonly failed: number;
  readonly cpuShare: number;
  readonly farEnd: FarEndReport;
  readonly farEndCpuShare: number;
  readonly qualities: readonly CallQuality[];
  readonly verdicts: ReadonlyMap<string, number>;
  readonly verdictDelaysMs: readonly number[];
  readonly keysSent: number;
  readonly keyDelaysMs: readonly number[];
}

export async function benchLegs(options: BenchOptions): Promise<BenchReport> {
  const { rate, seconds, share = 1, say } = options;
  const legs = Math.max(1, Math.round(LEGS_MAX * share));
  say(`${legs} sockets, and nothing done with their packets, ${seconds} s`);
  const floor = await measureFloor(legs, seconds);
  say(`${legs} legs without taps, ${seconds} s`);
  const plain = await measure({ legs, rate, seconds, isTapped: false });
  say(`${legs} legs, each heard, ${seconds} s`);
  const heard = await measure({ legs, rate, seconds, isTapped: true });
  return report({ legs, seconds }, heard, plain, floor);
}

interface Floor {
  readonly cpuShare: number;
  /** Packets that the far end got, of those that were due. */
  readonly sentOfDue: number;
}

async function measureFloor(legs: number, seconds: number): Promise<Floor> {
  const farEnd = await FarEnd.start();
  const workerData: FloorLegs = { host: HOST, farEndPort: farEnd.rtpPort, legs };
  const worker: Worker = startWorker(new URL('./legs-floor.worker.ts', import.meta.url), {
    workerData,
  });
  try {
    const [ports] = (await once(worker, 'message')) as [number[]];
    farEnd.tell({ type: 'speak', ports });
    await pause(SETTLE_MS);
    farEnd.tell({ type: 'begin' });
    const { cpuShare, elapsedMs } = await cpuOver(seconds);
    const { legs: counted } = await farEnd.report();
    const received = counted.reduce((sum, leg) => sum + leg.received, 0);
    return { cpuShare, sentOfDue: received / (legs * (elapsedMs / FRAME_MS)) };
  } finally {
    await worker.terminate();
    farEnd.stop();
  }
}

/** Of this whole process, all threads. */
async function cpuOver(seconds: number) {
  const fromMs = Date.now();
  const cpuBefore = process.cpuUsage();
  await pause(seconds * 1_000);
  const { user, system } = process.cpuUsage(cpuBefore);
  const toMs = Date.now();
  const elapsedMs = toMs - fromMs;
  return { fromMs, toMs, elapsedMs, cpuShare: (user + system) / 1_000 / elapsedMs };
}

async function measure(wish: {
  readonly legs: number;
  readonly rate: number;
  readonly seconds: number;
  readonly isTapped: boolean;
}): Promise<Measured> {
  const farEnd = await FarEnd.start();
  const rig = await DialingRig.start({
    trunks: [{ name: TRUNK, address: farEnd.uri, channelsMax: 1_000, callsPerSecondMax: 1_000 }],
    gateway: { endpointsWarm: 32, endpointsMax: 1_000, listenInThread: true },
  });
  const calls = new Calls(rig, wish.legs, wish.isTapped);
  try {
    await calls.begin(wish.rate);
    await pause(SETTLE_MS);
    farEnd.tell({ type: 'begin' });
    const { fromMs, toMs, elapsedMs, cpuShare } = await cpuOver(wish.seconds);
    const said = await farEnd.report();
    await pause(TOLD_WITHIN_MS);
    const keys = calls.keysBetween(fromMs, toMs, said);
    const { verdicts, verdictDelaysMs } = calls.verdictsOf(said);
    const { failed } = calls;
    await calls.end();
    return {
      ...{ cpuShare, farEnd: said },
      ...{ farEndCpuShare: said.cpuMs / elapsedMs, qualities: calls.qualities },
      ...{ failed, verdicts, verdictDelaysMs, keysSent: keys.sent, keyDelaysMs: keys.delaysMs },
    };
  } finally {
    await rig.stop();
    farEnd.stop();
  }
}

class FarEnd {
  readonly uri: string;
  readonly rtpPort: number;
  readonly #child: ChildProcess;

  static async start(): Promise<FarEnd> {
    const child = fork(fileURLToPath(new URL('./legs-far-end.child.ts', import.meta.url)));
    const [message] = (await once(child, 'message')) as [FromFarEnd];
    if (message.type !== 'ready') throw new Error('the far end is not ready');
    return new FarEnd(child, message.port, message.rtpPort);
  }

  private constructor(child: ChildProcess, port: number, rtpPort: number) {
    this.#child = child;
    this.uri = `sip:${HOST}:${port}`;
    this.rtpPort = rtpPort;
  }

  tell(message: ToFarEnd): void {
    this.#child.send(message);
  }

  async report(): Promise<FarEndReport> {
    this.tell({ type: 'report' });
    const [message] = (await once(this.#child, 'message')) as [FromFarEnd];
    if (message.type !== 'report') throw new Error('the far end did not report');
    return message.report;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** The calls of one run, and what the gateway told of them. */
class Calls {
  readonly qualities: CallQuality[] = [];
  readonly #rig: DialingRig;
  readonly #legs: number;
  readonly #isTapped: boolean;
  readonly #events = new Map<string, AttemptEvent[]>();
  #answered = 0;
  #failedFirst = 0;
  #endedEarly = 0;
  #over = 0;
  #isEnding = false;
  #onNews: () => void = () => undefined;

  constructor(rig: DialingRig, legs: number, isTapped: boolean) {
    this.#rig = rig;
    this.#legs = legs;
    this.#isTapped = isTapped;
    rig.gateway.onCallQuality((_trunk, quality) => this.qualities.push(quality));
    rig.gateway.subscribe((event) => {
      if (isAttemptEvent(event)) this.#hear(event);
    });
  }

  /** That are not up, or ended before they were to. */
  get failed(): number {
    return this.#legs - this.#answered + this.#endedEarly;
  }

  /** Resolves when all are answered, or have failed. */
  async begin(rate: number): Promise<void> {
    for (let index = 0; index < this.#legs; index += 1) {
      this.#dial(numberOf(index));
      await pause(1_000 / rate);
    }
    await this.#until(() => this.#answered + this.#failedFirst === this.#legs, 'all legs are up');
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    for (const attemptId of this.#events.keys()) {
      const envelope = { attemptId, fence: 1, seq: 3, atMs: Date.now() };
      void this.#rig.gateway.send({ type: 'attempt.hangup', ...envelope, reason: 'completed' });
    }
    await this.#until(() => this.#over === this.#legs, 'all have ended');
    await pause(TOLD_WITHIN_MS); // what the media server counted comes a moment later
  }

  /** Of the keys whose tones ended in that time. */
  keysBetween(fromMs: number, toMs: number, { legs }: FarEndReport) {
    const delaysMs: number[] = [];
    let sent = 0;
    for (const { number, startedAtMs } of legs) {
      const told = (this.#events.get(number) ?? []).filter(({ type }) => type === 'attempt.dtmf');
      for (let index = 0; startedAtMs + keyEndMs(index) < toMs; index += 1) {
        const endMs = startedAtMs + keyEndMs(index);
        if (endMs < fromMs) continue;
        sent += 1;
        const found = told.find(
          (event) =>
            event.type === 'attempt.dtmf' &&
            event.digit === String(keyOf(index)) &&
            Math.abs(event.atMs - endMs) < TOLD_WITHIN_MS,
        );
        if (found !== undefined) delaysMs.push(found.atMs - endMs);
      }
    }
    return { sent, delaysMs };
  }

  /** The delay is from the end of the greeting. */
  verdictsOf({ legs }: FarEndReport) {
    const verdicts: string[] = [];
    const verdictDelaysMs: number[] = [];
    for (const { number, startedAtMs } of legs) {
      const event = this.#events.get(number)?.find(({ type }) => type === 'attempt.classified');
      if (event?.type !== 'attempt.classified') continue;
      verdicts.push(event.verdict);
      verdictDelaysMs.push(event.atMs - startedAtMs - GREETING_FROM_MS - GREETING_MS);
    }
    return { verdicts: counted(verdicts), verdictDelaysMs };
  }

  #dial(number: string): void {
    this.#events.set(number, []);
    const atMs = Date.now();
    void this.#rig.gateway
      .send({
        ...{ type: 'attempt.dial', attemptId: number, fence: 1, seq: 1, atMs },
        ...{ gatewayId: 'rig', notAfterMs: atMs + 30_000, trunk: TRUNK },
        ...{ destination: number, callerId: '+12025550100' },
        ...{ setupTimeoutMs: 30_000, ringLimitMs: 30_000, callLengthMaxMs: 600_000 },
        ...(this.#isTapped ? { detection: DETECTION } : {}),
      })
      .then((reply) => {
        if (reply.accepted) return;
        this.#over += 1;
        this.#failedFirst += 1;
      });
  }

  #hear(event: AttemptEvent): void {
    this.#events.get(event.attemptId)?.push(event);
    if (event.type === 'attempt.answered') {
      this.#answered += 1;
      const envelope = { attemptId: event.attemptId, fence: 1, seq: 2, atMs: Date.now() };
      void this.#rig.gateway.send({
        ...{ type: 'attempt.play', ...envelope, playId: 'p', prompts: [PROMPT] },
        ...(this.#isTapped ? { optOutDigits: '9' } : {}),
      });
    }
    if (event.type === 'attempt.ended' || event.type === 'attempt.refused') {
      this.#over += 1;
      const wasUp = event.type === 'attempt.ended' && event.answered;
      if (!wasUp) this.#failedFirst += 1;
      else if (!this.#isEnding) this.#endedEarly += 1;
    }
    this.#onNews();
  }

  #inWords(): string {
    const last = [...this.#events.values()].map((events) => events.at(-1)?.type ?? 'nothing');
    return JSON.stringify(Object.fromEntries(counted(last)));
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    const limitAtMs = performance.now() + SETUP_LIMIT_MS;
    while (!isSo()) {
      if (performance.now() > limitAtMs)
        throw new Error(`not in time: ${what}; ${this.#inWords()}`);
      await Promise.race([new Promise<void>((news) => (this.#onNews = news)), pause(200)]);
    }
  }
}

function counted(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function numberOf(index: number): string {
  return `+1206555${String(index).padStart(4, '0')}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function report(
  { legs, seconds }: { readonly legs: number; readonly seconds: number },
  heard: Measured,
  plain: Measured,
  floor: Floor,
): BenchReport {
  const ms = (value: number): BenchMetric => ({ value: rounded(value), unit: 'ms' });
  const share = (value: number): BenchMetric => ({ value: rounded(value), unit: 'of one core' });
  const keysLost = heard.keysSent - heard.keyDelaysMs.length;
  const lost = lossOf(heard);
  return {
    name: 'legs',
    host: benchHost(),
    metrics: {
      legs: { value: legs, unit: 'legs' },
      failed: { value: heard.failed + plain.failed, unit: 'legs, of both runs' },
      cpu: share(heard.cpuShare),
      cpuWithoutTaps: share(plain.cpuShare),
      cpuFloor: share(floor.cpuShare),
      packetsSentOfDueFloor: { value: rounded(floor.sentOfDue), unit: 'of 50 a second' },
      cpuFarEnd: share(heard.farEndCpuShare),
      keysSent: { value: heard.keysSent, unit: 'keys' },
      keysLost: { value: keysLost, unit: 'keys' },
      keyDelayP50: ms(percentile(heard.keyDelaysMs, 0.5)),
      keyDelayP99: ms(percentile(heard.keyDelaysMs, 0.99)),
      verdictDelayP50: ms(percentile(heard.verdictDelaysMs, 0.5)),
      verdictDelayP95: ms(percentile(heard.verdictDelaysMs, 0.95)),
      ...Object.fromEntries(
        [...heard.verdicts].map(([verdict, count]) => [
          `verdicts (${verdict})`,
          { value: count, unit: 'legs' },
        ]),
      ),
      packetsSent: { value: lost.sent, unit: 'packets' },
      packetsSentOfDue: {
        value: rounded(lost.sent / (legs * 50 * seconds)),
        unit: 'of 50 a second',
      },
      packetsSentLost: { value: lost.sentLost, unit: 'packets' },
      packetsSentLostWithoutTaps: { value: lossOf(plain).sentLost, unit: 'packets' },
      lossReceivedMean: { value: rounded(lost.receivedRatio), unit: 'of those received' },
      lossReceivedMeanWithoutTaps: {
        value: rounded(lossOf(plain).receivedRatio),
        unit: 'of those received',
      },
      jitterSentP95: ms(jitterOf(heard)),
      jitterSentP95WithoutTaps: ms(jitterOf(plain)),
      farEndLateP99: ms(percentile(heard.farEnd.lateMs, 0.99)),
    },
    ratios: {
      cpuOverWithoutTaps: rounded(heard.cpuShare / plain.cpuShare),
      cpuOverFloor: rounded(heard.cpuShare / floor.cpuShare),
      cpuWithoutTapsOverFloor: rounded(plain.cpuShare / floor.cpuShare),
    },
    targets: {
      cpu: atMost(heard.cpuShare, 0.75),
      keysLost: atMost(keysLost, 0),
      packetsSentLost: atMost(lost.sentLost, 0),
      failed: atMost(heard.failed + plain.failed, 0),
      legsWithoutVerdict: atMost(legs - heard.verdictDelaysMs.length, 0),
    },
  };
}

/** What the far end did not get, by its sequence numbers; what we did not, by the media server's counts. */
function lossOf({ farEnd, qualities }: Measured) {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    sent: sum(farEnd.legs.map(({ received, lost }) => received + lost)),
    sentLost: sum(farEnd.legs.map(({ lost }) => lost)),
    receivedRatio: sum(qualities.map(({ lossRatio }) => lossRatio)) / qualities.length,
  };
}

function jitterOf({ farEnd }: Measured): number {
  return percentile(
    farEnd.legs.map(({ jitterMs }) => jitterMs),
    0.95,
  );
}
