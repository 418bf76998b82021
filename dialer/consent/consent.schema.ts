/** Compliance profiles, purposes, topics and consent as they are asked for (spec A.17). */
import { Type, type Static } from 'typebox';
import { ENFORCEMENTS } from '../../journey-core/definition/assets.schema.ts';
import { PURPOSE_TYPES } from '../../journey-core/definition/quiet-time.schema.ts';
import { CHANNELS, type Channel } from '../../journey-core/definition/sending.schema.ts';
import { Name } from '../checked-input.ts';

const closed = { additionalProperties: false } as const;
const ID_PATTERN = '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
const idOf = (what: string) => Type.String({ pattern: ID_PATTERN, description: what });

export const ChannelName = Type.Enum([...CHANNELS], { description: 'Consent is by channel.' });

const State = Type.Enum(['active', 'inactive'], {
  description: 'An inactive one is not offered for new journeys; what it says is still enforced.',
  default: 'active',
});

const PurposeFields = {
  name: Name,
  type: Type.Enum([...PURPOSE_TYPES], { description: 'The legal reason for the contact.' }),
  enforcement: Type.Union([Type.Enum([...ENFORCEMENTS]), Type.Null()], {
    description:
      'restrictive: only with an opt-in. nonRestrictive: unless opted out. disabled: always. ' +
      'Null: transactional disabled; commercial by e-mail nonRestrictive, else restrictive.',
    default: null,
  }),
  state: State,
};

export const PurposeInput = Type.Object(
  {
    ...PurposeFields,
    profileIds: Type.Array(idOf('A compliance profile.'), {
      description: 'In which profiles it is; those share its records.',
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
    }),
  },
  closed,
);
export type PurposeInput = Static<typeof PurposeInput>;

export const TopicInput = Type.Object(
  { name: Name, purposeId: idOf('The purpose that it belongs to.'), state: State },
  closed,
);

export const ProfileInput = Type.Object(
  {
    name: Name,
    companyAddress: Type.String({ description: 'Of the sender.', maxLength: 500, default: '' }),
    preferenceCenter: Type.Union(
      [Type.String({ pattern: '^https://', minLength: 1, maxLength: 2_000 }), Type.Null()],
      { description: 'Where people change their mind. https.', default: null },
    ),
    channels: Type.Array(ChannelName, {
      description: 'What it is meant for; a voice step takes profiles with voice.',
      minItems: 1,
      uniqueItems: true,
    }),
    quietTimeId: Type.Union([idOf('A quiet time.'), Type.Null()], {
      description: 'When nothing is sent under it.',
      default: null,
    }),
    state: State,
  },
  closed,
);

export const CONSENT_STATUSES = ['optedIn', 'optedOut', 'notSet'] as const;
export type ConsentStatus = (typeof CONSENT_STATUSES)[number];

/** Of whom: one address, or one of a contact's. */
export const PointFields = {
  address: Type.Optional(
    Type.String({
      description: 'Number in E.164, e-mail address, or what the channel knows people by.',
      minLength: 1,
      maxLength: 300,
    }),
  ),
  contactId: Type.Optional(idOf('Whose it is. Without an address the field names which.')),
  field: Type.Optional(
    Type.Enum(['mobile', 'business', 'home', 'email'], {
      description: 'Which of the contact’s addresses, where none is given.',
    }),
  ),
};

export const SaidFields = {
  status: Type.Enum([...CONSENT_STATUSES], { description: 'What was said.' }),
  source: Type.String({
    description: 'How we know: a form, a call, a letter.',
    minLength: 1,
    maxLength: 100,
    default: 'api',
  }),
  reason: Type.Union([Type.String({ minLength: 1, maxLength: 1_000 }), Type.Null()], {
    description: 'For people: which form, in which words.',
    default: null,
  }),
};

export const SUBJECT_FIELDS = {
  purposeId: idOf('To what.'),
  topicId: Type.Union([idOf('A topic of that purpose.'), Type.Null()], {
    description: 'Null: to the purpose as a whole.',
    default: null,
  }),
};

export function isChannel(text: string): text is Channel {
  return (CHANNELS as readonly string[]).includes(text);
}
