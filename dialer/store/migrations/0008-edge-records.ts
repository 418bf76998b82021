/**
 * What the edge tells and asks of the store: where phones have registered, who may dial in and who
 * guesses, who asked not to be called, and the recordings of calls.
 */
import type { Migration } from '../migration.ts';

const TABLES = [
  `create table phone_bindings (
      representative_id text not null,
      version integer not null,
      bindings text not null,
      updated_at_ms bigint not null,
      primary key (representative_id)
    )`,
  `create table dial_in_failures (
      subject text not null,
      failures integer not null,
      since_ms bigint not null,
      locked_until_ms bigint not null,
      primary key (subject)
    )`,
  `create table opt_outs (
      id text not null,
      business_unit_id text not null,
      number text not null,
      source text not null,
      detail text,
      engagement_id text,
      attempt_id text,
      created_at_ms bigint not null,
      created_by text not null,
      removed_at_ms bigint,
      removed_by text,
      primary key (id)
    )`,
  `create table recordings (
      attempt_id text not null,
      recording_id text not null,
      business_unit_id text not null,
      delivery_id text not null,
      status text not null,
      location text,
      length_ms bigint,
      detail text,
      started_at_ms bigint,
      ended_at_ms bigint,
      primary key (attempt_id, recording_id)
    )`,
  `alter table representatives add column dial_in_number text`,
];

const INDEXES = [
  `create unique index representatives_by_dial_in_number on representatives (dial_in_number) where dial_in_number is not null`,
  `create unique index opt_outs_by_number on opt_outs (number, business_unit_id) where removed_at_ms is null`,
  `create index opt_outs_by_unit on opt_outs (business_unit_id, id)`,
  `create index recordings_by_delivery on recordings (delivery_id)`,
];

export const edgeRecords: Migration = {
  id: '0008-edge-records',
  statements: () => [...TABLES, ...INDEXES],
};
