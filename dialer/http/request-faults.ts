/**
 * Checks what came in against a route's schema. Nothing is stripped and nothing guessed: a property
 * that is not known is refused by its name. Values are never repeated: they may be phone numbers.
 */
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { isMapping } from '../../config/config-path.ts';
import { branchOf, meantSchema } from '../../config/meant-schema.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { RequestFaults, type RequestFault } from './http-error.ts';

/** Objects and lists within one another; ours have seven at the most. */
const DEPTH_MAX = 32;
const FAULTS_MAX = 20;

export type HttpPart = 'body' | 'querystring' | 'params' | 'headers';

/** For fastify's `validatorCompiler`: answers the value with its defaults, or every fault. */
export function requestValidator(schema: TSchema, part: HttpPart) {
  const compiled = new Map<TSchema, Validator>();
  const checks = (branch: TSchema, value: unknown): boolean => {
    const known = compiled.get(branch) ?? Compile(branch);
    compiled.set(branch, known);
    return known.Check(value);
  };
  const whenAbsent = (schema as { readonly default?: unknown }).default;
  return (sent: unknown): { value: unknown } | { error: Error } => {
    // A body that may be left out has a default.
    const data = sent === null && part === 'body' ? structuredClone(whenAbsent ?? null) : sent;
    const unfit = unfitText(data);
    if (unfit !== undefined) return { error: new RequestFaults([unfit]) };
    const branch = branchOf(schema, data);
    // Parameters are text on the wire; a body says itself what its values are.
    const typed = part === 'body' ? data : typedParameters(branch, data);
    const value = Value.Default(branch, typed);
    if (checks(branch, value)) return { value };
    return { error: new RequestFaults(faultsOf(meantSchema(branch, value), value, part)) };
  };
}

interface Parameters {
  readonly properties?: Readonly<Record<string, { readonly type?: string }>>;
}

/** `5` becomes a number where one is asked for, `5.7` and `5x` do not become anything. */
function typedParameters(schema: TSchema, data: unknown): unknown {
  if (!isMapping(data)) return data;
  const { properties = {} } = schema as Parameters;
  const typed = Object.entries(data).map(([name, value]) => {
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
    if (type === 'integer' && typeof value === 'string' && /^-?\d{1,15}$/.test(value)) {
      return [name, Number(value)];
    }
    if (type === 'boolean' && (value === 'true' || value === 'false')) {
      return [name, value === 'true'];
    }
    return [name, value];
  });
  return Object.fromEntries(typed);
}

/** PostgreSQL takes no NUL in a text, and neither does anybody who types. */
function unfitText(data: unknown): RequestFault | undefined {
  const left: { value: unknown; depth: number }[] = [{ value: data, depth: 0 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string' && value.includes('\0')) {
      return { pointer: '', detail: 'a text holds a NUL character' };
    }
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= DEPTH_MAX) return { pointer: '', detail: 'it is nested too deeply' };
    for (const [key, child] of Object.entries(value)) {
      left.push({ value: key, depth: depth + 1 }, { value: child, depth: depth + 1 });
    }
  }
  return undefined;
}

type Finding = ReturnType<typeof Value.Errors>[number];

interface Entry {
  readonly properties?: Readonly<Record<string, unknown>>;
}

function faultsOf(schema: TSchema, value: unknown, part: HttpPart): RequestFault[] {
  Settings.Set({ maxErrors: 100 });
  const faults = Value.Errors(schema, value).flatMap((finding) => explained(schema, finding, part));
  const seen = new Set<string>();
  const first = faults.filter(({ pointer }) => !seen.has(pointer) && seen.add(pointer));
  return first.length === 0
    ? [{ pointer: '', detail: 'is not valid' }]
    : first.slice(0, FAULTS_MAX);
}

function explained(schema: TSchema, finding: Finding, part: HttpPart): RequestFault[] {
  const at = finding.instancePath;
  const place = (name?: string): string => {
    const pointer = name === undefined ? at : `${at}/${name}`;
    return part === 'body' ? pointer : pointer.slice(1);
  };
  switch (finding.keyword) {
    case 'boolean':
      return []; // the second finding about an unknown property
    case 'additionalProperties':
      return finding.params.additionalProperties.map((name) => {
        const known = Object.keys((entryAt(schema, finding.schemaPath) as Entry).properties ?? {});
        const near = nearestName(name, known);
        const meant = near === undefined ? `known are ${known.join(', ')}` : `do you mean ${near}?`;
        return { pointer: place(name), detail: `is not known: ${meant}` };
      });
    case 'required':
      return finding.params.requiredProperties.map((name) => {
        return { pointer: place(name), detail: 'is missing' };
      });
    case 'enum': {
      const { enum: known } = entryAt(schema, finding.schemaPath) as { enum?: readonly string[] };
      const listed = known === undefined ? 'what is known' : known.join(', ');
      return [{ pointer: place(), detail: `must be one of ${listed}` }];
    }
    default:
      return [{ pointer: place(), detail: finding.message }];
  }
}

/** The schema that a finding's path (`#/properties/a/items`) names. */
function entryAt(schema: TSchema, schemaPath: string): object {
  let entry: unknown = schema;
  for (const part of schemaPath.split('/').slice(1)) {
    if (typeof entry !== 'object' || entry === null) return {};
    entry = (entry as Record<string, unknown>)[part];
  }
  return typeof entry === 'object' && entry !== null ? entry : {};
}
