/** Which packets of a stream have come already (RFC 3711 §3.3.2): the last 64 are remembered. */
const WINDOW = 64n;
const ALL_BITS = (1n << WINDOW) - 1n;

export class ReplayWindow {
  /** Bit 0 is the newest packet. */
  #seen = 0n;
  #newest = -1;

  /** Whether a packet of that index is new and not too old to tell. */
  admits(index: number): boolean {
    if (index > this.#newest) return true;
    const age = BigInt(this.#newest - index);
    return age < WINDOW && ((this.#seen >> age) & 1n) === 0n;
  }

  /** Only after its authentication tag was right: a forged packet must not move the window. */
  note(index: number): void {
    if (index > this.#newest) {
      const ahead = BigInt(index - this.#newest);
      this.#seen =
        (this.#newest < 0 || ahead >= WINDOW ? 1n : (this.#seen << ahead) | 1n) & ALL_BITS;
      this.#newest = index;
    } else this.#seen |= 1n << BigInt(this.#newest - index);
  }
}
