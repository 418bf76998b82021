/**
 * The health of one trunk: what its OPTIONS, its registration and its calls say, and whether calls are
 * given to it. Pure: OPTIONS and REGISTER are the injected actors `options` and `register`.
 *
 * A trunk that is silent to OPTIONS is still called: many answer nothing but INVITE. Only proof closes
 * it: a closed port (`down.dead`), refused credentials (`authFailed`), a list that burns (`suspended`).
 * A closed trunk opens by itself: after a pause one call may try it, and the others follow if it went.
 */
import { assign, setup } from 'xstate';
import type {
  OptionsOutcome,
  RegisterOutcome,
  TrunkEvent,
  TrunkMachineContext,
  TrunkPause,
  TrunkSettings,
} from './trunk.events.ts';
import { unprovided } from './unprovided.ts';

const DEAD_PAUSE_MIN_MS = 2_000;
const DEAD_PAUSE_MAX_MS = 60_000;
/** A password is not put right by itself, and providers lock accounts that try too often. */
const AUTH_PAUSE_MIN_MS = 60_000;
const AUTH_PAUSE_MAX_MS = 1_800_000;
/** A call that tries a closed trunk has told by then how it went: longer than timer B. */
const TRIAL_LIMIT_MS = 35_000;
const REGISTER_PAUSE_MIN_MS = 2_000;
const REGISTER_PAUSE_MAX_MS = 300_000;
/** Of the time granted, so that one lost REGISTER and its repetition still come in time. */
const REFRESH_SHARE = 0.75;
const REGISTER_SECONDS_MAX = 86_400;

const doubled = (minMs: number, maxMs: number, times: number): number =>
  Math.min(maxMs, minMs * 2 ** Math.min(times, 20));

const trunkSetup = setup({
  types: {} as {
    context: TrunkMachineContext;
    events: TrunkEvent;
    input: { readonly settings: TrunkSettings };
  },
  actors: {
    options: unprovided<TrunkEvent, undefined>('trunk.options'),
    register: unprovided<TrunkEvent, { seconds: number }>('trunk.register'),
  },
  actions: {
    say: assign((_, { detail }: { detail: string }) => ({ detail })),
    countVainTry: assign(({ context }) => ({ vainTries: context.vainTries + 1 })),
    forgetTries: assign({ vainTries: 0 }),
    pauseFor: assign(({ context }, { cause }: { cause: 'operator' | 'share' }) => ({
      pause: { cause, forMs: context.settings.suspendMs },
    })),
    pauseForAuth: assign(({ context }) => ({
      pause: {
        cause: 'auth' as const,
        forMs: doubled(AUTH_PAUSE_MIN_MS, AUTH_PAUSE_MAX_MS, context.vainTries),
      },
    })),
    restorePause: assign((_, pause: TrunkPause) => ({ pause })),
    noteRegistration: assign((_, { seconds }: { seconds: number }) => ({
      registerFailures: 0,
      registerPauseMs: Math.max(1_000, seconds * 1_000 * REFRESH_SHARE),
    })),
    lengthenRegistration: assign(({ context }, { seconds }: { seconds: number }) => ({
      registerSeconds: Math.min(REGISTER_SECONDS_MAX, Math.max(seconds, context.registerSeconds)),
    })),
    noteRegisterFailure: assign(
      ({ context }, { lot, retryAfterMs }: { lot: number; retryAfterMs: number | null }) => {
        const { registerFailures } = context;
        const pauseMs = doubled(REGISTER_PAUSE_MIN_MS, REGISTER_PAUSE_MAX_MS, registerFailures);
        return {
          registerFailures: registerFailures + 1,
          // RFC 5626 §4.5: between half of the pause and all of it, or a farm comes back at once.
          registerPauseMs: Math.max(retryAfterMs ?? 0, pauseMs * (0.5 + lot / 2)),
        };
      },
    ),
  },
  guards: {
    isKeptAlive: ({ context }) => context.settings.keepAliveMs > 0,
    isRegistering: ({ context }) => context.settings.registerSeconds > 0,
    opensByItself: ({ context }) => (context.pause?.forMs ?? 0) > 0,
    isForAuth: (_, { cause }: TrunkPause) => cause === 'auth',
    isUp: (_, { outcome }: { outcome: OptionsOutcome }) => outcome.state === 'up',
    isDead: (_, { outcome }: { outcome: OptionsOutcome }) =>
      outcome.state === 'down' && outcome.isDead,
    isSilent: (_, { outcome }: { outcome: OptionsOutcome }) => outcome.state === 'down',
    isRegistered: (_, { outcome }: { outcome: RegisterOutcome }) => outcome.kind === 'registered',
    isAuthRefused: (_, { outcome }: { outcome: RegisterOutcome }) => outcome.kind === 'authRefused',
    isRegisterFailed: (_, { outcome }: { outcome: RegisterOutcome }) => outcome.kind === 'failed',
    /** Once: a registrar that is never content must not be asked in a circle. */
    isTooBrief: ({ context }, { outcome }: { outcome: RegisterOutcome }) =>
      outcome.kind === 'tooBrief' && outcome.seconds > context.registerSeconds,
  },
  delays: {
    keepAlive: ({ context }) => context.settings.keepAliveMs,
    suspension: ({ context }) => Math.max(1, context.pause?.forMs ?? 0),
    deadPause: ({ context }) => doubled(DEAD_PAUSE_MIN_MS, DEAD_PAUSE_MAX_MS, context.vainTries),
    authPause: ({ context }) => context.pause?.forMs ?? AUTH_PAUSE_MIN_MS,
    trialLimit: TRIAL_LIMIT_MS,
    registerPause: ({ context }) => context.registerPauseMs,
  },
});

const outcomeOf = ({ event }: { event: Extract<TrunkEvent, { type: 'options.done' }> }) => event;
const registerOutcomeOf = ({ event }: { event: Extract<TrunkEvent, { type: 'register.done' }> }) =>
  event;
const detailOf = ({ event }: { event: { detail: string } }) => ({ detail: event.detail });
const optionsDetailOf = ({ event }: { event: Extract<TrunkEvent, { type: 'options.done' }> }) => ({
  detail: event.outcome.detail,
});
const registerDetailOf = ({
  event: { outcome },
}: {
  event: Extract<TrunkEvent, { type: 'register.done' }>;
}) => ({ detail: 'detail' in outcome ? outcome.detail : '' });

const say = { type: 'say', params: detailOf } as const;
const sayOptions = { type: 'say', params: optionsDetailOf } as const;
const sayRegister = { type: 'say', params: registerDetailOf } as const;

const authRefused = ['countVainTry', 'pauseForAuth'] as const;
const pauseOf = ({ event }: { event: Extract<TrunkEvent, { type: 'closure.restored' }> }) => ({
  cause: event.cause,
  forMs: event.forMs,
});
const restorePause = { type: 'restorePause', params: pauseOf } as const;

const isDead = { type: 'isDead', params: outcomeOf } as const;
const isSilent = { type: 'isSilent', params: outcomeOf } as const;
const optionsUp = {
  guard: { type: 'isUp', params: outcomeOf },
  actions: sayOptions,
  target: 'up',
} as const;
const optionsStillUp = { guard: optionsUp.guard, actions: sayOptions } as const;
const optionsDead = {
  guard: isDead,
  actions: [sayOptions, 'countVainTry'],
  target: 'down.dead',
} as const;
const optionsSilent = { guard: isSilent, actions: sayOptions, target: 'down.silent' } as const;
const optionsStillSilent = { guard: isSilent, actions: sayOptions } as const;
const registered = {
  guard: { type: 'isRegistered', params: registerOutcomeOf },
  actions: sayRegister,
  target: 'up',
} as const;
const registerFailed = {
  guard: { type: 'isRegisterFailed', params: registerOutcomeOf },
  actions: sayRegister,
  target: 'down.silent',
} as const;

/** Closed to calls but for one at a time, after each pause. `trying` is the moment for that one. */
const closed = (pause: 'deadPause' | 'authPause') =>
  ({
    initial: 'refusing',
    states: {
      refusing: { after: { [pause]: 'trying' } },
      trying: { on: { 'call.tried': 'awaiting' } },
      // Told nothing, as when the call was cancelled: the next one may try.
      awaiting: { after: { trialLimit: 'trying' } },
    },
  }) as const;

export const trunkMachine = trunkSetup.createMachine({
  id: 'trunk',
  type: 'parallel',
  context: ({ input: { settings } }) => ({
    settings,
    detail: 'not asked yet',
    pause: null,
    registerSeconds: settings.registerSeconds,
    registerPauseMs: 0,
    registerFailures: 0,
    vainTries: 0,
  }),
  states: {
    service: {
      initial: 'unknown',
      on: {
        'auth.refused': { actions: [say, ...authRefused], target: '.authFailed' },
        'operator.suspend': {
          actions: [say, { type: 'pauseFor', params: { cause: 'operator' } }],
          target: '.suspended',
        },
        'share.exceeded': {
          actions: [say, { type: 'pauseFor', params: { cause: 'share' } }],
          target: '.suspended',
        },
        'closure.restored': [
          {
            guard: { type: 'isForAuth', params: pauseOf },
            actions: [say, 'countVainTry', restorePause],
            target: '.authFailed',
          },
          { actions: [say, restorePause], target: '.suspended' },
        ],
        'register.done': {
          guard: { type: 'isAuthRefused', params: registerOutcomeOf },
          actions: [sayRegister, ...authRefused],
          target: '.authFailed',
        },
      },
      states: {
        unknown: {
          on: {
            'call.worked': { actions: say, target: 'up' },
            'call.failed': { actions: [say, 'countVainTry'], target: 'down.dead' },
            'options.done': [optionsUp, optionsDead, optionsSilent],
            'register.done': [registered, registerFailed],
          },
        },
        up: {
          entry: 'forgetTries',
          on: {
            'call.failed': { actions: [say, 'countVainTry'], target: 'down.dead' },
            'options.done': [optionsStillUp, optionsDead, optionsSilent],
          },
        },
        down: {
          initial: 'silent',
          on: {
            'call.worked': { actions: say, target: 'up' },
            'options.done': [optionsUp, { ...optionsDead, target: '.dead' }, optionsStillSilent],
            'register.done': registered,
          },
          states: {
            // Still called: see above.
            silent: {
              on: { 'call.failed': { actions: [say, 'countVainTry'], target: 'dead' } },
            },
            dead: {
              ...closed('deadPause'),
              on: {
                'call.failed': { actions: [say, 'countVainTry'], target: 'dead', reenter: true },
                // It stays dead, and the pause that runs goes on.
                'options.done': { guard: isDead, actions: sayOptions },
              },
            },
          },
        },
        // An OPTIONS that is answered proves nothing here: few trunks challenge it.
        authFailed: {
          ...closed('authPause'),
          on: {
            'auth.refused': {
              actions: [say, ...authRefused],
              target: 'authFailed',
              reenter: true,
            },
            // The password was put right, says somebody.
            'operator.resume': { actions: 'forgetTries', target: 'unknown' },
            'call.worked': { actions: say, target: 'up' },
            'register.done': [
              registered,
              // The registration has pauses of its own; the calls' pause goes on.
              { guard: { type: 'isAuthRefused', params: registerOutcomeOf }, actions: sayRegister },
            ],
          },
        },
        suspended: {
          after: { suspension: { guard: 'opensByItself', target: 'unknown' } },
          // What calls of before it say changes nothing; nor do OPTIONS.
          on: {
            'operator.resume': { target: 'unknown' },
            'share.exceeded': {},
            'auth.refused': {},
            'register.done': {},
          },
        },
      },
    },
    keepAlive: {
      initial: 'deciding',
      states: {
        deciding: {
          always: [{ guard: 'isKeptAlive', target: 'waiting' }, { target: 'off' }],
        },
        waiting: { after: { keepAlive: 'asking' }, on: { 'gateway.closing': 'off' } },
        asking: {
          invoke: { src: 'options', input: undefined },
          on: { 'options.done': 'waiting', 'gateway.closing': 'off' },
        },
        off: {},
      },
    },
    registration: {
      initial: 'deciding',
      states: {
        deciding: {
          always: [{ guard: 'isRegistering', target: 'registering' }, { target: 'off' }],
        },
        registering: {
          invoke: {
            src: 'register',
            input: ({ context }) => ({ seconds: context.registerSeconds }),
          },
          on: {
            'register.done': [
              {
                guard: { type: 'isRegistered', params: registerOutcomeOf },
                actions: {
                  type: 'noteRegistration',
                  params: ({ event: { outcome } }) => ({
                    seconds: outcome.kind === 'registered' ? outcome.seconds : 0,
                  }),
                },
                target: 'registered',
              },
              {
                guard: { type: 'isTooBrief', params: registerOutcomeOf },
                actions: {
                  type: 'lengthenRegistration',
                  params: ({ event: { outcome } }) => ({
                    seconds: outcome.kind === 'tooBrief' ? outcome.seconds : 0,
                  }),
                },
                target: 'registering',
                reenter: true,
              },
              {
                actions: {
                  type: 'noteRegisterFailure',
                  params: ({ event: { outcome } }) => ({
                    lot: 'lot' in outcome ? outcome.lot : 1,
                    retryAfterMs: 'retryAfterMs' in outcome ? outcome.retryAfterMs : null,
                  }),
                },
                target: 'retrying',
              },
            ],
            'gateway.closing': 'off',
          },
        },
        registered: {
          after: { registerPause: 'registering' },
          on: { 'gateway.closing': 'leaving' },
        },
        retrying: {
          after: { registerPause: 'registering' },
          on: { 'gateway.closing': 'off' },
        },
        leaving: {
          invoke: { src: 'register', input: { seconds: 0 } },
          on: { 'register.done': 'off' },
        },
        off: {},
      },
    },
  },
});
