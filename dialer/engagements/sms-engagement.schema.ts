/**
 * How an SMS engagement writes (spec A.4, D.11). It has no dial mode, no display numbers and no
 * reattempts, and a voice engagement has no first-response time and no template (CFG-07).
 */
import { Type, type Static } from 'typebox';
import { CALL_ORDERS } from './engagement-config.schema.ts';

export const SMS_TEXT_CHARS_MAX = 1_000;

export const SmsEngagementConfig = Type.Object(
  {
    priority: Type.Enum(['critical', 'high', 'normal'], { default: 'normal' }),
    callOrder: Type.Enum([...CALL_ORDERS], {
      description: 'Which message is sent first.',
      default: 'earliestScheduledDate',
    }),
    uniqueIdentifier: Type.String({
      description: 'Name of the contact attribute that identifies a contact.',
      maxLength: 100,
      default: 'contactid',
    }),
    skillIds: Type.Array(Type.String(), { default: [], uniqueItems: true, maxItems: 50 }),
    firstResponseTimeout: Type.Object(
      {
        value: Type.Integer({ minimum: 1, maximum: 10_080, default: 5 }),
        unit: Type.Enum(['minutes', 'hours', 'days'], { default: 'minutes' }),
      },
      {
        additionalProperties: false,
        default: {},
        description: 'How long the first reply may take, from the delivery of the message.',
      },
    ),
    template: Type.Union(
      [Type.String({ minLength: 1, maxLength: SMS_TEXT_CHARS_MAX }), Type.Null()],
      {
        description: 'Text of the first message, unless a request brings its own.',
        default: null,
      },
    ),
  },
  { additionalProperties: false },
);
export type SmsEngagementConfig = Static<typeof SmsEngagementConfig>;
