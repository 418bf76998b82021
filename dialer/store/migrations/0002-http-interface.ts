/** What the HTTP interface keeps: keys, answers to repeated requests, and indexes for its lists. */
import type { Migration } from '../migration.ts';

const TABLES = [
  `create table api_keys (
      id text not null,
      business_unit_id text not null,
      name text not null,
      prefix text not null,
      key_hash text not null,
      role text,
      shows_numbers integer not null,
      origin text not null,
      created_by text not null,
      created_at_ms bigint not null,
      revoked_at_ms bigint,
      primary key (id)
    )`,
  `create table idempotency_keys (
      business_unit_id text not null,
      api_key_id text not null,
      idempotency_key text not null,
      request_hash text not null,
      response_status integer not null,
      response_body text not null,
      created_at_ms bigint not null,
      primary key (business_unit_id, api_key_id, idempotency_key)
    )`,
];

const COLUMNS = [
  `alter table engagements add column channel text not null default 'voice'`,
  `alter table engagements add column intake text not null default 'api'`,
];

/** Ids grow with time, so that the lists by id are appended to at their end. */
const INDEXES = [
  `create unique index api_keys_by_hash on api_keys (key_hash)`,
  `create index api_keys_by_unit on api_keys (business_unit_id, id)`,
  `create index idempotency_keys_by_time on idempotency_keys (created_at_ms)`,
  `create index workstreams_by_unit on workstreams (business_unit_id, id)`,
  `create index queues_by_unit on queues (business_unit_id, id)`,
  `create index engagements_by_unit on engagements (business_unit_id, id)`,
  `create index contacts_by_unit on contacts (business_unit_id, id)`,
  `create index tasks_by_unit on tasks (business_unit_id, id)`,
  `create index tasks_by_request on tasks (business_unit_id, request_id) where request_id is not null`,
  `create index deliveries_by_unit on deliveries (business_unit_id, id)`,
  `create index deliveries_by_contact on deliveries (business_unit_id, contact_id, id)`,
  `create index deliveries_by_call on deliveries (business_unit_id, call_id) where call_id is not null`,
];

export const httpInterface: Migration = {
  id: '0002-http-interface',
  statements: () => [...TABLES, ...COLUMNS, ...INDEXES],
};
