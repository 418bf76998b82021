/**
 * The production path in one test: call attempt machines on the gateway, the gateway on the embedded
 * switch or on the servers that the environment names, the switch on real sockets. What stands at the
 * other end of the trunk is the test's.
 */
import { Value } from 'typebox/value';
import { createActor, toPromise } from 'xstate';
import { GatewayConfig } from '../../config/gateway.schema.ts';
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import { createGateway, type Gateway } from '../../gateway/gateway.ts';
import type { GatewayLog } from '../../gateway/gateway-log.ts';
import type {
  AfterAnswer,
  CallAttemptOrder,
  CallAttemptOutput,
} from '../../machines/call-attempt.events.ts';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import type { AiAgentTarget } from '../../machines/telephony-commands.ts';
import type { RepresentativeDirectory } from '../../machines/representative-directory.port.ts';
import { TelephonyActors } from '../../machines/telephony-actor.ts';
import { isAttemptEvent, type AttemptEvent } from '../../machines/telephony-events.ts';
import { rigSwitch, type RigSwitch, type SwitchWishes } from './rig-switch.ts';

export interface RigOptions extends SwitchWishes {
  readonly trunks: readonly (Pick<TrunkConfig, 'name' | 'address'> & Partial<TrunkConfig>)[];
  readonly gateway?: Partial<GatewayConfig>;
  readonly representatives?: RepresentativeDirectory;
  /** Ended attempts that the gateway remembers. Default: as in service. */
  readonly endedKeptMax?: number;
}

export interface DialOptions {
  readonly trunk: string;
  /** Of an attempt that is in a store already. */
  readonly attemptId?: string;
  readonly destination?: string;
  readonly ringTimeoutMs?: number;
  readonly setupTimeoutMs?: number;
  /** Said once answered; the default is a fifth of a second of tone. Empty: hang up at once. */
  readonly prompts?: readonly string[];
  /** Instead of prompts: an AI agent takes the call. */
  readonly aiAgent?: AiAgentTarget;
  readonly fallbackPrompts?: readonly string[];
  /** In stereo, from the connect on. */
  readonly isRecorded?: boolean;
}

export interface DialedAttempt {
  readonly attemptId: string;
  /** Everything the gateway told about it, in order. */
  readonly events: readonly AttemptEvent[];
  readonly outcome: Promise<CallAttemptOutput>;
  /** What its owner tells the machine. */
  readonly tell: (order: CallAttemptOrder) => void;
}

const CALLER_ID = '+12025550100';
const DESTINATION = '+12065550123';
const BRIEF_TONE = 'tone_stream://%(200,0,440)';
const READY_WITHIN_MS = 20_000;
const RECORDING = { channels: 'stereo', lengthMaxMs: 60_000 } as const;

const silentLog: GatewayLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export class DialingRig {
  readonly gateway: Gateway;
  readonly switch: RigSwitch;
  readonly #telephony: TelephonyActors;
  readonly #events = new Map<string, AttemptEvent[]>();
  #attempts = 0;

  static async start(options: RigOptions): Promise<DialingRig> {
    const softswitch = await rigSwitch(options);
    try {
      const config = gatewayConfig(options, softswitch);
      const { endedKeptMax, representatives } = options;
      const kept = {
        ...(endedKeptMax === undefined ? {} : { endedKeptMax }),
        ...(representatives === undefined ? {} : { representatives }),
      };
      return new DialingRig(await createGateway({ config, log: silentLog, ...kept }), softswitch);
    } catch (error) {
      await softswitch.stop();
      throw error;
    }
  }

  private constructor(gateway: Gateway, softswitch: RigSwitch) {
    this.gateway = gateway;
    this.switch = softswitch;
    this.#telephony = new TelephonyActors(gateway, () => Date.now());
    gateway.subscribe((event) => {
      if (isAttemptEvent(event)) this.#events.get(event.attemptId)?.push(event);
    });
  }

  dial(options: DialOptions): DialedAttempt {
    this.#attempts += 1;
    const attemptId = options.attemptId ?? `attempt-${this.#attempts}`;
    const events: AttemptEvent[] = [];
    this.#events.set(attemptId, events);
    const machine = callAttemptMachine.provide({
      actors: { telephony: this.#telephony.logic },
    });
    const { ringTimeoutMs = 30_000, setupTimeoutMs = 40_000 } = options;
    const actor = createActor(machine, {
      input: {
        attemptId,
        fence: 1,
        dial: {
          gatewayId: 'rig',
          notAfterMs: Date.now() + 60_000,
          trunk: options.trunk,
          destination: options.destination ?? DESTINATION,
          callerId: CALLER_ID,
          setupTimeoutMs: setupTimeoutMs + 5_000,
          ringLimitMs: ringTimeoutMs + 5_000,
          callLengthMaxMs: 60_000,
        },
        ringTimeoutMs,
        setupTimeoutMs,
        afterAnswer: afterAnswer(options),
        playTimeoutMs: 10_000,
        ...(options.isRecorded === true
          ? { recording: { ...RECORDING, recordingId: attemptId } }
          : {}),
      },
    });
    const outcome = toPromise(actor);
    actor.start();
    return { attemptId, events, outcome, tell: (order) => actor.send(order) };
  }

  /** Dials, and waits until nothing of the attempt is left on the wire. */
  async dialToEnd(options: DialOptions): Promise<CallAttemptOutput & { events: AttemptEvent[] }> {
    const { attemptId, outcome } = this.dial(options);
    const output = await outcome;
    await this.gateway.whenReleased(attemptId);
    return { ...output, events: this.#events.get(attemptId) ?? [] };
  }

  async stop(): Promise<void> {
    this.#telephony.close();
    await this.gateway.close();
    await this.switch.stop();
  }
}

function afterAnswer({ prompts, aiAgent, fallbackPrompts = [] }: DialOptions): AfterAnswer {
  return aiAgent === undefined
    ? { prompts: prompts ?? [BRIEF_TONE] }
    : { aiAgent, fallbackPrompts };
}

function gatewayConfig({ trunks, gateway = {} }: RigOptions, softswitch: RigSwitch) {
  const { ourHost = '127.0.0.1', ...freeswitch } = softswitch.esl;
  const given = {
    id: 'rig',
    embedded: true,
    connectTimeoutMs: READY_WITHIN_MS,
    trunkCheckIntervalMs: 0,
    listenInThread: false,
    drachtio: softswitch.control,
    freeswitch: { ...freeswitch, listenHost: ourHost },
    trunks: trunks.map((trunk) => ({
      callerId: CALLER_ID,
      channelsMax: 500,
      callsPerSecondMax: 500,
      ...trunk,
    })),
    ...gateway,
  };
  return Value.Parse(GatewayConfig, Value.Default(GatewayConfig, given));
}
