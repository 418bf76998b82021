/** One SIP trunk: where it is, how it lets us in, and how much it may be asked to carry. */
import { Type, type Static } from 'typebox';

/** What a trunk takes as a destination; see the description of `destinationFormat`. */
export const DESTINATION_FORMATS = ['e164', 'e164-no-plus', 'any'] as const;
export type DestinationFormat = (typeof DESTINATION_FORMATS)[number];

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
