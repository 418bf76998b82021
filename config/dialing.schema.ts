/** How long a call attempt may take, and the hours in which one may start. */
import { Type, type Static } from 'typebox';

const timeOfDay = (description: string, fallback: string, env: string) =>
  Type.String({
    description: `${description} 24-hour \`HH:MM\`, quoted: YAML 1.1 tools read 21:00 as a number.`,
    default: fallback,
    pattern: '^(?:[01][0-9]|2[0-3]):[0-5][0-9]$',
    env,
    source: '47 CFR §64.1200(c)(1)',
  });

export const DialingConfig = Type.Object(
  {
    ringTimeoutMs: Type.Integer({
      description:
        'From the first 180/183 to our CANCEL. Giving up sooner than 15 s is not allowed.',
      default: 30_000,
      minimum: 15_000,
      maximum: 120_000,
      env: 'RINGFENCE_DIALING_RING_TIMEOUT_MS',
      source: '47 CFR §64.1200(a)(6): not before 15 s or four rings',
    }),
    setupTimeoutMs: Type.Integer({
      description:
        'From the INVITE to the first 180/183 or final response. The default is longer than ' +
        'timer B, so that a silent peer is reported as silent.',
      default: 40_000,
      minimum: 1_000,
      maximum: 180_000,
      env: 'RINGFENCE_DIALING_SETUP_TIMEOUT_MS',
      source: 'RFC 3261 §17.1.1.2: timer B is 32 s',
    }),
    callLengthMaxMs: Type.Integer({
      description: 'An answered call is hung up after this, whatever else went wrong.',
      default: 7_200_000,
      minimum: 1_000,
      maximum: 86_400_000,
      env: 'RINGFENCE_DIALING_CALL_LENGTH_MAX_MS',
    }),
    callingHoursFrom: timeOfDay(
      'No call starts before this hour where the contact is.',
      '08:00',
      'RINGFENCE_DIALING_CALLING_HOURS_FROM',
    ),
    callingHoursTo: timeOfDay(
      'No call starts at or after this hour where the contact is.',
      '21:00',
      'RINGFENCE_DIALING_CALLING_HOURS_TO',
    ),
  },
  { additionalProperties: false, default: {}, description: 'Call attempts.' },
);

export type DialingConfig = Static<typeof DialingConfig>;
