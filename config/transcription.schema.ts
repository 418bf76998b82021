/** What turns recordings into text, where a workstream asks for it. */
import { Type, type Static } from 'typebox';

export const TranscriptionConfig = Type.Object(
  {
    engine: Type.Enum(['off', 'http', 'command'], {
      description:
        'What transcribes the recordings of workstreams that ask for it. off: nothing, and no ' +
        'workstream may ask. http: an endpoint that speaks OpenAI’s `POST /audio/transcriptions`. ' +
        'command: a program beside the gateway. Dialer and gateway must agree on this section where ' +
        'they are different processes.',
      default: 'off',
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_ENGINE',
    }),
    baseUrl: Type.String({
      description:
        'Of `http`: what stands before `/audio/transcriptions`, such as https://host/v1. HTTPS, or ' +
        'HTTP on loopback: recordings are personal data.',
      default: '',
      maxLength: 1_024,
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_BASE_URL',
    }),
    model: Type.String({
      description: 'Of `http`: the model that is asked for.',
      default: 'whisper-1',
      minLength: 1,
      maxLength: 200,
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_MODEL',
    }),
    responseFormat: Type.Enum(['verbose_json', 'json'], {
      description:
        'Of `http`: verbose_json gives the time of each sentence, so that the two sides of a call are ' +
        'in the order in which they spoke. json is for models that give text alone.',
      default: 'verbose_json',
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_RESPONSE_FORMAT',
    }),
    apiKey: Type.String({
      description: 'Of `http`: sent as a bearer token. Empty: none is sent.',
      default: '',
      maxLength: 1_024,
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_API_KEY',
      secret: true,
    }),
    command: Type.Array(Type.String({ maxLength: 1_024 }), {
      description:
        'Of `command`: program, by its whole path, and arguments; run without a shell. `{file}` becomes the name of a ' +
        'mono wav file, `{language}` the language of the workstream. It writes text, or JSON as the ' +
        'endpoint’s verbose_json, to its standard output, and ends with exit code 0.',
      default: [],
      maxItems: 100,
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_COMMAND',
    }),
    timeoutMs: Type.Integer({
      description:
        'For one piece of a recording: ten minutes of one side of the call. What takes longer is ' +
        'given up, and tried again later.',
      default: 300_000,
      minimum: 1_000,
      maximum: 3_600_000,
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_TIMEOUT_MS',
    }),
    atOnceMax: Type.Integer({
      description: 'Recordings transcribed at one moment, per gateway.',
      default: 2,
      minimum: 1,
      maximum: 100,
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_AT_ONCE_MAX',
    }),
    triesMax: Type.Integer({
      description: 'Tries of one recording before it counts as failed.',
      default: 5,
      minimum: 1,
      maximum: 20,
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_TRIES_MAX',
    }),
    retryDelayMinMs: Type.Integer({
      description: 'Pause before the second try; doubles with each, up to an hour.',
      default: 30_000,
      minimum: 10,
      maximum: 3_600_000,
      env: 'RINGFENCE_GATEWAY_TRANSCRIPTION_RETRY_DELAY_MIN_MS',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Speech to text of recordings.' },
);
export type TranscriptionConfig = Static<typeof TranscriptionConfig>;
