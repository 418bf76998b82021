/**
 * Attempts of the gateway on an injected clock, without a switch: the test plays drachtio, the far end
 * and the media server.
 */
import { Value } from 'typebox/value';
import { TrunkConfig } from '../../config/trunk.schema.ts';
import { AttemptDesk } from '../../gateway/attempts/attempt-desk.ts';
import type { TappedChannel } from '../../gateway/audio-taps/audio-tap.port.ts';
import type { Heard, Listening, ListenOrder } from '../../gateway/audio-taps/listening.port.ts';
import { AttemptRegistry } from '../../gateway/attempts/attempt-registry.ts';
import { GatewayCounters } from '../../gateway/counters.ts';
import { LobbyDesk } from '../../gateway/lobby/lobby-desk.ts';
import { phoneAddresses, type RegisteredPhones } from '../../gateway/lobby/phone-addresses.ts';
import { watchLoss } from '../../gateway/loss.ts';
import type { CallQuality } from '../../gateway/media/call-quality.ts';
import { EndpointPool } from '../../gateway/media/endpoint-pool.ts';
import type { MediaEndpoint, ReceivedDigit } from '../../gateway/media/media-endpoint.ts';
import type { MediaLink } from '../../gateway/media/media-link.ts';
import type { MediaOutcome } from '../../gateway/media/media-wait.ts';
import { promptFiles } from '../../gateway/media/prompts.ts';
import { OneTimeSignal } from '../../gateway/one-time-signal.ts';
import type { RecordingFile } from '../../gateway/recordings/recording-files.ts';
import { DialogEnder } from '../../gateway/sip/dialog-ender.ts';
import { SipLink } from '../../gateway/sip/sip-link.ts';
import { TrunkGroup } from '../../gateway/trunks/trunk-group.ts';
import { Trunk } from '../../gateway/trunks/trunk.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import type { AttemptDial, AttemptPlay, ConnectTarget } from '../../machines/telephony-commands.ts';
import type { AttemptEvent, LobbyEvent } from '../../machines/telephony-events.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';
import { FAR_SDP, FakeSrf, type FakeInvite } from './fake-srf.ts';
import { silentLog } from './silent-log.ts';

export interface FakePlay {
  readonly files: readonly string[];
  readonly end: (outcome: MediaOutcome<{ getHeader(name: string): string | undefined }>) => void;
}

/** An endpoint that the test speaks for. */
export class FakeMediaEndpoint {
  readonly gone = new OneTimeSignal<string>();
  readonly channelId: string;
  readonly localSdp = FAR_SDP;
  mediaServerId = 'fs-1';
  readonly applied: string[] = [];
  readonly plays: FakePlay[] = [];
  scheduledHangupMs: number | undefined;
  onDigit: ((digit: ReceivedDigit) => void) | undefined;
  /** What the next re-INVITE to the media server meets. */
  modifyOutcome: MediaOutcome<string> = { kind: 'done', value: FAR_SDP };

  constructor(channelId: string) {
    this.channelId = channelId;
  }

  applyRemote(sdp: string): Promise<MediaOutcome<string>> {
    this.applied.push(sdp);
    return Promise.resolve(this.modifyOutcome);
  }

  play(files: readonly string[]) {
    return new Promise((end: FakePlay['end']) => {
      this.gone.onFire((problem) => end({ kind: 'gone', problem }));
      this.plays.push({ files, end });
    });
  }

  /** Playbacks that were broken off. */
  breaks = 0;

  stopPlaying(): Promise<MediaOutcome<undefined>> {
    this.breaks += 1;
    return Promise.resolve({ kind: 'done', value: undefined });
  }

  get tapped(): TappedChannel {
    return {
      channelId: this.channelId,
      api: () => Promise.reject(new Error('no media server')),
      message: () => Promise.reject(new Error('no media server')),
    };
  }

  /** What uuid_bridge meets; a promise that never settles: no answer comes. */
  bridgeOutcome: Promise<MediaOutcome<undefined>> = Promise.resolve({
    kind: 'done',
    value: undefined,
  });
  readonly bridgedWith: string[] = [];
  /** Packets of the far end so far; undefined: the media server cannot tell. */
  packets: number | undefined = 0;

  bridgeWith(other: { readonly channelId: string }): Promise<MediaOutcome<undefined>> {
    this.bridgedWith.push(other.channelId);
    return this.bridgeOutcome;
  }

  /** Commands of the media server beside those with a method of their own, in order. */
  readonly commands: string[] = [];
  /** What the next command meets, by the name it begins with; else it is done. */
  readonly commandOutcomes = new Map<string, MediaOutcome<undefined>>();
  /** The media server says that the channel has come to rest. */
  parked: () => void = () => undefined;

  command(name: string, args: string): Promise<MediaOutcome<undefined>> {
    this.commands.push(`${name} ${args}`);
    return Promise.resolve(this.commandOutcomes.get(name) ?? { kind: 'done', value: undefined });
  }

  run(application: string, argument: string) {
    return new Promise((end: FakePlay['end']) => {
      this.gone.onFire((problem) => end({ kind: 'gone', problem }));
      this.plays.push({ files: [`${application} ${argument}`], end });
    });
  }

  park(): Promise<MediaOutcome<undefined>> {
    return this.command('park', this.channelId);
  }

  watchParking(parked: () => void): void {
    this.parked = parked;
  }

  packetsReceived(): Promise<MediaOutcome<number>> {
    return Promise.resolve(
      this.packets === undefined
        ? { kind: 'failed', problem: 'no counts' }
        : { kind: 'done', value: this.packets },
    );
  }

  scheduleHangup(afterMs: number): void {
    this.scheduledHangupMs = afterMs;
  }

  /** What the media server would tell of the call at its end. */
  quality: CallQuality | undefined;

  release(onQuality?: (quality: CallQuality) => void): void {
    if (this.quality !== undefined && !this.gone.fired) onQuality?.(this.quality);
    this.gone.fire('released');
  }
}

/** A tap whose detectors the test speaks for. */
export class FakeListening implements Listening {
  readonly channelId: string;
  /** What is listened for now. */
  ordered: ListenOrder = {};
  stopped = false;
  readonly #tell: (heard: Heard) => void;

  constructor(channelId: string, tell: (heard: Heard) => void) {
    this.channelId = channelId;
    this.#tell = tell;
  }

  order(order: ListenOrder): void {
    this.ordered = order;
  }

  hear(...heard: Heard[]): void {
    for (const each of heard) this.#tell(each);
  }

  stop(): void {
    this.stopped = true;
  }
}

function trunkConfig(given: object): TrunkConfig {
  return Value.Parse(TrunkConfig, Value.Default(TrunkConfig, given));
}

export interface BenchOptions {
  readonly trunk?: Partial<TrunkConfig>;
  /** The trunk and these, each with its own name, are the group `group`, in this order. */
  readonly others?: readonly Partial<TrunkConfig>[];
  readonly warm?: number;
  readonly endedKeptMs?: number;
  readonly endedKeptMax?: number;
}

export class AttemptBench {
  readonly srf = new FakeSrf();
  readonly clock = new VirtualClock();
  readonly counters = new GatewayCounters();
  readonly events: AttemptEvent[] = [];
  /** A listener that answers an event at once, as an attempt's machine does. */
  react: (event: AttemptEvent) => void = () => undefined;
  readonly endpoints: FakeMediaEndpoint[] = [];
  /** Endpoints being made, when none is warm. */
  readonly creating: ((endpoint: FakeMediaEndpoint) => void)[] = [];
  readonly listenings: FakeListening[] = [];
  readonly qualities: ({ trunk: string } & CallQuality)[] = [];
  readonly listening = {
    capabilities: { survivesPlayback: true, survivesBridge: true, reachesOtherHosts: false },
    listen: ({ channelId }: TappedChannel, tell: (heard: Heard) => void): Listening => {
      const listening = new FakeListening(channelId, tell);
      this.listenings.push(listening);
      return listening;
    },
  };
  readonly link: SipLink;
  readonly ender: DialogEnder;
  readonly pool: EndpointPool<MediaEndpoint>;
  readonly registry: AttemptRegistry;
  readonly desk: AttemptDesk;
  readonly lobbies: LobbyDesk;
  readonly lobbyEvents: LobbyEvent[] = [];
  /** Files that the media server is to deliver, in order. */
  readonly recordings: { arrive: (bytes: number) => void; break: (error: Error) => void }[] = [];
  /** What has registered, for tests that say so. */
  readonly registered: { -readonly [K in keyof RegisteredPhones]: RegisteredPhones[K] } = {
    realm: 'phones.example',
    bindingsOf: () => Promise.resolve(undefined),
  };
  readonly trunk: Trunk;
  readonly trunks: ReadonlyMap<string, Trunk>;
  readonly media = { isUp: true, problem: '', down: (_problem: string): void => undefined };

  static async start(options: BenchOptions = {}): Promise<AttemptBench> {
    const bench = new AttemptBench(options);
    bench.link.start();
    bench.srf.autoAnswerRequests = true;
    bench.srf.up();
    await bench.makeEndpoints();
    return bench;
  }

  private constructor({
    trunk = {},
    others = [],
    warm = 1,
    endedKeptMs = 60_000,
    endedKeptMax = 100,
  }: BenchOptions) {
    const { srf, clock, counters } = this;
    const log = silentLog;
    const given = { name: 'carrier', address: 'sip:192.0.2.9', callerId: '+12025550100', ...trunk };
    this.trunk = new Trunk(trunkConfig(given), { clock });
    const members = [{}, ...others].map((other, index) => ({
      trunk: index === 0 ? this.trunk : new Trunk(trunkConfig({ ...given, ...other }), { clock }),
      ...{ priority: index + 1, weight: 1 },
    }));
    this.trunks = new Map(members.map((member) => [member.trunk.name, member.trunk]));
    const groups = new Map([['group', new TrunkGroup('group', members)]]);
    const options = {
      ...{ host: 'h', port: 1, secret: 's', connectTimeoutMs: 1_000 },
      ...{ reconnectDelayMinMs: 100, reconnectDelayMaxMs: 100 },
    };
    this.link = new SipLink({ srf, clock, counters, log, options });
    this.ender = new DialogEnder({ link: this.link, clock, log, counters });
    this.pool = new EndpointPool<MediaEndpoint>(
      () =>
        new Promise((resolve) => {
          this.creating.push((endpoint) => resolve(endpoint as unknown as MediaEndpoint));
        }),
      {
        ...{ warm, max: 10, warmAgeMaxMs: 1e9, creatingMax: 10 },
        ...{ retryDelayMinMs: 100, retryDelayMaxMs: 100 },
      },
      clock,
    );
    this.registry = new AttemptRegistry(clock, { endedKeptMs, endedKeptMax });
    this.lobbies = new LobbyDesk({
      gatewayId: 'gateway-1',
      services: {
        ...{ link: this.link, ender: this.ender, pool: this.pool, clock, log, counters },
        prompts: promptFiles('/prompts', () => 'http://gateway'),
      },
      phones: phoneAddresses(this.registered),
      publish: (event) => this.lobbyEvents.push(event),
      problem: () => (this.link.isUp && this.media.isUp ? undefined : 'away'),
    });
    this.link.onDown(({ detail }) => this.lobbies.switchLost(detail));
    this.desk = new AttemptDesk({
      registry: this.registry,
      services: {
        ...{ link: this.link, ender: this.ender, pool: this.pool, clock, log, counters },
        prompts: promptFiles('/prompts', () => 'http://gateway'),
        listening: this.listening,
        onQuality: (trunk, quality) => this.qualities.push({ trunk, ...quality }),
        lobbies: this.lobbies,
        recordings: { expect: () => this.expectedRecording() },
      },
      view: () => ({
        gatewayId: 'gateway-1',
        trunks: this.trunks,
        groups,
        switchProblem: this.link.isUp && this.media.isUp ? undefined : 'away',
        closing: false,
        lobbyProblem: (lobbyId) => this.lobbies.problemOf(lobbyId, 'fs-1'),
      }),
      publish: (...events) => {
        this.events.push(...events);
        for (const event of events) this.react(event);
      },
      onChange: () => undefined,
    });
    this.#watchLoss();
  }

  expectedRecording(): RecordingFile {
    const arrived = new Promise<number>((arrive, fail) => {
      this.recordings.push({ arrive, break: fail });
    });
    const url = `http://gateway/recordings/${this.recordings.length}.wav`;
    return { url, arrived, forget: () => undefined, location: 'a-r.wav', path: '/nowhere' };
  }

  /** The media server makes whatever endpoints it was asked for. */
  async makeEndpoints(): Promise<void> {
    for (let next = this.creating.shift(); next !== undefined; next = this.creating.shift()) {
      const endpoint = new FakeMediaEndpoint(`channel-${this.endpoints.length + 1}`);
      this.endpoints.push(endpoint);
      next(endpoint);
      await this.settle();
    }
  }

  /** Promise reactions run; no time passes. */
  settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  dial(more: Partial<AttemptDial> = {}): CommandReply {
    return this.desk.handle({
      type: 'attempt.dial',
      ...{ attemptId: 'a', fence: 1, seq: 1, atMs: this.clock.now(), gatewayId: 'gateway-1' },
      ...{ notAfterMs: this.clock.now() + 10_000, trunk: 'carrier' },
      ...{ destination: '+12065550123', callerId: '+12025550100' },
      ...{ setupTimeoutMs: 40_000, ringLimitMs: 60_000, callLengthMaxMs: 120_000 },
      ...more,
    });
  }

  command(
    body:
      | Omit<AttemptPlay, 'attemptId' | 'fence' | 'seq' | 'atMs'>
      | { type: 'attempt.cancel'; reason: 'ring_timeout' | 'cancelled' }
      | { type: 'attempt.hangup'; reason: 'completed' | 'failed'; dialogId?: string }
      | { type: 'attempt.query' }
      | { type: 'attempt.connect'; connectId: string; target: ConnectTarget }
      | { type: 'attempt.hold'; prompts: string[] },
    envelope: { attemptId?: string; fence?: number; seq?: number } = {},
  ): CommandReply {
    const atMs = this.clock.now();
    const command = { attemptId: 'a', fence: 1, seq: 2, atMs, ...envelope, ...body };
    return this.desk.handle(command);
  }

  /** The INVITE of the nth dial, from 0. */
  invite(index = 0): FakeInvite {
    const invite = this.srf.invites[index];
    if (invite === undefined) throw new Error(`no INVITE ${index}`);
    return invite;
  }

  endpoint(index = 0): FakeMediaEndpoint {
    const endpoint = this.endpoints[index];
    if (endpoint === undefined) throw new Error(`no endpoint ${index}`);
    return endpoint;
  }

  /** Event types in order, without their `attempt.`. */
  get told(): string[] {
    return this.events.map(({ type }) => type.replace('attempt.', ''));
  }

  get ended() {
    return this.events.find((event) => event.type === 'attempt.ended');
  }

  #watchLoss(): void {
    const { link, pool, registry } = this;
    const media = {
      onUp: () => undefined,
      onDown: (listener: (problem: string) => void) => {
        this.media.down = (problem) => {
          this.media.isUp = false;
          listener(problem);
        };
      },
      get isUp() {
        return true;
      },
    } as unknown as MediaLink;
    watchLoss({ link, media, pool, registry, log: silentLog, onChange: () => undefined });
  }
}
