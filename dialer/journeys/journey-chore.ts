/** One kind of work of the journeys, done a little at a time by a worker. */
export interface JourneyChore {
  /** For the log. */
  readonly name: string;
  /**
   * Does up to one transaction's worth, and answers how much: 0 when nothing is left for now. Several
   * workers, also of other processes, may do the same chore at once.
   */
  turn(): Promise<number>;
  /** When there is work again that nobody will tell of, such as a timer; null: none is known. Epoch ms. */
  nextAtMs?(): Promise<number | null>;
  /** With its worker; `wake` says that there is something to do. */
  start?(wake: () => void): void;
  /** Resolves when it listens to nothing any more. */
  stop?(): Promise<void>;
}
