/** Legal rules on abandoned calls, as data: limit, window, what counts above and below the line. */
import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

export const RULE_PACK_NAME = '^[a-z][a-z0-9-]{0,39}$';

export const RulePack = Type.Object(
  {
    name: Type.String({
      description:
        'By which engagements name it. A shipped name takes the place of what is shipped.',
      pattern: RULE_PACK_NAME,
    }),
    source: Type.String({
      description: 'The rule that it puts into figures, for people.',
      default: '',
      maxLength: 500,
    }),
    ratioMax: Type.Number({
      description: 'Abandoned over answered at most, a fraction: 0.03 is three percent.',
      minimum: 0,
      maximum: 0.2,
    }),
    period: Type.Enum(['tumbling', 'rolling', 'calendarMonth'], {
      description:
        'tumbling: periods in a row, from the start of the engagement; nothing unused goes over. ' +
        'rolling: any period of that length. calendarMonth: from the first of each month.',
      default: 'tumbling',
    }),
    periodHours: Type.Integer({
      description: 'Length of a tumbling or rolling period. Hours.',
      default: 720,
      minimum: 1,
      maximum: 8_784,
    }),
    timeZone: Type.String({
      description: 'Where a calendar month begins. IANA zone.',
      default: 'UTC',
    }),
    numerator: Type.Array(Type.Enum(['noRepresentative', 'amdFalsePositive']), {
      description:
        'What counts as abandoned: no representative in time; detection took a person for a machine.',
      default: ['noRepresentative', 'amdFalsePositive'],
      minItems: 1,
      uniqueItems: true,
    }),
    denominator: Type.Enum(['liveAnswers', 'connected'], {
      description: 'Everybody who answered, or only those whom a representative took.',
      default: 'liveAnswers',
    }),
    connectWithinSeconds: Type.Number({
      description: 'A representative who comes later comes too late.',
      default: 2,
      minimum: 0,
      maximum: 60,
    }),
    clockFrom: Type.Enum(['answer', 'greetingEnd'], {
      description: 'What that time is counted from.',
      default: 'greetingEnd',
    }),
    ringMinSeconds: Type.Integer({
      description: 'No unanswered call is given up sooner.',
      default: 15,
      minimum: 15,
      maximum: 120,
    }),
    message: Type.Boolean({
      description: 'Whoever is abandoned has to hear who called.',
      default: true,
    }),
    optOut: Type.Boolean({
      description: 'That message has to offer a way not to be called again.',
      default: false,
    }),
  },
  { ...closed, description: 'One legal rule on abandoned calls.' },
);
export type RulePack = Static<typeof RulePack>;

export const AbandonmentConfig = Type.Object(
  {
    applied: Type.Array(Type.String({ pattern: RULE_PACK_NAME }), {
      description:
        'Rule packs of engagements that name none: `us`, `uk`, `ca`, `it`, or of rulePacks below. The ' +
        'strictest wins wherever several apply.',
      default: ['us'],
      uniqueItems: true,
      env: 'RINGFENCE_ABANDONMENT_APPLIED',
    }),
    rulePacks: Type.Array(RulePack, {
      description: 'Rules of your own, beside those that are shipped or in their place.',
      default: [],
      maxItems: 50,
    }),
    amdFalsePositiveRatio: Type.Number({
      description:
        'Share of machine verdicts that hung up on a person, its upper bound, from your own audits ' +
        '(docs/operations.md). So much of every such verdict is charged as abandoned.',
      default: 0,
      minimum: 0,
      maximum: 0.2,
      env: 'RINGFENCE_ABANDONMENT_AMD_FALSE_POSITIVE_RATIO',
    }),
    amdAuditShare: Type.Number({
      description:
        'Share of attempts whose machine verdict is drawn for an audit, by a hash of the attempt’s id: ' +
        'people then say over the API who was there. 0: none. It records no audio.',
      default: 0,
      minimum: 0,
      maximum: 1,
      env: 'RINGFENCE_ABANDONMENT_AMD_AUDIT_SHARE',
    }),
  },
  { ...closed, default: {}, description: 'Legal limits on abandoned calls.' },
);
export type AbandonmentConfig = Static<typeof AbandonmentConfig>;
