/** Journeys: whether they are there, and whether they may talk to people. */
import { Type, type Static } from 'typebox';
import { DraftModelConfig } from './draft-model.schema.ts';

/** Names in a journey, such as `emailProvider`; docs/journeys/sending.md says what it is sent. */
const WebhookConfig = Type.Object(
  {
    name: Type.String({
      description: 'How journeys name it.',
      minLength: 1,
      maxLength: 100,
      examples: ['emailProvider'],
    }),
    url: Type.String({
      description:
        'Where messages are posted, https or http. It has no user name or password: the request is ' +
        'signed.',
      pattern: '^https?://[^\\s]+$',
      maxLength: 2_000,
      examples: ['https://mail.example.com/ringfence'],
      env: 'RINGFENCE_JOURNEYS_WEBHOOK_<NAME>_URL',
    }),
    secret: Type.String({
      description: 'Signs the request: HMAC-SHA256. At least 32 characters; known to both sides.',
      pattern: '^[!-~]{32,500}$',
      env: 'RINGFENCE_JOURNEYS_WEBHOOK_<NAME>_SECRET',
      secret: true,
    }),
  },
  { additionalProperties: false, description: 'One receiver of messages.' },
);

export const JourneysConfig = Type.Object(
  {
    enabled: Type.Boolean({
      description:
        'Journeys are offered and run. Off: their addresses answer `JOURNEYS_OFF`, engagements cannot ' +
        'be fed by them, and people inside stay where they are until it is on again.',
      default: true,
      env: 'RINGFENCE_JOURNEYS_ENABLED',
    }),
    conversations: Type.Boolean({
      description:
        'Journeys have steps that call people. Off: such steps are not offered, and a journey with ' +
        'one cannot be published.',
      default: true,
      env: 'RINGFENCE_JOURNEYS_CONVERSATIONS',
    }),
    keepDays: Type.Integer({
      description: 'How long people who left a journey are kept, with their path. Days.',
      default: 365,
      minimum: 1,
      maximum: 3_660,
      env: 'RINGFENCE_JOURNEYS_KEEP_DAYS',
    }),
    keepDraftDays: Type.Integer({
      description:
        'How long a draft that was asked for in words is kept, with the text, the answer and the verdict ' +
        'on it, after it was last touched. The journey that was made of it stays. Days.',
      default: 90,
      minimum: 1,
      maximum: 3_660,
      env: 'RINGFENCE_JOURNEYS_KEEP_DRAFT_DAYS',
    }),
    dialerUrl: Type.String({
      description:
        'The dialer of another installation that journeys ask for calls, `https://host`, without a ' +
        'slash at the end. Empty: the one that runs here, which needs no setting.',
      default: '',
      pattern: '^(?:|https?://[^\\s/]+(?:/[^\\s]*[^\\s/])?)$',
      maxLength: 500,
      env: 'RINGFENCE_JOURNEYS_DIALER_URL',
    }),
    dialerKey: Type.String({
      description: 'A key of that installation, of the role `deliver`. Needs `dialerUrl`.',
      default: '',
      pattern: '^(?:|[!-~]{16,200})$',
      env: 'RINGFENCE_JOURNEYS_DIALER_KEY',
      secret: true,
    }),
    webhooks: Type.Array(WebhookConfig, {
      description: 'Who sends the messages of steps of type `message`.',
      default: [],
      maxItems: 100,
    }),
    webhooksOnLoopback: Type.Boolean({
      description: 'A webhook may be on this machine, also without TLS.',
      default: false,
      env: 'RINGFENCE_JOURNEYS_WEBHOOKS_ON_LOOPBACK',
    }),
    webhooksAllowInsecure: Type.Boolean({
      description:
        'A webhook beyond this machine may be without TLS. Names and addresses of people cross the ' +
        'network in the clear then.',
      default: false,
      env: 'RINGFENCE_JOURNEYS_WEBHOOKS_ALLOW_INSECURE',
    }),
    webhookTimeoutMs: Type.Integer({
      description: 'How long a webhook may take to answer.',
      default: 10_000,
      minimum: 100,
      maximum: 120_000,
      env: 'RINGFENCE_JOURNEYS_WEBHOOK_TIMEOUT_MS',
    }),
    webhookTriesMax: Type.Integer({
      description:
        'How often a message is posted to a webhook that does not answer, or is busy, before it counts ' +
        'as not sent. The pause doubles from 2 s to 5 min.',
      default: 8,
      minimum: 1,
      maximum: 50,
      env: 'RINGFENCE_JOURNEYS_WEBHOOK_TRIES_MAX',
    }),
    draftModel: DraftModelConfig,
  },
  { additionalProperties: false, default: {}, description: 'Journeys (docs/journeys).' },
);
export type JourneysConfig = Static<typeof JourneysConfig>;
