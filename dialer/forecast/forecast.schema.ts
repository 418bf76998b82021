/** A forecast of an engagement, as the command prints it and `/v1` answers it. */
import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;
export const FORECAST_RUNS_MAX = 40;

const Time = Type.String({
  format: 'date-time',
  description: 'RFC 3339, UTC.',
  examples: ['2026-03-02T15:00:00.000Z'],
});
const orNull = <T extends ReturnType<typeof Type.Number | typeof Type.String>>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const ForecastRequest = Type.Object(
  {
    seed: Type.Integer({
      description: 'The same seed, moment and store give the same forecast.',
      minimum: 0,
      maximum: 4_294_967_295,
      default: 1,
    }),
    runs: Type.Integer({
      description: 'Simulated futures. More give steadier intervals, and take longer.',
      minimum: 2,
      maximum: FORECAST_RUNS_MAX,
      default: 10,
    }),
    representatives: Type.Optional(
      Type.Integer({
        description: 'What if there were so many? Default: those who are there now.',
        minimum: 1,
        maximum: 2_000,
      }),
    ),
    at: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'From when on. Default: now.',
        examples: ['2026-03-02T15:00:00.000Z'],
      }),
    ),
  },
  { ...closed, default: {}, description: 'May be left out.', examples: [{ seed: 1, runs: 10 }] },
);
export type ForecastRequest = Static<typeof ForecastRequest>;

const interval = (description: string) =>
  Type.Object(
    { low: Type.Number(), median: Type.Number(), high: Type.Number() },
    { ...closed, description },
  );
export type ForecastInterval = Static<ReturnType<typeof interval>>;

/** A figure that the runs presume, and where it is from. */
const Presumed = Type.Object(
  {
    value: Type.Number(),
    seen: Type.Integer({ minimum: 0, description: 'Calls, talks or wrap-ups it was seen in.' }),
    priorWeight: Type.Integer({
      minimum: 0,
      description: 'What the prior counts for beside them.',
    }),
  },
  closed,
);

const FACTS_EXAMPLE = { value: 0.27, seen: 1_640, priorWeight: 40 };

export const Forecast = Type.Object(
  {
    engagementId: Type.String(),
    at: Time,
    seed: Type.Integer(),
    runs: Type.Integer(),
    mode: Type.Enum(['progressive', 'predictive']),
    engagementType: Type.Enum(['aiLed', 'repLed']),
    pendingTasks: Type.Integer({ description: 'Waiting, ready and in work.' }),
    representatives: Type.Integer({ description: 'Whom the runs presume to be there.' }),
    confidence: Type.Number({
      description: 'Share of the futures between low and high: both tails are cut alike.',
    }),
    finishAt: Type.Object(
      { low: orNull(Time), median: orNull(Time), high: orNull(Time) },
      {
        ...closed,
        description: 'When the last task is done or has expired. Null: not within a year.',
      },
    ),
    dialingHours: interval('Hours in which there is somebody to dial and the queue is open.'),
    utilization: interval('Talk and wrap-up over time present, of those hours. Fraction.'),
    abandonmentRatio: interval('Abandoned over live answers. Fraction.'),
    dialed: interval('Calls.'),
    liveAnswers: interval('People who answer.'),
    tasksReached: interval('Tasks that end with a person reached.'),
    tasksExpired: interval('Tasks whose last window closes first.'),
    simulatedShare: Type.Number({
      description:
        'Share of the calls that were simulated one by one, pacer and all. The rest goes on at the ' +
        'rate found by then, task by task.',
    }),
    presumed: Type.Object(
      {
        answerProbability: Presumed,
        machineShare: Presumed,
        talkSeconds: Presumed,
        wrapUpSeconds: Presumed,
        ringSeconds: Presumed,
      },
      { ...closed, description: 'Means of what was drawn from for each run.' },
    ),
    notes: Type.Array(Type.String(), { description: 'What it does not know. For people.' }),
  },
  {
    ...closed,
    examples: [
      {
        engagementId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a13',
        at: '2026-03-02T15:00:00.000Z',
        seed: 1,
        runs: 10,
        mode: 'predictive',
        engagementType: 'repLed',
        pendingTasks: 2_400,
        representatives: 12,
        confidence: 0.8,
        finishAt: {
          low: '2026-03-02T19:02:11.000Z',
          median: '2026-03-02T19:20:40.000Z',
          high: '2026-03-02T19:51:05.000Z',
        },
        dialingHours: { low: 4.03, median: 4.34, high: 4.85 },
        utilization: { low: 0.78, median: 0.81, high: 0.83 },
        abandonmentRatio: { low: 0.015, median: 0.021, high: 0.026 },
        dialed: { low: 3_890, median: 4_010, high: 4_120 },
        liveAnswers: { low: 990, median: 1_060, high: 1_150 },
        tasksReached: { low: 980, median: 1_040, high: 1_120 },
        tasksExpired: { low: 0, median: 0, high: 0 },
        simulatedShare: 1,
        presumed: {
          answerProbability: FACTS_EXAMPLE,
          machineShare: { value: 0.21, seen: 1_640, priorWeight: 0 },
          talkSeconds: { value: 171.4, seen: 431, priorWeight: 20 },
          wrapUpSeconds: { value: 22.5, seen: 418, priorWeight: 5 },
          ringSeconds: { value: 11.6, seen: 431, priorWeight: 20 },
        },
        notes: ['Other engagements on the queue are not reckoned with.'],
      },
    ],
  },
);
export type Forecast = Static<typeof Forecast>;
