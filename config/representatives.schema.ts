/** Calls that come to the gateway: representatives' phones, and people who call a shown number back. */
import { Type, type Static } from 'typebox';

export const RegistrarConfig = Type.Object(
  {
    realm: Type.String({
      description:
        "Realm of the digest, and host of representatives' addresses. Empty: no phone can register.",
      default: '',
      pattern: '^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)?$',
      env: 'RINGFENCE_REGISTRAR_REALM',
    }),
    expiresMinS: Type.Integer({
      description: 'Shortest registration. A phone that asks for less is told so. Seconds.',
      default: 60,
      minimum: 10,
      maximum: 3_600,
      env: 'RINGFENCE_REGISTRAR_EXPIRES_MIN_S',
      source: 'RFC 3261 §10.3: 423 with Min-Expires',
    }),
    expiresDefaultS: Type.Integer({
      description: 'Registration of a phone that does not say how long. Seconds.',
      default: 300,
      minimum: 10,
      maximum: 86_400,
      env: 'RINGFENCE_REGISTRAR_EXPIRES_DEFAULT_S',
    }),
    expiresMaxS: Type.Integer({
      description: 'Longest registration; a phone that asks for more gets this. Seconds.',
      default: 3_600,
      minimum: 60,
      maximum: 86_400,
      env: 'RINGFENCE_REGISTRAR_EXPIRES_MAX_S',
    }),
    nonceLifetimeMs: Type.Integer({
      description: 'How long a digest nonce can be used, with a rising count.',
      default: 300_000,
      minimum: 5_000,
      maximum: 3_600_000,
      env: 'RINGFENCE_REGISTRAR_NONCE_LIFETIME_MS',
      source: 'RFC 7616 §3.3',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: "Registrar of representatives' phones.",
  },
);

export const InboundConfig = Type.Object(
  {
    message: Type.String({
      description:
        'Company message for who calls a shown number back: a prompt id or `say:<locale>:<text>`. ' +
        'Empty: such calls are not taken.',
      default: '',
      maxLength: 2_000,
      env: 'RINGFENCE_INBOUND_MESSAGE',
    }),
    numbers: Type.String({
      description:
        'Numbers that are answered besides the caller ids of the trunks, E.164, parted by commas.',
      default: '',
      pattern: '^(?:[+]?[0-9]{3,15}(?: *, *[+]?[0-9]{3,15})*)?$',
      env: 'RINGFENCE_INBOUND_NUMBERS',
    }),
    optOutDigits: Type.String({
      description: 'Digits that opt out while the message plays and after it.',
      default: '9',
      pattern: '^[0-9*#A-D]*$',
      env: 'RINGFENCE_INBOUND_OPT_OUT_DIGITS',
    }),
    optOutMessage: Type.String({
      description: 'Said to who has opted out. Empty: the call ends at once.',
      default: '',
      maxLength: 2_000,
      env: 'RINGFENCE_INBOUND_OPT_OUT_MESSAGE',
    }),
    listenMs: Type.Integer({
      description: 'From the end of the message to the hang-up.',
      default: 5_000,
      minimum: 0,
      maximum: 60_000,
      env: 'RINGFENCE_INBOUND_LISTEN_MS',
    }),
    callsMax: Type.Integer({
      description: 'Such calls at one moment; more are told that it is busy.',
      default: 20,
      minimum: 1,
      maximum: 1_000,
      env: 'RINGFENCE_INBOUND_CALLS_MAX',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Calls to a number that was shown.' },
);

const prompt = (description: string, env: string, text: string) =>
  Type.String({
    description: `${description} A prompt id or \`say:<locale>:<text>\`; empty: nothing is said.`,
    default: `say:en:${text}`,
    maxLength: 2_000,
    env: `RINGFENCE_DIAL_IN_PROMPT_${env}`,
  });

const DialInPrompts = Type.Object(
  {
    number: prompt(
      'Asks for the representative’s number.',
      'NUMBER',
      'Please enter your number, and press the hash key.',
    ),
    pin: prompt('Asks for the PIN.', 'PIN', 'Please enter your PIN, and press the hash key.'),
    admitted: prompt(
      'To who is let in and waits.',
      'ADMITTED',
      'Thank you. Please stay on the line.',
    ),
    wrong: prompt(
      'The number is nobody’s, or the PIN is wrong: a caller is not told which.',
      'WRONG',
      'That is not right.',
    ),
    locked: prompt(
      'There were too many wrong entries.',
      'LOCKED',
      'There were too many wrong entries. Please call again later.',
    ),
    notSignedOn: prompt(
      'Their presence is offline.',
      'NOT_SIGNED_ON',
      'You are not signed on. Please sign on first.',
    ),
    inLobby: prompt(
      'They are on the line already.',
      'IN_LOBBY',
      'You are on the line already, from another phone.',
    ),
    notInvited: prompt(
      'Nobody wanted them for as long as they may wait.',
      'NOT_INVITED',
      'There are no calls for you now. Goodbye.',
    ),
    unavailable: prompt(
      'The store cannot be reached.',
      'UNAVAILABLE',
      'This is not possible at the moment. Please call again later.',
    ),
  },
  { additionalProperties: false, default: {}, description: 'What is said.' },
);

export const DialInConfig = Type.Object(
  {
    numbers: Type.String({
      description:
        'Numbers that representatives call to be in the lobby, E.164, parted by commas. Empty: there ' +
        'is no dial-in lobby.',
      default: '',
      pattern: '^(?:[+]?[0-9]{3,15}(?: *, *[+]?[0-9]{3,15})*)?$',
      env: 'RINGFENCE_DIAL_IN_NUMBERS',
    }),
    triesMax: Type.Integer({
      description: 'Wrong entries in one call, then it is ended.',
      default: 3,
      minimum: 1,
      maximum: 10,
      env: 'RINGFENCE_DIAL_IN_TRIES_MAX',
    }),
    pauseMs: Type.Integer({
      description: 'After the last digit an entry is taken as it is, without the hash key. ms',
      default: 4_000,
      minimum: 500,
      maximum: 30_000,
      env: 'RINGFENCE_DIAL_IN_PAUSE_MS',
    }),
    patienceMs: Type.Integer({
      description: 'From the end of a question to the first digit. ms',
      default: 10_000,
      minimum: 1_000,
      maximum: 60_000,
      env: 'RINGFENCE_DIAL_IN_PATIENCE_MS',
    }),
    waitMs: Type.Integer({
      description: 'Let in → hung up, when nobody has invited them. ms',
      default: 1_800_000,
      minimum: 1_000,
      maximum: 43_200_000,
      env: 'RINGFENCE_DIAL_IN_WAIT_MS',
    }),
    callsMax: Type.Integer({
      description: 'Such calls at one moment; more are told that it is busy.',
      default: 200,
      minimum: 1,
      maximum: 5_000,
      env: 'RINGFENCE_DIAL_IN_CALLS_MAX',
    }),
    prompts: DialInPrompts,
  },
  { additionalProperties: false, default: {}, description: 'The dial-in lobby.' },
);
export type DialInConfig = Static<typeof DialInConfig>;
