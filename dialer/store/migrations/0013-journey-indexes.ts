/** What workers look for in turn after turn is found at once; what nobody looks for is not written. */
import type { Migration } from '../migration.ts';

export const journeyIndexes: Migration = {
  id: '0013-journey-indexes',
  statements: () => [
    `create index journey_runs_broken on journey_runs (wake_at_ms, id) where fault is not null`,
    // A person's path is found by their runs: a few entries instead of one for each of its rows.
    `create index journey_runs_by_contact on journey_runs (business_unit_id, contact_id)`,
    `drop index journey_path_by_contact`,
  ],
};
