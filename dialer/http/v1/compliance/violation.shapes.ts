/** Calls that broke a rule, as `/v1` shows them. */
import { Type } from 'typebox';
import { AUDIT_RULES, type AuditRule } from '../../../audit/audit-rules.ts';
import type { ComplianceViolationRow } from '../../../store/schema/audit-tables.ts';
import { Id, PAGE, pageOf, Time, timeText } from '../wire-types.ts';

const RULES = Object.keys(AUDIT_RULES) as AuditRule[];
const Rule = Type.Enum(RULES, {
  description: Object.entries(AUDIT_RULES)
    .map(([rule, text]) => `${rule}: ${text}`)
    .join(' '),
});

export const Violation = Type.Object(
  {
    id: Id,
    rule: Rule,
    attemptId: Id,
    engagementId: Id,
    detail: Type.String({ description: 'For people: what was, and what should have been.' }),
    happenedAt: Time,
    foundAt: Time,
  },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a71',
        rule: 'outside_window',
        attemptId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a41',
        engagementId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a21',
        detail:
          'sent at 2026-03-02T20:00:01.250Z, the window was open from 2026-03-02T08:00:00.000Z to 2026-03-02T20:00:00.000Z',
        happenedAt: '2026-03-02T20:00:01.250Z',
        foundAt: '2026-03-02T20:00:05.000Z',
      },
    ],
  },
);
export const ViolationPage = pageOf(Violation);
export const ViolationFilters = Type.Object(
  { ...PAGE, rule: Type.Optional(Rule), engagementId: Type.Optional(Id) },
  { additionalProperties: false },
);

export function violationBody(row: ComplianceViolationRow) {
  return {
    ...{ id: row.id, rule: row.rule, attemptId: row.attempt_id },
    ...{ engagementId: row.engagement_id, detail: row.detail },
    happenedAt: timeText(row.happened_at_ms),
    foundAt: timeText(row.found_at_ms),
  };
}
