/**
 * The service as `ringfence start` puts it together, on the lab, with each thing it stands on in the
 * test's hands: both halves of the switch, the carrier and the store can be taken away and given back.
 */
import { Value } from 'typebox/value';
import type { Test } from 'tap';
import type { CommandLog } from '../../cli/command-log.ts';
import { startDialing, type Dialing } from '../../cli/start-dialing.ts';
import { startObservability, type Observability } from '../../cli/observability.ts';
import { RingfenceConfig } from '../../config/ringfence.schema.ts';
import {
  createBusinessUnit,
  createEngagement,
  createQueue,
  createWorkstream,
} from '../../dialer/engagements/create-engagement.ts';
import { createBatch } from '../../dialer/intake/batch.ts';
import { importBatch } from '../../dialer/intake/batch-import.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import type { TraceSink } from '../../dialer/traces/trace-sink.ts';
import { loggedTelephony } from '../../dialer/telephony-log.ts';
import { createGateway, type Gateway } from '../../gateway/gateway.ts';
import { startLab, type Lab } from '../../lab/start-lab.ts';
import { startMediaWorker, startSignallingWorker } from '../../softswitch/start-softswitch.ts';

const SECRET = 'secret-of-a-test';
const HOST = '127.0.0.1';
export const ACTOR = 'test';

export interface ServiceOptions {
  /** Open; the test's to close. */
  readonly database: OpenDatabase;
  readonly log: CommandLog;
  readonly config?: Record<string, Record<string, unknown>>;
  readonly traces?: TraceSink;
}

export class ObservedService {
  readonly database: OpenDatabase;
  readonly gateway: Gateway;
  readonly dialing: Dialing;
  readonly observability: Observability;
  readonly #parts: SwitchParts;
  readonly #lab: LabAt;

  static async start(t: Test, { database, log, config = {}, traces }: ServiceOptions) {
    const parts = await SwitchParts.start();
    const lab = await LabAt.start();
    const settings = settingsOf(parts, lab, config);
    const gateway = await createGateway({ config: settings.gateway, log });
    const observability = startObservability({
      ...{ config: settings, database, log },
      telephony: { gateway, switchStats: () => parts.stats() },
      ...(traces === undefined ? {} : { traces }),
      probing: { limitMs: 1_000, keptMs: 50 },
    });
    const dialing = await startDialing({
      ...{ config: settings, database, telephony: loggedTelephony(gateway, log), log },
      observability,
    });
    const service = new ObservedService({ database, gateway, dialing, observability, parts, lab });
    t.teardown(() => service.stop());
    return service;
  }

  private constructor(all: {
    database: OpenDatabase;
    gateway: Gateway;
    dialing: Dialing;
    observability: Observability;
    parts: SwitchParts;
    lab: LabAt;
  }) {
    this.database = all.database;
    this.gateway = all.gateway;
    this.dialing = all.dialing;
    this.observability = all.observability;
    this.#parts = all.parts;
    this.#lab = all.lab;
  }

  get url(): string {
    return this.dialing.httpUrl;
  }

  get signalling() {
    return this.#parts.signalling;
  }

  get media() {
    return this.#parts.media;
  }

  get lab(): LabAt {
    return this.#lab;
  }

  /** Writes an engagement with these contacts, and resolves when all of them are at their end. */
  async dialAll(name: string, numbers: readonly string[]): Promise<string> {
    const { database, dialing } = this;
    const nowMs = Date.now();
    const { ids, dialer } = dialing;
    const businessUnitId = await createBusinessUnit({ database, ids, nowMs }, 'Observed');
    const writer = { database, ids, nowMs, businessUnitId, actor: ACTOR };
    const workstreamId = await createWorkstream(writer, {
      ...{ name: 'Observed', trunk: 'lab', number: '+12025550100' },
      aiAgent: { sipUri: this.#lab.agentUri, fallbackPrompts: [] },
    });
    const queueId = await createQueue(writer, { name: 'Observed' });
    const engagementId = await createEngagement(writer, {
      ...{ name, workstreamId, queueId },
      config: {
        mode: { kind: 'copilot', maxConcurrentCalls: 20 },
        callOrder: 'firstInFirstOut',
        ringTimeoutMs: 15_000,
        aiFailure: { action: 'none' },
      },
    });
    const batchId = await createBatch(writer, { engagementId, sourceName: 'test' });
    const rows = numbers.map((number, row) => `C-${row},${number}\n`);
    const file = Buffer.from(`UniqueIdentifier,MobilePhoneNumber\n${rows.join('')}`);
    await importBatch({
      ...{ database, ids, businessUnitId, batchId, actor: ACTOR, nowMs: () => nowMs },
      open: async function* () {
        await Promise.resolve();
        yield file;
      },
      rules: { format: 'e164' },
    });
    const left = new Promise<void>((resolve) => {
      let final = 0;
      dialer.subscribe((news) => {
        if (news.type !== 'task.left' || news.left !== 'final') return;
        final += 1;
        if (final === numbers.length) resolve();
      });
    });
    await dialer.engagementChanged(engagementId);
    await left;
    return engagementId;
  }

  async stop(): Promise<void> {
    await this.dialing.stop(0);
    await this.observability.stop();
    await this.gateway.close();
    await this.#parts.stop();
    await this.#lab.stop();
  }
}

/** One part of the world that goes away and comes back at the same port. */
export class Restartable<Running extends { stop(): Promise<void> }> {
  readonly #start: (ports: readonly number[]) => Promise<Running>;
  #running: Running | undefined;

  private constructor(start: (ports: readonly number[]) => Promise<Running>, running: Running) {
    this.#start = start;
    this.#running = running;
  }

  static async open<Running extends { stop(): Promise<void> }>(
    start: (ports: readonly number[]) => Promise<Running>,
    portsOf: (running: Running) => readonly number[],
  ): Promise<Restartable<Running>> {
    const running = await start([]);
    const ports = portsOf(running);
    return new Restartable(() => start(ports), running);
  }

  get running(): Running | undefined {
    return this.#running;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  async restart(): Promise<void> {
    this.#running = await this.#start([]);
  }
}

type Signalling = Awaited<ReturnType<typeof startSignallingWorker>>;
type Media = Awaited<ReturnType<typeof startMediaWorker>>;

class SwitchParts {
  readonly signalling: Restartable<Signalling>;
  readonly media: Restartable<Media>;

  static async start(): Promise<SwitchParts> {
    const signalling = await Restartable.open(
      ([sipPort = 0, controlPort = 0]) =>
        startSignallingWorker({
          host: HOST,
          sip: { port: sipPort, protocols: ['udp', 'tcp'] },
          control: { port: controlPort, secret: SECRET },
        }),
      ({ ports }) => [ports.sipPort, ports.controlPort],
    );
    const media = await Restartable.open(
      ([sipPort = 0, eslPort = 0]) =>
        startMediaWorker({
          host: HOST,
          media: { sipPort, rtpPortMin: 20_000, rtpPortMax: 29_998, rtpQuarantineMs: 5_000 },
          esl: { port: eslPort, password: SECRET },
        }),
      ({ ports }) => [ports.mediaSipPort, ports.eslPort],
    );
    return new SwitchParts(signalling, media);
  }

  private constructor(signalling: Restartable<Signalling>, media: Restartable<Media>) {
    this.signalling = signalling;
    this.media = media;
  }

  async stats() {
    const [signalling = {}, media = {}] = await Promise.all([
      this.signalling.running?.stats(),
      this.media.running?.stats(),
    ]);
    return { signalling, media };
  }

  async stop(): Promise<void> {
    await Promise.all([this.signalling.stop(), this.media.stop()]);
  }
}

export class LabAt {
  readonly #lab: Restartable<Lab>;
  readonly #sipPort: number;
  readonly #agentPort: number;

  static async start(): Promise<LabAt> {
    const lab = await Restartable.open(
      ([sipPort = 0, agentPort = 0]) =>
        startLab({ host: HOST, sipPort, aiAgent: { sipPort: agentPort } }),
      ({ sipPort, aiAgentSipPort = 0 }) => [sipPort, aiAgentSipPort],
    );
    return new LabAt(lab);
  }

  private constructor(lab: Restartable<Lab>) {
    this.#lab = lab;
    this.#sipPort = lab.running?.sipPort ?? 0;
    this.#agentPort = lab.running?.aiAgentSipPort ?? 0;
  }

  get trunkAddress(): string {
    return `sip:${HOST}:${this.#sipPort};transport=udp`;
  }

  get agentUri(): string {
    return `sip:agent@${HOST}:${this.#agentPort};transport=udp`;
  }

  stop(): Promise<void> {
    return this.#lab.stop();
  }

  restart(): Promise<void> {
    return this.#lab.restart();
  }
}

function settingsOf(
  { signalling, media }: SwitchParts,
  lab: LabAt,
  more: Record<string, Record<string, unknown>>,
): RingfenceConfig {
  const given = {
    ...more,
    dialer: { id: 'observed', labNumberGapMinMs: 0, leaseMs: 3_000, ...more['dialer'] },
    http: { port: 0, ...more['http'] },
    gateway: {
      ...{ id: 'observed', embedded: false, endpointsWarm: 4, listenInThread: false },
      ...{ trunkCheckIntervalMs: 200, trunkCheckTimeoutMs: 1_000, reconnectDelayMaxMs: 250 },
      drachtio: { host: HOST, port: signalling.running?.ports.controlPort, secret: SECRET },
      freeswitch: { host: HOST, port: media.running?.ports.eslPort, password: SECRET },
      trunks: [
        {
          ...{ name: 'lab', address: lab.trunkAddress, callerId: '+12025550100' },
          ...{ channelsMax: 50, callsPerSecondMax: 50 },
        },
      ],
    },
  };
  return Value.Parse(RingfenceConfig, Value.Default(RingfenceConfig, given));
}
