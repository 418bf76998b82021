/** The dialer: its store, its pauses, and how it holds and leaves its work. */
import { Type, type Static } from 'typebox';

const ms = (
  description: string,
  rest: { minimum: number; maximum: number; default: number; env: string },
) => Type.Integer({ description, ...rest });

/** Least gap between two attempts to one number that a trunk to the outside world may have. */
export const NUMBER_GAP_OUTSIDE_MIN_MS = 60_000;

const StoreConfig = Type.Object(
  {
    url: Type.String({
      description:
        'PostgreSQL to keep everything in, `postgres://user:password@host:port/database`. Empty: ' +
        'the SQLite file below.',
      default: '',
      pattern: '^(?:|postgres(?:ql)?://.+)$',
      env: 'RINGFENCE_STORE_URL',
      secret: true,
    }),
    file: Type.String({
      description: 'SQLite file to keep everything in; it and its folder are made when missing.',
      default: 'data/ringfence.db',
      minLength: 1,
      env: 'RINGFENCE_STORE_FILE',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'Where tasks, attempts and the log are.',
  },
);

export const DialerConfig = Type.Object(
  {
    id: Type.String({
      description:
        'Names this dialer on its lease and in the log. The same after a restart: work that it left ' +
        'is taken up at once. Two dialers never share one.',
      default: 'dialer-1',
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      env: 'RINGFENCE_DIALER_ID',
    }),
    store: StoreConfig,
    pacingLogDays: Type.Integer({
      description: 'How long it is kept why so many calls were started, and no more. Days.',
      default: 14,
      minimum: 1,
      maximum: 3_650,
      env: 'RINGFENCE_DIALER_PACING_LOG_DAYS',
    }),
    numberGapMinMs: Type.Integer({
      description:
        'Least time between two attempts to one number, from whichever engagement of whichever ' +
        'business unit.',
      default: 900_000,
      minimum: NUMBER_GAP_OUTSIDE_MIN_MS,
      maximum: 86_400_000,
      env: 'RINGFENCE_DIALER_NUMBER_GAP_MIN_MS',
    }),
    labNumberGapMinMs: Type.Optional(
      Type.Integer({
        description:
          'For trials: takes the place of numberGapMinMs. Only while the address of every trunk is ' +
          'on loopback, so that no telephone can be rung by it.',
        minimum: 0,
        maximum: 86_400_000,
        env: 'RINGFENCE_DIALER_LAB_NUMBER_GAP_MIN_MS',
        examples: [0],
      }),
    ),
    unknownGapMs: ms(
      'Pause of a task after an attempt of which nobody knows how it ended (Result Unknown): the ' +
        'person may have been rung.',
      {
        minimum: 900_000,
        maximum: 604_800_000,
        default: 14_400_000,
        env: 'RINGFENCE_DIALER_UNKNOWN_GAP_MS',
      },
    ),
    untriedGapMs: ms('Pause before a number is tried again whose dial the gateway refused.', {
      minimum: 100,
      maximum: 3_600_000,
      default: 5_000,
      env: 'RINGFENCE_DIALER_UNTRIED_GAP_MS',
    }),
    dialWithinMs: ms('A start that was claimed and could not leave within this is given up.', {
      minimum: 1_000,
      maximum: 120_000,
      default: 30_000,
      env: 'RINGFENCE_DIALER_DIAL_WITHIN_MS',
    }),
    playTimeoutMs: ms('Longest time for everything that is played to whoever answers.', {
      minimum: 1_000,
      maximum: 600_000,
      default: 60_000,
      env: 'RINGFENCE_DIALER_PLAY_TIMEOUT_MS',
    }),
    delaysStarts: Type.Boolean({
      description:
        'Preview: whether a call can be held back once a representative has accepted it. False: it ' +
        'is dialled at once, whatever the engagement says.',
      default: true,
      env: 'RINGFENCE_DIALER_DELAYS_STARTS',
    }),
    claimSizeMax: Type.Integer({
      description: 'Starts claimed in one transaction, at most.',
      default: 100,
      minimum: 1,
      maximum: 500,
      env: 'RINGFENCE_DIALER_CLAIM_SIZE_MAX',
    }),
    recheckMs: ms('Changes made by other processes are seen after this at the latest.', {
      minimum: 100,
      maximum: 600_000,
      default: 5_000,
      env: 'RINGFENCE_DIALER_RECHECK_MS',
    }),
    storeRetryMs: ms('Pause before a store that failed is asked again.', {
      minimum: 10,
      maximum: 60_000,
      default: 1_000,
      env: 'RINGFENCE_DIALER_STORE_RETRY_MS',
    }),
    leaseMs: ms(
      'A dialer that has been silent for this long may be replaced by another. Renewed three times ' +
        'as often.',
      { minimum: 3_000, maximum: 600_000, default: 30_000, env: 'RINGFENCE_DIALER_LEASE_MS' },
    ),
    leaseWaitMs: ms('How long a starting dialer waits for another to let go. 0: not at all.', {
      minimum: 0,
      maximum: 86_400_000,
      default: 60_000,
      env: 'RINGFENCE_DIALER_LEASE_WAIT_MS',
    }),
    stopGraceMs: ms('On a stop, live calls have this long to end by themselves.', {
      minimum: 0,
      maximum: 3_600_000,
      default: 30_000,
      env: 'RINGFENCE_DIALER_STOP_GRACE_MS',
    }),
  },
  { additionalProperties: false, default: {}, description: 'The dialer.' },
);
export type DialerConfig = Static<typeof DialerConfig>;
