/** One SIP trunk: where it is, how it lets us in, and how much it may be asked to carry. */
import { Type, type Static } from 'typebox';

/** What a trunk takes as a destination; see the description of `destinationFormat`. */
export const DESTINATION_FORMATS = ['e164', 'e164-no-plus', 'any'] as const;
export type DestinationFormat = (typeof DESTINATION_FORMATS)[number];

/** Kinds of numbers that are refused unless a trunk says otherwise; see docs/trunks.md. */
export const GUARDED_CLASSES = ['emergency', 'premium', 'sharedCost', 'satellite'] as const;
export type GuardedClass = (typeof GUARDED_CLASSES)[number];

const prefixes = (description: string, env: string) =>
  Type.Array(
    Type.String({ description: 'The first digits, with the plus.', pattern: '^\\+\\d{1,15}$' }),
    { description, default: [], maxItems: 1_000, uniqueItems: true, env },
  );

export const TrunkConfig = Type.Object(
  {
    name: Type.String({
      description:
        'How commands, events and metrics name the trunk. Unique; lower case, digits, hyphens.',
      pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$',
      examples: ['carrier-a'],
    }),
    address: Type.String({
      description:
        'The next hop as a SIP URI: `sip:HOST[:PORT][;transport=udp|tcp|tls]`. A host name without ' +
        'a port is looked up by SRV records, which may name several servers; else the port is 5060 ' +
        '(5061 for TLS) and the transport UDP.',
      pattern: '^sip:',
      maxLength: 255,
      examples: ['sip:198.51.100.7:5060;transport=udp'],
      env: 'RINGFENCE_TRUNK_<NAME>_ADDRESS',
      source: 'RFC 3261 §19.1 (URI), RFC 3263 §4 (names)',
    }),
    username: Type.Optional(
      Type.String({
        description: 'Answer to the digest challenge (401/407) of the trunk. Needs `password`.',
        minLength: 1,
        maxLength: 128,
        examples: ['ringfence'],
        env: 'RINGFENCE_TRUNK_<NAME>_USERNAME',
        source: 'RFC 8760, RFC 3261 §22',
      }),
    ),
    password: Type.Optional(
      Type.String({
        description: 'Digest password. Better given by the environment than written in the file.',
        maxLength: 256,
        examples: ['(from the environment)'],
        env: 'RINGFENCE_TRUNK_<NAME>_PASSWORD',
        secret: true,
      }),
    ),
    authRealm: Type.Optional(
      Type.String({
        description:
          'Answer challenges of this realm only. Without it any realm of the trunk is answered.',
        minLength: 1,
        maxLength: 128,
        examples: ['sip.carrier.example'],
        env: 'RINGFENCE_TRUNK_<NAME>_AUTH_REALM',
        source: 'RFC 3261 §22.3',
      }),
    ),
    registerSeconds: Type.Integer({
      description:
        'Register at the trunk for this long, and again before it is over; 0 does not register. ' +
        'Needs `username` and `password`. s',
      default: 0,
      minimum: 0,
      maximum: 86_400,
      env: 'RINGFENCE_TRUNK_<NAME>_REGISTER_SECONDS',
      source: 'RFC 3261 §10',
    }),
    domain: Type.Optional(
      Type.String({
        description:
          'Host part of From, P-Asserted-Identity and of the registration, where the trunk wants ' +
          'its own domain there. Default: the address of the switch; to register, the host of `address`.',
        pattern: '^[A-Za-z0-9.-]{1,253}$',
        examples: ['sip.carrier.example'],
        env: 'RINGFENCE_TRUNK_<NAME>_DOMAIN',
      }),
    ),
    callerId: Type.String({
      description:
        'User part of From when a dial names no other. A number you own and that can be rung ' +
        'back; quote it, else YAML drops leading zeros.',
      pattern: '^[+]?[0-9A-Za-z._-]{1,64}$',
      examples: ["'+12025550100'"],
      env: 'RINGFENCE_TRUNK_<NAME>_CALLER_ID',
      source: '47 CFR §64.1601(e)',
    }),
    codecs: Type.Array(Type.Enum(['PCMU', 'PCMA'], { description: 'A codec of RFC 3551.' }), {
      description: 'Offered in this order. The embedded switch has these two.',
      default: ['PCMU', 'PCMA'],
      minItems: 1,
      maxItems: 2,
      uniqueItems: true,
      env: 'RINGFENCE_TRUNK_<NAME>_CODECS',
      source: 'RFC 3551 §4.5.14',
    }),
    srtp: Type.Enum(['off', 'sdes'], {
      description:
        'Encryption of the audio on this trunk. `sdes`: SRTP with keys in SDP, and never in clear: a ' +
        'trunk that does not take it gets no call through. Use it with `transport=tls`, since whoever ' +
        'reads the SDP has the keys; the first of `codecs` is offered alone. `off`: as the switch ' +
        'does by itself (`softswitch.secureMedia`).',
      default: 'off',
      env: 'RINGFENCE_TRUNK_<NAME>_SRTP',
      source: 'RFC 4568',
    }),
    channelsMax: Type.Integer({
      description: 'Calls in flight on this trunk at one moment. 0 takes the trunk out of use.',
      default: 100,
      minimum: 0,
      maximum: 10_000,
      env: 'RINGFENCE_TRUNK_<NAME>_CHANNELS_MAX',
    }),
    callsPerSecondMax: Type.Number({
      description:
        'New calls per second; 0.5 is one in two seconds. 0 takes the trunk out of use. Spaced ' +
        'evenly, so that no second holds more: carriers count by the second.',
      default: 20,
      minimum: 0,
      maximum: 1_000,
      env: 'RINGFENCE_TRUNK_<NAME>_CALLS_PER_SECOND_MAX',
    }),
    destinationFormat: Type.Enum(DESTINATION_FORMATS, {
      description:
        '`e164`: only possible E.164 numbers, sent as +14155550100. `e164-no-plus`: the same, ' +
        'sent as 14155550100. `any`: any string of user characters, sent unchanged (an ' +
        'extension such as 1001).',
      default: 'e164',
      env: 'RINGFENCE_TRUNK_<NAME>_DESTINATION_FORMAT',
      source: 'ITU-T E.164',
    }),
    destinationStrip: Type.String({
      description:
        'Taken off the front of what is sent, where it stands there: `+1` sends 4155550100 for ' +
        '+14155550100. After `destinationFormat`, before `destinationPrefix`.',
      default: '',
      pattern: '^\\+?[0-9*#]{0,15}$',
      env: 'RINGFENCE_TRUNK_<NAME>_DESTINATION_STRIP',
    }),
    destinationPrefix: Type.String({
      description: 'Put in front of what is sent: a carrier code, or 00 for +.',
      default: '',
      pattern: '^\\+?[0-9*#]{0,15}$',
      env: 'RINGFENCE_TRUNK_<NAME>_DESTINATION_PREFIX',
    }),
    destinationsAllowed: prefixes(
      'Only E.164 numbers that begin with one of these are dialled. Empty: all. The classes that are ' +
        'refused by default stay refused.',
      'RINGFENCE_TRUNK_<NAME>_DESTINATIONS_ALLOWED',
    ),
    destinationsDenied: prefixes(
      'E.164 numbers that begin with one of these are never dialled; stronger than every allowance.',
      'RINGFENCE_TRUNK_<NAME>_DESTINATIONS_DENIED',
    ),
    destinationClassesAllowed: Type.Array(
      Type.Enum(GUARDED_CLASSES, { description: 'A class of numbers.' }),
      {
        description:
          'Classes that this trunk may dial although they are refused by default: premium and ' +
          'shared-cost numbers, satellite and international networks, emergency numbers.',
        default: [],
        maxItems: GUARDED_CLASSES.length,
        uniqueItems: true,
        env: 'RINGFENCE_TRUNK_<NAME>_DESTINATION_CLASSES_ALLOWED',
      },
    ),
    identityHeaders: Type.Array(
      Type.Enum(['P-Asserted-Identity', 'P-Preferred-Identity', 'Remote-Party-ID'], {
        description: 'A header that names the caller.',
      }),
      {
        description:
          'Headers beside From that name the number shown. Trunks that trust us want ' +
          'P-Asserted-Identity, registrars of subscribers P-Preferred-Identity, old ones Remote-Party-ID.',
        default: ['P-Asserted-Identity'],
        maxItems: 3,
        uniqueItems: true,
        env: 'RINGFENCE_TRUNK_<NAME>_IDENTITY_HEADERS',
        source: 'RFC 3325 §9, draft-ietf-sip-privacy-04',
      },
    ),
    hidesCallerId: Type.Boolean({
      description:
        'Ask the trunk to withhold our number (`Privacy: id`, From anonymous). Forbidden for ' +
        'telemarketing in most countries.',
      default: false,
      env: 'RINGFENCE_TRUNK_<NAME>_HIDES_CALLER_ID',
      source: 'RFC 3323 §4.2, RFC 3325 §7; 47 CFR §64.1601(e)',
    }),
    callLengthMaxMs: Type.Integer({
      description: 'Longest call on this trunk, answer to hang-up, whatever a dial allows. ms',
      default: 14_400_000,
      minimum: 10_000,
      maximum: 86_400_000,
      env: 'RINGFENCE_TRUNK_<NAME>_CALL_LENGTH_MAX_MS',
    }),
    sessionSeconds: Type.Integer({
      description:
        'Session timer asked for in an INVITE: a call whose other side has died is ended after this ' +
        'at the latest. 0 asks for none. s',
      default: 1_800,
      minimum: 0,
      maximum: 86_400,
      env: 'RINGFENCE_TRUNK_<NAME>_SESSION_SECONDS',
      source: 'RFC 4028 §4: 1800 is recommended, below 90 is refused',
    }),
    invalidRatioMax: Type.Number({
      description:
        'Of the last 50 attempts, the fraction that the trunk may call numbers that do not exist. ' +
        'Above it the trunk is suspended: such a list earns blocks, and a broken trunk says the ' +
        'same of good numbers. 1 never suspends.',
      default: 0.3,
      minimum: 0.02,
      maximum: 1,
      env: 'RINGFENCE_TRUNK_<NAME>_INVALID_RATIO_MAX',
    }),
    suspendMs: Type.Integer({
      description:
        'A suspended trunk takes calls again after this; 0: when an operator says so. ms',
      default: 900_000,
      minimum: 0,
      maximum: 86_400_000,
      env: 'RINGFENCE_TRUNK_<NAME>_SUSPEND_MS',
    }),
    stripAttemptHeaders: Type.Boolean({
      description:
        'Leave the attempt id and fence out of the INVITE. They let an independent witness ' +
        'prove that nobody was dialled twice; strip them where the far end rejects them.',
      default: false,
      env: 'RINGFENCE_TRUNK_<NAME>_STRIP_ATTEMPT_HEADERS',
    }),
  },
  { additionalProperties: false, description: 'One SIP trunk.' },
);

export type TrunkConfig = Static<typeof TrunkConfig>;

/** Several trunks under one name, which dials and workstreams use like that of a trunk. */
export const TrunkGroupConfig = Type.Object(
  {
    name: Type.String({
      description: 'Unique among trunks and groups; lower case, digits, hyphens.',
      pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$',
      examples: ['domestic'],
    }),
    members: Type.Array(
      Type.Object(
        {
          trunk: Type.String({ description: 'Name of a trunk.', examples: ['carrier-a'] }),
          priority: Type.Integer({
            description: 'Lower ones are used first; the next when all of one are full or down.',
            default: 1,
            minimum: 1,
            maximum: 100,
          }),
          weight: Type.Integer({
            description: 'Share of the calls among members of one priority.',
            default: 1,
            minimum: 0,
            maximum: 1_000,
          }),
        },
        { additionalProperties: false, description: 'A trunk of the group.' },
      ),
      { description: 'Its trunks, each once.', minItems: 1, maxItems: 50 },
    ),
  },
  { additionalProperties: false, description: 'A group of trunks.' },
);
export type TrunkGroupConfig = Static<typeof TrunkGroupConfig>;
