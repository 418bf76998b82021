/** Segments with their members, and triggers with what they were raised with. */
import type { Generated } from 'kysely';

export interface SegmentTables {
  segments: SegmentRow;
  segment_members: SegmentMemberRow;
  contact_facets: ContactFacetsRow;
  facet_feeds: FacetFeedRow;
  triggers: TriggerRow;
  trigger_occurrences: TriggerOccurrenceRow;
  event_cursors: EventCursorRow;
}

export interface SegmentRow {
  id: string;
  business_unit_id: string;
  name: string;
  description: string;
  /** `static` (a list) or `dynamic` (a rule). */
  kind: string;
  /** JSON: `Condition` of journey-core, over contacts. Null for a list. */
  condition: string | null;
  /** `oneTime`, `ongoing` or `repeating`; null for a list. */
  evaluation: string | null;
  /** From round to round. ms */
  every_ms: number | null;
  /** When it is looked at next; null: never by itself. */
  due_at_ms: number | null;
  /** How far the round under way has come; null: none is. Contact id. */
  scan_after_id: string | null;
  /** Rounds finished. */
  round: number;
  /** Kept with the members. */
  member_count: number;
  evaluated_at_ms: number | null;
  /** Why the last evaluation failed. */
  fault: string | null;
  lease_owner: string | null;
  lease_until_ms: number | null;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface SegmentMemberRow {
  segment_id: string;
  contact_id: string;
  business_unit_id: string;
  entered_at_ms: number;
}

/** A contact's attributes as conditions read them: the same to both databases. Made from the contact. */
export interface ContactFacetsRow {
  contact_id: string;
  business_unit_id: string;
  /** Of the contact that they were made from. */
  contact_version: number;
  /** JSON: see contact-facets.ts. */
  facets: string;
}

/** How far changes of contacts have been looked at. */
export interface FacetFeedRow {
  business_unit_id: string;
  fed_until_ms: number;
}

export interface TriggerRow {
  id: string;
  business_unit_id: string;
  name: string;
  description: string;
  /** `custom` or `business`; interaction triggers are the dialer's own. */
  kind: string;
  /** `draft`, `ready` or `retired`. */
  state: string;
  /** JSON: what it carries, by name and type. */
  attributes: string;
  /** JSON: `Condition` over what it carries; what does not meet it is not recorded. */
  conditions: string | null;
  /** How long an occurrence is kept. */
  kept_days: number;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

/** Something happened to a person. Taken by the journeys in the order of `seq`, person by person. */
export interface TriggerOccurrenceRow {
  seq: Generated<number>;
  /** Written twice with one id, it happened once. */
  id: string;
  business_unit_id: string;
  trigger_name: string;
  /** `custom`, `business`, `interaction` or `segment`. */
  kind: string;
  contact_id: string;
  /** JSON object: name to typed value. */
  payload: string;
  occurred_at_ms: number;
  recorded_at_ms: number;
  recorded_by: string;
  kept_until_ms: number;
  consumed_at_ms: number | null;
}

/** How far a reader of the event log has come. */
export interface EventCursorRow {
  name: string;
  tx: number;
  seq: number;
  updated_at_ms: number;
}
