/**
 * Something that happens at most once, and that many may be waiting for: the end of a channel, the
 * loss of a connection. Listeners run synchronously, so that what they emit keeps its order; one that
 * comes too late is run at once.
 */
export class OneTimeSignal<Reason = void> {
  #listeners: Set<(reason: Reason) => void> | undefined = new Set();
  #reason: Reason | undefined;

  get fired(): boolean {
    return this.#listeners === undefined;
  }

  /** Returns the function that stops waiting. */
  onFire(listener: (reason: Reason) => void): () => void {
    if (this.#listeners === undefined) {
      listener(this.#reason as Reason);
      return () => undefined;
    }
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  fire(reason: Reason): void {
    const listeners = this.#listeners;
    if (listeners === undefined) return;
    this.#listeners = undefined;
    this.#reason = reason;
    for (const listener of listeners) listener(reason);
  }
}
