/**
 * The trace of an attempt has the attempt's own id: a UUID has the 16 bytes of a W3C trace id. So
 * nothing more has to be stored, and whoever has one of a log line, a SIP ladder (X-Ringfence-Attempt),
 * a row of the store or a trace has the others.
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Undefined for an id that is no UUID, such as a test's. */
export function traceIdOf(attemptId: string): string | undefined {
  return UUID.test(attemptId) ? attemptId.replaceAll('-', '').toLowerCase() : undefined;
}
