/** What workers look for in turn after turn is found at once; what nobody looks for is not written. */
import type { Migration } from '../migration.ts';

export const journeyIndexes: Migration = {
  id: '0013-journey-indexes',
  statements: () => [
    `create index journey_runs_broken on journey_runs (wake_at_ms, id) where fault is not null`,
  ],
};
