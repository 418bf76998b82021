/** The steps of a journey (spec G.1), one shape per type. */
import { Type, type Static } from 'typebox';
import { Condition } from './condition.schema.ts';
import { assetName, closed, duration, instant, stepId } from './names.schema.ts';
import { CONTACT_POINT_KINDS, Compliance, quietTimeChoice, sendWithin } from './sending.schema.ts';

/** Branches of one step (spec G.1: up to 25). */
export const BRANCHES_MAX = 25;

const base = {
  id: stepId('Its name in this journey: other steps, conditions and reports use it.'),
  title: Type.Optional(Type.String({ maxLength: 100, description: 'For people.' })),
};
const next = stepId('The step that follows.');

const Given = Type.Union(
  [
    Type.Object(
      {
        from: Type.String({
          minLength: 1,
          maxLength: 64,
          description: '`contact`, `entry`, or the id of a step, as in conditions.',
          examples: ['entry'],
        }),
        attribute: Type.String({ minLength: 1, maxLength: 850, description: 'Its name.' }),
      },
      closed,
    ),
    Type.Object(
      {
        value: Type.Unsafe<string | number | boolean>({
          ...{ scalar: true },
          description: 'The same for everybody.',
        }),
      },
      closed,
    ),
  ],
  { chosenByKey: ['from', null] },
);
export type Given = Static<typeof Given>;

const given = (what: string) =>
  Type.Optional(Type.Record(Type.String(), Given, { description: what, maxProperties: 100 }));

export const VoiceStep = Type.Object(
  {
    ...base,
    type: Type.Literal('voice', { description: 'A call, led by an AI agent or a representative.' }),
    engagement: assetName('An engagement of type voice.', ['confirmDelivery']),
    compliance: Compliance,
    quietTime: quietTimeChoice,
    sendWithin,
    inputs: given('Input attributes of the delivery, by name.'),
    next,
  },
  closed,
);

export const SmsStep = Type.Object(
  {
    ...base,
    type: Type.Literal('sms', { description: 'A conversation by text message.' }),
    engagement: assetName('An engagement of type SMS.', ['deliveryBySms']),
    message: assetName('The first text message; it carries its own compliance profile.'),
    quietTime: quietTimeChoice,
    sendWithin,
    inputs: given('Input attributes of the delivery, by name.'),
    next,
  },
  closed,
);

export const MessageStep = Type.Object(
  {
    ...base,
    type: Type.Literal('message', {
      description: 'An e-mail or a message of another channel, handed over by a signed webhook.',
    }),
    message: assetName('What is sent: its channel, content and compliance profile.'),
    webhook: assetName('Who sends it: receives the request, signed.', ['emailProvider']),
    to: Type.Optional(
      Type.Enum([...CONTACT_POINT_KINDS], {
        description: 'Which contact point. Default: the one of the message’s channel.',
      }),
    ),
    quietTime: quietTimeChoice,
    sendWithin,
    inputs: given('Values for the message, by name.'),
    next,
  },
  closed,
);

export const WaitStep = Type.Object(
  {
    ...base,
    type: Type.Literal('wait', { description: 'Waits for a time; exactly one of the three.' }),
    for: Type.Optional(duration('How long; at most 90 days.', ['2h'])),
    until: Type.Optional(instant('Until when. A date gone by: goes on at once.')),
    untilAttribute: Type.Optional(
      Type.Object(
        {
          from: Type.String({ minLength: 1, maxLength: 64, description: 'As in conditions.' }),
          attribute: Type.String({ minLength: 1, maxLength: 850, description: 'A date.' }),
          before: Type.Optional(duration('That much sooner than the date.', ['1d'])),
          after: Type.Optional(duration('That much later than the date.', ['1h'])),
          otherwise: stepId(
            'The step that follows where there is no such date, or it is more than 90 days ahead.',
          ),
        },
        { ...closed, description: 'Until a date that the person or a trigger carries.' },
      ),
    ),
    next,
  },
  closed,
);

/** What conversations and messages can be heard to do. */
export const CONVERSATION_OUTCOMES = ['attempted', 'notAttempted', 'blocked'] as const;
export type ConversationOutcome = (typeof CONVERSATION_OUTCOMES)[number];
export const MESSAGE_OUTCOMES = ['sent', 'notSent', 'blocked'] as const;
export type MessageOutcome = (typeof MESSAGE_OUTCOMES)[number];
export const MESSAGE_INTERACTIONS = ['opened', 'clicked', 'replied'] as const;
export type MessageInteraction = (typeof MESSAGE_INTERACTIONS)[number];
export const HEARD_OF_STEPS = [
  ...new Set([...CONVERSATION_OUTCOMES, ...MESSAGE_OUTCOMES, ...MESSAGE_INTERACTIONS]),
];

const awaitedFields = {
  title: Type.Optional(Type.String({ maxLength: 100, description: 'For people.' })),
  next,
};

export const AwaitedOutcome = Type.Object(
  {
    ...awaitedFields,
    step: stepId('An earlier step that sends something.'),
    is: Type.Enum(HEARD_OF_STEPS, {
      description:
        'Of a conversation: attempted, notAttempted, blocked. Of a message: sent, notSent, ' +
        'blocked, opened, clicked, replied.',
    }),
  },
  closed,
);
export const AwaitedTrigger = Type.Object(
  {
    ...awaitedFields,
    trigger: assetName('A trigger.', ['deliveryCancelled']),
    conditions: Type.Optional(Condition),
  },
  closed,
);
export const AwaitedSegment = Type.Object(
  { ...awaitedFields, segment: assetName('A dynamic segment that the person joins.') },
  closed,
);
export const Awaited = Type.Union([AwaitedOutcome, AwaitedTrigger, AwaitedSegment], {
  chosenByKey: ['step', 'trigger', 'segment'],
});
export type Awaited = Static<typeof Awaited>;

export const WaitForStep = Type.Object(
  {
    ...base,
    type: Type.Literal('waitFor', { description: 'Waits for something to happen.' }),
    on: Type.Array(Awaited, {
      minItems: 1,
      maxItems: BRANCHES_MAX,
      description: 'What it waits for. The first that happens decides; the others are ignored.',
    }),
    timeout: Type.Object(
      { after: duration('How long; 1 minute to 90 days.', ['1d']), next },
      { ...closed, description: 'Where it goes on when nothing happened.' },
    ),
  },
  closed,
);

export const BranchStep = Type.Object(
  {
    ...base,
    type: Type.Literal('branch', { description: 'Decides at once, by attributes and segments.' }),
    branches: Type.Array(
      Type.Object(
        {
          title: Type.Optional(Type.String({ maxLength: 100, description: 'For people.' })),
          when: Condition,
          next,
        },
        closed,
      ),
      { minItems: 1, maxItems: BRANCHES_MAX, description: 'The first that holds is taken.' },
    ),
    otherwise: stepId('The step that follows when none holds.'),
  },
  closed,
);

export const SplitStep = Type.Object(
  {
    ...base,
    type: Type.Literal('split', { description: 'Shares people out.' }),
    by: Type.Enum(['percent', 'number'], {
      description: '`percent`: by chance, per run. `number`: fills the branches in their order.',
    }),
    branches: Type.Array(
      Type.Object(
        {
          title: Type.Optional(Type.String({ maxLength: 100, description: 'For people.' })),
          percent: Type.Optional(
            Type.Number({
              description: 'Its share; all shares make 100.',
              exclusiveMinimum: 0,
              maximum: 100,
            }),
          ),
          count: Type.Optional(
            Type.Integer({
              description: 'How many people it takes.',
              minimum: 1,
              maximum: 10_000_000,
            }),
          ),
          next,
        },
        closed,
      ),
      { minItems: 1, maxItems: BRANCHES_MAX, description: 'In order.' },
    ),
    otherwise: Type.Optional(stepId('Who came after all branches were full. By number only.')),
  },
  closed,
);

const variant = {
  id: stepId('The variant’s name in reports.'),
  title: Type.Optional(Type.String({ maxLength: 100, description: 'For people.' })),
  next,
};

export const AbTestStep = Type.Object(
  {
    ...base,
    type: Type.Literal('abTest', {
      description: 'Tries variants; once the goal has shown a winner everybody gets it.',
    }),
    variants: Type.Array(
      Type.Object(
        {
          ...variant,
          percent: Type.Number({
            description: 'Its share while the test runs; all shares make 100.',
            exclusiveMinimum: 0,
            maximum: 100,
          }),
        },
        closed,
      ),
      { minItems: 2, maxItems: BRANCHES_MAX, description: 'What is compared.' },
    ),
  },
  closed,
);

export const BestChannelStep = Type.Object(
  {
    ...base,
    type: Type.Literal('bestChannel', {
      description:
        'For each person the way that reached the goal best; shares alike while none is known.',
    }),
    variants: Type.Array(Type.Object(variant, closed), {
      minItems: 2,
      maxItems: BRANCHES_MAX,
      description: 'The ways to choose from.',
    }),
  },
  closed,
);

export const ActivityStep = Type.Object(
  {
    ...base,
    type: Type.Literal('activity', { description: 'Gives somebody something to do.' }),
    activity: Type.Enum(['phoneCall', 'task'], { description: 'A call to make, or a task.' }),
    subject: Type.String({ minLength: 1, maxLength: 200, description: 'In a line.' }),
    description: Type.Optional(Type.String({ maxLength: 2_000, description: 'In full.' })),
    assignTo: Type.Optional(
      assetName('A queue or a representative. Default: the journey’s owner.', ['planning']),
    ),
    dueIn: Type.Optional(duration('When it is due, from now.', ['1d'])),
    next,
  },
  closed,
);

export const ActivateTriggerStep = Type.Object(
  {
    ...base,
    type: Type.Literal('activateTrigger', { description: 'Raises a custom trigger.' }),
    trigger: assetName('A custom trigger.', ['deliveryRescheduled']),
    attributes: given('What it carries, by name.'),
    next,
  },
  closed,
);

export const REPEATS_MAX = 20;
/** Of all repeat steps of a journey together: bounds the way of one run. */
export const REPEATS_TOTAL_MAX = 100;

export const RepeatStep = Type.Object(
  {
    ...base,
    type: Type.Literal('repeat', {
      description: 'Goes back to an earlier step, a limited number of times per run.',
    }),
    to: stepId('The step to go back to. Only a repeat step may lead back.'),
    timesMax: Type.Integer({
      description: 'How often it goes back in one run.',
      minimum: 1,
      maximum: REPEATS_MAX,
    }),
    next: stepId('The step that follows once it went back that often.'),
  },
  closed,
);

export const ExitStep = Type.Object(
  {
    ...base,
    type: Type.Literal('exit', { description: 'Ends the run.' }),
  },
  closed,
);

export const Step = Type.Union(
  [
    VoiceStep,
    SmsStep,
    MessageStep,
    WaitStep,
    WaitForStep,
    BranchStep,
    SplitStep,
    AbTestStep,
    BestChannelStep,
    ActivityStep,
    ActivateTriggerStep,
    RepeatStep,
    ExitStep,
  ],
  { discriminator: { propertyName: 'type' } },
);
export type Step = Static<typeof Step>;
export type StepType = Step['type'];
export type StepOf<T extends StepType> = Extract<Step, { readonly type: T }>;

/** Steps that start a conversation with the person. */
export type ConversationStep = StepOf<'voice' | 'sms'>;
/** Steps that send something to the person. */
export type SendingStep = StepOf<'voice' | 'sms' | 'message'>;

export function isSending(step: Step): step is SendingStep {
  return step.type === 'voice' || step.type === 'sms' || step.type === 'message';
}
