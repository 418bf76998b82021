/** Calls that the lab's carrier received, for whoever waits for the nth of them. */
import type { ReceivedInvite } from './carrier.ts';

const KEPT_MAX = 10_000;

export class InviteLog {
  readonly #invites: ReceivedInvite[] = [];
  #count = 0;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  get invites(): readonly ReceivedInvite[] {
    return this.#invites;
  }

  add(invite: ReceivedInvite): void {
    this.#invites.push(invite);
    if (this.#invites.length > KEPT_MAX) this.#invites.shift();
    this.#count += 1;
    const reached = this.#waiting.filter(({ count }) => count <= this.#count);
    this.#waiting = this.#waiting.filter(({ count }) => count > this.#count);
    for (const { resolve } of reached) resolve();
  }

  until(count: number): Promise<void> {
    if (this.#count >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }
}
