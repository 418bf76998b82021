/** What the audit of calls found, and the last call to each number that it has seen. */
import type { Migration } from '../migration.ts';

export const complianceAudit: Migration = {
  id: '0014-compliance-audit',
  statements: () => [
    `create table compliance_violations (
      id text not null,
      business_unit_id text not null,
      rule text not null,
      attempt_id text not null,
      engagement_id text not null,
      detail text not null,
      happened_at_ms bigint not null,
      found_at_ms bigint not null,
      primary key (id)
    )`,
    `create unique index compliance_violations_by_attempt on compliance_violations (attempt_id, rule)`,
    `create index compliance_violations_by_unit on compliance_violations (business_unit_id, id)`,
    `create table audited_numbers (
      number text not null,
      attempt_id text not null,
      claimed_at_ms bigint not null,
      recorded_at_ms bigint,
      primary key (number)
    )`,
    `create index audited_numbers_by_end on audited_numbers (recorded_at_ms) where recorded_at_ms is not null`,
  ],
};
