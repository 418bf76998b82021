/** A journey as it is written: entry, steps, exits, goal. docs/journeys explains it with examples. */
import { Type, type Static } from 'typebox';
import { JourneyAssets } from './assets.schema.ts';
import { Condition } from './condition.schema.ts';
import { assetName, closed, duration, instant, timeZone } from './names.schema.ts';
import { WEEKDAYS } from './quiet-time.schema.ts';
import { Step } from './step.schemas.ts';

export const STEPS_MAX = 200;
/** Spec G.5. */
export const ENTRY_CONDITIONS_MAX = 29;

const window = {
  opensAt: Type.Optional(instant('Nobody enters before.')),
  closesAt: Type.Optional(instant('Nobody enters from then on; who is inside finishes.')),
  exclude: Type.Optional(assetName('A segment whose members never enter.', ['staff'])),
};

export const TriggerEntry = Type.Object(
  {
    kind: Type.Literal('trigger', { description: 'A trigger lets a person in.' }),
    trigger: assetName('The trigger.', ['orderShipped']),
    conditions: Type.Optional(Condition),
    ...window,
  },
  closed,
);
export type TriggerEntry = Static<typeof TriggerEntry>;

export const EntryRate = Type.Object(
  {
    count: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'How many people.' }),
    per: Type.Enum(['hour', 'day'], { description: 'In what time, from the start on.' }),
    weekdays: Type.Optional(
      Type.Array(Type.Enum([...WEEKDAYS], { description: 'A day of the week.' }), {
        description: 'Only on these days, in the journey’s time zone.',
        minItems: 1,
        uniqueItems: true,
      }),
    ),
  },
  { ...closed, description: 'How fast people enter. For one-time segments only.' },
);
export type EntryRate = Static<typeof EntryRate>;

export const SegmentEntry = Type.Object(
  {
    kind: Type.Literal('segment', { description: 'The members of a segment enter.' }),
    segment: assetName('The segment.', ['deliveryTomorrow']),
    frequency: Type.Enum(['oneTime', 'ongoing', 'repeating'], {
      description:
        'oneTime: who is a member at the start. ongoing: also who joins later, at once. ' +
        'repeating: all members, in every round.',
    }),
    every: Type.Optional(duration('From round to round; repeating only, at least 1 hour.', ['7d'])),
    rate: Type.Optional(EntryRate),
    ...window,
  },
  closed,
);
export type SegmentEntry = Static<typeof SegmentEntry>;

export const Entry = Type.Union([TriggerEntry, SegmentEntry], {
  discriminator: { propertyName: 'kind' },
});
export type Entry = Static<typeof Entry>;

export const Reentry = Type.Object(
  {
    allow: Type.Enum(['never', 'always', 'afterDelay'], {
      description:
        'Whether a person who left may enter again. Never twice at one time. Default: never; for ' +
        'repeating segments always.',
    }),
    delay: Type.Optional(duration('Since the last entry; afterDelay only.', ['30d'])),
  },
  closed,
);

const ExitRule = Type.Union(
  [
    Type.Object({ trigger: assetName('A trigger.'), conditions: Type.Optional(Condition) }, closed),
    Type.Object({ segment: assetName('A segment that the person joins.') }, closed),
  ],
  { chosenByKey: ['trigger', 'segment'] },
);
export type ExitRule = Static<typeof ExitRule>;

export const Exits = Type.Object(
  {
    on: Type.Array(ExitRule, {
      minItems: 1,
      maxItems: 25,
      description: 'What ends a run wherever it is.',
    }),
    cancelConversations: Type.Optional(
      Type.Boolean({
        description: 'Withdraw what was asked of the dialer and has not started.',
        default: true,
      }),
    ),
  },
  closed,
);

export const Goal = Type.Object(
  {
    trigger: assetName('The trigger that says that it is reached.'),
    conditions: Type.Optional(Condition),
    targetPercent: Type.Number({
      minimum: 1,
      maximum: 100,
      description: 'Of those who entered, how many should reach it. Percent.',
    }),
  },
  { ...closed, description: 'What the journey is for. Reaching it does not end a run.' },
);

export const Journey = Type.Object(
  {
    format: Type.Literal('ringfence-journey/1', { description: 'The version of this format.' }),
    name: Type.String({ minLength: 1, maxLength: 100, description: 'For people.' }),
    description: Type.Optional(Type.String({ maxLength: 2_000, description: 'For people.' })),
    audience: Type.Optional(
      Type.Enum(['contact', 'lead', 'profile'], {
        description: 'Whom it is for. Conversations are for contacts only.',
        default: 'contact',
      }),
    ),
    timeZone: timeZone('The journey’s own clock.'),
    entry: Entry,
    reentry: Type.Optional(Reentry),
    exits: Type.Optional(Exits),
    goal: Type.Optional(Goal),
    frequencyCap: Type.Optional(
      Type.Enum(['apply', 'bypass'], {
        description: 'Whether the cap on commercial messages holds.',
        default: 'apply',
      }),
    ),
    steps: Type.Array(Step, {
      minItems: 1,
      maxItems: STEPS_MAX,
      description: 'The graph. Runs begin with the first; the order has no other meaning.',
    }),
    assets: Type.Optional(JourneyAssets),
  },
  closed,
);
export type Journey = Static<typeof Journey>;
