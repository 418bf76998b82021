/** A journey written in YAML or JSON, with every fault where its author wrote it. */
import { pathOfPointer, pathText } from '../../config/config-path.ts';
import { readYaml, type YamlSource } from '../../config/yaml-source.ts';
import type { JourneyAssets } from '../definition/assets.schema.ts';
import type { JourneyFault } from './journey-fault.ts';
import { validateJourney, type JourneyVerdict } from './validate-journey.ts';

/** `file` only names it in messages. JSON is read as the YAML that it is. Pure: the caller reads. */
export function readJourney(file: string, text: string, assets?: JourneyAssets): JourneyVerdict {
  const yaml = readYaml(file, text);
  if (Array.isArray(yaml)) {
    const faults = yaml.map(({ where, path, problem, remedy }): JourneyFault => ({
      ...{ path, problem, remedy, where },
      code: 'NOT_YAML',
      severity: 'error',
    }));
    return { faults, journey: null, isPublishable: false };
  }
  const verdict = validateJourney(yaml.value, assets);
  const faults = verdict.faults.map((found) => ({ ...found, where: placeOf(yaml, found) }));
  return { ...verdict, faults };
}

function placeOf(yaml: YamlSource, { path, code }: JourneyFault): string {
  const keys = pathOfPointer(path);
  const last = keys.at(-1);
  const isKey = code === 'UNKNOWN_KEY' && typeof last === 'string';
  const offset = isKey ? yaml.offsetOfKey(keys.slice(0, -1), last) : yaml.offsetOf(keys);
  return yaml.place(offset);
}

/** A JSON pointer as people read it: `/steps/3/next` → `steps[3].next`. */
export function readablePath(pointer: string): string {
  return pathText(pathOfPointer(pointer));
}
