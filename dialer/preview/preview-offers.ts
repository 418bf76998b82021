/**
 * The contacts that one preview engagement shows to representatives: who is asked, who has accepted, and
 * what becomes of each. Tasks and reservations are rows; an offer that is lost with its process leaves a
 * held task, which the next owner puts back.
 */
import { DialerError } from '../../machines/errors.ts';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import type { PhoneType } from '../engagements/engagement-config.schema.ts';
import type { RepresentativeDesk } from '../representatives/representative-desk.ts';
import type { Entered } from '../representatives/representative-runtime.ts';
import type { Sharer } from '../representatives/representative-shares.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import { demandOf, offerOf, sharerOf } from '../actors/paced-engagement.ts';
import type { HeldTask } from './held-tasks.ts';
import type { OfferedNumber } from './offered-contact.ts';
import {
  PreviewOffer,
  type OfferDone,
  type OfferState,
  type OfferWork,
  type PreviewEnd,
} from './preview-offer.ts';

export interface PreviewOffersParts extends OfferWork {
  readonly desk: RepresentativeDesk;
  readonly clock: DialerClock;
  readonly work: WorkInHand;
  readonly log: DialerLog;
  readonly facts: () => EngagementFacts;
  readonly isDialing: () => boolean;
  /** False where the telephony cannot hold back a call that was accepted (DM-14). */
  readonly delaysStarts: boolean;
  readonly hold: (count: number) => Promise<{ tasks: readonly HeldTask[]; changed: number }>;
  /** Held tasks of this engagement, as the store knows them. */
  readonly heldTaskIds: () => Promise<readonly string[]>;
  readonly ended: (as: PreviewEnd) => void;
  /** An engagement of equal rank goes first next time. */
  readonly served: () => void;
  /** A representative is wanted, or could be had. */
  readonly wake: () => void;
}

/** Nobody else has it after that long: those who declined it are asked again, ms. */
const DECLINED_PAUSE_MS = 60_000;
const NO_OFFERS: Readonly<Record<OfferState, number>> = {
  ...{ seeking: 0, invited: 0, accepted: 0, starting: 0 },
  ...{ ringing: 0, talking: 0, closing: 0 },
};
/** Tasks whose refusals are remembered over their pauses. */
const REMEMBERED_MAX = 1_000;

export class PreviewOffers {
  readonly #parts: PreviewOffersParts;
  /** By task. */
  readonly #offers = new Map<string, PreviewOffer>();
  /** Who has declined a task that is not offered now. */
  readonly #declined = new Map<string, ReadonlySet<string>>();
  /** A hold may have been committed of which we were not told. */
  #mayHaveStrays = false;

  constructor(parts: PreviewOffersParts) {
    this.#parts = parts;
  }

  /** As those see it who share representatives out: each of its contacts is for one of them. */
  get sharer(): Omit<Sharer, 'onAllotted'> {
    const { facts, isDialing } = this.#parts;
    // What may be held unknown to us is found when somebody is asked for.
    const seeking = this.#seeking.length + (this.#mayHaveStrays ? 1 : 0);
    return {
      ...{ ...sharerOf(facts()), isDialing: isDialing(), ringing: 0, seeking },
      onDealt: () => undefined,
    };
  }

  /** How many contacts are in each state. */
  get states(): Readonly<Record<OfferState, number>> {
    const states = { ...NO_OFFERS };
    for (const { state } of this.#offers.values()) states[state] += 1;
    return states;
  }

  /** What this representative is shown, or has accepted. */
  offerOf(representativeId: string): PreviewOffer | undefined {
    return [...this.#offers.values()].find((offer) => offer.representativeId === representativeId);
  }

  /** For so many representatives who are free. Answers how many contacts left the list for it. */
  async offer(representatives: number): Promise<number> {
    if (!this.#parts.isDialing()) return 0;
    await this.#sweep();
    let left = representatives;
    for (const offer of this.#seeking) {
      if (left < 1) return representatives;
      if (await this.#invite(offer)) left -= 1;
      else this.#closeIfHopeless(offer);
    }
    const served = representatives - left;
    if (left < 1 || !this.#parts.isDialing()) return served;
    return served + (await this.#offerNew(left));
  }

  /** Suspended, closed, or stopping: what no call has come of is put back. */
  withdrawAll(): void {
    for (const offer of [...this.#offers.values()]) offer.send({ type: 'offer.withdraw' });
  }

  /** Its task was cancelled by somebody else. False: it is not offered. */
  withdraw(taskId: string): boolean {
    const offer = this.#offers.get(taskId);
    offer?.send({ type: 'offer.withdraw' });
    return offer !== undefined;
  }

  onEntered(entered: Entered): void {
    const { invitation, work, representativeId } = entered;
    const taskId = invitation?.kind === 'agentDial' ? invitation.taskId : null;
    const offer = taskId === null ? undefined : this.#offers.get(taskId);
    if (offer === undefined || offer.representativeId !== representativeId) return;
    if (work === 'joining') offer.send({ type: 'rep.accepted' });
    if (work === 'reserved') offer.send({ type: 'rep.seated' });
    if (work === 'free') {
      if (entered.reason !== 'withdrawn') offer.declined.add(representativeId);
      offer.send({ type: 'rep.left' });
      this.#closeIfHopeless(offer);
      if (offer.isSeeking) this.#parts.wake();
    }
  }

  onAttempt({ attemptId, ...event }: AttemptEvent): void {
    if (event.type === 'attempt.answered') this.#with(attemptId)?.send({ type: 'call.answered' });
    // Their leg is lost while it rings: whoever answered would hear nobody.
    if (event.type === 'attempt.bridgeEnded') this.#with(attemptId)?.send({ type: 'rep.left' });
  }

  /** A leg has ended; of somebody who is on a call nothing else is told before its end. */
  onLobbyLeft(lobbyId: string): void {
    for (const offer of this.#offers.values()) {
      if (offer.lobbyId === lobbyId) offer.send({ type: 'rep.left' });
    }
  }

  /** The chain of the task has left: what it does next is on disk. */
  callEnded(taskId: string): void {
    this.#offers.get(taskId)?.send({ type: 'call.ended' });
  }

  /** Throws NOT_CHANGEABLE when it has begun, PHONE_MISSING when there is no such number to dial. */
  start(
    representativeId: string,
    phoneType: PhoneType | null,
    numbers: readonly Pick<OfferedNumber, 'phoneType' | 'contactPointId'>[],
  ): void {
    const offer = this.#require(representativeId);
    if (offer.state !== 'accepted') {
      throw new DialerError('NOT_CHANGEABLE', `there is no call to start: ${offer.state}`);
    }
    const chosen = numbers.find((number) => number.phoneType === phoneType);
    if (phoneType !== null && chosen === undefined) {
      throw new DialerError('PHONE_MISSING', `the contact has no ${phoneType} number to dial`);
    }
    offer.start(phoneType, chosen?.contactPointId ?? null);
  }

  /** Throws NOT_CHANGEABLE before the acceptance, and once somebody has answered. */
  async cancel(representativeId: string, keepTask: boolean): Promise<void> {
    const offer = this.#require(representativeId);
    if (!['accepted', 'starting', 'ringing'].includes(offer.state)) {
      throw new DialerError('NOT_CHANGEABLE', `there is nothing to call off: ${offer.state}`);
    }
    if (!keepTask) await this.#parts.cancelTask(offer.taskId, representativeId);
    offer.send({ type: 'rep.cancel', keepTask });
  }

  /** Held, and in search of somebody. */
  get #seeking(): readonly PreviewOffer[] {
    return [...this.#offers.values()].filter(({ isSeeking }) => isSeeking);
  }

  #require(representativeId: string): PreviewOffer {
    const offer = this.offerOf(representativeId);
    if (offer !== undefined) return offer;
    throw new DialerError('NOT_FOUND', `nothing is offered to representative ${representativeId}`);
  }

  #with(attemptId: string): PreviewOffer | undefined {
    return [...this.#offers.values()].find((offer) => offer.attemptId === attemptId);
  }

  async #offerNew(count: number): Promise<number> {
    this.#mayHaveStrays = true;
    const { tasks, changed } = await this.#parts.hold(count);
    this.#mayHaveStrays = false;
    const offers = tasks.map((task) => this.#begin(task));
    let made = changed;
    for (const offer of offers) {
      try {
        if (await this.#invite(offer)) made += 1;
        else {
          // Whoever is free has declined it before, or somebody else was faster.
          if (offer.declined.size > 0) made += 1;
          this.#giveUp(offer);
        }
      } catch (error) {
        for (const one of offers) if (one.isSeeking) this.#giveUp(one);
        throw error;
      }
    }
    return made;
  }

  #begin({ taskId, window, target }: HeldTask): PreviewOffer {
    const { clock, facts, delaysStarts } = this.#parts;
    const { mode } = facts().config;
    const delay = mode.kind === 'preview' ? mode.callDelay : ({ kind: 'manual' } as const);
    const timed =
      delay.kind === 'timer' ? { kind: 'timer' as const, ms: delay.seconds * 1_000 } : delay;
    const offer = new PreviewOffer(this.#parts, {
      ...{ taskId, target },
      delay: delaysStarts ? timed : { kind: 'direct' },
      windowMs: window.endMs - clock.now(),
      declined: new Set(this.#declined.get(taskId)),
      onDone: (as) => this.#ended(offer, as),
    });
    this.#declined.delete(taskId);
    this.#offers.set(taskId, offer);
    return offer;
  }

  async #invite(offer: PreviewOffer): Promise<boolean> {
    const { desk, facts, served } = this.#parts;
    offer.isInviting = true;
    try {
      const known = facts();
      const { idleMs } = offer;
      const asked = {
        ...{ ...offerOf(known), kind: 'agentDial' as const, isAutoAccepted: false },
        ...{ taskId: offer.taskId, except: offer.declined, idleMs },
      };
      const [representativeId] = await desk.reserve(demandOf(known), asked, 1);
      if (representativeId === undefined) return false;
      if (!offer.isSeeking) {
        // Withdrawn while the reservation was written.
        desk.releaseOne(representativeId, 'withdrawn');
        return false;
      }
      offer.invited(representativeId);
      served();
      return true;
    } finally {
      offer.isInviting = false;
    }
  }

  /** Everybody who could take it has declined it, or too many wait for too few: it rests. */
  #closeIfHopeless(offer: PreviewOffer): void {
    if (!offer.isSeeking || offer.isInviting) return;
    const others = this.#others(offer);
    if (others === 0 || this.#seeking.length > others) this.#giveUp(offer);
  }

  /** Who could take it, whatever they do now, and has not declined it. */
  #others(offer: PreviewOffer): number {
    const { desk, facts } = this.#parts;
    const everybody = desk.qualified(demandOf(facts()), facts().engagement.id);
    return everybody.filter(({ id }) => !offer.declined.has(id)).length;
  }

  #giveUp(offer: PreviewOffer): void {
    const isDeclined = offer.declined.size > 0;
    offer.isForgotten = this.#others(offer) === 0;
    offer.notBeforeMs = isDeclined ? this.#parts.clock.now() + DECLINED_PAUSE_MS : 0;
    offer.send({ type: 'desk.nobody' });
  }

  #ended(offer: PreviewOffer, as: OfferDone): void {
    const { taskId, declined, isForgotten } = offer;
    this.#offers.delete(taskId);
    this.#parts.ended(as === 'givenBack' ? offer.end : as);
    if (as === 'broken') this.#mayHaveStrays = true;
    // Whoever had the call is shown the next contact.
    if (as !== 'givenBack') this.#parts.wake();
    else if (!isForgotten && declined.size > 0) this.#remember(taskId, declined);
  }

  #remember(taskId: string, declined: ReadonlySet<string>): void {
    this.#declined.set(taskId, declined);
    const [oldest] = this.#declined.keys();
    if (this.#declined.size > REMEMBERED_MAX && oldest !== undefined) this.#declined.delete(oldest);
  }

  /** What a transaction held whose answer was lost goes back: nobody was shown it. */
  async #sweep(): Promise<void> {
    if (!this.#mayHaveStrays) return;
    for (const taskId of await this.#parts.heldTaskIds()) {
      if (this.#offers.has(taskId)) continue;
      await this.#parts.giveBack({ taskId, wasAccepted: false, notBeforeMs: 0 });
    }
    this.#mayHaveStrays = false;
  }
}
