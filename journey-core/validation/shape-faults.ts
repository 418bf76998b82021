/**
 * A value against a schema, told in the author's words. Unlike a general validator it follows only
 * the branch of a union that was meant, so that one slip is one fault. Total: any value, any depth.
 */
import { isMapping } from '../../config/config-path.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { instantMs, isTimeZone } from '../definition/instant.ts';
import { fault, pointerKey, type JourneyFault } from './journey-fault.ts';

/** The keywords of JSON Schema that the definition's schemas use. */
export interface ShapeSchema {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, ShapeSchema>>;
  readonly patternProperties?: Readonly<Record<string, ShapeSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly maxProperties?: number;
  readonly items?: ShapeSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly ShapeSchema[];
  readonly discriminator?: { readonly propertyName: string };
  /** For each branch of a union the key that only it has; null: every other value. */
  readonly chosenByKey?: readonly (string | null)[];
  /** Text, a number, or true or false. */
  readonly scalar?: boolean;
  /** A scalar, or a list of text and numbers. */
  readonly operand?: boolean;
}

export function shapeFaults(schema: ShapeSchema, value: unknown, path = ''): JourneyFault[] {
  if (schema.anyOf !== undefined) return unionFaults(schema, value, path);
  if (schema.const !== undefined) return literalFaults(schema, value, path);
  if (schema.enum !== undefined) return enumFaults(schema.enum, value, path);
  if (schema.scalar === true || schema.operand === true) return scalarFaults(schema, value, path);
  switch (schema.type) {
    case 'object':
      return objectFaults(schema, value, path);
    case 'array':
      return arrayFaults(schema, value, path);
    case 'string':
      return textFaults(schema, value, path);
    case 'number':
    case 'integer':
      return numberFaults(schema, value, path);
    case 'boolean':
      return typeof value === 'boolean' ? [] : [wrongType(path, value, 'true or false')];
    default:
      return [];
  }
}

function unionFaults(schema: ShapeSchema, value: unknown, path: string): JourneyFault[] {
  const { anyOf = [], discriminator, chosenByKey = [] } = schema;
  if (!isMapping(value)) return [wrongType(path, value, 'a section of `key: value` lines')];
  if (discriminator !== undefined) {
    const name = discriminator.propertyName;
    const kinds = anyOf.map((branch) => branch.properties?.[name]?.const ?? '');
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    const meant = anyOf[kinds.indexOf(typeof given === 'string' ? given : '')];
    if (meant !== undefined) return shapeFaults(meant, value, path);
    if (given !== undefined) return enumFaults(kinds, given, `${path}/${name}`);
    return [missing(path, name, `one of ${kinds.join(', ')}`)];
  }
  const index = chosenByKey.findIndex((key) => key === null || Object.hasOwn(value, key));
  const meant = anyOf[index];
  if (meant !== undefined) return shapeFaults(meant, value, path);
  const keys = chosenByKey.filter((key) => key !== null).join(', ');
  const problem = 'does not say which of its kinds it is';
  return [fault(path, 'MISSING', problem, `give it one of these keys: ${keys}`)];
}

function literalFaults({ const: wanted }: ShapeSchema, value: unknown, path: string) {
  return value === wanted ? [] : enumFaults([wanted ?? ''], value, path);
}

function enumFaults(known: readonly string[], value: unknown, path: string): JourneyFault[] {
  if (typeof value === 'string' && known.includes(value)) return [];
  const near = typeof value === 'string' ? nearestName(value, known) : undefined;
  const remedy = near === undefined ? `write ${oneOf(known)}` : `did you mean ${near}?`;
  return [fault(path, 'UNKNOWN_VALUE', `is ${shown(value)}, not one of those known`, remedy)];
}

function oneOf(known: readonly string[]): string {
  return known.length === 1 ? (known[0] ?? '') : `one of ${known.join(', ')}`;
}

function scalarFaults(schema: ShapeSchema, value: unknown, path: string): JourneyFault[] {
  const isScalar = (item: unknown): boolean =>
    (typeof item === 'string' && item.length <= TEXT_MAX) ||
    (typeof item === 'number' && Number.isFinite(item));
  if (isScalar(value) || typeof value === 'boolean') return [];
  if (schema.operand !== true) return [wrongType(path, value, 'text, a number, true or false')];
  if (!Array.isArray(value)) return [wrongType(path, value, 'a value, or a list of values')];
  if (value.length > OPERANDS_MAX) {
    return [bounds(path, `has ${value.length} values`, `at most ${OPERANDS_MAX}`)];
  }
  return value.flatMap((item, index) =>
    isScalar(item) ? [] : [wrongType(`${path}/${index}`, item, 'text or a number')],
  );
}

/** As long as a value of an attribute may be (spec A.7). */
const TEXT_MAX = 4_000;
const OPERANDS_MAX = 1_000;

function objectFaults(schema: ShapeSchema, value: unknown, path: string): JourneyFault[] {
  if (!isMapping(value)) return [wrongType(path, value, 'a section of `key: value` lines')];
  const { properties, patternProperties } = schema;
  if (properties === undefined) return mapFaults(schema, patternProperties, value, path);
  const known = Object.keys(properties);
  const strays = Object.keys(value).filter((key) => !known.includes(key));
  const meant = new Set<string>();
  const strayFaults = strays.map((key) => {
    const near = nearestName(
      key,
      known.filter((name) => !Object.hasOwn(value, name)),
    );
    if (near !== undefined) meant.add(near);
    const remedy = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`;
    return fault(`${path}/${pointerKey(key)}`, 'UNKNOWN_KEY', 'is not known here', remedy);
  });
  const lacking = (schema.required ?? [])
    // `nxt` for `next` is one fault, not two.
    .filter((key) => !Object.hasOwn(value, key) && !meant.has(key))
    .map((key) => missing(path, key, kindOf(properties[key] ?? {})));
  const within = known.flatMap((key) =>
    Object.hasOwn(value, key)
      ? shapeFaults(properties[key] ?? {}, value[key], `${path}/${key}`)
      : [],
  );
  return [...strayFaults, ...lacking, ...within];
}

function mapFaults(
  { maxProperties = Number.POSITIVE_INFINITY }: ShapeSchema,
  patternProperties: Readonly<Record<string, ShapeSchema>> | undefined,
  value: Readonly<Record<string, unknown>>,
  path: string,
): JourneyFault[] {
  const entries = Object.entries(value);
  if (entries.length > maxProperties) {
    return [bounds(path, `has ${entries.length} entries`, `at most ${maxProperties}`)];
  }
  const schema = Object.values(patternProperties ?? {})[0] ?? {};
  return entries.flatMap(([key, item]) => shapeFaults(schema, item, `${path}/${pointerKey(key)}`));
}

function arrayFaults(schema: ShapeSchema, value: unknown, path: string): JourneyFault[] {
  if (!Array.isArray(value)) return [wrongType(path, value, 'a list')];
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items = {}, uniqueItems } = schema;
  if (value.length < minItems) {
    const few = value.length === 0 ? 'is empty' : `has ${value.length}`;
    return [bounds(path, few, `at least ${minItems}`)];
  }
  if (value.length > maxItems) return [bounds(path, `has ${value.length}`, `at most ${maxItems}`)];
  const within = value.flatMap((item, index) => shapeFaults(items, item, `${path}/${index}`));
  if (within.length > 0 || uniqueItems !== true) return within;
  return value.flatMap((item, index) =>
    value.indexOf(item) === index
      ? []
      : [fault(`${path}/${index}`, 'DUPLICATE', 'is named twice', 'name each once')],
  );
}

function textFaults(schema: ShapeSchema, value: unknown, path: string): JourneyFault[] {
  if (typeof value !== 'string') return [wrongType(path, value, 'text')];
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, format } = schema;
  if (value.length < minLength) {
    return [bounds(path, 'is empty', `at least ${minLength} character${exampleOf(schema)}`)];
  }
  if (value.length > maxLength) {
    return [bounds(path, `has ${value.length} characters`, `at most ${maxLength}`)];
  }
  const isWritten = pattern === undefined || compiled(pattern).test(value);
  if (isWritten && isOfFormat(value, format)) return [];
  const remedy = REMEDY_OF_FORMAT[format ?? ''] ?? `it must match ${pattern ?? ''}`;
  const problem = `is ${shown(value)}, which is not written as it must be`;
  return [fault(path, 'MALFORMED', problem, `${remedy}${exampleOf(schema)}`)];
}

const expressions = new Map<string, RegExp>();

/** The patterns are those of the schema: a few. */
function compiled(pattern: string): RegExp {
  const known = expressions.get(pattern) ?? new RegExp(pattern);
  expressions.set(pattern, known);
  return known;
}

const REMEDY_OF_FORMAT: Readonly<Record<string, string>> = {
  'duration-text': 'write a duration of weeks, days, hours, minutes, largest unit first',
  'instant-text': 'write a date, or a date and a time',
  'date-text': 'write a day as YYYY-MM-DD',
  'time-zone': 'write the IANA name of a time zone',
};

/** Whether what is written as a date is one: 30 February is not. */
function isOfFormat(value: string, format: string | undefined): boolean {
  if (format === 'time-zone') return isTimeZone(value);
  if (format === 'instant-text' || format === 'date-text') {
    return instantMs(value, 'UTC') !== undefined;
  }
  return true;
}

function numberFaults(schema: ShapeSchema, value: unknown, path: string): JourneyFault[] {
  const kind = schema.type === 'integer' ? 'a whole number' : 'a number';
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  if (!isNumber || (schema.type === 'integer' && !Number.isInteger(value))) {
    return [wrongType(path, value, kind)];
  }
  const { minimum, maximum, exclusiveMinimum } = schema;
  if (minimum !== undefined && value < minimum) {
    return [bounds(path, `is ${value}`, `at least ${minimum}`)];
  }
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) {
    return [bounds(path, `is ${value}`, `more than ${exclusiveMinimum}`)];
  }
  if (maximum !== undefined && value > maximum) {
    return [bounds(path, `is ${value}`, `at most ${maximum}`)];
  }
  return [];
}

function missing(path: string, key: string, kind: string): JourneyFault {
  return fault(`${path}/${key}`, 'MISSING', 'is missing', `add ${key}: ${kind}`);
}

function wrongType(path: string, value: unknown, kind: string): JourneyFault {
  return fault(path, 'TYPE', `is ${shown(value)}, not ${kind}`, `write ${kind}`);
}

function bounds(path: string, problem: string, remedy: string): JourneyFault {
  return fault(path, 'OUT_OF_BOUNDS', `${problem}, out of bounds`, `it takes ${remedy}`);
}

function kindOf(schema: ShapeSchema): string {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return oneOf(schema.enum);
  const example = exampleOf(schema);
  switch (schema.type) {
    case 'array':
      return 'a list';
    case 'integer':
    case 'number':
      return `a number${example}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return `text${example}`;
    default:
      return 'a section';
  }
}

function exampleOf({ examples }: ShapeSchema): string {
  const example = examples?.[0];
  return typeof example === 'string' ? `, for example ${example}` : '';
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the text '${value.slice(0, 60)}'`;
  if (typeof value === 'number' || typeof value === 'boolean')
    return `the ${typeof value} ${value}`;
  return 'a section';
}
