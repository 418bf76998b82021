/** Why so many calls were started, and no more. */

export interface PacingTables {
  pacing_spans: PacingSpanRow;
}

/** A stretch of one engagement's pacing in which the same thing kept more calls from being started. */
export interface PacingSpanRow {
  id: string;
  business_unit_id: string;
  engagement_id: string;
  from_ms: number;
  /** Of the last decision or claim in it. */
  until_ms: number;
  /** What bound most of its decisions: a limit of the pacer, else of the claims. */
  binding: string;
  decisions: number;
  /** Starts that the pacer wanted, those that were made, and calls that it took back. */
  wanted: number;
  started: number;
  recalled: number;
  /** JSON: decisions by binding limit. */
  limits: string;
  /** JSON: claims by what limited them. */
  claims: string;
  /** JSON: what the last decision was made of; null: the mode makes none. */
  inputs: string | null;
}
