/** The validator's findings in the operator's words: what is wrong, and what to write instead. */
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import type { TSchema } from 'typebox';
import { isMapping, pathOfPointer, pathText, valueAt, type ConfigPath } from './config-path.ts';
import { nearestName } from './nearest-name.ts';
import { schemaAt, schemaNode, type SchemaNode } from './schema-node.ts';

export interface SchemaFault {
  readonly path: ConfigPath;
  /** Set when the fault is a key, not the value behind it. */
  readonly key?: string;
  readonly problem: string;
  readonly remedy: string;
  /** The known key that a mistyped one stands for. */
  readonly near?: string;
}

type ValidationError = ReturnType<typeof Value.Errors>[number];

const MISSING = 'is missing';

/** The validator stops at 8 findings by default; an operator wants them all in one go. */
const FINDINGS_MAX = 1_000;

/** `typed` gives a scalar as it was written, before YAML made `012` the number 12. */
export function schemaFaults(
  schema: TSchema,
  tree: unknown,
  typed: (path: ConfigPath) => string | undefined,
): SchemaFault[] {
  Settings.Set({ maxErrors: FINDINGS_MAX });
  const root = schemaNode(schema);
  const faults = Value.Errors(schema, tree).flatMap((error) => explain(root, tree, error, typed));
  return onePerPlace(withoutMistypedTwice(faults));
}

function explain(
  root: SchemaNode,
  tree: unknown,
  error: ValidationError,
  typed: (path: ConfigPath) => string | undefined,
): SchemaFault[] {
  const path = pathOfPointer(error.instancePath);
  const entry = schemaAt(root, path) ?? {};
  const value = valueAt(tree, path);
  const kind = `${kindOf(entry)}${unitOf(path)}`;
  const fault = (problem: string, remedy: string): SchemaFault[] => [{ path, problem, remedy }];
  switch (error.keyword) {
    case 'boolean':
      return []; // the second finding about an unknown key
    case 'additionalProperties':
      return error.params.additionalProperties.map((key) => unknownKey(path, key, entry));
    case 'required':
      return error.params.requiredProperties.map((key) => missingKey(path, key, entry));
    case 'type':
      return fault(
        `is ${shown(value, entry)}, not ${bareKindOf(entry)}`,
        typeRemedy(value, entry, kind, typed(path)),
      );
    case 'enum':
      return fault(`is ${shown(value, entry)}, not one of those known`, enumRemedy(value, entry));
    case 'minimum':
    case 'maximum':
      return fault(`is ${shown(value, entry)}, out of bounds`, `write ${kind}`);
    case 'pattern':
      return fault(
        `is ${shown(value, entry)}, which is not written as it must be`,
        patternRemedy(entry),
      );
    case 'minLength':
      return fault('is empty', `write a value${exampleOf(entry)}`);
    case 'uniqueItems':
      return fault('names the same item twice', 'name each once');
    default:
      return fault(error.message, `write ${kind}`);
  }
}

function unknownKey(path: ConfigPath, key: string, entry: SchemaNode): SchemaFault {
  const known = Object.keys(entry.properties ?? {});
  const near = nearestName(key, known);
  const remedy = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`;
  const fault = { path: [...path, key], key, problem: 'is not a setting', remedy };
  return near === undefined ? fault : { ...fault, near };
}

function missingKey(path: ConfigPath, key: string, entry: SchemaNode): SchemaFault {
  const missing = entry.properties?.[key] ?? {};
  return {
    path: [...path, key],
    problem: MISSING,
    remedy: `add it${exampleOf(missing, key)}`,
  };
}

function typeRemedy(
  value: unknown,
  entry: SchemaNode,
  kind: string,
  typed: string | undefined,
): string {
  if (value === null) return `write ${kind}${exampleOf(entry)}, or delete the line`;
  if (entry.type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    const written = entry.secret === true ? '...' : (typed ?? String(value));
    return `quote it: '${written}' (unquoted it is no text, and leading zeros are lost)`;
  }
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) {
    return `write ${kind}, without quotes`;
  }
  return `write ${kind}`;
}

function enumRemedy(value: unknown, entry: SchemaNode): string {
  if (value === null) return `write ${kindOf(entry)}, or delete the line`;
  const known = entry.enum ?? [];
  const near = typeof value === 'string' ? nearestName(value, known) : undefined;
  return near === undefined ? `write ${kindOf(entry)}` : `did you mean ${near}?`;
}

function patternRemedy(entry: SchemaNode): string {
  const example = exampleOf(entry);
  return example === '' ? `it must match ${entry.pattern ?? ''}` : `write it${example}`;
}

/** What an entry takes, with its bounds: `a whole number from 0 to 10000`. */
export function kindOf(entry: SchemaNode): string {
  return `${bareKindOf(entry)}${boundsOf(entry)}`;
}

function bareKindOf(entry: SchemaNode): string {
  if (entry.enum) return `one of ${entry.enum.join(', ')}`;
  switch (entry.type) {
    case 'integer':
      return 'a whole number';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'array':
      return entry.items?.enum ? `a list of ${entry.items.enum.join(', ')}` : 'a list';
    case 'object':
      return 'a section of `key: value` lines';
    default:
      return 'text';
  }
}

/** Times are plain numbers of milliseconds: `20s` is a common slip. */
function unitOf(path: ConfigPath): string {
  const last = path.at(-1);
  return typeof last === 'string' && last.endsWith('Ms') ? ' (milliseconds)' : '';
}

function boundsOf({ minimum, maximum }: SchemaNode): string {
  if (minimum !== undefined && maximum !== undefined) {
    return ` from ${String(minimum)} to ${String(maximum)}`;
  }
  if (minimum !== undefined) return ` of at least ${String(minimum)}`;
  return maximum === undefined ? '' : ` of at most ${String(maximum)}`;
}

function exampleOf({ examples, default: fallback }: SchemaNode, key?: string): string {
  const example =
    examples?.[0] ?? (typeof fallback === 'object' || fallback === '' ? undefined : fallback);
  if (typeof example !== 'string' && typeof example !== 'number') return '';
  return key === undefined
    ? ` like ${String(example)}`
    : `, for example ${key}: ${String(example)}`;
}

function shown(value: unknown, entry: SchemaNode): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (isMapping(value)) return 'a section';
  if (entry.secret === true) return `a ${typeof value}`;
  if (typeof value === 'string') return `the text '${value.slice(0, 60)}'`;
  return typeof value === 'number' || typeof value === 'boolean'
    ? `the ${typeof value} ${String(value)}`
    : `a ${typeof value}`;
}

/** `adress` instead of `address` is one fault, not an unknown key and a missing one. */
function withoutMistypedTwice(faults: SchemaFault[]): SchemaFault[] {
  const meant = faults.flatMap(({ path, near }) =>
    near === undefined ? [] : [pathText([...path.slice(0, -1), near])],
  );
  return faults.filter(
    ({ path, problem }) => problem !== MISSING || !meant.includes(pathText(path)),
  );
}

/** A value that breaks two rules is reported once, by the first. */
function onePerPlace(faults: SchemaFault[]): SchemaFault[] {
  const seen = new Set<string>();
  return faults.filter(({ path }) => {
    const place = path.join('\n');
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}
