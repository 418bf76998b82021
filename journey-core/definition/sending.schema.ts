/** What steps that reach out have in common: for which purpose, and in which hours. */
import { Type, type Static } from 'typebox';
import { assetName, closed, duration } from './names.schema.ts';

/** Channels of consent, quiet time and caps. `custom`: whatever else a webhook speaks. */
export const CHANNELS = ['voice', 'sms', 'email', 'push', 'custom'] as const;
export type Channel = (typeof CHANNELS)[number];

/** Which of a person's contact points a message may go to. */
export const CONTACT_POINT_KINDS = [
  'mobile',
  'business',
  'home',
  'email',
  'push',
  'custom',
] as const;
export type ContactPointKind = (typeof CONTACT_POINT_KINDS)[number];

export const Compliance = Type.Object(
  {
    profile: assetName('The compliance profile.', ['deliveries']),
    purpose: assetName('The purpose, one of the profile’s.', ['deliveryUpdates']),
    topic: Type.Optional(assetName('The topic, one of the purpose’s.', ['timeSlot'])),
  },
  { ...closed, description: 'For what reason the person is contacted.' },
);
export type Compliance = Static<typeof Compliance>;

/** Names that `quietTime` uses for something else than a setting. */
export const RESERVED_QUIET_TIMES = ['inherit', 'none'] as const;

export const quietTimeChoice = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 100,
    description:
      '`inherit`: that of the compliance profile. `none`: sent at once, whatever the hour. Else ' +
      'the name of another setting.',
    default: 'inherit',
    examples: ['inherit', 'none', 'evenings'],
  }),
);

export const SEND_WITHIN_DEFAULT_MS = 86_400_000;

export const sendWithin = Type.Optional(
  duration(
    'How long it may wait for an hour that is not quiet. No such hour in that time: it is blocked.',
    ['1d'],
  ),
);
