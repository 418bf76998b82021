/** A share of people by chance that is no chance: the same run always falls on the same side. */

/**
 * A number in [0, 1) from a text, evenly spread: FNV-1a over its UTF-16 units, twice with different
 * starts, each finished as MurmurHash3 finishes, 53 bits in all.
 */
export function stableShare(text: string): number {
  const high = mixed(text, 0x811c9dc5) >>> 5; // 27 bits
  const low = mixed(text, 0x01234567) >>> 6; // 26 bits
  return (high * 2 ** 26 + low) / 2 ** 53;
}

function mixed(text: string, start: number): number {
  let hash = start;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Which of several shares a number in [0, 1) falls into; shares are percentages that make 100. */
export function indexOfShare(shares: readonly number[], share: number): number {
  let upTo = 0;
  for (const [index, percent] of shares.entries()) {
    upTo += percent / 100;
    if (share < upTo) return index;
  }
  return shares.length - 1;
}
