/** What may be bound to a statement. The codec in front of both drivers, and the only one. */
import assert from 'node:assert/strict';

export type Bindable = string | number | null;

/**
 * Passes strings, null and numbers that SQL keeps exactly. Throws on everything else: libsql aborts
 * the process on a bound boolean and rounds integers above 2^53, and PostgreSQL would take what
 * SQLite does not. An integral number beyond 2^53 is refused unless it is the largest double, which
 * order keys use as "last".
 */
export function toBindable(value: unknown): Bindable {
  if (value === null || typeof value === 'string') return value;
  assert(typeof value === 'number', `a ${typeof value} cannot be bound to a statement`);
  assert(
    Number.isFinite(value) &&
      (!Number.isInteger(value) ||
        Number.isSafeInteger(value) ||
        Math.abs(value) === Number.MAX_VALUE),
    `${value} cannot be stored exactly`,
  );
  return value;
}

export function toBindables(values: readonly unknown[]): Bindable[] {
  return values.map(toBindable);
}
