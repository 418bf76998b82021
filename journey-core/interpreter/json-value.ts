/** Values as JSON has them, read without trusting their shape. */

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

export type Values = Readonly<Record<string, JsonValue>>;

/** Not by the prototype: a name such as `constructor` is only a name. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, name: string) {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field of something that came from outside, or undefined. */
export function textIn(value: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const found = own(value, name);
  return typeof found === 'string' ? found : undefined;
}

export function numberIn(
  value: Readonly<Record<string, unknown>>,
  name: string,
): number | undefined {
  const found = own(value, name);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

/** Names and values; anything that is no JSON object counts as having none. */
export function valuesIn(value: Readonly<Record<string, unknown>>, name: string): Values {
  const found = own(value, name);
  return isRecord(found) ? (found as Values) : {};
}

export function textsIn(value: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const found = own(value, name);
  return Array.isArray(found) ? found.filter((item) => typeof item === 'string') : [];
}
