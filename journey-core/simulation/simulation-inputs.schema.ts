/** The person that a journey is tried on, and what is to happen to them. Nothing is sent. */
import { Type, type Static } from 'typebox';
import { closed, duration, instant, timeZone } from '../definition/names.schema.ts';
import { CHANNELS, CONTACT_POINT_KINDS } from '../definition/sending.schema.ts';
import { MESSAGE_INTERACTIONS } from '../definition/step.schemas.ts';
import { CONVERSATION_RESULTS } from '../interpreter/conversation-outcome.ts';
import type { Values } from '../interpreter/json-value.ts';

const values = (what: string) =>
  Type.Optional(Type.Unsafe<Values>({ type: 'object', patternProperties: {}, description: what }));
const text = (what: string) => Type.String({ minLength: 1, maxLength: 850, description: what });
const texts = (what: string) => Type.Optional(Type.Array(text(what), { description: what }));

const Consent = Type.Object(
  {
    contactPoint: text('The kind of the contact point, or its id if it has one.'),
    channel: Type.Enum([...CHANNELS], { description: 'The channel.' }),
    purpose: text('The purpose.'),
    topic: Type.Optional(text('The topic; without one it is for the purpose.')),
    status: Type.Enum(['optedIn', 'optedOut', 'notSet'], { description: 'What they said.' }),
    at: Type.Optional(instant('When.')),
  },
  closed,
);

export const SimulatedPerson = Type.Object(
  {
    id: Type.Optional(text('Default: person-1.')),
    attributes: values('Attributes of the contact, by name.'),
    isActive: Type.Optional(Type.Boolean({ description: 'Default: true.' })),
    timeZone: Type.Optional(timeZone('Their clock.')),
    country: Type.Optional(text('For quiet rules.')),
    state: Type.Optional(text('For quiet rules.')),
    contactPoints: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Type.Optional(text('Default: its kind.')),
            kind: Type.Enum([...CONTACT_POINT_KINDS], { description: 'What it is.' }),
            value: text('The number or address.'),
            timeZone: Type.Optional(timeZone('Its clock.')),
            isUsable: Type.Optional(Type.Boolean({ description: 'Default: true.' })),
          },
          closed,
        ),
        { maxItems: 20, description: 'In the order in which they are tried.' },
      ),
    ),
    segments: texts('A segment that they are in.'),
    consents: Type.Optional(Type.Array(Consent, { maxItems: 1_000, description: 'On record.' })),
    sent: Type.Optional(
      Type.Array(
        Type.Object(
          {
            contactPoint: text('As in consents.'),
            channel: Type.Enum([...CHANNELS], { description: 'The channel.' }),
            at: instant('When.'),
          },
          closed,
        ),
        { maxItems: 1_000, description: 'Commercial messages of the last 30 days.' },
      ),
    ),
    lastEnteredAt: Type.Optional(instant('When they entered this journey last.')),
  },
  closed,
);
export type SimulatedPerson = Static<typeof SimulatedPerson>;

const of = {
  step: text('The step that asked for it.'),
  visit: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Which time it asked. Default: every time.' }),
  ),
  after: Type.Optional(duration('Since it was sent. Default: 1m.', ['5m'])),
};

export const PlannedConversation = Type.Object(
  {
    ...of,
    result: Type.Enum([...CONVERSATION_RESULTS], { description: 'How it ended.' }),
    returnCode: Type.Optional(text('Finer than the result.')),
    reason: Type.Optional(text('Why it was not attempted.')),
    dispositionCodes: texts('What the representative chose.'),
    attributes: values('What the AI agent returned.'),
    attempts: Type.Optional(Type.Integer({ minimum: 0, description: 'Calls made.' })),
  },
  closed,
);
const PlannedMessage = Type.Object(
  {
    ...of,
    outcome: Type.Enum(['sent', 'notSent'], { description: 'What the webhook told.' }),
    reason: Type.Optional(text('Why not.')),
  },
  closed,
);
const PlannedInteraction = Type.Object(
  {
    ...of,
    interaction: Type.Enum([...MESSAGE_INTERACTIONS], { description: 'What the person did.' }),
  },
  closed,
);
export const PlannedOutcome = Type.Union(
  [PlannedConversation, PlannedMessage, PlannedInteraction],
  {
    chosenByKey: ['result', 'outcome', 'interaction'],
  },
);
export type PlannedOutcome = Static<typeof PlannedOutcome>;

const after = duration('Since the start.', ['2h']);
const PlannedEvent = Type.Union(
  [
    Type.Object(
      { after, trigger: text('A trigger that comes.'), attributes: values('What it carries.') },
      closed,
    ),
    Type.Object({ after, joins: text('A segment that they join.') }, closed),
    Type.Object({ after, leaves: text('A segment that they leave.') }, closed),
    Type.Object({ after, attributes: values('Attributes that change.') }, closed),
    Type.Object({ after, consent: Consent }, closed),
    Type.Object({ after, stop: Type.Boolean({ description: 'The journey is stopped.' }) }, closed),
  ],
  { chosenByKey: ['trigger', 'joins', 'leaves', 'attributes', 'consent', 'stop'] },
);
export type PlannedEvent = Static<typeof PlannedEvent>;

export const SimulationPlan = Type.Object(
  {
    startAt: Type.Optional(instant('When the person enters. Default: now.')),
    runId: Type.Optional(text('Decides splits by percent. Default: run-1.')),
    entry: values('What the entry trigger carries.'),
    outcomes: Type.Optional(
      Type.Array(PlannedOutcome, { maxItems: 1_000, description: 'What comes of what is sent.' }),
    ),
    events: Type.Optional(
      Type.Array(PlannedEvent, { maxItems: 1_000, description: 'What else happens.' }),
    ),
    numbers: Type.Optional(
      Type.Record(Type.String(), Type.Integer({ minimum: 1 }), {
        description: 'By step: the place at a split by number. Default: 1.',
      }),
    ),
    variants: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'By step: the winner, or the person’s best variant.',
      }),
    ),
  },
  closed,
);
export type SimulationPlan = Static<typeof SimulationPlan>;
