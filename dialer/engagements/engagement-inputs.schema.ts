/** What it takes to make a workstream, a queue and an engagement (spec A.2 to A.4). */
import { IANAZone } from 'luxon';
import { Type, type Static } from 'typebox';
import { Name } from '../checked-input.ts';
import { QueueHours } from '../eligibility/queue-hours.ts';
import { RepresentativeRules } from '../representatives/representative-rules.schema.ts';
import { AnswerSettings } from '../tasks/plan-after-answer.ts';
import { EngagementConfig } from './engagement-config.schema.ts';
import { SmsEngagementConfig } from './sms-engagement.schema.ts';

export const CHANNELS = ['voice', 'sms'] as const;
export type Channel = (typeof CHANNELS)[number];

export const INTAKES = ['api', 'file', 'journeys'] as const;
export type Intake = (typeof INTAKES)[number];

/** Everything of a workstream that only those read who work its calls. */
export const WORKSTREAM_SETTINGS = {
  ...AnswerSettings.properties,
  representatives: RepresentativeRules,
};

export const WorkstreamInput = Type.Object(
  {
    name: Name,
    channel: Type.Enum([...CHANNELS], { default: 'voice' }),
    trunk: Type.String({
      description: 'Trunk that it dials through. A voice workstream needs one, SMS has none.',
      maxLength: 63,
      default: '',
    }),
    number: Type.String({
      description: 'Number to show, E.164 with plus where it is one.',
      minLength: 1,
      maxLength: 64,
    }),
    language: Type.String({ default: 'en', minLength: 2, maxLength: 35 }),
    aiAgent: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], {
      description: 'The AI agent that takes answered calls; none: prompts are played.',
      default: null,
    }),
    settings: Type.Object(WORKSTREAM_SETTINGS, { additionalProperties: true, default: {} }),
  },
  { additionalProperties: false },
);
export type WorkstreamInput = Static<typeof WorkstreamInput>;

export const QueueInput = Type.Object(
  {
    name: Name,
    hours: Type.Union([QueueHours, Type.Null()], {
      description: 'Opening hours; none: always open.',
      default: null,
    }),
    timeZone: Type.Refine(
      Type.String({ description: 'IANA zone of the hours.', default: 'UTC' }),
      (zone) => IANAZone.isValidZone(zone),
    ),
  },
  { additionalProperties: false },
);
export type QueueInput = Static<typeof QueueInput>;

/** What every engagement has, whatever its channel. */
const COMMON = {
  name: Name,
  description: Type.String({ maxLength: 200, default: '' }),
  intake: Type.Enum([...INTAKES], {
    description:
      'Where its tasks come from: requests over the API, those of journeys among them; uploaded ' +
      'files; or journeys alone, where they are switched on.',
    default: 'api',
  }),
  workstreamId: Type.String({ minLength: 1, maxLength: 64 }),
  queueId: Type.String({ minLength: 1, maxLength: 64 }),
};

export const VoiceEngagementInput = Type.Object(
  {
    ...COMMON,
    channel: Type.Literal('voice', { default: 'voice' }),
    config: EngagementConfig,
    startsSuspended: Type.Boolean({
      description: 'Dials nothing until it is started.',
      default: false,
    }),
  },
  { additionalProperties: false },
);
export type VoiceEngagementInput = Static<typeof VoiceEngagementInput>;

/** Kept, but not worked yet: nothing here sends messages. */
export const SmsEngagementInput = Type.Object(
  { ...COMMON, channel: Type.Literal('sms'), config: SmsEngagementConfig },
  { additionalProperties: false },
);
export type SmsEngagementInput = Static<typeof SmsEngagementInput>;

/** The channel decides which settings there are; a setting of the other one is refused by name. */
export function engagementInputOf(channel: unknown) {
  return channel === 'sms' ? SmsEngagementInput : VoiceEngagementInput;
}
