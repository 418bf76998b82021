/** Failures of the store that no repetition mends. */
import { AssertionError } from 'node:assert/strict';
import { DialerError } from '../../machines/errors.ts';

/**
 * True for a broken invariant of ours: a failed assertion, a programming error, a constraint that
 * the database refuses to break. Everything else (disk full, connection lost, deadlock) may pass.
 */
export function isDefect(error: unknown): boolean {
  if (error instanceof AssertionError) return true;
  if (error instanceof DialerError) {
    return String(error.context['sqliteCode'] ?? '').startsWith('SQLITE_CONSTRAINT');
  }
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) {
    return true;
  }
  // SQLSTATE class 23: integrity constraint violation.
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && /^23\w{3}$/.test(code);
}
