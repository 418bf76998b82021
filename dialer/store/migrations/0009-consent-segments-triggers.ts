/**
 * What journeys ask before they reach out, and what sets them going: consent with its profiles, quiet
 * times and caps; segments and who is in them; triggers and what they were raised with.
 */
import type { Migration, SqlWords } from '../migration.ts';

const CONSENT = [
  `create table compliance_profiles (
      id text not null,
      business_unit_id text not null,
      name text not null,
      company_address text not null,
      preference_center text,
      channels text not null,
      quiet_time_id text,
      state text not null,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table purposes (
      id text not null,
      business_unit_id text not null,
      name text not null,
      type text not null,
      enforcement text,
      state text not null,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table compliance_profile_purposes (
      profile_id text not null,
      purpose_id text not null,
      business_unit_id text not null,
      primary key (profile_id, purpose_id)
    )`,
  `create table topics (
      id text not null,
      business_unit_id text not null,
      purpose_id text not null,
      name text not null,
      state text not null,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table consent_records (
      id text not null,
      business_unit_id text not null,
      contact_point_id text not null,
      channel text not null,
      purpose_id text not null,
      topic_id text not null,
      status text not null,
      source text not null,
      reason text,
      profile_id text,
      contact_id text,
      is_active integer not null,
      stated_at_ms bigint not null,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      updated_by text not null,
      primary key (id)
    )`,
  `create table consent_statements (
      id text not null,
      business_unit_id text not null,
      record_id text not null,
      status text not null,
      source text not null,
      reason text,
      profile_id text,
      contact_id text,
      import_id text,
      is_active integer not null,
      is_applied integer not null,
      stated_at_ms bigint not null,
      recorded_at_ms bigint not null,
      recorded_by text not null,
      primary key (id)
    )`,
  `create table consent_imports (
      id text not null,
      business_unit_id text not null,
      source_name text not null,
      status text not null,
      rows_read bigint not null,
      rows_applied bigint not null,
      rows_unchanged bigint not null,
      rows_failed bigint not null,
      faults text not null,
      created_at_ms bigint not null,
      created_by text not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table quiet_times (
      id text not null,
      business_unit_id text not null,
      name text not null,
      definition text not null,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table frequency_caps (
      business_unit_id text not null,
      caps text not null,
      version integer not null,
      updated_at_ms bigint not null,
      primary key (business_unit_id)
    )`,
  `create table sends (
      id text not null,
      business_unit_id text not null,
      contact_point_id text not null,
      contact_id text not null,
      channel text not null,
      purpose_id text not null,
      purpose_type text not null,
      origin text not null,
      started_at_ms bigint not null,
      primary key (id)
    )`,
  `create table held_sends (
      id text not null,
      business_unit_id text not null,
      journey_id text not null,
      contact_id text not null,
      contact_point_id text not null,
      channel text not null,
      release_at_ms bigint not null,
      created_at_ms bigint not null,
      primary key (id)
    )`,
];

const SEGMENTS = [
  `create table segments (
      id text not null,
      business_unit_id text not null,
      name text not null,
      description text not null,
      kind text not null,
      condition text,
      evaluation text,
      every_ms bigint,
      due_at_ms bigint,
      scan_after_id text,
      round bigint not null,
      member_count bigint not null,
      evaluated_at_ms bigint,
      fault text,
      lease_owner text,
      lease_until_ms bigint,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table contact_facets (
      contact_id text not null,
      business_unit_id text not null,
      contact_version integer not null,
      facets text not null,
      primary key (contact_id)
    )`,
  `create table facet_feeds (
      business_unit_id text not null,
      fed_until_ms bigint not null,
      primary key (business_unit_id)
    )`,
  `create table segment_members (
      segment_id text not null,
      contact_id text not null,
      business_unit_id text not null,
      entered_at_ms bigint not null,
      primary key (segment_id, contact_id)
    )`,
];

const TRIGGERS = [
  `create table triggers (
      id text not null,
      business_unit_id text not null,
      name text not null,
      description text not null,
      kind text not null,
      state text not null,
      attributes text not null,
      conditions text,
      kept_days integer not null,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table event_cursors (
      name text not null,
      tx bigint not null,
      seq bigint not null,
      updated_at_ms bigint not null,
      primary key (name)
    )`,
];

const occurrences = (sql: SqlWords): string => `create table trigger_occurrences (
      seq ${sql.identity},
      id text not null,
      business_unit_id text not null,
      trigger_name text not null,
      kind text not null,
      contact_id text not null,
      payload text not null,
      occurred_at_ms bigint not null,
      recorded_at_ms bigint not null,
      recorded_by text not null,
      kept_until_ms bigint not null,
      consumed_at_ms bigint
    )`;

const INDEXES = [
  `create unique index compliance_profiles_by_name on compliance_profiles (business_unit_id, name)`,
  `create index compliance_profiles_by_unit on compliance_profiles (business_unit_id, id)`,
  `create index purposes_by_unit on purposes (business_unit_id, id)`,
  `create index compliance_profile_purposes_by_purpose on compliance_profile_purposes (purpose_id)`,
  `create unique index topics_by_name on topics (purpose_id, name)`,
  `create index topics_by_unit on topics (business_unit_id, id)`,
  `create unique index consent_records_by_subject on consent_records (contact_point_id, channel, purpose_id, topic_id)`,
  `create index consent_records_by_unit on consent_records (business_unit_id, id)`,
  `create index consent_statements_by_record on consent_statements (record_id, id)`,
  `create index consent_imports_by_unit on consent_imports (business_unit_id, id)`,
  `create unique index quiet_times_by_name on quiet_times (business_unit_id, name)`,
  `create index quiet_times_by_unit on quiet_times (business_unit_id, id)`,
  `create index sends_by_point on sends (contact_point_id, channel, started_at_ms)`,
  `create index sends_by_time on sends (started_at_ms)`,
  `create index held_sends_by_release on held_sends (release_at_ms, id)`,
  `create index held_sends_by_journey on held_sends (journey_id)`,
  `create unique index segments_by_name on segments (business_unit_id, name)`,
  `create index segments_by_unit on segments (business_unit_id, id)`,
  `create index segments_due on segments (due_at_ms) where due_at_ms is not null`,
  `create index contact_facets_by_unit on contact_facets (business_unit_id, contact_id)`,
  `create index segment_members_by_contact on segment_members (contact_id)`,
  `create index contacts_by_change on contacts (business_unit_id, updated_at_ms)`,
  `create unique index triggers_by_name on triggers (business_unit_id, name)`,
  `create index triggers_by_unit on triggers (business_unit_id, id)`,
  `create unique index trigger_occurrences_by_id on trigger_occurrences (business_unit_id, id)`,
  `create index trigger_occurrences_unconsumed on trigger_occurrences (seq) where consumed_at_ms is null`,
  `create index trigger_occurrences_waiting on trigger_occurrences (contact_id, seq) where consumed_at_ms is null`,
  `create index trigger_occurrences_by_contact on trigger_occurrences (business_unit_id, contact_id, id)`,
  `create index trigger_occurrences_kept on trigger_occurrences (kept_until_ms)`,
];

export const consentSegmentsTriggers: Migration = {
  id: '0009-consent-segments-triggers',
  statements: (sql) => [...CONSENT, ...SEGMENTS, ...TRIGGERS, occurrences(sql), ...INDEXES],
};
