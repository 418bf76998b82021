/** Quiet time (spec A.14): hours and days in which nothing is sent, by channel and purpose. */
import { Type, type Static } from 'typebox';
import { assetName, closed } from './names.schema.ts';
import { CHANNELS } from './sending.schema.ts';

export const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export const PURPOSE_TYPES = ['commercial', 'transactional', 'tracking'] as const;
export type PurposeType = (typeof PURPOSE_TYPES)[number];

/** Days in a row that may be quiet (spec A.14). */
export const QUIET_DAYS_MAX = 3;

const TIME = '^(?:[01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$';
const DATE = '^[0-9]{4}-[0-9]{2}-[0-9]{2}$';

const applies = {
  channels: Type.Optional(
    Type.Array(Type.Enum([...CHANNELS], { description: 'A channel.' }), {
      description: 'Default: all.',
      minItems: 1,
      uniqueItems: true,
    }),
  ),
  purposes: Type.Optional(
    Type.Array(Type.Enum(['commercial', 'transactional'], { description: 'A type of purpose.' }), {
      description: 'Default: both.',
      minItems: 1,
      uniqueItems: true,
    }),
  ),
};

export const WeeklyQuiet = Type.Object(
  {
    ...applies,
    days: Type.Array(Type.Enum([...WEEKDAYS], { description: 'A day of the week.' }), {
      description: 'On which days of the week.',
      minItems: 1,
      uniqueItems: true,
    }),
    from: Type.String({ pattern: TIME, description: 'Wall clock.', examples: ["'20:00'"] }),
    to: Type.String({
      pattern: TIME,
      description: 'Wall clock, not included; `24:00` is midnight. A night is written as two.',
      examples: ["'24:00'"],
    }),
  },
  closed,
);

export const QuietDates = Type.Object(
  {
    ...applies,
    firstDay: Type.String({
      format: 'date-text',
      pattern: DATE,
      description: 'The first quiet day.',
      examples: ['2026-12-25'],
    }),
    lastDay: Type.String({
      format: 'date-text',
      pattern: DATE,
      description: 'The last quiet day, included.',
      examples: ['2026-12-26'],
    }),
  },
  closed,
);

export const QuietEntry = Type.Union([QuietDates, WeeklyQuiet], {
  chosenByKey: ['firstDay', null],
});
export type QuietEntry = Static<typeof QuietEntry>;

const entries = Type.Array(QuietEntry, { maxItems: 100, description: 'When it is quiet.' });

const places = (what: string, example: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 100, examples: [example] }), {
      description: `${what} One of these, upper and lower case as stored.`,
      minItems: 1,
      maxItems: 100,
    }),
  );

export const AdvancedQuietRule = Type.Object(
  {
    where: Type.Object(
      {
        country: places('Country or region.', 'US'),
        state: places('State or province.', 'TX'),
        phone: places('How the number begins.', '+1512'),
      },
      { ...closed, description: 'All that are named must fit.' },
    ),
    quiet: entries,
  },
  closed,
);

export const QuietTime = Type.Object(
  {
    name: assetName('Its name.', ['evenings']),
    timeZone: Type.Optional(
      Type.Enum(['journey', 'audience'], {
        description:
          'Whose clock: the journey’s, or each person’s (the contact point’s zone, else the ' +
          'person’s, else the journey’s).',
        default: 'journey',
      }),
    ),
    quiet: entries,
    advanced: Type.Optional(
      Type.Array(AdvancedQuietRule, {
        maxItems: 100,
        description: 'Rules for places, from the top; the first that fits replaces `quiet`.',
      }),
    ),
  },
  closed,
);
export type QuietTime = Static<typeof QuietTime>;
