/** What is dialled, for whom and how: workstreams, queues, engagements, and the files fed to them. */

export interface EngagementTables {
  workstreams: WorkstreamRow;
  queues: QueueRow;
  engagements: EngagementRow;
  batches: BatchRow;
  batch_failed_rows: BatchFailedRow;
}

export interface WorkstreamRow {
  id: string;
  business_unit_id: string;
  name: string;
  /** `voice` or `sms`. */
  channel: string;
  trunk: string;
  /** The workstream's own number, always shown unless an engagement has others. */
  number: string;
  language: string;
  /** JSON of the AI agent (SIP URI and more), or null. */
  ai_agent: string | null;
  fallback_queue_id: string | null;
  /** JSON of everything that only the workstream's owner reads. */
  settings: string;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface QueueRow {
  id: string;
  business_unit_id: string;
  name: string;
  /** JSON of opening hours by weekday; null: always open. */
  hours: string | null;
  time_zone: string;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface EngagementRow {
  id: string;
  business_unit_id: string;
  workstream_id: string;
  queue_id: string;
  name: string;
  description: string;
  /** JSON of the validated engagement configuration. */
  config: string;
  /** `copilot`, `preview`, `progressive` or `predictive`. */
  /** `voice` or `sms`. */
  channel: string;
  /** Where its tasks come from: `file`, `api` (journeys included) or `journeys` alone. */
  intake: string;
  dial_mode: string;
  call_order: string;
  /** 1 critical, 2 high, 3 normal. */
  priority: number;
  /** `running`, `suspended` or `inactive`. */
  status: string;
  suspension_type: string | null;
  suspension_reason: string | null;
  suspended_at_ms: number | null;
  /** AI-failure window restarts here when the engagement is resumed. */
  resumed_at_ms: number | null;
  /** Counts kept in the transactions that change them, never counted. */
  tasks_waiting: number;
  tasks_ready: number;
  tasks_working: number;
  tasks_final: number;
  attempts_total: number;
  in_flight: number;
  ai_handled_total: number;
  ai_failed_total: number;
  /** Tasks up to this id have their place by `call_order` again; null: all have. */
  reorder_after_id: string | null;
  /** Which key of its tasks is in force: 0 `order_key`, 1 `order_key_other`. */
  order_slot: number;
  /** The call order by which it dials until all have; null: `call_order`. */
  order_in_force: string | null;
  /** `number` or `date`: what its custom orders sort by, as the first value that had a meaning says. */
  order_value_kind: string | null;
  version: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface BatchRow {
  id: string;
  business_unit_id: string;
  engagement_id: string;
  /** `NotStarted`, `InProgress`, `Completed`, `CompletedWithErrors` or `Failed`. */
  status: string;
  /** Name for people; the file itself is not kept. */
  source_name: string;
  /** SHA-256 of the file, so that a resume with another file is refused. */
  source_digest: string | null;
  tasks_created: number;
  contacts_updated: number;
  failed_rows: number;
  format_errors: number;
  total_lines: number;
  /** Resume point: every row up to this line is in the store. */
  last_line: number;
  error_code: string | null;
  error_message: string | null;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface BatchFailedRow {
  batch_id: string;
  line: number;
  business_unit_id: string;
  column_name: string | null;
  code: string;
  message: string;
}
