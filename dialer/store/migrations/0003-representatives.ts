/** Representatives, their queues and skills, and the one reservation that each may have. */
import type { Migration } from '../migration.ts';

const TABLES = [
  `create table skills (
      id text not null,
      business_unit_id text not null,
      name text not null,
      created_at_ms bigint not null,
      primary key (id)
    )`,
  `create table representatives (
      id text not null,
      business_unit_id text not null,
      name text not null,
      sip_uri text,
      sip_user text,
      ha1_md5 text,
      ha1_sha256 text,
      pin_hash text,
      capacity_units integer not null,
      presence text not null,
      presence_at_ms bigint not null,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table representative_queues (
      business_unit_id text not null,
      representative_id text not null,
      queue_id text not null,
      primary key (representative_id, queue_id)
    )`,
  `create table representative_skills (
      business_unit_id text not null,
      representative_id text not null,
      skill_id text not null,
      proficiency integer not null,
      primary key (representative_id, skill_id)
    )`,
  `create table reservations (
      representative_id text not null,
      business_unit_id text not null,
      engagement_id text not null,
      work text not null,
      invitation_id text not null,
      lobby_id text,
      attempt_id text,
      fence bigint not null,
      reserved_at_ms bigint not null,
      work_since_ms bigint not null,
      primary key (representative_id)
    )`,
];

const INDEXES = [
  `create unique index skills_by_name on skills (business_unit_id, name)`,
  `create index representatives_by_unit on representatives (business_unit_id, id)`,
  `create unique index representatives_by_sip_user on representatives (sip_user) where sip_user is not null`,
  `create index representative_queues_by_queue on representative_queues (business_unit_id, queue_id)`,
  `create index representative_skills_by_skill on representative_skills (business_unit_id, skill_id)`,
  `create index reservations_by_unit on reservations (business_unit_id, engagement_id)`,
];

export const representatives: Migration = {
  id: '0003-representatives',
  statements: () => [...TABLES, ...INDEXES],
};
