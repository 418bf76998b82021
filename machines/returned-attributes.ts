/**
 * What an AI agent returns, whichever way it comes (INFO, BYE, POST): `{"attributes": {name: value}}`.
 * One reader for all of them, so that no way takes what another refuses.
 */

/** As the store has them (spec A.7): `keyword` and `value` of a delivery attribute. */
export const ATTRIBUTE_NAME_MAX = 850;
export const ATTRIBUTE_VALUE_MAX = 4_000;
/** In one message. An agent that returns more has mistaken attributes for a transcript. */
export const ATTRIBUTES_MAX = 100;

export type Attributes = Readonly<Record<string, string>>;

export type AttributesReading =
  | { readonly ok: true; readonly attributes: Attributes }
  | {
      readonly ok: false;
      readonly code: 'ATTRIBUTES_INVALID' | 'ATTRIBUTE_TOO_LONG' | 'ATTRIBUTES_TOO_MANY';
      /** For the agent's builder; names the attribute, never its value. */
      readonly problem: string;
    };

/**
 * Reads a parsed JSON body. Names keep their case. Numbers and booleans become their JSON text, since
 * language models return them unasked; anything nested is refused rather than flattened by guess.
 */
export function readAttributes(body: unknown): AttributesReading {
  if (!isObject(body) || !isObject(body['attributes'])) {
    return invalid('the body is not {"attributes": {"name": "value"}}');
  }
  const entries = Object.entries(body['attributes']);
  if (entries.length > ATTRIBUTES_MAX) {
    const problem = `${entries.length} attributes; at most ${ATTRIBUTES_MAX} in one message`;
    return { ok: false, code: 'ATTRIBUTES_TOO_MANY', problem };
  }
  const read: [name: string, value: string][] = [];
  for (const [name, given] of entries) {
    const value = textOf(given);
    if (value === undefined) return invalid(`attribute ${shown(name)} is no string`);
    if (name === '' || name.length > ATTRIBUTE_NAME_MAX) {
      return tooLong(`the name ${shown(name)} has ${name.length} characters, 1 to 850 are taken`);
    }
    if (value.length > ATTRIBUTE_VALUE_MAX) {
      return tooLong(`attribute ${shown(name)} has ${value.length} characters, 4000 at most`);
    }
    if (hasNul(name) || hasNul(value)) return invalid(`attribute ${shown(name)} has a NUL in it`);
    read.push([name, value]);
  }
  // Not by assignment: a name such as __proto__ is only a name.
  return { ok: true, attributes: Object.fromEntries(read) };
}

/** The same for a body as it came. */
export function readAttributesJson(text: string): AttributesReading {
  try {
    return readAttributes(JSON.parse(text) as unknown);
  } catch {
    return invalid('the body is no JSON');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** PostgreSQL cannot store it in text. */
function hasNul(text: string): boolean {
  return text.includes('\0');
}

function shown(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

function invalid(problem: string): AttributesReading {
  return { ok: false, code: 'ATTRIBUTES_INVALID', problem };
}

function tooLong(problem: string): AttributesReading {
  return { ok: false, code: 'ATTRIBUTE_TOO_LONG', problem };
}
