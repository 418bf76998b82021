/**
 * One press of a key may be heard up to three times: as an RFC 4733 event, in a SIP INFO, and as a tone
 * that a gateway on the way left in the audio. Each press is told once, from the source that was first;
 * the same source twice is two presses.
 */
import type { ReceivedDigit } from '../media/media-endpoint.ts';

/** INFO and recognised tones come this much later than the event of the same press, at the most. */
const SAME_PRESS_MS = 1_000;

interface Press {
  readonly digit: string;
  readonly atMs: number;
  readonly sources: Set<string>;
}

export class DigitPresses {
  #recent: Press[] = [];

  /** False when it is one that was taken already, by another way. */
  isNew({ digit, source }: ReceivedDigit, nowMs: number): boolean {
    this.#recent = this.#recent.filter(({ atMs }) => nowMs - atMs <= SAME_PRESS_MS);
    const same = this.#recent.find((press) => press.digit === digit && !press.sources.has(source));
    if (same !== undefined) {
      same.sources.add(source);
      return false;
    }
    this.#recent.push({ digit, atMs: nowMs, sources: new Set([source]) });
    return true;
  }
}
