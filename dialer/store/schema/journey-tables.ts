/** Journeys, their versions, and the people on their way through them. */
import type { Generated } from 'kysely';

export interface JourneyTables {
  journeys: JourneyRow;
  journey_versions: JourneyVersionRow;
  journey_runs: JourneyRunRow;
  journey_run_events: JourneyRunEventRow;
  journey_effects: JourneyEffectRow;
  journey_path: JourneyPathRow;
  journey_counts: JourneyCountRow;
  journey_numbers: JourneyNumberRow;
  journey_winners: JourneyWinnerRow;
  journey_activities: JourneyActivityRow;
  journey_test_contacts: JourneyTestContactRow;
  journey_draft_requests: JourneyDraftRequestRow;
}

export interface JourneyRow {
  id: string;
  business_unit_id: string;
  name: string;
  /** Whom activities without an assignee are for. */
  owner: string;
  /** `draft`, `scheduled`, `live`, `completing`, `completed`, `stopping` or `stopped`. */
  state: string;
  /** JSON: `Journey` of journey-core, of the next version, faults and all. Null: nothing is edited. */
  draft: string | null;
  /** Of the draft, when it was last saved. */
  draft_faults: number;
  /** Which people enter; null before it is published and after its entry is closed. */
  live_version: number | null;
  /** The highest ever published; 0: none. */
  latest_version: number;
  copied_from: string | null;
  /** Of the row: ETag. */
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface JourneyVersionRow {
  journey_id: string;
  number: number;
  business_unit_id: string;
  /**
   * `live` (people enter), `finishing` (nobody enters, some are inside), `done`, `stopped`; `test`: a
   * snapshot of a draft that test contacts go through, with a number below zero.
   */
  state: string;
  /** JSON: `Journey` of journey-core. Of it only name, description and the goal's percentage ever change. */
  definition: string;
  /** `trigger` or `segment`, and which. */
  entry_kind: string;
  entry_name: string;
  /** Of the entry, as the definition has them; null: open at once, never closed. */
  opens_at_ms: number | null;
  closes_at_ms: number | null;
  /** When somebody has to look at the entry next: a round, more room, the end. Null: never. */
  entry_due_at_ms: number | null;
  /** Start of the round that lets people in; null before the first. */
  round_at_ms: number | null;
  /** How far that round has come. Contact id; empty: at its beginning; null: through. */
  scan_after_id: string | null;
  /** Why nobody could be let in the last time. */
  fault: string | null;
  published_at_ms: number;
  published_by: string;
  ended_at_ms: number | null;
}

export interface JourneyRunRow {
  id: string;
  business_unit_id: string;
  journey_id: string;
  /** The one it began with, to its end. */
  version: number;
  contact_id: string;
  is_test: number;
  /** `active`, `exited`, or `forgotten`: only that somebody was inside, and when. */
  status: string;
  step_id: string | null;
  /** `time`, `events`, `facts` or `number`; null: it moves on, or has exited. */
  waits_for: string | null;
  /** JSON: `JourneyRun` of journey-core. */
  state: string;
  /** When its timer is due; null: it has none. */
  wake_at_ms: number | null;
  entered_at_ms: number;
  goal_at_ms: number | null;
  exited_at_ms: number | null;
  exit_reason: string | null;
  /** Why it could not be gone on with; it is tried again at `wake_at_ms`. Null: nothing is wrong. */
  fault: string | null;
  /** Counts what was taken in; whoever writes says which it read. */
  revision: number;
}

/** Told to a run and not taken in yet: gone once it is. */
export interface JourneyRunEventRow {
  seq: Generated<number>;
  /** Written twice with one id, it was told once. */
  id: string;
  business_unit_id: string;
  run_id: string;
  /** JSON: `JourneyEvent` of journey-core. */
  event: string;
  /** When it happened. */
  created_at_ms: number;
}

/** A conversation or a message that a run asked for: the outbox, and afterwards what became of it. */
export interface JourneyEffectRow {
  /** `runId:stepId:visit`. */
  key: string;
  business_unit_id: string;
  journey_id: string;
  version: number;
  step_id: string;
  run_id: string;
  contact_id: string;
  is_test: number;
  /** `startConversation` or `sendMessage`. */
  type: string;
  /** JSON: the effect as the interpreter gave it. */
  payload: string;
  /**
   * `due`, `held` (quiet time), `sending` (to another process: until `due_at_ms` it may still answer),
   * `asked` (of the dialer or the webhook), `cancelling` (to be withdrawn, due at once), `settled`
   * (its outcome was told) or `cancelled`.
   */
  state: string;
  /** When somebody has to do something about it; null: nobody. */
  due_at_ms: number | null;
  tries: number;
  /** Why the last try failed. */
  fault: string | null;
  /** Of the dialer, once it was asked. */
  task_id: string | null;
  created_at_ms: number;
  updated_at_ms: number;
}

/** What happened on the way, in order: reports and a person's timeline are made of it. */
export interface JourneyPathRow {
  run_id: string;
  /** From 1. */
  n: number;
  business_unit_id: string;
  journey_id: string;
  version: number;
  contact_id: string;
  is_test: number;
  /**
   * `entry`, `step`, `choice`, `outcome`, `goal`, `exit`; of what it asked for also `requested` (of the
   * dialer or the webhook), `held`, `interaction` and `activity`.
   */
  kind: string;
  step_id: string | null;
  visit: number | null;
  /** Of a choice: the reference taken, such as `/branches/0/next`. Of the others: which. */
  place: string | null;
  /**
   * In a word, to ask for: why it exited; why it was blocked or not sent; of a conversation its
   * Result; of a choice between variants the variant.
   */
  code: string | null;
  /** JSON: the rest of the record; of a blocked one its reason. */
  detail: string;
  at_ms: number;
}

/** How often something happened, kept with the path; tests are not counted. */
export interface JourneyCountRow {
  journey_id: string;
  version: number;
  /** Empty: of the whole journey. */
  step_id: string;
  /** What is counted: `countsOf` of dialer/journeys/analytics says which row counts as what. */
  place: string;
  business_unit_id: string;
  count: number;
}

export interface JourneyNumberRow {
  journey_id: string;
  version: number;
  step_id: string;
  business_unit_id: string;
  taken: number;
}

/** Of an A/B test: the variant that the goal has shown to be the best. Decided once. */
export interface JourneyWinnerRow {
  journey_id: string;
  version: number;
  step_id: string;
  business_unit_id: string;
  variant: string;
  decided_at_ms: number;
}

/** Something for a person to do about another one. */
export interface JourneyActivityRow {
  /** `runId:stepId:visit` of the step that asked for it. */
  id: string;
  business_unit_id: string;
  journey_id: string;
  run_id: string;
  contact_id: string;
  /** `phoneCall` or `task`. */
  kind: string;
  subject: string;
  description: string | null;
  assigned_to: string;
  due_at_ms: number | null;
  /** `open` or `done`. */
  state: string;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

/** Who may be sent through a draft. */
export interface JourneyTestContactRow {
  business_unit_id: string;
  contact_id: string;
  created_at_ms: number;
  created_by: string;
}

/** A draft that was asked for in plain words, and whether the answer was any good. */
export interface JourneyDraftRequestRow {
  id: string;
  business_unit_id: string;
  prompt: string;
  /** `patterns`, or the model's name. */
  made_by: string;
  /** JSON: the journey with what was recognised and what was not. */
  answer: string;
  /** That it was saved as. */
  journey_id: string | null;
  /** `up` or `down`. */
  feedback: string | null;
  comment: string | null;
  created_at_ms: number;
  updated_at_ms: number;
}
