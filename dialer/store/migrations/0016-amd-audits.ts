/** Machine verdicts that were drawn for an audit, and who was there as somebody heard it. */
import type { Migration } from '../migration.ts';

export const amdAudits: Migration = {
  id: '0016-amd-audits',
  statements: () => [
    `create table amd_audits (
      id text not null,
      business_unit_id text not null,
      engagement_id text not null,
      delivery_id text not null,
      verdict text not null,
      ended_at_ms bigint not null,
      agent_listened integer not null,
      agent_heard text,
      heard text,
      heard_by text,
      heard_at_ms bigint,
      version integer not null,
      primary key (id)
    )`,
    `create index amd_audits_by_unit on amd_audits (business_unit_id, id)`,
    `create index amd_audits_pending on amd_audits (business_unit_id, id) where heard is null`,
    `create index amd_audits_by_end on amd_audits
      (ended_at_ms, heard, agent_listened, agent_heard)`,
    `create index amd_audits_of_unit_by_end on amd_audits
      (business_unit_id, ended_at_ms, engagement_id, heard, agent_listened, agent_heard)`,
  ],
};
