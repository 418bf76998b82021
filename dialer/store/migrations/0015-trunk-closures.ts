/** Which trunks take no calls: a gateway that is started again is told so before it is given any. */
import type { Migration } from '../migration.ts';

export const trunkClosures: Migration = {
  id: '0015-trunk-closures',
  statements: () => [
    `create table trunk_closures (
      trunk text not null,
      gateway_id text not null,
      cause text not null,
      detail text not null,
      since_ms bigint not null,
      until_ms bigint,
      resumed_at_ms bigint,
      primary key (trunk, gateway_id)
    )`,
  ],
};
