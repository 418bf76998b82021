/** The audit of calls: what broke a rule, and what it has to remember for the next call. */

export interface AuditTables {
  compliance_violations: ComplianceViolationRow;
  audited_numbers: AuditedNumberRow;
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
