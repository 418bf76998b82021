/** Consent, quiet times and frequency caps: what is asked before somebody is reached out to. */

export interface ConsentTables {
  compliance_profiles: ComplianceProfileRow;
  purposes: PurposeRow;
  compliance_profile_purposes: ComplianceProfilePurposeRow;
  topics: TopicRow;
  consent_records: ConsentRecordRow;
  consent_statements: ConsentStatementRow;
  consent_imports: ConsentImportRow;
  quiet_times: QuietTimeRow;
  frequency_caps: FrequencyCapRow;
  sends: SendRow;
  held_sends: HeldSendRow;
}

export interface ComplianceProfileRow {
  id: string;
  business_unit_id: string;
  name: string;
  company_address: string;
  /** URL where people change what they consented to. */
  preference_center: string | null;
  /** JSON: channels that it is meant for. */
  channels: string;
  quiet_time_id: string | null;
  /** `active` or `inactive`; an inactive one is still enforced (CNS-17). */
  state: string;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface PurposeRow {
  id: string;
  business_unit_id: string;
  name: string;
  /** `commercial`, `transactional` or `tracking`. */
  type: string;
  /** `restrictive`, `nonRestrictive` or `disabled`; null: the default of type and channel. */
  enforcement: string | null;
  state: string;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

/** A purpose in two profiles shares its records (CNS-16). */
export interface ComplianceProfilePurposeRow {
  profile_id: string;
  purpose_id: string;
  business_unit_id: string;
}

/** Belongs to one purpose, and has its enforcement. */
export interface TopicRow {
  id: string;
  business_unit_id: string;
  purpose_id: string;
  name: string;
  state: string;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

/** What one contact point has said of one purpose or topic, as it stands. */
export interface ConsentRecordRow {
  id: string;
  business_unit_id: string;
  contact_point_id: string;
  channel: string;
  purpose_id: string;
  /** Empty: of the purpose as a whole. */
  topic_id: string;
  /** `optedIn`, `optedOut` or `notSet`. */
  status: string;
  source: string;
  /** For people: the form, the call, the letter. */
  reason: string | null;
  /** Under which profile it was said; a purpose may be in several. */
  profile_id: string | null;
  /** Who said it, where that is known; the record is the contact point's. */
  contact_id: string | null;
  /** 0: put aside, but still enforced when it is an opt-out. */
  is_active: number;
  /** When the person said so. */
  stated_at_ms: number;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
  updated_by: string;
}

/** Everything that was ever said, also what came too late to count. Never changed. */
export interface ConsentStatementRow {
  id: string;
  business_unit_id: string;
  record_id: string;
  status: string;
  source: string;
  reason: string | null;
  profile_id: string | null;
  contact_id: string | null;
  import_id: string | null;
  is_active: number;
  /** 0: the record had something newer already. */
  is_applied: number;
  stated_at_ms: number;
  recorded_at_ms: number;
  recorded_by: string;
}

export interface ConsentImportRow {
  id: string;
  business_unit_id: string;
  source_name: string;
  /** `inProgress`, `completed`, `completedWithErrors` or `failed`. */
  status: string;
  rows_read: number;
  rows_applied: number;
  /** Said already, or older than what is known. */
  rows_unchanged: number;
  rows_failed: number;
  /** JSON: the first faults, by line. */
  faults: string;
  created_at_ms: number;
  created_by: string;
  updated_at_ms: number;
}

export interface QuietTimeRow {
  id: string;
  business_unit_id: string;
  name: string;
  /** JSON: `QuietTime` of journey-core, without its name. */
  definition: string;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface FrequencyCapRow {
  business_unit_id: string;
  /** JSON: `FrequencyCap` of journey-core. */
  caps: string;
  version: number;
  updated_at_ms: number;
}

/** One message or conversation that was started: what frequency caps count. */
export interface SendRow {
  /** Given by whoever starts it: written twice, it counts once. */
  id: string;
  business_unit_id: string;
  contact_point_id: string;
  contact_id: string;
  channel: string;
  purpose_id: string;
  purpose_type: string;
  /** What started it, such as `journey:<id>`. */
  origin: string;
  started_at_ms: number;
}

/** A message that waits for the end of quiet time. */
export interface HeldSendRow {
  id: string;
  business_unit_id: string;
  journey_id: string;
  contact_id: string;
  contact_point_id: string;
  channel: string;
  release_at_ms: number;
  created_at_ms: number;
}
