/**
 * What a rep-led progressive or predictive engagement does with whoever answers (spec B.3.2, B.6):
 * the answering machine, the person for whom nobody is free, and when too many of those stop it.
 */
import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

/** What is said is speech made of this text. */
export const SPOKEN_CHARS_MAX = 2_000;

export const AMD_ACTIONS = ['hangup', 'leaveMessage', 'leaveMessageOnLastAttemptOnly'] as const;
export type AmdAction = (typeof AMD_ACTIONS)[number];

export const AMD_TIME_SECONDS_MIN = 1;
export const AMD_TIME_SECONDS_MAX = 7;

const SpokenText = Type.String({ minLength: 1, maxLength: SPOKEN_CHARS_MAX });

export const AbandonedMessage = Type.Object(
  {
    enabled: Type.Boolean({
      description: 'Said to a person for whom nobody was free, before the hang-up.',
      default: true,
    }),
    text: Type.Optional(SpokenText),
    optOutDigits: Type.String({
      description: 'Digits that opt out while it is said; the text has to offer them.',
      pattern: '^[0-9*#]{0,12}$',
      default: '',
    }),
  },
  { ...closed, default: {} },
);
export type AbandonedMessage = Static<typeof AbandonedMessage>;

export const StopRule = Type.Object(
  {
    percent: Type.Integer({
      description:
        'Suspended when so many of the people who answered waited too long. Percent. Only a person ' +
        'or the API starts it again.',
      minimum: 1,
      maximum: 100,
      default: 3,
    }),
    lookbackMinutes: Type.Integer({
      description: 'Over how long it is counted, back from now. Minutes.',
      minimum: 1,
      maximum: 43_200,
      default: 60,
    }),
  },
  { ...closed, default: {} },
);
export type StopRule = Static<typeof StopRule>;

export const AnsweringSettings = Type.Object(
  {
    amdAction: Type.Enum([...AMD_ACTIONS], {
      description: 'What is done with an answering machine.',
      default: 'hangup',
    }),
    amdMessage: Type.Optional(SpokenText),
    amdTimeSeconds: Type.Optional(
      Type.Integer({
        description:
          'First speech to the latest decision between person and machine. Seconds. Default: a ' +
          'third of customerWaitThresholdSeconds, rounded, from 1 to 7.',
        minimum: AMD_TIME_SECONDS_MIN,
        maximum: AMD_TIME_SECONDS_MAX,
      }),
    ),
    customerWaitThresholdSeconds: Type.Integer({
      description: 'A person who is with nobody after this is abandoned. Seconds.',
      minimum: 0,
      maximum: 120,
      default: 6,
    }),
    waitFrom: Type.Enum(['answer', 'greetingEnd'], {
      description:
        'What the wait is counted from: the answer, or the end of the person’s greeting.',
      default: 'answer',
    }),
    abandonedMessage: AbandonedMessage,
    stopRule: StopRule,
  },
  closed,
);
export type AnsweringSettings = Static<typeof AnsweringSettings>;

/** A third of the wait, as far as detection can use it (DM-29). Seconds. */
export function defaultAmdTimeSeconds(customerWaitThresholdSeconds: number): number {
  const third = Math.round(customerWaitThresholdSeconds / 3);
  return Math.min(Math.max(third, AMD_TIME_SECONDS_MIN), AMD_TIME_SECONDS_MAX);
}
