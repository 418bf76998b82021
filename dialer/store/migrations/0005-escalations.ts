/** When an AI agent asked for a person and when one came: what throttles and reports are read from. */
import type { Migration } from '../migration.ts';

export const escalations: Migration = {
  id: '0005-escalations',
  statements: () => [
    `alter table attempts add column escalated_at_ms bigint`,
    `alter table attempts add column joined_at_ms bigint`,
    `alter table attempts add column representative_id text`,
    `create index attempts_by_escalation on attempts (engagement_id, escalated_at_ms) where escalated_at_ms is not null`,
    `create index deliveries_by_live_answer on deliveries (engagement_id, result_at_ms) where result = 'LiveAnswer'`,
  ],
};
