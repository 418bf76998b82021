/** Drafts of journeys that nobody has touched for long are found without reading all of them. */
import type { Migration } from '../migration.ts';

export const draftRetention: Migration = {
  id: '0017-draft-retention',
  statements: () => [
    `create index journey_draft_requests_by_update on journey_draft_requests (updated_at_ms)`,
  ],
};
