/** What a trigger carries: names with types, and values that fit them (spec A.19, JRN-36). */
import { Type, type Static } from 'typebox';
import { nearestName } from '../../config/nearest-name.ts';
import { ATTRIBUTE_TYPES } from '../../journey-core/definition/condition.schema.ts';
import { asInstantMs } from '../../journey-core/interpreter/judge-test.ts';
import type { Values } from '../../journey-core/interpreter/json-value.ts';
import { DialerError, type ErrorFault } from '../../machines/errors.ts';

export const TriggerAttribute = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 850, description: 'Case matters.' }),
    type: Type.Enum([...ATTRIBUTE_TYPES], {
      description: 'dateTime is ISO 8601; reference is the id of a record elsewhere.',
    }),
    required: Type.Boolean({
      description: 'Whether it has to be there each time.',
      default: false,
    }),
  },
  { additionalProperties: false },
);
export type TriggerAttribute = Static<typeof TriggerAttribute>;

const VALUE_CHARS_MAX = 4_000;

/** Throws REQUEST_INVALID with every fault. Values are not repeated: they may be personal. */
export function checkAttributeValues(
  attributes: readonly TriggerAttribute[],
  given: Readonly<Record<string, unknown>>,
): Values {
  const types = new Map(attributes.map(({ name, type }) => [name, type] as const));
  const faults: ErrorFault[] = attributes.flatMap(({ name, required }) =>
    required && !Object.hasOwn(given, name) ? [{ pointer: at(name), detail: 'is missing' }] : [],
  );
  for (const [name, value] of Object.entries(given)) {
    const type = types.get(name);
    const detail = type === undefined ? unknown(name, [...types.keys()]) : problem(type, value);
    if (detail !== undefined) faults.push({ pointer: at(name), detail });
  }
  if (faults.length === 0) return given as Values;
  const detail = faults.map((fault) => `${fault.pointer} ${fault.detail}`).join('; ');
  throw new DialerError('REQUEST_INVALID', detail, { faults });
}

function at(name: string): string {
  return `/attributes/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function unknown(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  const listed = known.length === 0 ? 'it carries none' : `it carries ${known.join(', ')}`;
  return `is not known: ${near === undefined ? listed : `do you mean ${near}?`}`;
}

function problem(type: TriggerAttribute['type'], value: unknown): string | undefined {
  switch (type) {
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : 'is no number';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'is neither true nor false';
    case 'dateTime':
      return typeof value === 'string' && asInstantMs(value, 'UTC') !== undefined
        ? undefined
        : 'is no date in ISO 8601';
    case 'text':
    case 'reference':
      if (typeof value !== 'string') return 'is no text';
      return value.length <= VALUE_CHARS_MAX ? undefined : `is longer than ${VALUE_CHARS_MAX}`;
  }
}
