/** What it takes to make a workstream, a queue and an engagement (spec A.2 to A.4). */
import { IANAZone } from 'luxon';
import { Type, type Static } from 'typebox';
import { Name } from '../checked-input.ts';
import { QueueHours } from '../eligibility/queue-hours.ts';
import { AnswerSettings } from '../tasks/plan-after-answer.ts';
import { EngagementConfig } from './engagement-config.schema.ts';

export const WorkstreamInput = Type.Object(
  {
    name: Name,
    trunk: Type.String({ description: 'Trunk that it dials through.', minLength: 1 }),
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
    settings: Type.Object(AnswerSettings.properties, { additionalProperties: true, default: {} }),
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

export const EngagementInput = Type.Object(
  {
    name: Name,
    description: Type.String({ maxLength: 200, default: '' }),
    workstreamId: Type.String({ minLength: 1 }),
    queueId: Type.String({ minLength: 1 }),
    config: EngagementConfig,
  },
  { additionalProperties: false },
);
export type EngagementInput = Static<typeof EngagementInput>;
