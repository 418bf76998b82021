/** The events of one lobby, numbered in the order in which they happened. */
import type { LobbyEvent } from '../../machines/telephony-events.ts';

type Body<E> = E extends LobbyEvent ? Omit<E, 'lobbyId' | 'fence' | 'seq' | 'atMs'> : never;
export type LobbyEventBody = Body<LobbyEvent>;

export class LobbyOutlet {
  readonly #lobbyId: string;
  readonly #now: () => number;
  readonly #publish: (event: LobbyEvent) => void;
  #fence: number;
  #seq = 0;

  constructor(
    lobbyId: string,
    fence: number,
    parts: { now: () => number; publish: (event: LobbyEvent) => void },
  ) {
    this.#lobbyId = lobbyId;
    this.#fence = fence;
    this.#now = parts.now;
    this.#publish = parts.publish;
  }

  emit(body: LobbyEventBody): void {
    this.#seq += 1;
    this.#publish({
      lobbyId: this.#lobbyId,
      fence: this.#fence,
      seq: this.#seq,
      atMs: this.#now(),
      ...body,
    });
  }

  /** A new owner reads from 1. */
  raiseFence(fence: number): void {
    this.#fence = fence;
    this.#seq = 0;
  }
}
