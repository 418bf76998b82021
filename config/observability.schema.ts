/** What Ringfence tells of itself: metrics, traces. Logs have a section of their own. */
import { Type, type Static } from 'typebox';

export const MetricsConfig = Type.Object(
  {
    bearerToken: Type.String({
      description:
        'What a scraper on another machine sends as `Authorization: Bearer`. Empty: `/metrics` is ' +
        'read on this machine alone.',
      default: '',
      pattern: '^(?:|[A-Za-z0-9._~+/=-]{16,256})$',
      env: 'RINGFENCE_METRICS_BEARER_TOKEN',
      secret: true,
    }),
    engagementsMax: Type.Integer({
      description:
        'Engagements that get a label of their own in metrics, their name; those after them share ' +
        '`other`. 0: all of them do.',
      default: 50,
      minimum: 0,
      maximum: 1_000,
      env: 'RINGFENCE_METRICS_ENGAGEMENTS_MAX',
    }),
    journeysMax: Type.Integer({
      description:
        'Journeys that get a label of their own in metrics, their name; those after them share ' +
        '`other`. 0: all of them do.',
      default: 50,
      minimum: 0,
      maximum: 1_000,
      env: 'RINGFENCE_METRICS_JOURNEYS_MAX',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Metrics; docs/metrics.md names each.' },
);
export type MetricsConfig = Static<typeof MetricsConfig>;

export const TracesConfig = Type.Object(
  {
    otlpUrl: Type.String({
      description:
        'Where traces go, by OTLP over HTTP: `http://collector:4318/v1/traces`. Empty: nowhere. ' +
        'Needs two packages that are not installed by themselves (docs/operations.md).',
      default: '',
      pattern: '^(?:|https?://\\S+)$',
      maxLength: 500,
      env: 'RINGFENCE_TRACES_OTLP_URL',
    }),
  },
  { additionalProperties: false, default: {}, description: 'One trace for each attempt.' },
);
export type TracesConfig = Static<typeof TracesConfig>;
