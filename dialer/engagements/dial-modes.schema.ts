/** The four dial modes (spec B) and what is set for each of them alone. */
import { Type, type Static } from 'typebox';

export const DIAL_MODES = ['copilot', 'preview', 'progressive', 'predictive'] as const;
export type DialMode = (typeof DIAL_MODES)[number];

export const ENGAGEMENT_TYPES = ['aiLed', 'repLed'] as const;
/** Who talks first: an AI agent, or a representative. */
export type EngagementType = (typeof ENGAGEMENT_TYPES)[number];

const closed = { additionalProperties: false } as const;

export const CopilotMode = Type.Object(
  {
    kind: Type.Literal('copilot'),
    maxConcurrentCalls: Type.Integer({
      description: 'Calls in flight at one moment, from the INVITE to the end or the hand-over.',
      minimum: 1,
      maximum: 500,
    }),
    ignoreQueueHours: Type.Boolean({
      description: 'Dial while the queue is closed too. Copilot only.',
      default: false,
    }),
  },
  closed,
);
export type CopilotMode = Static<typeof CopilotMode>;

export const CALL_DELAY_SECONDS_MIN = 60;
export const CALL_DELAY_SECONDS_MAX = 7_080;

/** What happens between a representative's acceptance and the INVITE. */
export const CallDelay = Type.Union(
  [
    Type.Object({ kind: Type.Literal('manual', { default: 'manual' }) }, closed),
    Type.Object(
      {
        kind: Type.Literal('timer'),
        seconds: Type.Integer({
          description: 'Acceptance to the start of the call; it may be started sooner. Seconds.',
          minimum: CALL_DELAY_SECONDS_MIN,
          maximum: CALL_DELAY_SECONDS_MAX,
        }),
      },
      closed,
    ),
  ],
  {
    description: 'manual: the representative starts the call. timer: it starts by itself.',
    discriminator: { propertyName: 'kind' },
    default: { kind: 'manual' },
  },
);
export type CallDelay = Static<typeof CallDelay>;

export const PreviewMode = Type.Object(
  { kind: Type.Literal('preview'), callDelay: CallDelay },
  closed,
);
export type PreviewMode = Static<typeof PreviewMode>;

const ALLOTMENT = 'Of the queue’s representatives, how many it may hold at one time. Percent.';
const percent = { minimum: 1, maximum: 100 } as const;

export const ProgressiveMode = Type.Object(
  {
    kind: Type.Literal('progressive'),
    maxCallsPerRep: Type.Optional(
      Type.Integer({
        description:
          'AI-led only: calls in flight for each available representative. Default 1. Rep-led is ' +
          'always one.',
        minimum: 1,
        maximum: 5,
      }),
    ),
    queueAllotmentPercent: Type.Optional(
      Type.Integer({ ...percent, description: `Rep-led only. ${ALLOTMENT} Default 100.` }),
    ),
  },
  closed,
);
export type ProgressiveMode = Static<typeof ProgressiveMode>;

export const PredictiveMode = Type.Object(
  {
    kind: Type.Literal('predictive'),
    queueAllotmentPercent: Type.Integer({ ...percent, description: ALLOTMENT, default: 100 }),
  },
  closed,
);
export type PredictiveMode = Static<typeof PredictiveMode>;

export const ModeSettings = Type.Union(
  [CopilotMode, PreviewMode, ProgressiveMode, PredictiveMode],
  { discriminator: { propertyName: 'kind' } },
);
export type ModeSettings = Static<typeof ModeSettings>;
