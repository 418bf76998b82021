/**
 * Which events were heard before: a message is known by (attemptId, fence, seq). Numbers count anew
 * under each fence. Remembers the attempts that were heard of last; of one forgotten a repeat is told
 * again, which those who listen can bear.
 */
import { isUnseen, NOTHING_SEEN, withSeen, type SeenSequence } from '../machines/seen-sequence.ts';

interface Known {
  readonly fence: number;
  readonly seen: SeenSequence;
}

const ATTEMPTS_MAX = 50_000;

export class SeenEvents {
  readonly #known = new Map<string, Known>();
  readonly #attemptsMax: number;

  constructor(attemptsMax = ATTEMPTS_MAX) {
    this.#attemptsMax = attemptsMax;
  }

  /** True the first time. What was said under an older fence than was heard already is old. */
  isNew(id: string, fence: number, seq: number): boolean {
    const known = this.#known.get(id);
    if (known !== undefined && fence < known.fence) return false;
    const seen = known?.fence === fence ? known.seen : NOTHING_SEEN;
    if (!isUnseen(seen, seq)) return false;
    this.#known.delete(id); // the newest stand at the end
    this.#known.set(id, { fence, seen: withSeen(seen, seq) });
    if (this.#known.size > this.#attemptsMax) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return true;
  }
}
