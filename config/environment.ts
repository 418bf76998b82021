/** Environment variables over the file: each overrides one entry, converted by its schema. */
import { isMapping, type ConfigPath } from './config-path.ts';
import { nearestName } from './nearest-name.ts';
import { entriesOf, type SchemaNode } from './schema-node.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Override {
  readonly name: string;
  readonly path: ConfigPath;
  readonly value: unknown;
}

/** Read by the commands themselves: it names the file, so it cannot stand in it. */
export const CONFIG_FILE_VARIABLE = 'RINGFENCE_CONFIG';

/**
 * The overrides that the environment holds for this tree. A variable set to nothing counts as not
 * set (compose files pass `${X:-}`); `0` is a value. Text that is no number stays text, so that
 * the validator reports it like any other wrong type.
 */
export function overridesOf(schema: SchemaNode, tree: unknown, env: Environment): Override[] {
  return knownVariables(schema, tree).flatMap(({ name, path, entry }) => {
    const text = env[name];
    if (text === undefined || text === '') return [];
    return [{ name, path, value: convert(text, entry) }];
  });
}

/** Variables that look like ours but override nothing: most likely mistyped. One warning each. */
export function strayVariables(schema: SchemaNode, tree: unknown, env: Environment): string[] {
  const known = knownVariables(schema, tree).map(({ name }) => name);
  return Object.keys(env)
    .filter((name) => name.startsWith('RINGFENCE_') && name !== CONFIG_FILE_VARIABLE)
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      // Kubernetes injects RINGFENCE_SERVICE_HOST and the like: only a near miss is worth a word.
      const near = nearestName(name, known);
      return near === undefined
        ? []
        : [`environment:${name}: overrides nothing; did you mean ${near}?`];
    });
}

/** Writes the overrides into the tree, making sections that the file left out. */
export function applyOverrides(tree: Record<string, unknown>, overrides: Override[]): void {
  for (const { path, value } of overrides) {
    let holder: unknown = tree;
    for (const key of path.slice(0, -1)) {
      if (Array.isArray(holder) && typeof key === 'number') holder = holder[key] as unknown;
      else if (isMapping(holder)) holder = holder[key] ??= {};
    }
    const last = path.at(-1);
    // A section of a wrong type is the file's fault and is reported as such.
    if (isMapping(holder) && typeof last === 'string') holder[last] = value;
  }
}

interface KnownVariable {
  readonly name: string;
  readonly path: ConfigPath;
  readonly entry: SchemaNode;
}

function knownVariables(schema: SchemaNode, tree: unknown): KnownVariable[] {
  return [...entriesOf(schema)].flatMap(({ path, entry }): KnownVariable[] => {
    if (entry.env === undefined) return [];
    if (!path.includes('*')) return [{ name: entry.env, path, entry }];
    const template = entry.env;
    return namesIn(tree, path.slice(0, path.indexOf('*'))).map(({ index, name }) => ({
      name: template.replace('<NAME>', name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')),
      path: path.map((key) => (key === '*' ? index : key)),
      entry,
    }));
  });
}

/** Of a list of mappings, those that have a name: trunks, webhooks. */
function namesIn(tree: unknown, path: readonly string[]): { index: number; name: string }[] {
  const list = path.reduce<unknown>((at, key) => (isMapping(at) ? at[key] : undefined), tree);
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) => {
    const name = isMapping(item) ? item['name'] : undefined;
    return typeof name === 'string' ? [{ index, name }] : [];
  });
}

function convert(text: string, entry: SchemaNode): unknown {
  switch (entry.type) {
    case 'integer':
    case 'number':
      return /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'array':
      return text.split(',').map((item) => item.trim());
    default:
      return text;
  }
}
