/** A simulated world as a file: `ringfence simulate SCENARIO.yaml`. Defaults: the reference world. */
import { Type, type Static } from 'typebox';

const strict = { additionalProperties: false };
const Probability = (description: string, value: number) =>
  Type.Number({ description, minimum: 0, maximum: 1, default: value });
const Milliseconds = (description: string, value: number, maximum = 86_400_000) =>
  Type.Number({ description, minimum: 0, maximum, default: value });

const Spread = (description: string, meanMs: number, cv: number) =>
  Type.Object(
    {
      meanMs: Type.Number({ minimum: 1, maximum: 86_400_000, default: meanMs }),
      cv: Type.Number({ description: 'deviation over mean', minimum: 0, maximum: 20, default: cv }),
    },
    { description, default: { meanMs, cv }, ...strict },
  );

/** One value, or one from each minute on. */
const Course = (description: string, value: number) =>
  Type.Union(
    [
      Type.Number({ minimum: 0, maximum: 1 }),
      Type.Array(
        Type.Object({ fromMinute: Type.Number({ minimum: 0 }), value: Probability('', 0) }, strict),
        { minItems: 1 },
      ),
    ],
    { description, default: value },
  );

/** A log-normal, or several with shares: short and long talks in one queue. */
const Handle = Type.Union(
  [
    Spread('log-normal', 180_000, 0.8),
    Type.Array(
      Type.Object(
        {
          share: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
          meanMs: Type.Number({ minimum: 1, maximum: 86_400_000 }),
          cv: Type.Number({ minimum: 0, maximum: 20 }),
        },
        strict,
      ),
      { minItems: 1 },
    ),
  ],
  { description: 'talk with a representative', default: { meanMs: 180_000, cv: 0.8 } },
);

const Period = {
  fromMinute: Type.Number({ minimum: 0 }),
  toMinute: Type.Number({ minimum: 0 }),
};

const Believed = Type.Object(
  {
    answerProbability: Type.Optional(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 })),
    ringToAnswer: Type.Optional(Spread('', 11_000, 0.45)),
    handle: Type.Optional(Spread('', 180_000, 0.8)),
    wrapUpMs: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400_000 })),
    amdFalsePositiveRate: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  { description: 'what the pacer starts out believing, where it differs', default: {}, ...strict },
);

/** Another engagement on the same queue; the world's own comes first. */
const Engagement = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    priority: Type.Union([Type.Literal('critical'), Type.Literal('high'), Type.Literal('normal')]),
    tasks: Type.Optional(
      Type.Integer({ description: 'numbers to dial; without it, no end', minimum: 0 }),
    ),
    fromMinute: Type.Number({ description: 'its window opens', minimum: 0, default: 0 }),
  },
  strict,
);

export const Scenario = Type.Object(
  {
    mode: Type.Union([Type.Literal('predictive'), Type.Literal('progressive')], {
      default: 'predictive',
    }),
    repLed: Type.Boolean({
      description: 'representatives are reserved; else an AI agent talks first',
      default: true,
    }),
    callsPerRepMax: Type.Integer({
      description: 'progressive, AI-led: calls per available representative',
      minimum: 1,
      maximum: 5,
      default: 1,
    }),
    reps: Type.Integer({ description: 'representatives', minimum: 1, maximum: 2_000, default: 50 }),
    hours: Type.Number({ exclusiveMinimum: 0, maximum: 1_000, default: 1 }),
    warmUpMinutes: Type.Number({ description: 'not measured', minimum: 0, default: 0 }),
    abandonmentRatioMax: Probability('abandoned over live answers', 0.03),
    answerProbability: Course('P(a person answers)', 0.25),
    ringToAnswer: Spread('from the start to the answer', 11_000, 0.45),
    noAnswerMs: Milliseconds('an unanswered call ends', 22_000, 120_000),
    handle: Handle,
    wrapUpMs: Milliseconds('after each talk', 0),
    patienceMs: Milliseconds('a person waits for a representative', 2_000, 60_000),
    machineShare: Course('P(a machine answers)', 0),
    busyShare: Probability('P(busy or refused within two seconds)', 0),
    invalidShare: Probability('P(there is no such number)', 0),
    failedShare: Probability('P(the network fails the call)', 0),
    agent: Type.Object(
      {
        talk: Spread('a person talks to the AI agent', 60_000, 1),
        escalationProbability: Probability('P(the talk leads to a representative)', 1),
      },
      {
        description: 'AI-led: what comes before a representative',
        default: { talk: { meanMs: 60_000, cv: 1 }, escalationProbability: 1 },
        ...strict,
      },
    ),
    amd: Type.Object(
      {
        falsePositiveRate: Probability('persons called machines', 0),
        decisionMs: Milliseconds('from the answer to the verdict; 0: no detection', 0, 20_000),
      },
      { default: { falsePositiveRate: 0, decisionMs: 0 }, ...strict },
    ),
    trunk: Type.Object(
      {
        channels: Type.Integer({ minimum: 1, default: 100_000 }),
        callsPerSecond: Type.Number({ exclusiveMinimum: 0, default: 100_000 }),
      },
      { default: { channels: 100_000, callsPerSecond: 100_000 }, ...strict },
    ),
    breaks: Type.Array(Type.Object({ ...Period, reps: Type.Integer({ minimum: 1 }) }, strict), {
      description: 'representatives who leave, and return',
      default: [],
    }),
    outages: Type.Array(Type.Object(Period, strict), {
      description: 'every start fails at once',
      default: [],
    }),
    engagements: Type.Array(Engagement, { description: 'on one queue', default: [] }),
    tickMs: Type.Integer({ description: 'between decisions', minimum: 10, default: 500 }),
    believed: Believed,
  },
  strict,
);
export type Scenario = Static<typeof Scenario>;
export type EngagementInScenario = Static<typeof Engagement>;
