/** How an engagement dials (spec A.4): everything a person chooses, and nothing the dialer counts. */
import { Type, type Static } from 'typebox';

export const PHONE_TYPES = ['mobile', 'business', 'home'] as const;
export type PhoneType = (typeof PHONE_TYPES)[number];

/** Closed list: no other reason for another loop exists, and none can be added (spec A.4, D.5). */
export const REATTEMPT_REASONS = ['noAnswer', 'busy', 'failed', 'answeringMachine'] as const;
export type ReattemptReason = (typeof REATTEMPT_REASONS)[number];

export const CALL_ORDERS = [
  'earliestScheduledDate',
  'firstInFirstOut',
  'lastInFirstOut',
  'customAscending',
  'customDescending',
] as const;
export type CallOrder = (typeof CALL_ORDERS)[number];

export const RETRY_PRIORITIES = ['same', 'lower', 'higher'] as const;
export type RetryPriority = (typeof RETRY_PRIORITIES)[number];

export const AI_FAILURE_ACTIONS = ['none', 'suspend', 'threshold'] as const;
export type AiFailureAction = (typeof AI_FAILURE_ACTIONS)[number];

const minutes = (description: string, maximum = 43_200) =>
  Type.Integer({ description: `${description} Minutes.`, minimum: 0, maximum, default: 0 });

export const CopilotMode = Type.Object(
  {
    kind: Type.Literal('copilot'),
    maxConcurrentCalls: Type.Integer({
      description: 'Calls in flight at one moment, from the INVITE to the end or the hand-over.',
      minimum: 1,
      maximum: 500,
    }),
    ignoreQueueHours: Type.Boolean({
      description: 'Dial while the queue is closed too. Copilot only.',
      default: false,
    }),
  },
  { additionalProperties: false },
);

export const AiFailureRule = Type.Object(
  {
    action: Type.Enum([...AI_FAILURE_ACTIONS], {
      description: 'What failures of the AI agent do to the engagement.',
      default: 'suspend',
    }),
    ratePercent: Type.Integer({
      description: 'With `threshold`: suspended when failures / AI-handled calls reach this.',
      minimum: 1,
      maximum: 5,
      default: 1,
    }),
  },
  { additionalProperties: false, default: {} },
);

export const ReattemptRule = Type.Object(
  {
    reasons: Type.Array(Type.Enum([...REATTEMPT_REASONS]), {
      description: 'Results after which a number is tried again in another loop.',
      uniqueItems: true,
      default: [],
    }),
    retriesMax: Type.Integer({
      description: 'Further loops after the first. 2 means three loops in all.',
      minimum: 0,
      maximum: 100,
      default: 0,
    }),
    waitMinutes: minutes('Pause between two loops, from the end of the last number.'),
    priority: Type.Enum([...RETRY_PRIORITIES], {
      description: 'Where a due retry stands against new deliveries.',
      default: 'same',
    }),
    delayBetweenNumbersMinutes: minutes('Pause before the next number of the same contact.'),
    delayBetweenContactsMinutes: minutes('Pause before the next contact of a chain.'),
  },
  { additionalProperties: false, default: {} },
);

export const EngagementConfig = Type.Object(
  {
    engagementType: Type.Enum(['aiLed', 'repLed'], {
      description: 'Who talks first.',
      default: 'aiLed',
    }),
    mode: Type.Union([CopilotMode]),
    priority: Type.Enum(['critical', 'high', 'normal'], { default: 'normal' }),
    callOrder: Type.Enum([...CALL_ORDERS], { default: 'earliestScheduledDate' }),
    phoneTypes: Type.Array(Type.Enum([...PHONE_TYPES]), {
      description: 'Which numbers of a contact are dialled, in this order.',
      minItems: 1,
      maxItems: 3,
      uniqueItems: true,
      default: ['mobile', 'business', 'home'],
    }),
    reattempt: ReattemptRule,
    aiFailure: AiFailureRule,
    uniqueIdentifier: Type.String({
      description: 'Name of the contact attribute that identifies a contact.',
      maxLength: 100,
      default: 'contactid',
    }),
    ringTimeoutMs: Type.Integer({
      description: 'From the first 180/183 to our CANCEL. ms.',
      minimum: 15_000,
      maximum: 120_000,
      default: 30_000,
      source: '47 CFR §64.1200(a)(6): not before 15 s or four rings',
    }),
    skillIds: Type.Array(Type.String(), { default: [], uniqueItems: true, maxItems: 50 }),
  },
  { additionalProperties: false },
);
export type EngagementConfig = Static<typeof EngagementConfig>;
export type CopilotMode = Static<typeof CopilotMode>;
export type ReattemptRule = Static<typeof ReattemptRule>;
export type AiFailureRule = Static<typeof AiFailureRule>;
