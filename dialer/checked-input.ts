/** Input checked against its schema, with defaults filled in: the edge of every function that writes. */
import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { pathText } from '../config/config-path.ts';
import { meantSchema } from '../config/meant-schema.ts';
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
  if (Value.Check(schema, value)) return value;
  const faults = schemaFaults(meantSchema(schema, value), value, () => undefined);
  const all = faults.map(({ path, problem, remedy }) => `${pathText(path)} ${problem}: ${remedy}`);
  const places = faults.map(({ path, problem, remedy }) => {
    return { pointer: `/${path.join('/')}`, detail: `${problem}: ${remedy}` };
  });
  const detail = `${what} cannot be used: ${all.join('; ')}`;
  throw new DialerError('REQUEST_INVALID', detail, { faults: places });
}

/** The name of anything that people name. */
export const Name = Type.String({ minLength: 1, maxLength: 100 });
