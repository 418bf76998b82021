/** Input checked against its schema, with defaults filled in: the edge of every function that writes. */
import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { pathText } from '../config/config-path.ts';
import { schemaFaults } from '../config/schema-faults.ts';
import { DialerError } from '../machines/errors.ts';

/**
 * Throws REQUEST_INVALID with every fault, one sentence each. `input` is not changed. Values are
 * named in the faults: nothing that holds a phone number is checked with this.
 */
export function checkedInput<T extends TSchema>(
  schema: T,
  input: unknown,
  what: string,
): Static<T> {
  const value = Value.Default(schema, structuredClone(input));
  const faults = schemaFaults(schema, value, () => undefined);
  if (faults.length === 0) return value as Static<T>;
  const all = faults.map(({ path, problem, remedy }) => `${pathText(path)} ${problem}: ${remedy}`);
  throw new DialerError('REQUEST_INVALID', `${what} cannot be used: ${all.join('; ')}`);
}

/** The name of anything that people name. */
export const Name = Type.String({ minLength: 1, maxLength: 100 });
