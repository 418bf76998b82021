/** Who may ask for what over HTTP, and what was answered to whom. */

export interface AccessTables {
  api_keys: ApiKeyRow;
  idempotency_keys: IdempotencyKeyRow;
}

/** Only the hash of a key is kept. */
export interface ApiKeyRow {
  id: string;
  business_unit_id: string;
  name: string;
  /** The key's beginning, by which people tell keys apart. */
  prefix: string;
  /** SHA-256 of the whole key, hex. */
  key_hash: string;
  /** `read`, `deliver`, `operate` or `admin`; null: may do nothing at all. */
  role: string | null;
  shows_numbers: number;
  /** `firstStart`, `configuration` or `api`. */
  origin: string;
  created_by: string;
  created_at_ms: number;
  revoked_at_ms: number | null;
}

/** The answer to a creating request, written in the transaction that created. */
export interface IdempotencyKeyRow {
  business_unit_id: string;
  api_key_id: string;
  idempotency_key: string;
  /** SHA-256 of method, route and body, hex. */
  request_hash: string;
  response_status: number;
  /** JSON. */
  response_body: string;
  created_at_ms: number;
}
