/** A language model that turns texts into drafts of journeys. Off unless it is configured. */
import { Type, type Static } from 'typebox';

export const DraftModelConfig = Type.Object(
  {
    url: Type.String({
      description:
        'Base address of an endpoint in OpenAI’s form: `/chat/completions` is added, so it mostly ends ' +
        'in `/v1`. https, or http on this machine. Empty: no model; texts are read by the sentence ' +
        'patterns of docs/journeys/drafting.md. The text and the names of assets are sent there.',
      default: '',
      pattern: '^(?:|https?://[^\\s/]+(?:/[^\\s]*[^\\s/])?)$',
      maxLength: 500,
      env: 'RINGFENCE_JOURNEYS_DRAFT_MODEL_URL',
    }),
    key: Type.String({
      description: 'Sent as a bearer token. Empty: none, as models on this machine need none.',
      default: '',
      pattern: '^(?:|[!-~]{1,500})$',
      env: 'RINGFENCE_JOURNEYS_DRAFT_MODEL_KEY',
      secret: true,
    }),
    model: Type.String({
      description: 'Name of the model, as the endpoint knows it. Needed with `url`.',
      default: '',
      maxLength: 200,
      env: 'RINGFENCE_JOURNEYS_DRAFT_MODEL_NAME',
    }),
    timeoutMs: Type.Integer({
      description: 'How long one answer may take, to its last byte.',
      default: 30_000,
      minimum: 100,
      maximum: 300_000,
      env: 'RINGFENCE_JOURNEYS_DRAFT_MODEL_TIMEOUT_MS',
    }),
    triesMax: Type.Integer({
      description:
        'How often it is asked in all: again with what was wrong with its answer. Then the sentence ' +
        'patterns are used.',
      default: 3,
      minimum: 1,
      maximum: 10,
      env: 'RINGFENCE_JOURNEYS_DRAFT_MODEL_TRIES_MAX',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Who drafts journeys from text.' },
);
export type DraftModelConfig = Static<typeof DraftModelConfig>;
