/** FreeSWITCH's way of cutting an argument line into words. */

/**
 * Words are parted by blanks; `'single quotes'` hold blanks together, and a leading `^^x` makes `x`
 * the separator instead.
 */
export function splitArguments(text: string): string[] {
  if (text.startsWith('^^') && text.length > 2) return text.slice(3).split(text.charAt(2));
  const words: string[] = [];
  for (const match of text.matchAll(/(?:'((?:\\'|[^'])*)'|[^\s'])+/g)) {
    const [whole, quoted] = match;
    const isQuoted = quoted !== undefined && whole === `'${quoted}'`;
    words.push(isQuoted ? quoted.replaceAll("\\'", "'") : whole);
  }
  return words;
}

/** Splits off the first word: `uuid_kill <uuid> <cause>` → `[uuid, cause]`. */
export function firstWord(text: string): [word: string, rest: string] {
  const trimmed = text.trim();
  const blank = trimmed.indexOf(' ');
  return blank === -1 ? [trimmed, ''] : [trimmed.slice(0, blank), trimmed.slice(blank + 1).trim()];
}

/** C's atoi: leading digits count, anything else is 0. */
export function toInteger(text: string | undefined): number {
  return Number.parseInt(text ?? '', 10) || 0;
}
