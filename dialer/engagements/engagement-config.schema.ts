/** How an engagement dials (spec A.4): everything a person chooses, and nothing the dialer counts. */
import { Type, type Static } from 'typebox';
import { RULE_PACK_NAME } from '../../config/abandonment.schema.ts';
import { AnsweringSettings } from './answering.schema.ts';
import { ENGAGEMENT_TYPES, ModeSettings, type EngagementType } from './dial-modes.schema.ts';
import { ThrottleSettings } from './throttle.schema.ts';

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
  { additionalProperties: false },
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
    engagementType: Type.Optional(
      Type.Enum([...ENGAGEMENT_TYPES], {
        description:
          'Who talks first: an AI agent or a representative. Default: as the mode has it, and ' +
          'AI-led where the mode has both.',
      }),
    ),
    mode: ModeSettings,
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
    aiFailure: Type.Optional(AiFailureRule),
    throttle: Type.Optional(ThrottleSettings),
    answering: Type.Optional(AnsweringSettings),
    uniqueIdentifier: Type.String({
      description: 'Name of the contact attribute that identifies a contact.',
      maxLength: 100,
      default: 'contactid',
    }),
    rulePacks: Type.Optional(
      Type.Array(Type.String({ pattern: RULE_PACK_NAME }), {
        description:
          'Legal rules on abandoned calls by which it is paced, by name. Default: those that the ' +
          'configuration applies.',
        minItems: 1,
        maxItems: 10,
        uniqueItems: true,
        examples: [['us']],
      }),
    ),
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
export type ReattemptRule = Static<typeof ReattemptRule>;
export type AiFailureRule = Static<typeof AiFailureRule>;

/** What a person writes: the parts that the engagement's type does not have are left out. */
export type GivenConfig = Static<typeof EngagementConfig>;

/** The same with every default filled in (complete-config.ts). */
export interface EngagementConfig extends GivenConfig {
  readonly engagementType: EngagementType;
  // Of an AI-led engagement there are exactly these two, and no `answering`:
  readonly aiFailure?: AiFailureRule;
  readonly throttle?: ThrottleSettings;
  /** Of a rep-led one that is progressive or predictive, and of no other. */
  readonly answering?: CompleteAnswering;
}

export interface CompleteAnswering extends AnsweringSettings {
  readonly amdTimeSeconds: number;
}
