/** Pacing decisions, summed up as long as one limit binds; kept for days, not for good. */
import type { Migration } from '../migration.ts';

export const pacingLog: Migration = {
  id: '0010-pacing-log',
  statements: () => [
    `create table pacing_spans (
      id text not null,
      business_unit_id text not null,
      engagement_id text not null,
      from_ms bigint not null,
      until_ms bigint not null,
      binding text not null,
      decisions integer not null,
      wanted integer not null,
      started integer not null,
      recalled integer not null,
      limits text not null,
      claims text not null,
      inputs text,
      primary key (id)
    )`,
    `create index pacing_spans_by_engagement on pacing_spans (business_unit_id, engagement_id, id)`,
    `create index pacing_spans_by_age on pacing_spans (until_ms)`,
  ],
};
