import type { SipResponse } from './message.ts';

/** An offer of ours (re-INVITE, or UPDATE with SDP) waiting for its turn. */
export interface QueuedOffer {
  /** `finished(true)` asks for another try; it returns whether there will be one. */
  start(finished: (wantsRetry: boolean) => boolean): void;
  /** The call is over: it will not be sent. */
  abandon(): void;
}

const TRIES_MAX = 4;

/**
 * One offer at a time in a dialog, whoever makes it (RFC 3261 §14.1, RFC 3264 §4): ours wait for
 * the peer's exchange to end, and after a 491 for a random time that differs by side, so that two
 * peers in step fall out of step.
 */
export class OfferQueue {
  readonly #isCaller: boolean;
  readonly #later: (delayMs: number, fire: () => void) => void;
  #waiting: { offer: QueuedOffer; tries: number }[] = [];
  #isOursPending: boolean;
  #isPeersUnanswered: boolean;
  #isPeersOfferSettled = false;
  #unacknowledged = 0; // 2xx of ours that the peer has not acknowledged
  #unansweredOffers = 0; // those of them that carry an offer
  #isAbandoned = false;

  /** Begins with the call's first INVITE pending: ours when we are the caller, else the peer's. */
  constructor(isCaller: boolean, later: (delayMs: number, fire: () => void) => void) {
    this.#isCaller = isCaller;
    this.#later = later;
    this.#isOursPending = isCaller;
    this.#isPeersUnanswered = !isCaller;
  }

  /** An offer of ours is out and unanswered: one of the peer's gets 491 (§14.2). */
  get isOursPending(): boolean {
    return this.#isOursPending || this.#unansweredOffers > 0;
  }

  /** The peer's INVITE has had no final response: a second one gets 500 (§14.2). */
  get isPeersUnanswered(): boolean {
    return this.#isPeersUnanswered;
  }

  /** The offer in it has no answer either: one in a PRACKed response counts (RFC 3262 §5). */
  get isPeersOfferOpen(): boolean {
    return this.#isPeersUnanswered && !this.#isPeersOfferSettled;
  }

  /** Offer and answer have been exchanged by reliable provisional responses and PRACK. */
  settledEarly(): void {
    this.#isPeersOfferSettled = true;
  }

  /** Our first INVITE has its final response. */
  oursAnswered(): void {
    this.#isOursPending = false;
    this.#startNext();
  }

  /** We have sent a 2xx to an INVITE of the peer. */
  peersAnswered(withOffer: boolean): void {
    this.#isPeersUnanswered = false;
    this.#unacknowledged += 1;
    if (withOffer) this.#unansweredOffers += 1;
  }

  peersAcknowledged(withOffer: boolean): void {
    this.#unacknowledged -= 1;
    if (withOffer) this.#unansweredOffers -= 1;
    this.#startNext();
  }

  enqueue(offer: QueuedOffer): void {
    if (this.#isAbandoned) offer.abandon();
    else {
      this.#waiting.push({ offer, tries: 1 });
      this.#startNext();
    }
  }

  abandon(): void {
    this.#isAbandoned = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { offer } of waiting) offer.abandon();
  }

  #startNext(): void {
    if (this.#isOursPending || this.#isPeersUnanswered || this.#unacknowledged > 0) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#isOursPending = true;
    next.offer.start((wantsRetry) => {
      this.#isOursPending = false;
      const retries = wantsRetry && next.tries < TRIES_MAX && !this.#isAbandoned;
      if (retries) this.#retryLater({ offer: next.offer, tries: next.tries + 1 });
      this.#startNext();
      return retries;
    });
  }

  #retryLater(entry: { offer: QueuedOffer; tries: number }): void {
    // §14.1: 2.1 to 4 s for the side that made the Call-ID, 0 to 2 s for the other, by 10 ms.
    const [fromMs, steps] = this.#isCaller ? [2_100, 191] : [0, 201];
    const delayMs = fromMs + 10 * Math.floor(Math.random() * steps);
    // Until then it waits outside the line, so that the peer's re-INVITE can have its turn.
    this.#later(delayMs, () => {
      this.#waiting.unshift(entry);
      this.#startNext();
    });
  }
}

export function isGlare(response: SipResponse): boolean {
  return response.statusCode === 491;
}
