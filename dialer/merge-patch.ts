/** JSON merge patch (RFC 7396): what is named is replaced, what is null is taken away. */
import { isMapping } from '../config/config-path.ts';

/** Neither argument is changed. Lists are replaced as a whole, as the RFC has it. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMapping(patch)) return structuredClone(patch);
  const merged = new Map(Object.entries(isMapping(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}
