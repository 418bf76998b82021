/**
 * The audit of calls: what broke a rule, and what it has to remember for the next call. And the audits
 * of answering-machine detection.
 */

export interface AuditTables {
  compliance_violations: ComplianceViolationRow;
  audited_numbers: AuditedNumberRow;
  amd_audits: AmdAuditRow;
}

/** A verdict of answering-machine detection that was drawn into the sample. Ids and facts, no number. */
export interface AmdAuditRow {
  /** Of the attempt: each is drawn once at the most. */
  id: string;
  business_unit_id: string;
  engagement_id: string;
  delivery_id: string;
  /** What detection said: `machine`. */
  verdict: string;
  /** When the end of the attempt was recorded. */
  ended_at_ms: number;
  /** The AI agent was left with whoever answered, so that its word is a second source. */
  agent_listened: number;
  /** Its word, one of `HEARD`; null: it has not said. */
  agent_heard: string | null;
  /** The auditor's answer, one of `HEARD`; null: it is pending. */
  heard: string | null;
  heard_by: string | null;
  heard_at_ms: number | null;
  version: number;
}

/** A call that should not have been made. Each rule is told once of each attempt. */
export interface ComplianceViolationRow {
  id: string;
  business_unit_id: string;
  /** One of `AUDIT_RULES`. */
  rule: string;
  attempt_id: string;
  engagement_id: string;
  /** For people; times and ids, never a number. */
  detail: string;
  /** When the INVITE left. */
  happened_at_ms: number;
  found_at_ms: number;
}

/** The last attempt to a number, of any business unit, as far as the log has been read. */
export interface AuditedNumberRow {
  number: string;
  attempt_id: string;
  claimed_at_ms: number;
  /** When its end was recorded; null: the call is up. */
  recorded_at_ms: number | null;
}
