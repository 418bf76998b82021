/** What a reservation was made for, and where its leg is: enough for another process to go on with it. */
import type { Migration } from '../migration.ts';

export const reservationTerms: Migration = {
  id: '0007-reservation-terms',
  statements: () => [
    `alter table reservations add column terms text`,
    `alter table reservations add column gateway_id text`,
    `create index reservations_by_lobby on reservations (lobby_id) where lobby_id is not null`,
  ],
};
