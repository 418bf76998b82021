/** Journeys in numbers, as `/v1` shows them. */
import { Type } from 'typebox';
import type { JourneyOverview } from '../../../journeys/analytics/overview.ts';
import type { VersionAnalytics } from '../../../journeys/analytics/version-analytics.ts';
import {
  closed,
  exampleId,
  Id,
  orNull,
  pageOf,
  Time,
  timeOrNull,
  timeText,
} from '../wire-types.ts';

const count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description === undefined ? {} : { description }) });
const counts = (description: string) => Type.Record(Type.String(), count(), { description });
const rate = (description: string) =>
  orNull(Type.Number({ minimum: 0, description: `${description} Null: of nothing.` }));
const text = orNull(Type.String());

export const VersionAsked = Type.Object(
  {
    version: Type.Optional(
      Type.Integer({
        ...{ minimum: 1, maximum: 1_000_000, examples: [1] },
        description: 'Default: the latest that was published.',
      }),
    ),
  },
  closed,
);

const Branch = Type.Object({
  place: Type.String({ description: 'The reference below the step.' }),
  label: Type.String({ description: 'Empty where there is no choice.' }),
  next: Type.String(),
  count: count(),
});

const Sending = Type.Object({
  wanted: count('Asked for by runs; all the others are some of these.'),
  requested: count('Asked of the dialer, or of the webhook.'),
  heldNow: count('Waiting for the end of quiet time.'),
  held: count('How often something was held.'),
  pending: count('Without an outcome yet, those that are held among them.'),
  outcomes: counts('attempted, notAttempted, blocked; of messages sent, notSent, blocked.'),
  blockedBy: counts('Why, the most frequent first.'),
  results: counts('`Result` of what was asked for; of messages why they were not sent.'),
  interactions: counts('opened, clicked, replied.'),
  attemptedRate: rate('attempted ÷ requested; of messages null.'),
});

const Variant = Type.Object({
  id: Type.String(),
  runs: count('Given to so many.'),
  goals: count('Of those reached the goal.'),
  goalRate: rate('goals ÷ runs.'),
  isWinner: Type.Boolean({ description: 'Of an A/B test that is decided: everybody gets it.' }),
});

const Step = Type.Object({
  id: Type.String(),
  type: Type.String(),
  title: text,
  entered: count('Arrivals: whoever comes back counts again.'),
  runs: count('Different runs among them.'),
  waiting: count('Standing there now.'),
  left: count('Went on to another step.'),
  exited: counts('Ended there, by reason.'),
  branches: Type.Array(Branch),
  sending: orNull(Sending),
  variants: orNull(Type.Array(Variant)),
});

const Goal = Type.Object({
  trigger: Type.String(),
  targetPercent: Type.Number(),
  reached: count('Runs.'),
  percent: rate('Of those who entered.'),
  isMet: Type.Boolean(),
});

const SUMMARY = {
  version: Type.Integer(),
  state: Type.String({ description: 'live, finishing, done or stopped.' }),
  publishedAt: Time,
  endedAt: orNull(Time),
  entered: count('Runs: a person who comes twice counts twice.'),
  inside: count(),
  exited: counts('By reason: completed, trigger, segment, stopped, error.'),
  goal: orNull(Goal),
  conversations: Type.Object(
    {
      requested: count(),
      attempted: count(),
      notAttempted: count(),
      blocked: count(),
      blockedBy: counts('Why, the most frequent first.'),
      attemptedRate: rate('attempted ÷ requested.'),
    },
    { description: 'Calls and conversations by text message.' },
  ),
  heldNow: count('Of all kinds, waiting for the end of quiet time.'),
};

const summaryExample = {
  ...{ version: 1, state: 'live', publishedAt: '2026-03-02T15:00:00.000Z', endedAt: null },
  ...{ entered: 412, inside: 31, exited: { completed: 381 } },
  goal: { trigger: 'slotConfirmed', targetPercent: 60, reached: 206, percent: 50, isMet: false },
  conversations: {
    ...{ requested: 400, attempted: 380, notAttempted: 10, blocked: 12 },
    ...{ blockedBy: { no_consent: 12 }, attemptedRate: 0.95 },
  },
  heldNow: 0,
};
const stepExample = {
  ...{ id: 'call', type: 'voice', title: null, entered: 412, runs: 412, waiting: 0, left: 412 },
  ...{ exited: {}, branches: [{ place: '/next', label: '', next: 'outcome', count: 412 }] },
  sending: {
    ...{ wanted: 412, requested: 400, heldNow: 0, held: 20, pending: 10 },
    outcomes: { attempted: 380, notAttempted: 10, blocked: 12 },
    ...{ blockedBy: { no_consent: 12 }, results: { LiveAnswer: 250, Busy: 130 } },
    ...{ interactions: {}, attemptedRate: 0.95 },
  },
  variants: null,
};

export const Analytics = Type.Object(
  { ...SUMMARY, steps: Type.Array(Step) },
  { examples: [{ ...summaryExample, steps: [stepExample] }] },
);
export const VersionPage = pageOf(Type.Object(SUMMARY, { examples: [summaryExample] }));

export function summaryBody(analytics: VersionAnalytics) {
  const { publishedAtMs, endedAtMs, version, state, entered, inside, exited } = analytics;
  const { goal, conversations, heldNow } = analytics;
  return {
    ...{ version, state, publishedAt: timeText(publishedAtMs), endedAt: timeOrNull(endedAtMs) },
    ...{ entered, inside, exited, goal, conversations, heldNow },
  };
}

const NODE = {
  id: Type.String(),
  type: Type.String(),
  title: text,
  ...{ entered: count(), waiting: count(), exited: count('Ended there, whatever the reason.') },
};
const EDGE = {
  ...{ from: Type.String(), to: Type.String(), place: Type.String(), label: Type.String() },
  count: count(),
};

export const Flow = Type.Object(
  {
    version: Type.Integer(),
    entered: count(),
    nodes: Type.Array(Type.Object(NODE)),
    edges: Type.Array(Type.Object(EDGE), { description: 'Also those that nobody went.' }),
    mermaid: Type.String({ description: 'A flowchart with all of it.' }),
  },
  {
    examples: [
      {
        ...{ version: 1, entered: 412 },
        nodes: [
          { id: 'call', type: 'voice', title: null, entered: 412, waiting: 0, exited: 0 },
          { id: 'done', type: 'exit', title: null, entered: 412, waiting: 0, exited: 412 },
        ],
        edges: [{ from: 'call', to: 'done', place: '/next', label: '', count: 412 }],
        mermaid: 'flowchart TD\n  entry(["segment Delivery tomorrow, ongoing"]) -->|"412"| s1\n',
      },
    ],
  },
);

export const OverviewPage = pageOf(
  Type.Object(
    {
      id: Id,
      name: Type.String(),
      state: Type.String(),
      liveVersion: orNull(Type.Integer()),
      entered: count('Runs, over all versions.'),
      inside: count(),
      exited: counts('By reason.'),
      goals: count('Runs that reached the goal of their version.'),
      steps: count('That runs came to.'),
      requestedBy: counts('By channel: voice, sms, message.'),
      outcomes: counts('Of everything that was sent or blocked.'),
      blockedBy: counts('Why, the most frequent first.'),
      heldNow: count(),
      attemptedRate: rate('Of conversations: attempted ÷ requested.'),
    } satisfies Record<keyof JourneyOverview, unknown>,
    {
      examples: [
        {
          ...{ id: exampleId('61'), name: 'Delivery tomorrow', state: 'live', liveVersion: 1 },
          ...{ entered: 412, inside: 31, exited: { completed: 381 }, goals: 206 },
          ...{ steps: 1205, requestedBy: { voice: 400 } },
          ...{ outcomes: { attempted: 380, blocked: 12 }, blockedBy: { no_consent: 12 } },
          ...{ heldNow: 0, attemptedRate: 0.95 },
        },
      ],
    },
  ),
);
