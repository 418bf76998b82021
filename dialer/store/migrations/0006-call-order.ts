/**
 * The call order may change while tasks wait: their keys are written anew into the other of two places,
 * while calls go on by the one in force.
 */
import type { Migration } from '../migration.ts';

export const callOrder: Migration = {
  id: '0006-call-order',
  statements: () => [
    `alter table engagements add column order_slot integer not null default 0`,
    `alter table engagements add column order_in_force text`,
    `alter table engagements add column order_value_kind text`,
    `alter table tasks add column order_key_other double precision`,
    `create index tasks_ready_other on tasks (engagement_id, retry_class, order_key_other, id) where state = 'ready' and order_key_other is not null`,
  ],
};
