/** Several sources in a row, as one. */
import type { AudioSource } from './audio-source.ts';

/**
 * Plays sources one after the other. Each begins on a frame boundary, so between two sources there
 * is at most one frame's rest of silence (< 20 ms), and a cut is a cut: nothing is faded.
 *
 * A source may be given as a function: it is made when its turn comes, so that opening a long list
 * costs nothing and what fails later does not stop what can be played now.
 */
export class Playlist implements AudioSource {
  readonly #entries: (AudioSource | (() => AudioSource))[];
  #playing: AudioSource | undefined;
  #next = 0;

  constructor(entries: readonly (AudioSource | (() => AudioSource))[]) {
    this.#entries = [...entries];
  }

  /** Index of the entry being played; -1 before the first read. */
  get index(): number {
    return this.#next - 1;
  }

  read(into: Int16Array): boolean {
    for (;;) {
      if (this.#playing?.read(into)) return true;
      const entry = this.#entries[this.#next];
      if (entry === undefined) return false;
      this.#next += 1;
      this.#playing = typeof entry === 'function' ? entry() : entry;
    }
  }

  /** Leaves the source being played, at once; the next frame is the next source's first. */
  skip(): void {
    this.#playing = undefined;
  }
}
