/** A scenario file, checked, with the reference world's values where it says nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { Value } from 'typebox/value';
import { ConfigError } from '../config/config-error.ts';
import { pathText } from '../config/config-path.ts';
import { schemaFaults } from '../config/schema-faults.ts';
import { readYaml } from '../config/yaml-source.ts';
import { Scenario } from './scenario.schema.ts';

/** The scenario in a file, or of the shipped world of that name. Throws a ConfigError. */
export function readScenario(fileOrName: string): Scenario {
  const file = existsSync(fileOrName) ? fileOrName : shippedWorld(fileOrName);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/,.*$/, '') : String(error);
    throw new ConfigError([
      {
        where: fileOrName,
        path: '',
        problem: `cannot be read (${reason})`,
        remedy: 'check the path, or name a world of simulator/worlds',
      },
    ]);
  }
  return scenarioOf(file, text);
}

/** The same on a text; `file` only names it in messages. */
export function scenarioOf(file: string, text: string): Scenario {
  const yaml = readYaml(file, text);
  if (Array.isArray(yaml)) throw new ConfigError(yaml);
  const scenario = Value.Default(Scenario, yaml.value ?? {});
  const faults = schemaFaults(Scenario, scenario, (path) => yaml.typed(path));
  if (faults.length === 0) return scenario as Scenario;
  throw new ConfigError(
    faults.map(({ path, key, problem, remedy }) => ({
      where: yaml.place(key === undefined ? yaml.offsetOf(path) : yaml.offsetOfKey(path, key)),
      path: pathText(path),
      problem,
      remedy,
    })),
  );
}

function shippedWorld(name: string): string {
  const folder = import.meta.url.endsWith('.ts') ? './worlds/' : '../../simulator/worlds/';
  const file = new URL(`${folder}${encodeURIComponent(name)}.yaml`, import.meta.url).pathname;
  return existsSync(file) ? file : name;
}
