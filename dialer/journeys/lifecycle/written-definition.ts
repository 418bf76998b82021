/** A journey as it was sent, in YAML or JSON, with the place of everything in it. */
import { isMapping, pathOfPointer } from '../../../config/config-path.ts';
import { readYaml, type YamlSource } from '../../../config/yaml-source.ts';
import type { JourneyFault } from '../../../journey-core/validation/journey-fault.ts';
import { DialerError } from '../../../machines/errors.ts';

export interface TextPlace {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export interface WrittenDefinition {
  readonly value: Readonly<Record<string, unknown>>;
  /** Null where it is not known as text. */
  placeOf(fault: Pick<JourneyFault, 'path' | 'code'>): TextPlace | null;
}

/** To read longer ones would keep everybody else waiting; 200 steps have room. */
export const YAML_CHARS_MAX = 131_072;

/** YAML is looked at only for places where the text is JSON; in a very long one there are none. */
export function writtenDefinition(text: string, dialect: 'json' | 'yaml'): WrittenDefinition {
  let yaml: YamlSource | undefined;
  const places = (): YamlSource => (yaml ??= yamlOf(text));
  const value = dialect === 'json' ? jsonOf(text) : places().value;
  const placeOf: WrittenDefinition['placeOf'] = (fault) => {
    if (text.length > YAML_CHARS_MAX) return null;
    const found = readYamlOrNone(places);
    return found === undefined ? null : placeIn(found, fault);
  };
  return { value: definitionIn(value), placeOf };
}

/** One that was never text. */
export function definitionOf(value: unknown): WrittenDefinition {
  return { value: definitionIn(value), placeOf: () => null };
}

/** PostgreSQL takes no NUL, and a name with one is nobody's. */
function definitionIn(value: unknown): Readonly<Record<string, unknown>> {
  if (!isMapping(value)) throw refusal('', 'is not a journey: write its keys, `name` among them');
  if (depthOf(value) > DEPTH_MAX) throw refusal('', 'is nested too deeply');
  const text = JSON.stringify(value);
  if (text.includes('\\u0000')) throw refusal('', 'holds a NUL character');
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

/** The deepest definition that validates has about a dozen. */
const DEPTH_MAX = 32;

function depthOf(value: unknown): number {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= DEPTH_MAX; depth += 1) {
    const inner = level.flatMap((item): unknown[] =>
      typeof item === 'object' && item !== null ? Object.values(item) : [],
    );
    if (inner.length === 0) return depth;
    level = inner;
  }
  return DEPTH_MAX + 1;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // YAML is nearly a superset, and says where it went wrong.
    if (text.length <= YAML_CHARS_MAX) yamlOf(text);
    throw refusal('', 'is not valid JSON');
  }
}

/** A name for messages that are taken apart again. */
const FILE = 'body';

function yamlOf(text: string): YamlSource {
  const read = readYaml(FILE, text);
  if (!Array.isArray(read)) return read;
  const faults = read.map(({ where, path, problem, remedy }) => {
    const { line, column } = placeOfText(where);
    return { pointer: path, detail: `line ${line}, column ${column}: ${problem}; ${remedy}` };
  });
  const detail = faults.map((fault) => fault.detail).join('; ');
  throw new DialerError('REQUEST_INVALID', `the definition cannot be read: ${detail}`, { faults });
}

/** JSON whose places YAML does not find has none. */
function readYamlOrNone(read: () => YamlSource): YamlSource | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function placeIn(yaml: YamlSource, { path, code }: Pick<JourneyFault, 'path' | 'code'>): TextPlace {
  const keys = pathOfPointer(path);
  const last = keys.at(-1);
  const isKey = code === 'UNKNOWN_KEY' && typeof last === 'string';
  const offset = isKey ? yaml.offsetOfKey(keys.slice(0, -1), last) : yaml.offsetOf(keys);
  return placeOfText(yaml.place(offset));
}

function placeOfText(where = ''): TextPlace {
  const [line = '1', column = '1'] = where.split(':').slice(-2);
  return { line: Number(line), column: Number(column) };
}

function refusal(pointer: string, detail: string): DialerError {
  return new DialerError('REQUEST_INVALID', `the definition ${detail}`, {
    faults: [{ pointer, detail }],
  });
}
