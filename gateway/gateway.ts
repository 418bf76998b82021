/**
 * The SIP edge gateway: the telephony contract on one side, drachtio-server and FreeSWITCH on the
 * other. It does not know whether they are the real ones or the embedded switch.
 */
import { lookup } from 'node:dns/promises';
import type { GatewayConfig } from '../config/gateway.schema.ts';
import type { CommandReply } from '../machines/command-reply.ts';
import { DialerError } from '../machines/errors.ts';
import { isGatewayCommand, type GatewayCommand } from '../machines/gateway-commands.ts';
import {
  ATTEMPT_COMMANDS,
  type AttemptCommand,
  type TelephonyCommand,
} from '../machines/telephony-commands.ts';
import type { TelephonyEvent } from '../machines/telephony-events.ts';
import type { TelephonyPort } from '../machines/telephony.port.ts';
import { AttemptDesk } from './attempts/attempt-desk.ts';
import { AttemptRegistry } from './attempts/attempt-registry.ts';
import { openListening, type OpenedListening } from './audio-taps/open-listening.ts';
import { systemClock, type GatewayClock } from './clock.ts';
import { GatewayCounters } from './counters.ts';
import { GatewayEvents, type QualityListener } from './gateway-events.ts';
import type { GatewayLog } from './gateway-log.ts';
import type { DialInDesk, DialInEventBody } from './dial-in/dial-in-desk.ts';
import { openDialIn } from './dial-in/open-dial-in.ts';
import type { InboundDesk, InboundEventBody } from './inbound/inbound-desk.ts';
import { openInbound } from './inbound/open-inbound.ts';
import { openRegistrar } from './registrar/open-registrar.ts';
import type { Registrar } from './registrar/registrar.ts';
import type { RepresentativeDirectory } from '../machines/representative-directory.port.ts';
import { LobbyDesk } from './lobby/lobby-desk.ts';
import { NO_REGISTRAR, phoneAddresses } from './lobby/phone-addresses.ts';
import { switchProblem, watchLoss } from './loss.ts';
import { EndpointPool } from './media/endpoint-pool.ts';
import { EndpointPools } from './media/endpoint-pools.ts';
import { EndpointSignalling } from './media/endpoint-signalling.ts';
import { EslConnection, MediaServer } from './media/fsmrf.ts';
import type { MediaEndpoint } from './media/media-endpoint.ts';
import { MediaFiles } from './media/media-files.ts';
import { MediaLink } from './media/media-link.ts';
import type { Codec } from './media/secure-offer.ts';
import { gatewayHealth, type GatewayHealth } from './metrics/gateway-health.ts';
import { recordingFiles } from './recordings/recording-files.ts';
import { DialogEnder } from './sip/dialog-ender.ts';
import type { SipRequest, SipResponse, SrfPort } from './sip/srf.port.ts';
import type { LadderLine } from './sip/sip-ladder.ts';
import { SipLink } from './sip/sip-link.ts';
import { speechModule } from './speech/freeswitch-speech.ts';
import { GatewaySpeech } from './speech/gateway-speech.ts';
import { answerStrayRequests } from './sip/sip-routes.ts';
import { makeSrf } from './sip/srf.ts';
import { openTranscription, requireTranscriber } from './transcription/open-transcription.ts';
import type { TranscriptionDesk } from './transcription/transcription-desk.ts';
import type { TrunkVerdict } from './trunks/trunk-check.ts';
import { TrunkDirectory } from './trunks/trunk-directory.ts';
import { trunkReply } from './trunks/trunk-operations.ts';

export interface GatewayOptions {
  readonly config: GatewayConfig;
  readonly log: GatewayLog;
  readonly clock?: GatewayClock;
  /** Accounts and bindings of representatives' phones; without it none can register. */
  readonly representatives?: RepresentativeDirectory;
  /** Ended attempts that can still be asked about; for tests of what stays in memory. */
  readonly endedKeptMax?: number;
}

/** How long an ended attempt can be asked about, and how many: about 10 kB each, 200 MB at the most. */
const ENDED_KEPT_MS = 15 * 60_000;
const ENDED_KEPT_MAX = 20_000;

/** Media servers end channels that hear nothing for minutes; ours are fresher than that. */
const WARM_AGE_MAX_MS = 120_000;
const CREATING_MAX = 16;

/** On close: what is still talking gets this long to be told BYE. */
const CLOSE_LIMIT_MS = 5_000;

export class Gateway implements TelephonyPort {
  readonly counters = new GatewayCounters();
  readonly #config: GatewayConfig;
  readonly #clock: GatewayClock;
  readonly #log: GatewayLog;
  readonly #events: GatewayEvents;
  readonly #link: SipLink;
  readonly #ender: DialogEnder;
  readonly #media: MediaLink;
  readonly #files: MediaFiles;
  readonly #speech: GatewaySpeech;
  readonly #listening: OpenedListening;
  readonly #pool: EndpointPool<MediaEndpoint>;
  readonly #pools: EndpointPools;
  readonly #registry: AttemptRegistry;
  readonly #registrar: Registrar | undefined;
  readonly #inbound: InboundDesk;
  readonly #dialIn: DialInDesk | undefined;
  readonly #lobbies: LobbyDesk;
  readonly #desk: AttemptDesk;
  readonly #directory: TrunkDirectory;
  readonly #transcription: TranscriptionDesk;
  #closing: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    const { config, log, clock = systemClock, endedKeptMax = ENDED_KEPT_MAX } = options;
    const { counters } = this;
    this.#config = config;
    this.#log = log;
    this.#clock = clock;
    this.#events = new GatewayEvents({ gatewayId: config.id, clock, log });
    const srf = makeSrf(config.drachtio.sharedTag);
    const { registrar, inbound, dialIn } = config;
    answerStrayRequests(srf, {
      ...(registrar.realm === ''
        ? {}
        : {
            onRegister: (request, response) => {
              if (this.#registrar === undefined) response.send(503);
              else void this.#registrar.handle(request, response);
            },
          }),
      ...(inbound.message === '' && dialIn.numbers === ''
        ? {}
        : { onInvite: (request, response) => this.#onInvite(request, response) }),
    });
    this.#registrar = openRegistrar(config, options.representatives, { clock, log });
    const link = new SipLink({
      ...{ srf, clock, log, counters },
      options: { ...config, ...config.drachtio },
    });
    const ender = new DialogEnder({ link, clock, log, counters });
    const signalling = new EndpointSignalling(link, ender);
    this.#link = link;
    this.#ender = ender;
    this.#media = new MediaLink({
      ...{ link, ender, clock, log, counters },
      options: { ...config, ...config.freeswitch, requiredModule: speechModule(config.speech) },
      connector: { EslConnection, MediaServer, signalling, clock },
    });
    this.#listening = openListening(config, log);
    this.#speech = new GatewaySpeech(config.speech, log);
    this.#files = new MediaFiles({
      speech: this.#speech,
      host: config.freeswitch.listenHost,
      port: config.freeswitch.filesPort,
      promptsDir: config.promptsDir,
    });
    this.#pool = this.#makePool();
    this.#pools = new EndpointPools(this.#pool, config.trunks, (codec) => this.#makePool(codec));
    this.#registry = new AttemptRegistry(clock, {
      endedKeptMs: ENDED_KEPT_MS,
      endedKeptMax,
    });
    this.#directory = this.#makeDirectory();
    this.#lobbies = this.#makeLobbies();
    this.#desk = this.#makeDesk();
    ({ inbound: this.#inbound, dialIn: this.#dialIn } = this.#openIncoming(options, srf));
    this.#transcription = openTranscription(config, { clock, log }, (body) =>
      this.#events.gatewayNews(body),
    );
    const { onChange } = this;
    const { registry, media } = this.#watched();
    watchLoss({ link, media, pool: this.#pools, registry, log, onChange });
    link.onDown(({ detail }) => {
      this.#lobbies.switchLost(`drachtio: ${detail}`);
      this.#dialIn?.switchLost();
    });
  }

  /** Begins to connect; `ready` tells when both halves of the switch are there. */
  start(): void {
    this.#link.start();
    this.#media.start();
    this.#directory.start();
  }

  /** Resolves when dials are taken. Rejects with what was in the way when that takes too long. */
  async ready(limitMs: number): Promise<void> {
    await this.#files.listening;
    await Promise.all([
      this.#speech.check(),
      this.#listening.ready,
      requireTranscriber(this.#config.transcription),
    ]);
    if (this.#link.isUp && this.#media.isUp) return;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (!this.#link.isUp || !this.#media.isUp) return;
        this.#clock.clearTimeout(limit);
        resolve();
      };
      const limit = this.#clock.setTimeout(() => reject(this.#whyNotReady()), limitMs);
      this.#link.onUp(check);
      this.#media.onUp(check);
    });
  }

  send(command: TelephonyCommand | GatewayCommand): Promise<CommandReply> {
    if (isGatewayCommand(command)) {
      if (command.type === 'recording.transcribe') {
        return Promise.resolve(this.#transcription.take(command));
      }
      return Promise.resolve(trunkReply(command, this.#config.id, this.#directory));
    }
    if (isAttemptCommand(command)) return Promise.resolve(this.#desk.handle(command));
    return Promise.resolve(this.#lobbies.handle(command));
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  /** How well the far end of each answered call was heard; returns what stops the listening. */
  onCallQuality(listener: QualityListener): () => void {
    return this.#events.onCallQuality(listener);
  }

  /** One OPTIONS to a trunk of the configuration. Throws UNKNOWN_TRUNK for another. */
  checkTrunk(name: string): Promise<TrunkVerdict> {
    return this.#directory.check(name);
  }

  /** No call is given to the trunk until it is resumed, or until its configured time is over. */
  suspendTrunk(name: string, detail: string): void {
    this.#directory.suspend(name, detail);
  }

  resumeTrunk(name: string): void {
    this.#directory.resume(name);
  }

  /** The SIP messages of an attempt that is known still; numbers masked unless asked for. */
  ladder(attemptId: string, options: { showNumbers?: boolean } = {}): readonly LadderLine[] {
    return this.#registry.get(attemptId)?.attempt?.ladder.lines(options) ?? [];
  }

  /** Resolves when nothing of the attempt is left on the wire: BYE answered, channel free. */
  whenReleased(attemptId: string): Promise<void> {
    return this.#desk.whenReleased(attemptId);
  }

  /** Counts for metrics, tests and the demo's live line. */
  get gauges() {
    const { warm, creating, inCalls, waiting } = this.#pool.counts;
    return {
      attemptsInFlight: this.#registry.active.size,
      attemptsReleasing: this.#desk.releasing.size,
      dialogsEnding: this.#ender.inHand,
      endpointsWarm: warm,
      endpointsCreating: creating,
      endpointsInCalls: inCalls,
      endpointsWaiting: waiting,
      lobbiesReady: this.#lobbies.counts.ready,
      signallingUp: this.#link.isUp ? 1 : 0,
      mediaUp: this.#media.isUp ? 1 : 0,
    };
  }

  /** Whether it could dial now, part by part, and in words why not. */
  get health(): GatewayHealth {
    return gatewayHealth(this.#link, this.#media, this.#directory.trunks.values());
  }

  /** Takes no more dials, ends every call, and lets go of the switch. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const unregistered = this.#directory.close();
    const attempts = [...this.#registry.active];
    for (const attempt of attempts) attempt.cancel({ reason: 'shutdown' });
    this.#lobbies.closeAll();
    this.#dialIn?.closeAll();
    this.#inbound.closeAll();
    this.#pools.pause('the gateway is closing');
    const idle = this.#untilIdle();
    await Promise.all([idle.promise, unregistered]);
    this.#media.close();
    await this.#files.close();
    await Promise.all([this.#listening.close(), this.#speech.close(), this.#transcription.close()]);
    this.#ender.close();
    this.#link.close();
    this.#events.close();
  }

  #onInvite(request: SipRequest, response: SipResponse): void {
    if (this.#dialIn?.answers(request) === true) this.#dialIn.take(request, response);
    else if (this.#config.inbound.message === '') response.send(404);
    else this.#inbound.take(request, response);
  }

  #untilIdle(): { promise: Promise<void> } {
    const clock = this.#clock;
    const deadlineMs = clock.now() + CLOSE_LIMIT_MS;
    const isIdle = (): boolean =>
      this.#registry.active.size === 0 &&
      this.#lobbies.counts.releasing === 0 &&
      this.#ender.byesInHand === 0 &&
      this.#pools.creating === 0;
    const promise = new Promise<void>((resolve) => {
      const look = (): void => {
        if (isIdle() || !this.#link.isUp || clock.now() >= deadlineMs) resolve();
        else clock.setTimeout(look, 10);
      };
      look();
    });
    return { promise };
  }

  readonly onChange = (): void => {
    this.#events.capacityChanged(() => ({
      attemptsMax: switchProblem(this.#watched()) === undefined ? this.#config.endpointsMax : 0,
      attemptsInFlight: this.#registry.active.size,
      endpointsWarm: this.#pool.counts.warm,
    }));
  };

  #watched() {
    return { link: this.#link, media: this.#media, pool: this.#pool, registry: this.#registry };
  }

  /** With a codec: endpoints that speak SRTP, of which none is kept warm. */
  #makePool(secureCodec?: Codec): EndpointPool<MediaEndpoint> {
    const { endpointsWarm, endpointsMax, reconnectDelayMinMs, reconnectDelayMaxMs } = this.#config;
    const options = {
      warm: secureCodec === undefined ? endpointsWarm : 0,
      max: Math.max(endpointsMax, endpointsWarm),
      warmAgeMaxMs: WARM_AGE_MAX_MS,
      creatingMax: CREATING_MAX,
      retryDelayMinMs: reconnectDelayMinMs,
      retryDelayMaxMs: reconnectDelayMaxMs,
    };
    return new EndpointPool(() => this.#media.createEndpoint(secureCodec), options, this.#clock);
  }

  #makeLobbies(): LobbyDesk {
    const { counters } = this;
    return new LobbyDesk({
      gatewayId: this.#config.id,
      services: {
        ...{ link: this.#link, ender: this.#ender, pool: this.#pool, counters },
        ...{ clock: this.#clock, log: this.#log, prompts: this.#files.prompts },
      },
      phones: phoneAddresses(this.#registrar ?? NO_REGISTRAR),
      dialIn: () => this.#dialIn,
      publish: (event) => this.#events.publish(event),
      problem: () =>
        this.#closing === undefined ? switchProblem(this.#watched()) : 'the gateway is closing',
    });
  }

  #openIncoming(
    { config, representatives }: GatewayOptions,
    srf: SrfPort,
  ): { readonly inbound: InboundDesk; readonly dialIn: DialInDesk | undefined } {
    const services = {
      ...{ srf, link: this.#link, ender: this.#ender, pool: this.#pool },
      ...{ listening: this.#listening.port, prompts: this.#files.prompts },
      ...{ clock: this.#clock, log: this.#log },
    };
    const publish = (body: InboundEventBody | DialInEventBody): void =>
      this.#events.gatewayNews(body);
    const hasLobby = (representativeId: string): boolean =>
      this.#lobbies.hasReadyLobbyOf(representativeId);
    return {
      inbound: openInbound(config, { services, publish }),
      dialIn: openDialIn(config, representatives, { services, publish, hasLobby }),
    };
  }

  #makeDesk(): AttemptDesk {
    const { counters } = this;
    return new AttemptDesk({
      registry: this.#registry,
      services: {
        ...{ link: this.#link, ender: this.#ender, pool: this.#pool, counters },
        ...{ clock: this.#clock, log: this.#log, prompts: this.#files.prompts },
        poolFor: (trunk) => this.#pools.for(trunk),
        listening: this.#listening.port,
        onQuality: (trunk, quality) => this.#events.callQuality(trunk, quality),
        lobbies: this.#lobbies,
        recordings: recordingFiles(this.#config.recordingsDir, this.#files),
      },
      view: () => ({
        gatewayId: this.#config.id,
        trunks: this.#directory.trunks,
        groups: this.#directory.groups,
        switchProblem: switchProblem(this.#watched()),
        closing: this.#closing !== undefined,
        lobbyProblem: (lobbyId) => this.#lobbies.problemOf(lobbyId, this.#media.serverId),
      }),
      publish: (...events) => this.#events.publish(...events),
      onChange: () => this.onChange(),
    });
  }

  #makeDirectory(): TrunkDirectory {
    const { trunks, trunkGroups, trunkCheckIntervalMs, trunkCheckTimeoutMs } = this.#config;
    return new TrunkDirectory({
      trunks,
      groups: trunkGroups,
      clock: this.#clock,
      intervalMs: trunkCheckIntervalMs,
      check: {
        link: this.#link,
        now: () => performance.now(),
        timeoutMs: trunkCheckTimeoutMs,
        resolveHost: lookup,
      },
      onNews: (news) => this.#events.trunkState(news),
    });
  }

  #whyNotReady(): DialerError {
    const { drachtio, freeswitch } = this.#config;
    if (!this.#link.isUp) {
      const { code, detail } = this.#link.problem;
      return new DialerError(code, `drachtio at ${drachtio.host}:${drachtio.port}: ${detail}`);
    }
    const where = `FreeSWITCH at ${freeswitch.host}:${freeswitch.port}`;
    return new DialerError('MEDIA_CONNECT_FAILED', `${where}: ${this.#media.problem}`);
  }
}

function isAttemptCommand(command: TelephonyCommand): command is AttemptCommand {
  return Object.hasOwn(ATTEMPT_COMMANDS, command.type);
}

/** Connects, and returns when dials are taken. On failure nothing is left running. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new Gateway(options);
  gateway.start();
  try {
    await gateway.ready(options.config.connectTimeoutMs);
    return gateway;
  } catch (error) {
    await gateway.close();
    throw error;
  }
}
