/** People and their numbers. A number is written once, in contact_points; all else carries its id. */

export interface ContactTables {
  business_units: BusinessUnitRow;
  contact_points: ContactPointRow;
  number_guards: NumberGuardRow;
  contacts: ContactRow;
}

export interface BusinessUnitRow {
  id: string;
  name: string;
  created_at_ms: number;
}

export interface ContactPointRow {
  id: string;
  business_unit_id: string;
  /** `phone` today. */
  kind: string;
  /** E.164 with plus, or what the trunk takes; empty once erased. */
  value: string;
  /** Set for good when the network says that nobody is there (InvalidAddress, NotAHandset). */
  invalid_since_ms: number | null;
  created_at_ms: number;
}

/**
 * One row a dialled number, over all business units: two tenants must not ring one phone at once.
 * Holds no tenant data.
 */
export interface NumberGuardRow {
  number: string;
  in_flight_attempt_id: string | null;
  /** When the attempt in flight, else the last one, was made. */
  last_attempt_at_ms: number;
  /** Of the attempt before; restored when the one in flight turns out never to have been tried. */
  previous_attempt_at_ms: number;
}

export interface ContactRow {
  id: string;
  business_unit_id: string;
  unique_identifier: string;
  first_name: string | null;
  last_name: string | null;
  mobile_point_id: string | null;
  business_point_id: string | null;
  home_point_id: string | null;
  email: string | null;
  postal_code: string | null;
  state: string | null;
  country: string | null;
  city: string | null;
  address_line: string | null;
  time_zone: string | null;
  /** JSON object of pass-through columns, text to text. */
  external_attributes: string;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}
