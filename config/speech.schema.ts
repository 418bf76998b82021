/** What speaks prompts of the form `say:<locale>:<text>`. */
import { Type, type Static } from 'typebox';

export const SpeechConfig = Type.Object(
  {
    engine: Type.Enum(['auto', 'espeakNg', 'freeswitch', 'off'], {
      description:
        'What speaks `say:<locale>:<text>`. auto: espeak-ng where it is installed, else nothing. ' +
        'espeakNg: that, or no start. freeswitch: the media server’s own engine. off: nothing; ' +
        'prompts are wav files by id.',
      default: 'auto',
      env: 'RINGFENCE_GATEWAY_SPEECH_ENGINE',
    }),
    locales: Type.Array(Type.String({ pattern: '^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$' }), {
      description:
        'Locales that must have a voice, such as en-US: without one the gateway does not start. ' +
        'Others are spoken where there is a voice.',
      default: [],
      maxItems: 100,
    }),
    wordsPerMinute: Type.Integer({
      description: 'Speed of espeak-ng.',
      default: 150,
      minimum: 80,
      maximum: 300,
      env: 'RINGFENCE_GATEWAY_SPEECH_WORDS_PER_MINUTE',
    }),
    cacheDir: Type.String({
      description:
        'Folder of what has been spoken: each text is made once. Empty: a folder that lives as ' +
        'long as the process.',
      default: '',
      maxLength: 1_024,
      env: 'RINGFENCE_GATEWAY_SPEECH_CACHE_DIR',
    }),
    cacheFilesMax: Type.Integer({
      description: 'Texts kept in it; the oldest go first.',
      default: 2_000,
      minimum: 10,
      maximum: 1_000_000,
      env: 'RINGFENCE_GATEWAY_SPEECH_CACHE_FILES_MAX',
    }),
    freeswitchEngine: Type.String({
      description: 'Engine of `freeswitch`: flite, or tts_commandline (mod_tts_commandline).',
      default: 'flite',
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      env: 'RINGFENCE_GATEWAY_SPEECH_FREESWITCH_ENGINE',
    }),
    freeswitchVoices: Type.Record(
      Type.String(),
      Type.String({ pattern: '^[A-Za-z0-9_+-]{1,64}$' }),
      {
        description:
          'Voices of that engine, by locale or by language alone, as `{"en": "slt"}`. flite speaks ' +
          'English only.',
        default: { en: 'slt' },
      },
    ),
  },
  { additionalProperties: false, default: {}, description: 'Text to speech.' },
);
export type SpeechConfig = Static<typeof SpeechConfig>;
