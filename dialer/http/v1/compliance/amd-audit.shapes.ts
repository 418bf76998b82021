/** Audited machine verdicts, and what they say of all of them, as `/v1` takes and shows them. */
import { Type } from 'typebox';
import { HEARD } from '../../../amd-audit/amd-sample.ts';
import {
  AUDIT_SOURCES,
  falsePositivesOf,
  type AuditCounts,
} from '../../../amd-audit/false-positives.ts';
import type { AmdAuditRow } from '../../../store/schema/audit-tables.ts';
import {
  closed,
  exampleId,
  Id,
  orNull,
  PAGE,
  pageOf,
  Time,
  timeOrNull,
  timeText,
} from '../wire-types.ts';

const Heard = Type.Enum([...HEARD], {
  description:
    'Who was there. human: a person. machine: no person (answering machine, fax, announcement). ' +
    'unclear: it could not be found out; stays out of the ratio.',
});
const AUDIT_STATES = ['pending', 'answered'] as const;

export const AmdAudit = Type.Object(
  {
    id: Type.String({ ...Id, description: 'Of the attempt.' }),
    deliveryId: Type.String({
      ...Id,
      description: 'GET /v1/deliveries/{id} has the number, the SIP Call-ID and recordings.',
    }),
    engagementId: Id,
    verdict: Type.Enum(['machine'], { description: 'What detection said.' }),
    endedAt: Type.String({ ...Time, description: 'When the end of the attempt was recorded.' }),
    state: Type.Enum([...AUDIT_STATES]),
    heard: orNull(Heard),
    heardBy: orNull(Type.String({ description: 'Who said so last.' })),
    heardAt: orNull(Time),
    agentHeard: orNull(
      Type.Enum([...HEARD], {
        description:
          'What the AI agent returned, where it was left with whoever answered. Null while the audit ' +
          'is pending, so that it does not sway the auditor.',
      }),
    ),
    version: Type.Integer({ minimum: 1 }),
  },
  {
    examples: [
      {
        ...{ id: exampleId('41'), deliveryId: exampleId('51'), engagementId: exampleId('21') },
        ...{ verdict: 'machine', endedAt: '2026-03-02T15:00:31.250Z', state: 'answered' },
        ...{ heard: 'human', heardBy: 'key:rf_AbCdEfGh', heardAt: '2026-03-03T09:12:00.000Z' },
        ...{ agentHeard: null, version: 2 },
      },
    ],
  },
);
export const AmdAuditPage = pageOf(AmdAudit);

export const AmdAuditFilters = Type.Object(
  {
    ...PAGE,
    state: Type.Optional(Type.Enum([...AUDIT_STATES])),
    engagementId: Type.Optional(Id),
  },
  closed,
);

export const AmdAuditAnswer = Type.Object(
  { heard: Heard },
  { ...closed, examples: [{ heard: 'human' }] },
);

export function amdAuditBody(row: AmdAuditRow) {
  const isPending = row.heard === null;
  return {
    ...{ id: row.id, deliveryId: row.delivery_id, engagementId: row.engagement_id },
    ...{ verdict: row.verdict, endedAt: timeText(row.ended_at_ms) },
    ...{ state: isPending ? 'pending' : 'answered', heard: row.heard, heardBy: row.heard_by },
    heardAt: timeOrNull(row.heard_at_ms),
    agentHeard: isPending ? null : row.agent_heard,
    version: row.version,
  };
}

const count = (description: string) => Type.Integer({ minimum: 0, description });
const Share = Type.Number({ minimum: 0, maximum: 1 });

const FalsePositives = Type.Object({
  ratio: Type.Number({ ...Share, description: 'human / (human + machine), a fraction.' }),
  low: Type.Number({ ...Share, description: 'Lower bound, 95 %, Clopper and Pearson.' }),
  high: Type.Number({ ...Share, description: 'Upper bound, 95 %, Clopper and Pearson.' }),
  highIfUnclearHuman: Type.Number({
    ...Share,
    description: 'The upper bound if all who are unclear had been people.',
  }),
  isCharged: Type.Boolean({
    description: '`chargedRatio` is at least the upper bound.',
  }),
});

const SourceSummary = Type.Object({
  source: Type.Enum([...AUDIT_SOURCES], {
    description:
      'auditor: answers given over this API. aiAgent: what AI agents returned as `answeredBy` of calls ' +
      'that detection did not end.',
  }),
  human: count('False positives.'),
  machine: count('Verdicts that were right.'),
  unclear: count('Outside the ratio.'),
  pending: count('Of those that the source could speak of: it has not. None is counted as right.'),
  falsePositives: orNull(FalsePositives),
});

export const AmdAuditSummary = Type.Object(
  {
    from: Time,
    before: Time,
    engagementId: orNull(Id),
    chargedRatio: Type.Number({
      ...Share,
      description:
        '`abandonment.amdFalsePositiveRatio`: so much of every attempt with the Result ' +
        'AnsweringMachine or AnsweringMachineHangup is charged as abandoned.',
    }),
    sources: Type.Array(SourceSummary),
  },
  {
    examples: [
      {
        ...{ from: '2026-02-01T00:00:00.000Z', before: '2026-03-03T00:00:00.000Z' },
        ...{ engagementId: null, chargedRatio: 0.02 },
        sources: [
          {
            ...{ source: 'auditor', human: 3, machine: 597, unclear: 4, pending: 11 },
            falsePositives: {
              ...{ ratio: 0.005, low: 0.00103, high: 0.01454, highIfUnclearHuman: 0.02373 },
              isCharged: true,
            },
          },
        ],
      },
    ],
  },
);

export const AmdAuditSummaryFilters = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        ...Time,
        description: 'Attempts that ended from then on. Default: 30 days ahead of `before`.',
      }),
    ),
    before: Type.Optional(Type.String({ ...Time, description: 'And before then. Default: now.' })),
    engagementId: Type.Optional(Id),
  },
  closed,
);

export function sourceSummaryBody(source: string, counts: AuditCounts, chargedRatio: number) {
  const found = falsePositivesOf(counts);
  const falsePositives =
    found === undefined ? null : { ...found, isCharged: chargedRatio >= found.high };
  return { source, ...counts, falsePositives };
}
