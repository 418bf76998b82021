/** Samples at their RTP time, each either there or missing. */

/**
 * 512 ms; a power of two, so that RTP time wraps onto it. No larger than needed: with hundreds of
 * legs the rings do not fit the processor's cache, and every sample touched costs accordingly.
 */
export const RING_SAMPLES = 4_096;
const RING_MASK = RING_SAMPLES - 1;

/** The caller keeps what it stores within one turn of the ring ahead of what it reads. */
export class SampleRing {
  readonly #samples = new Int16Array(RING_SAMPLES);
  readonly #there = new Uint8Array(RING_SAMPLES);

  /** Stores `pcm[from..to)`, the first of them at time `at`. */
  store(at: number, pcm: Int16Array, from: number, to: number): void {
    const samples = this.#samples;
    const first = slotOf(at) - from;
    for (let i = from; i < to; i += 1) samples[(first + i) & RING_MASK] = pcm[i] as number;
    this.#mark(at, to - from, 1);
  }

  /**
   * Copies the samples from `at` on into `into` and forgets them; what is missing is left as it
   * happens to be. Returns how many were there; if not all were, `present` tells which.
   */
  take(at: number, into: Int16Array, present: Uint8Array): number {
    const samples = this.#samples;
    const there = this.#there;
    const first = slotOf(at);
    let count = 0;
    for (let i = 0; i < into.length; i += 1) {
      const slot = (first + i) & RING_MASK;
      count += there[slot] as number;
      into[i] = samples[slot] as number;
    }
    if (count < into.length) {
      for (let i = 0; i < into.length; i += 1)
        present[i] = there[(first + i) & RING_MASK] as number;
    }
    this.#mark(at, into.length, 0);
    return count;
  }

  /** Copies the samples before `at` (what was played last) into `into`, whether there or not. */
  copyBefore(at: number, into: Int16Array): void {
    const first = slotOf(at - into.length);
    for (let i = 0; i < into.length; i += 1) {
      into[i] = this.#samples[(first + i) & RING_MASK] as number;
    }
  }

  /** Writes what was played in place of missing samples, for `copyBefore`; they stay missing. */
  overwrite(at: number, played: Int16Array): void {
    const first = slotOf(at);
    for (let i = 0; i < played.length; i += 1) {
      this.#samples[(first + i) & RING_MASK] = played[i] as number;
    }
  }

  /** Forgets `count` samples from `at` on. */
  drop(at: number, count: number): void {
    this.#mark(at, Math.min(count, RING_SAMPLES), 0);
  }

  clear(): void {
    this.#there.fill(0);
    this.#samples.fill(0);
  }

  #mark(at: number, count: number, value: 0 | 1): void {
    const first = slotOf(at);
    this.#there.fill(value, first, first + count);
    if (first + count > RING_SAMPLES) this.#there.fill(value, 0, first + count - RING_SAMPLES);
  }
}

/** Once for many samples: times do not fit 32 bits, and to bring each of them down costs more than its copy. */
function slotOf(at: number): number {
  return at & RING_MASK;
}
