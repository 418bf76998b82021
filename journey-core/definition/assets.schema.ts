/**
 * What a journey relies on and does not hold itself. In a file they stand beside the journey, so
 * that it can be checked and tried alone; a service checks against its own.
 */
import { Type, type Static } from 'typebox';
import { ATTRIBUTE_TYPES } from './condition.schema.ts';
import { assetName, closed } from './names.schema.ts';
import { PURPOSE_TYPES, QuietTime } from './quiet-time.schema.ts';
import { CHANNELS, Compliance } from './sending.schema.ts';

const READY = ['ready', 'draft', 'toBeConnected'] as const;

const state = Type.Optional(
  Type.Enum([...READY], {
    description:
      '`draft`: not ready to be used. `toBeConnected`: a placeholder. Either blocks publishing.',
    default: 'ready',
  }),
);

const Attribute = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 850,
      description: 'Upper and lower case differ.',
    }),
    type: Type.Enum([...ATTRIBUTE_TYPES], { description: 'The type of its values.' }),
    state,
  },
  closed,
);
const attributes = (what: string) =>
  Type.Optional(Type.Array(Attribute, { maxItems: 200, description: what }));

export const TriggerAsset = Type.Object(
  {
    name: assetName('Its name.', ['deliveryCancelled']),
    kind: Type.Enum(['interaction', 'business', 'custom'], {
      description: 'What somebody did; a record that changed; raised by code.',
    }),
    state,
    attributes: attributes('What it carries.'),
  },
  closed,
);

export const SegmentAsset = Type.Object(
  {
    name: assetName('Its name.', ['vip']),
    kind: Type.Enum(['static', 'dynamic'], { description: 'A list, or a rule.' }),
    state,
  },
  closed,
);

export const EngagementAsset = Type.Object(
  {
    name: assetName('Its name.', ['confirmDelivery']),
    channel: Type.Enum(['voice', 'sms'], { description: 'Calls or text messages.' }),
    state,
    resultAttributes: attributes('What its AI agent returns.'),
  },
  closed,
);

export const ENFORCEMENTS = ['restrictive', 'nonRestrictive', 'disabled'] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];

export const Purpose = Type.Object(
  {
    name: assetName('Its name.', ['deliveryUpdates']),
    type: Type.Enum([...PURPOSE_TYPES], { description: 'The legal reason for the contact.' }),
    enforcement: Type.Optional(
      Type.Enum([...ENFORCEMENTS], {
        description:
          'restrictive: only with an opt-in. nonRestrictive: unless opted out. disabled: always. ' +
          'Default: transactional disabled; commercial nonRestrictive by e-mail, else restrictive.',
      }),
    ),
    topics: Type.Optional(
      Type.Array(assetName('Its name.', ['timeSlot']), { maxItems: 100, uniqueItems: true }),
    ),
  },
  closed,
);
export type Purpose = Static<typeof Purpose>;

export const ComplianceProfile = Type.Object(
  {
    name: assetName('Its name.', ['deliveries']),
    channels: Type.Array(Type.Enum([...CHANNELS], { description: 'A channel.' }), {
      description: 'Which channels it is meant for.',
      minItems: 1,
      uniqueItems: true,
    }),
    state,
    quietTime: Type.Optional(assetName('Its quiet time.', ['evenings'])),
    purposes: Type.Array(Purpose, { minItems: 1, maxItems: 100, description: 'Its purposes.' }),
  },
  closed,
);
export type ComplianceProfile = Static<typeof ComplianceProfile>;

export const MessageAsset = Type.Object(
  {
    name: assetName('Its name.', ['deliveryMoved']),
    channel: Type.Enum(['sms', 'email', 'push', 'custom'], { description: 'How it is sent.' }),
    state,
    compliance: Compliance,
  },
  closed,
);
export type MessageAsset = Static<typeof MessageAsset>;

const QuietTimeAsset = Type.Object({ ...QuietTime.properties, state }, closed);

const limit = (what: string) => Type.Optional(Type.Integer({ minimum: 1, description: what }));

export const ChannelCap = Type.Object(
  {
    perDay: limit('In any 24 hours.'),
    perWeek: limit('In any 7 days.'),
    perMonth: limit('In any 30 days.'),
  },
  closed,
);
export type ChannelCap = Static<typeof ChannelCap>;

export const FrequencyCap = Type.Object(
  Object.fromEntries(CHANNELS.map((channel) => [channel, Type.Optional(ChannelCap)])) as Record<
    (typeof CHANNELS)[number],
    ReturnType<typeof Type.Optional<typeof ChannelCap>>
  >,
  { ...closed, description: 'Commercial messages to one contact point. Not named: no limit.' },
);
export type FrequencyCap = Static<typeof FrequencyCap>;

const list = <T extends Parameters<typeof Type.Array>[0]>(item: T, what: string) =>
  Type.Optional(Type.Array(item, { maxItems: 1_000, description: what }));

export const JourneyAssets = Type.Object(
  {
    contactAttributes: attributes('Attributes of people, beside those that everybody has.'),
    triggers: list(TriggerAsset, 'Triggers.'),
    segments: list(SegmentAsset, 'Segments.'),
    engagements: list(EngagementAsset, 'Engagements.'),
    messages: list(MessageAsset, 'Messages.'),
    webhooks: list(
      Type.Object({ name: assetName('Its name.', ['emailProvider']), state }, closed),
      'Who sends messages.',
    ),
    complianceProfiles: list(ComplianceProfile, 'Compliance profiles.'),
    quietTimes: list(QuietTimeAsset, 'Quiet times.'),
    frequencyCap: Type.Optional(FrequencyCap),
  },
  { ...closed, description: 'What the journey relies on.' },
);
export type JourneyAssets = Static<typeof JourneyAssets>;

/** Attributes that every contact has, all of them text. */
export const CONTACT_ATTRIBUTES: readonly string[] = [
  'uniqueIdentifier',
  'firstName',
  'lastName',
  'mobile',
  'business',
  'home',
  'email',
  'postalCode',
  'city',
  'state',
  'country',
  'timeZone',
];
