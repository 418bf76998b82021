/**
 * Which sequence numbers of one sender have been seen: all up to `upTo`, and those in `ahead`,
 * which came early and wait for the gap before them. Delivery is in order, so `ahead` is nearly
 * always empty.
 */
export interface SeenSequence {
  readonly upTo: number;
  readonly ahead: readonly number[];
}

export const NOTHING_SEEN: SeenSequence = { upTo: 0, ahead: [] };

/** Numbers kept beyond a gap; of more, the gap is given up and counts as seen. */
const AHEAD_MAX = 256;

export function isUnseen({ upTo, ahead }: SeenSequence, seq: number): boolean {
  return seq > upTo && !ahead.includes(seq);
}

export function withSeen(seen: SeenSequence, seq: number): SeenSequence {
  if (!isUnseen(seen, seq)) return seen;
  if (seq === seen.upTo + 1 && seen.ahead.length === 0) return { upTo: seq, ahead: [] };
  const ahead = [...seen.ahead, seq].sort((a, b) => a - b);
  let upTo = ahead.length > AHEAD_MAX ? (ahead[0] ?? seen.upTo) : seen.upTo;
  let consumed = ahead.length > AHEAD_MAX ? 1 : 0;
  while (ahead[consumed] === upTo + 1) {
    upTo += 1;
    consumed += 1;
  }
  return { upTo, ahead: ahead.slice(consumed) };
}

export function highestSeen({ upTo, ahead }: SeenSequence): number {
  return ahead.at(-1) ?? upTo;
}

/** True when nothing is missing before the highest number seen. */
export function isWithoutGap({ ahead }: SeenSequence): boolean {
  return ahead.length === 0;
}
