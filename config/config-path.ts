/** Where a value stands in the configuration, as keys from the root. */
export type ConfigPath = readonly (string | number)[];

/** `['gateway', 'trunks', 0, 'name']` → `gateway.trunks[0].name`. */
export function pathText(path: ConfigPath): string {
  return path
    .map((key, index) =>
      typeof key === 'number' ? `[${String(key)}]` : index === 0 ? key : `.${key}`,
    )
    .join('');
}

/**
 * A JSON pointer (RFC 6901), as the validator names places. All-digit parts become list indexes:
 * no key of ours is all digits.
 */
export function pathOfPointer(pointer: string): ConfigPath {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `path`, or undefined when the path leaves the tree. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const key of path) {
    if (Array.isArray(value) && typeof key === 'number') value = value[key] as unknown;
    else if (isMapping(value) && typeof key === 'string' && Object.hasOwn(value, key)) {
      value = value[key];
    } else return undefined;
  }
  return value;
}
