/** What the edge tells and asks of the store, beside calls: phones, dial-in, opt-outs, recordings. */

export interface EdgeTables {
  phone_bindings: PhoneBindingsRow;
  dial_in_failures: DialInFailureRow;
  opt_outs: OptOutRow;
  recordings: RecordingRow;
  trunk_closures: TrunkClosureRow;
}

/** A trunk that takes no calls at a gateway; with an empty id, at any. */
export interface TrunkClosureRow {
  trunk: string;
  gateway_id: string;
  /** `operator`, `share` or `auth`. */
  cause: string;
  /** In words. */
  detail: string;
  since_ms: number;
  /** Null: until somebody says so. */
  until_ms: number | null;
  /** When an operator took it back; null: it holds. */
  resumed_at_ms: number | null;
}

/** Where one representative's phones have registered. */
export interface PhoneBindingsRow {
  representative_id: string;
  /** Raised by each change: two gateways do not overwrite one another's. */
  version: number;
  /** JSON: `PhoneBinding[]`. Those that have lapsed may be among them. */
  bindings: string;
  updated_at_ms: number;
}

/** Wrong numbers and PINs at the dial-in lobby. */
export interface DialInFailureRow {
  /** `number:<representative's number>` or `source:<SHA-256 of the caller>`. */
  subject: string;
  failures: number;
  /** Of the first of them. */
  since_ms: number;
  /** 0: it is not locked. */
  locked_until_ms: number;
}

/** Somebody asked not to be called. Kept when it is removed: what held when is to be shown. */
export interface OptOutRow {
  id: string;
  business_unit_id: string;
  /** E.164 with plus, or what the trunk takes. */
  number: string;
  /** `message`, `inbound` or `api`. */
  source: string;
  /** For people: what was pressed, or why. */
  detail: string | null;
  engagement_id: string | null;
  attempt_id: string | null;
  created_at_ms: number;
  created_by: string;
  /** Null: it holds. */
  removed_at_ms: number | null;
  removed_by: string | null;
}

/** One recording of a call; the file is the gateway's. */
export interface RecordingRow {
  attempt_id: string;
  recording_id: string;
  business_unit_id: string;
  delivery_id: string;
  /** `started`, `ended` or `failed`. */
  status: string;
  /** As the gateway's store names it. */
  location: string | null;
  length_ms: number | null;
  /** Why it failed. */
  detail: string | null;
  started_at_ms: number | null;
  ended_at_ms: number | null;
  /** `waiting`, `asked` (of a gateway), `done`, `failed` or `erased`; null: nobody wished for one. */
  transcription: string | null;
  transcription_queued_at_ms: number | null;
  /** When it is asked for; of one that is asked: when it is asked for again, without any news. */
  transcription_due_at_ms: number | null;
  /** Those that have begun. */
  transcription_tries: number;
  /** What the last try failed of. */
  transcription_problem: string | null;
  /** Of the workstream when the call ended. */
  language: string | null;
  /** JSON: `TranscriptTurn[]`. Personal data: in no log, and shown to nobody who may not read it. */
  transcript: string | null;
  transcribed_at_ms: number | null;
}
