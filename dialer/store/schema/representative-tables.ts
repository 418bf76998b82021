/** Who talks to people: representatives, what they can, and what they are reserved for. */

export interface RepresentativeTables {
  skills: SkillRow;
  representatives: RepresentativeRow;
  representative_queues: RepresentativeQueueRow;
  representative_skills: RepresentativeSkillRow;
  reservations: ReservationRow;
}

export interface SkillRow {
  id: string;
  business_unit_id: string;
  name: string;
  created_at_ms: number;
}

export interface RepresentativeRow {
  id: string;
  business_unit_id: string;
  name: string;
  /** Where their phone is reached; null: by what they have registered, or they dial in. */
  sip_uri: string | null;
  /** User name of their REGISTER, unique over all business units; null: they do not register. */
  sip_user: string | null;
  /** H(user:realm:password) in hex for digest (RFC 7616 §3.4.2), by algorithm. Never the password. */
  ha1_md5: string | null;
  ha1_sha256: string | null;
  /** Entered at the dial-in lobby, unique over all business units; null: they do not dial in. */
  dial_in_number: string | null;
  /** scrypt of its PIN, as pin.ts writes it. */
  pin_hash: string | null;
  /** Units that work may take at a time; a voice conversation takes what its workstream says. */
  capacity_units: number;
  presence: string;
  presence_at_ms: number;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface RepresentativeQueueRow {
  business_unit_id: string;
  representative_id: string;
  queue_id: string;
}

export interface RepresentativeSkillRow {
  business_unit_id: string;
  representative_id: string;
  skill_id: string;
  /** 1 to 10. */
  proficiency: number;
}

/**
 * At most one a representative: whoever inserts it has them, over all engagements and processes. Kept
 * from the invitation to the end of the wrap-up.
 */
export interface ReservationRow {
  representative_id: string;
  business_unit_id: string;
  engagement_id: string;
  /** `invited`, `joining`, `reserved`, `connected` or `wrapUp`. */
  work: string;
  invitation_id: string;
  lobby_id: string | null;
  attempt_id: string | null;
  /** Epoch of the lease under which it is held. */
  fence: number;
  reserved_at_ms: number;
  work_since_ms: number;
  /** JSON: the invitation, and how long they may wrap up. Null: made by an earlier release. */
  terms: string | null;
  /** Where their leg is. */
  gateway_id: string | null;
}
