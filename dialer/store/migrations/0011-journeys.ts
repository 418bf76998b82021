/**
 * Journeys with their versions, and the people on their way: runs, what they were told and have not
 * taken in yet, what they asked for and has not been done yet, and the path they took.
 */
import type { Migration, SqlWords } from '../migration.ts';

const TABLES = [
  `create table journeys (
      id text not null,
      business_unit_id text not null,
      name text not null,
      owner text not null,
      state text not null,
      draft text,
      draft_faults integer not null,
      live_version integer,
      latest_version integer not null,
      copied_from text,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table journey_versions (
      journey_id text not null,
      number integer not null,
      business_unit_id text not null,
      state text not null,
      definition text not null,
      entry_kind text not null,
      entry_name text not null,
      opens_at_ms bigint,
      closes_at_ms bigint,
      entry_due_at_ms bigint,
      round_at_ms bigint,
      scan_after_id text,
      fault text,
      published_at_ms bigint not null,
      published_by text not null,
      ended_at_ms bigint,
      primary key (journey_id, number)
    )`,
  `create table journey_runs (
      id text not null,
      business_unit_id text not null,
      journey_id text not null,
      version integer not null,
      contact_id text not null,
      is_test integer not null,
      status text not null,
      step_id text,
      waits_for text,
      state text not null,
      wake_at_ms bigint,
      entered_at_ms bigint not null,
      goal_at_ms bigint,
      exited_at_ms bigint,
      exit_reason text,
      fault text,
      revision integer not null,
      primary key (id)
    )`,
  `create table journey_effects (
      key text not null,
      business_unit_id text not null,
      journey_id text not null,
      version integer not null,
      step_id text not null,
      run_id text not null,
      contact_id text not null,
      is_test integer not null,
      type text not null,
      payload text not null,
      state text not null,
      due_at_ms bigint,
      tries integer not null,
      fault text,
      task_id text,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (key)
    )`,
  `create table journey_path (
      run_id text not null,
      n integer not null,
      business_unit_id text not null,
      journey_id text not null,
      version integer not null,
      contact_id text not null,
      is_test integer not null,
      kind text not null,
      step_id text,
      visit integer,
      place text,
      code text,
      detail text not null,
      at_ms bigint not null,
      primary key (run_id, n)
    )`,
  `create table journey_counts (
      journey_id text not null,
      version integer not null,
      step_id text not null,
      place text not null,
      business_unit_id text not null,
      count bigint not null,
      primary key (journey_id, version, step_id, place)
    )`,
  `create table journey_numbers (
      journey_id text not null,
      version integer not null,
      step_id text not null,
      business_unit_id text not null,
      taken bigint not null,
      primary key (journey_id, version, step_id)
    )`,
  `create table journey_winners (
      journey_id text not null,
      version integer not null,
      step_id text not null,
      business_unit_id text not null,
      variant text not null,
      decided_at_ms bigint not null,
      primary key (journey_id, version, step_id)
    )`,
  `create table journey_activities (
      id text not null,
      business_unit_id text not null,
      journey_id text not null,
      run_id text not null,
      contact_id text not null,
      kind text not null,
      subject text not null,
      description text,
      assigned_to text not null,
      due_at_ms bigint,
      state text not null,
      version integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
  `create table journey_test_contacts (
      business_unit_id text not null,
      contact_id text not null,
      created_at_ms bigint not null,
      created_by text not null,
      primary key (business_unit_id, contact_id)
    )`,
  `create table journey_draft_requests (
      id text not null,
      business_unit_id text not null,
      prompt text not null,
      made_by text not null,
      answer text not null,
      journey_id text,
      feedback text,
      comment text,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      primary key (id)
    )`,
];

const inbox = (sql: SqlWords): string => `create table journey_run_events (
      seq ${sql.identity},
      id text not null,
      business_unit_id text not null,
      run_id text not null,
      event text not null,
      created_at_ms bigint not null
    )`;

const TASK_COLUMNS = [
  `alter table tasks add column journey_id text`,
  `alter table tasks add column journey_run_id text`,
  `alter table tasks add column restrictions text`,
];

const INDEXES = [
  `create index journeys_by_state on journeys (state)`,
  `create unique index journeys_by_name on journeys (business_unit_id, name)`,
  `create index journeys_by_unit on journeys (business_unit_id, id)`,
  `create index journey_versions_entered_by on journey_versions (business_unit_id, entry_kind, entry_name) where state = 'live'`,
  `create index journey_versions_by_state on journey_versions (state)`,
  `create index journey_versions_due on journey_versions (entry_due_at_ms) where entry_due_at_ms is not null`,
  `create unique index journey_runs_one_at_a_time on journey_runs (journey_id, contact_id) where status = 'active'`,
  `create index journey_runs_due on journey_runs (wake_at_ms, id) where wake_at_ms is not null`,
  `create index journey_runs_of_contact on journey_runs (contact_id) where status = 'active'`,
  `create index journey_runs_last_entry on journey_runs (journey_id, contact_id, entered_at_ms)`,
  `create index journey_runs_inside on journey_runs (journey_id, version, step_id) where status = 'active'`,
  `create index journey_runs_entered on journey_runs (journey_id, entered_at_ms)`,
  `create index journey_runs_exited on journey_runs (exited_at_ms, id) where status = 'exited'`,
  `create unique index journey_run_events_by_id on journey_run_events (id)`,
  `create index journey_run_events_by_run on journey_run_events (run_id, seq)`,
  `create index journey_effects_due on journey_effects (due_at_ms, key) where due_at_ms is not null`,
  `create index journey_effects_failing on journey_effects (key) where fault is not null and due_at_ms is not null`,
  `create unique index journey_effects_by_task on journey_effects (task_id) where task_id is not null`,
  `create index journey_effects_by_run on journey_effects (run_id)`,
  `create index journey_effects_by_journey on journey_effects (journey_id, state)`,
  `create index journey_effects_held on journey_effects (journey_id, version, step_id) where state = 'held' and is_test = 0`,
  `create index journey_path_by_contact on journey_path (business_unit_id, contact_id, at_ms)`,
  `create index journey_path_outcomes on journey_path (journey_id, at_ms, run_id, n) where kind = 'outcome'`,
  `create index journey_path_outcomes_of on journey_path (journey_id, place, at_ms, run_id, n) where kind = 'outcome'`,
  `create index journey_activities_by_unit on journey_activities (business_unit_id, id)`,
  `create index journey_draft_requests_by_unit on journey_draft_requests (business_unit_id, id)`,
];

export const journeys: Migration = {
  id: '0011-journeys',
  statements: (sql) => [...TABLES, inbox(sql), ...TASK_COLUMNS, ...INDEXES],
};
