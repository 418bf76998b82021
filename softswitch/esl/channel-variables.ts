/** Channel variables: names are looked up in any case and kept as first written. */

/** Enough for any dial plan; a client that invents names cannot fill the memory. */
const VARIABLES_MAX = 1_000;
const EXPANSION_DEPTH_MAX = 10;

export class ChannelVariables {
  readonly #entries = new Map<string, { name: string; value: string }>();

  get(name: string): string | undefined {
    return this.#entries.get(name.toLowerCase())?.value;
  }

  /** An empty or missing value removes the variable, as in FreeSWITCH. */
  set(name: string, value: string | undefined): void {
    const key = name.toLowerCase();
    if (value === undefined || value === '') {
      this.#entries.delete(key);
      return;
    }
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.value = value;
    else if (this.#entries.size < VARIABLES_MAX) this.#entries.set(key, { name, value });
  }

  isTrue(name: string): boolean {
    return isTrue(this.get(name));
  }

  /** Adds `variable_NAME` headers for those `include` lets through. */
  addTo(headers: Record<string, string>, include: (name: string) => boolean): void {
    for (const { name, value } of this.#entries.values()) {
      if (include(name)) headers[`variable_${name}`] = value;
    }
  }

  /** Replaces `${name}` and `${name:offset:length}`; `\$` stays a dollar, what is unset becomes empty. */
  expand(text: string, depth = 0): string {
    if (!text.includes('${')) return text;
    return text.replace(/\\\$|\$\{([^${}]*)\}/g, (whole, reference: string | undefined) => {
      if (reference === undefined) return '$';
      const [name = '', offset, length] = reference.split(':');
      const value = this.get(name) ?? '';
      const expanded = depth < EXPANSION_DEPTH_MAX ? this.expand(value, depth + 1) : value;
      return offset === undefined ? expanded : substring(expanded, offset, length);
    });
  }
}

/** FreeSWITCH's idea of yes. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(?:yes|on|true|t|enabled|active|allow|-?[1-9]\d*)$/i.test(text);
}

/** A negative offset counts from the end. */
function substring(value: string, offset: string, length: string | undefined): string {
  const from = Number.parseInt(offset, 10) || 0;
  const tail = value.slice(from);
  const taken = length === undefined ? tail.length : Number.parseInt(length, 10) || 0;
  return tail.slice(0, Math.max(0, taken));
}
