/** Work: delivery tasks, their deliveries with attributes, the attempts, and AI-agent sessions. */

export interface TaskTables {
  tasks: TaskRow;
  deliveries: DeliveryRow;
  delivery_attributes: DeliveryAttributeRow;
  attempts: AttemptRow;
  ai_sessions: AiSessionRow;
}

/** One contact or one chain of contacts to be reached (spec A.5). */
export interface TaskRow {
  id: string;
  business_unit_id: string;
  engagement_id: string;
  batch_id: string | null;
  request_id: string | null;
  /** `file`, `api`, `mcp` or `journey`. */
  source: string;
  /** `waiting` (due_at_ms), `ready` (order), `working` or `final`. */
  state: string;
  /** Pending, InProcess, Complete, Expired, Cancelled or Error (spec A.6). */
  status: string;
  /** When a waiting task becomes ready. */
  due_at_ms: number;
  /** 0 before, 1 among, 2 behind new deliveries (spec C.2, retry priority). */
  retry_class: number;
  /** Smaller goes first; ties by id, that is by creation. */
  order_key: number;
  /** The same in the other place: see `order_slot` of its engagement. */
  order_key_other: number | null;
  /** The custom order found no usable value: processed first in, first out. */
  priority_fallback: number;
  priority_value: string | null;
  /** Grows by creation, also inside one millisecond: FIFO and LIFO. */
  created_seq: number;
  /** JSON: contact ids in dial order, one to five. */
  contact_ids: string;
  /** First contact, for joins and for the repeated-identifier rule. */
  contact_id: string;
  /** JSON: windows of the request and, by contact id, of contacts. */
  windows: string;
  /** JSON object, text to text: what the request passed in for the AI agent and the record. */
  input_attributes: string;
  /** End of the last window: nothing starts at or after it. */
  expires_at_ms: number;
  /** JSON: where the walk over contacts, numbers and loops stands (spec D.6). */
  progress: string;
  loop: number;
  attempt_count: number;
  last_result: string | null;
  last_sub_reason: string | null;
  last_attempt_at_ms: number | null;
  customer_reached: number;
  cancel_requested_at_ms: number | null;
  /** Processes that died in a row while working on this task. Two put it in quarantine. */
  crash_count: number;
  quarantined: number;
  /** Epoch of the lease under which it is being worked. */
  owner_epoch: number | null;
  created_at_ms: number;
  updated_at_ms: number;
  /** Of the journey that asked for it; null: none did. */
  journey_id: string | null;
  journey_run_id: string | null;
  /** JSON: `TaskRestrictions`, which numbers and for which purpose. Null: any that its contacts have. */
  restrictions: string | null;
}

/** One dial of one number, as reports and the API show it (spec A.6). */
export interface DeliveryRow {
  id: string;
  business_unit_id: string;
  engagement_id: string;
  task_id: string;
  batch_id: string | null;
  contact_id: string;
  contact_point_id: string | null;
  /** 1 to 1000 within the task. */
  seq_no: number;
  channel: string;
  status: string;
  dial_mode: string;
  queue_id: string;
  /** Contact point of the number dialled is `contact_point_id`; this is the number shown. */
  from_address: string | null;
  phone_type: string | null;
  window_start_ms: number | null;
  window_end_ms: number | null;
  start_at_ms: number | null;
  end_at_ms: number | null;
  customer_connected_at_ms: number | null;
  result: string | null;
  sub_reason: string | null;
  result_at_ms: number | null;
  call_id: string | null;
  tracking_id: string | null;
  journey_id: string | null;
  journey_run_id: string | null;
  disposition_codes: string | null;
  exceeded_customer_wait_threshold: number;
  cancellation_policy_id: string | null;
  speech_detected: number;
  speech_started_at_ms: number | null;
  sip_diagnostics: string | null;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface DeliveryAttributeRow {
  delivery_id: string;
  business_unit_id: string;
  /** `Input` or `Result`. */
  type: string;
  keyword: string;
  value: string;
}

/** Written, with its fence, before the INVITE leaves. */
export interface AttemptRow {
  id: string;
  business_unit_id: string;
  engagement_id: string;
  task_id: string;
  delivery_id: string;
  contact_point_id: string;
  fence: number;
  gateway_id: string;
  trunk: string;
  /** `starting`, `sent`, `alerting`, `answered` or `ended`. */
  phase: string;
  call_id: string | null;
  dialog_id: string | null;
  channel_id: string | null;
  invites: number;
  created_at_ms: number;
  sent_at_ms: number | null;
  alerting_at_ms: number | null;
  answered_at_ms: number | null;
  connected_at_ms: number | null;
  /** The AI agent asked for a person. */
  escalated_at_ms: number | null;
  /** A representative was bridged to them. */
  joined_at_ms: number | null;
  representative_id: string | null;
  ended_at_ms: number | null;
  result: string | null;
  sub_reason: string | null;
  /** JSON of the evidence behind the result. */
  evidence: string | null;
  /** The AI agent took this call, well or badly: a sample of its failure rate. */
  ai_handled: number;
  machine_version: string;
}

/** What lets an AI agent fetch its context and post its results. Only the token's hash is kept. */
export interface AiSessionRow {
  token_hash: string;
  business_unit_id: string;
  attempt_id: string;
  delivery_id: string;
  /** Set at the end of the call: results are taken until then. */
  expires_at_ms: number | null;
  created_at_ms: number;
}
