/** A trunk's machine at work: its OPTIONS and REGISTERs are sent, its states become refusals and news. */
import { createActor, fromCallback, type ActorRefFrom } from 'xstate';
import type { RefusalCode } from '../../machines/command-reply.ts';
import type {
  OptionsOutcome,
  RegisterOutcome,
  TrunkEvent,
  TrunkPause,
  TrunkSettings,
  TrunkStateName,
} from '../../machines/trunk.events.ts';
import type { TrunkClosure } from '../../machines/gateway-events.ts';
import type { RegistrationState } from '../../machines/trunk-commands.ts';
import { trunkMachine } from '../../machines/trunk.machine.ts';
import { systemClock, type GatewayClock } from '../clock.ts';

export interface TrunkHealthParts {
  readonly settings: TrunkSettings;
  readonly clock?: GatewayClock;
  /** Neither rejects. */
  readonly options?: () => Promise<OptionsOutcome>;
  /** 0 seconds: un-registers. */
  readonly register?: (seconds: number) => Promise<RegisterOutcome>;
  readonly onNews: () => void;
}

/** Nobody answers an un-REGISTER that was not answered by then; it lapses by itself. */
const CLOSE_LIMIT_MS = 2_000;

/** By the states of the machine; those that are not here mean that none is wanted. */
const REGISTRATION: Readonly<Partial<Record<string, RegistrationState>>> = {
  registering: 'registering',
  registered: 'registered',
  retrying: 'failed',
};

type TrunkActor = ActorRefFrom<typeof trunkMachine>;

export class TrunkHealth {
  readonly #parts: TrunkHealthParts;
  readonly #actor: TrunkActor;
  #isStarted = false;
  #told: TrunkStateName = 'unknown';
  #closure: { readonly pause: TrunkPause; readonly said: TrunkClosure } | undefined;
  /** Of one that was restored. */
  #sinceMs: number | undefined;

  constructor(parts: TrunkHealthParts) {
    this.#parts = parts;
    const { settings, clock = systemClock } = parts;
    this.#actor = createActor(trunkMachine.provide({ actors: effectsOf(parts) }), {
      input: { settings },
      clock,
    });
  }

  /** Before it only what calls meet is known; nothing is sent. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#actor.subscribe(() => {
      const { state } = this;
      const isClosedAnew = this.#noteClosure(state);
      if (state === this.#told && !isClosedAnew) return;
      this.#told = state;
      this.#parts.onNews();
    });
    this.#actor.start();
  }

  /** Why and until when it takes no calls; undefined when it takes them, or finds out by itself. */
  get closure(): TrunkClosure | undefined {
    return this.#closure?.said;
  }

  /** Goes on with what began at `sinceMs`. */
  restore(event: Extract<TrunkEvent, { type: 'closure.restored' }>, sinceMs: number): void {
    this.#sinceMs = sinceMs;
    this.hear(event);
    this.#sinceMs = undefined;
  }

  /** True when it has been closed, or closed again. */
  #noteClosure(state: TrunkStateName): boolean {
    const { pause } = this.#actor.getSnapshot().context;
    const isClosed = state === 'suspended' || state === 'authFailed';
    if (!isClosed || pause === null) {
      this.#closure = undefined;
      return false;
    }
    if (pause === this.#closure?.pause) return false;
    const { clock = systemClock } = this.#parts;
    const nowMs = clock.now();
    const { cause, forMs } = pause;
    const untilMs = forMs === 0 ? null : nowMs + forMs;
    this.#closure = { pause, said: { cause, sinceMs: this.#sinceMs ?? nowMs, untilMs } };
    return true;
  }

  hear(event: TrunkEvent): void {
    this.start();
    this.#actor.send(event);
  }

  get state(): TrunkStateName {
    const { service } = this.#actor.getSnapshot().value;
    if (typeof service === 'string') return service;
    return 'authFailed' in service ? 'authFailed' : 'down';
  }

  get registration(): RegistrationState {
    const { registration } = this.#actor.getSnapshot().value;
    return REGISTRATION[registration as keyof typeof REGISTRATION] ?? 'none';
  }

  get detail(): string {
    return this.#actor.getSnapshot().context.detail;
  }

  /** Why no call may be given to it; undefined when one may. */
  get refusal(): { readonly code: RefusalCode; readonly detail: string } | undefined {
    const snapshot = this.#actor.getSnapshot();
    const { detail } = snapshot.context;
    if (snapshot.matches({ service: 'suspended' })) return { code: 'TRUNK_SUSPENDED', detail };
    if (snapshot.matches({ service: { authFailed: 'trying' } })) return undefined;
    if (snapshot.matches({ service: 'authFailed' })) return { code: 'TRUNK_AUTH_FAILED', detail };
    if (snapshot.matches({ service: { down: { dead: 'trying' } } })) return undefined;
    if (snapshot.matches({ service: { down: 'dead' } })) return { code: 'TRUNK_DOWN', detail };
    return undefined;
  }

  async close(): Promise<void> {
    if (!this.#isStarted) return;
    const { clock = systemClock } = this.#parts;
    await new Promise<void>((resolve) => {
      const limit = clock.setTimeout(resolve, CLOSE_LIMIT_MS);
      const look = (): void => {
        if (!this.#actor.getSnapshot().matches({ registration: 'off' })) return;
        clock.clearTimeout(limit);
        resolve();
      };
      this.#actor.subscribe(look);
      this.#actor.send({ type: 'gateway.closing' });
      look();
    });
    this.#actor.stop();
  }
}

function effectsOf({ options, register }: TrunkHealthParts) {
  return {
    options: fromCallback<TrunkEvent, undefined>(({ sendBack }) => {
      void options?.().then((outcome) => sendBack({ type: 'options.done', outcome }));
    }),
    register: fromCallback<TrunkEvent, { seconds: number }>(({ input, sendBack }) => {
      void register?.(input.seconds).then((outcome) =>
        sendBack({ type: 'register.done', outcome }),
      );
    }),
  };
}
