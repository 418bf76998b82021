/** From a YAML file and the environment to one checked, frozen configuration. */
import { readFileSync } from 'node:fs';
import { Value } from 'typebox/value';
import { ConfigError, type ConfigFault } from './config-error.ts';
import { isMapping, pathText } from './config-path.ts';
import { consistencyFaults } from './consistency-faults.ts';
import {
  applyOverrides,
  overridesOf,
  strayVariables,
  type Environment,
  type Override,
} from './environment.ts';
import { RingfenceConfig } from './ringfence.schema.ts';
import { schemaFaults, type SchemaFault } from './schema-faults.ts';
import { schemaNode, type SchemaNode } from './schema-node.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

export interface LoadedConfig {
  readonly config: RingfenceConfig;
  /** Odd but harmless: environment variables that look mistyped. One sentence each. */
  readonly warnings: readonly string[];
}

/** Larger than any real configuration; keeps a wrong path from filling memory. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Reads the file (none: the defaults), lays the environment over it, fills in defaults and checks
 * everything once. Throws a ConfigError that holds every fault. The result is deeply frozen.
 */
export function loadConfig(file: string | undefined, env: Environment): LoadedConfig {
  return file === undefined ? checkConfig('', '', env) : checkConfig(file, readText(file), env);
}

/** The same on a text; `file` only names it in messages. */
export function checkConfig(file: string, text: string, env: Environment): LoadedConfig {
  const yaml = readYaml(file, text);
  if (Array.isArray(yaml)) throw new ConfigError(yaml);
  const schema = schemaNode(RingfenceConfig);
  const written = yaml.value ?? {};
  if (!isMapping(written)) {
    throw new ConfigError([
      {
        where: yaml.place(yaml.offsetOf([])),
        path: '',
        problem: 'the file is not a list of `key: value` lines',
        remedy: `begin with a section: ${Object.keys(schema.properties ?? {}).join(', ')}`,
      },
    ]);
  }
  const tree = withoutEmptySections(written, schema) as Record<string, unknown>;
  const overrides = overridesOf(schema, tree, env);
  applyOverrides(tree, overrides);
  const config = Value.Default(RingfenceConfig, tree);
  const faults = schemaFaults(RingfenceConfig, config, (path) => yaml.typed(path));
  const checked = config as RingfenceConfig;
  // The second look presumes that every value has its type.
  const all = faults.length > 0 ? faults : consistencyFaults(checked);
  if (all.length > 0) throw new ConfigError(located(all, yaml, overrides));
  return { config: deepFreeze(checked), warnings: strayVariables(schema, tree, env) };
}

function readText(file: string): string {
  const fault = (problem: string, remedy: string) =>
    new ConfigError([{ where: file, path: '', problem, remedy }]);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/,.*$/, '') : String(error);
    throw fault(`cannot be read (${reason})`, 'check the path and the rights');
  }
  if (bytes.length > FILE_BYTES_MAX) throw fault('is larger than 4 MiB', 'check the path');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fault('is not UTF-8', 'save the file as UTF-8');
  }
}

/** `gateway:` with all its lines commented out is an empty section, not a wrong value. */
function withoutEmptySections(value: unknown, schema: SchemaNode | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutEmptySections(item, schema?.items));
  if (!isMapping(value)) return value;
  const kept = Object.entries(value).filter(([key, child]) => {
    const type = schema?.properties?.[key]?.type;
    return child !== null || (type !== 'object' && type !== 'array');
  });
  return Object.fromEntries(
    kept.map(([key, child]) => [key, withoutEmptySections(child, schema?.properties?.[key])]),
  );
}

/** Each fault where it was written: those of the file in its order, then the environment's. */
function located(faults: SchemaFault[], yaml: YamlSource, overrides: Override[]): ConfigFault[] {
  return faults
    .map(({ path, key, problem, remedy }) => {
      const text = pathText(path);
      const from = overrides.find((override) => pathText(override.path) === text);
      const offset =
        key === undefined ? yaml.offsetOf(path) : yaml.offsetOfKey(path.slice(0, -1), key);
      return from === undefined
        ? { offset, fault: { where: yaml.place(offset), path: text, problem, remedy } }
        : {
            offset: Number.POSITIVE_INFINITY,
            fault: { where: `environment:${from.name}`, path: text, problem, remedy },
          };
    })
    .sort((a, b) => (a.offset === b.offset ? 0 : a.offset - b.offset))
    .map(({ fault }) => fault);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) deepFreeze(child);
    Object.freeze(value);
  }
  return value;
}
