/**
 * All representatives that this dialer works: who is free for an engagement, who is reserved for it,
 * and what becomes of them. A reservation is on disk before anybody is invited.
 */
import { DialerError } from '../../machines/errors.ts';
import type { ReleaseReason, RepresentativeWork } from '../../machines/representative.events.ts';
import { isAttemptEvent, type TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import {
  inOrder,
  qualifies,
  type RepresentativeDemand,
  type RepresentativeProfile,
} from './match-representatives.ts';
import { invitationOf, wrapUpOf, type Offer } from './offer.ts';
import { PhoneWays } from './phone-ways.ts';
import { readProfiles } from './read-profiles.ts';
import { OFFLINE } from './representative-rules.schema.ts';
import {
  RepresentativeRuntime,
  type Entered,
  type RepresentativeParts,
} from './representative-runtime.ts';
import { reserve } from './reservations.ts';
import { StoreDirectory } from './store-directory.ts';
import { takeOverReservations, type KeptReservation, type ReservationTerms } from './take-over.ts';

export interface DeskOptions extends Omit<
  RepresentativeParts,
  'onEntered' | 'phoneOf' | 'telephony'
> {
  readonly telephony: TelephonyPort;
  readonly leaseName: string;
  /** Shown → offered to somebody else, ms. */
  readonly invitationMs: number;
  /** Which gateway is to dial over a trunk: the preferred one, if it can. */
  readonly gatewayFor: (trunk: string, preferred?: string) => string;
}

/** Somebody who is reserved. */
export interface Held {
  readonly representativeId: string;
  readonly work: RepresentativeWork;
  readonly lobbyId: string | null;
  readonly mediaServerId: string | null;
  /** Where their leg is: nobody can be bridged to it elsewhere. */
  readonly gatewayId: string | null;
  /** The call that is dialled for them or that they are on. */
  readonly attemptId: string | null;
  /** It is the engagement's turn to dial for them. */
  readonly isDealt: boolean;
}

export interface Headcount {
  /** Signed on with an allowed presence, whatever they do. */
  readonly present: number;
  /** Of those: nobody's. */
  readonly free: number;
  /** Of those: in wrap-up. */
  readonly wrappingUp: number;
}

export type DeskListener = (entered: Entered) => void;

export class RepresentativeDesk {
  readonly #options: DeskOptions;
  readonly #parts: RepresentativeParts;
  readonly #ways: PhoneWays;
  readonly #people = new Map<string, RepresentativeRuntime>();
  readonly #listeners = new Set<DeskListener>();
  readonly #peopleListeners = new Set<() => void>();
  #isStopping = false;

  constructor(options: DeskOptions) {
    this.#options = options;
    const { database, clock } = options;
    const nowMs = (): number => clock.now();
    this.#ways = new PhoneWays(new StoreDirectory(database, nowMs), nowMs);
    this.#parts = {
      ...options,
      phoneOf: (profile) => this.#ways.of(profile),
      onEntered: (entered) => {
        for (const listener of this.#listeners) listener(entered);
      },
    };
  }

  /**
   * What another process left, before its calls are asked about. Those who talk go on talking; the legs
   * of those who are nobody's any more are closed.
   */
  async takeOver(): Promise<void> {
    const { database, fence, actor, telephony, clock, log } = this.#options;
    const nowMs = clock.now();
    const { kept, ended } = await takeOverReservations({ database, fence, actor, nowMs });
    for (const { lobby_id: lobbyId, gateway_id: gatewayId } of ended) {
      if (lobbyId === null) continue;
      const envelope = { lobbyId, fence, seq: 1, atMs: clock.now() };
      const where = gatewayId === null ? {} : { gatewayId };
      telephony
        .send({ type: 'lobby.close', ...envelope, ...where, reason: 'released' })
        .catch((error: unknown) => log.warn({ lobbyId, error }, 'an old lobby leg was not closed'));
    }
    for (const left of kept) {
      const [profile] = await readProfiles(database.db, left.representativeId);
      if (profile !== undefined) this.#learn(profile, left);
    }
  }

  /** Signs everybody on. */
  async begin(): Promise<void> {
    for (const profile of await readProfiles(this.#options.database.db)) this.#learn(profile);
  }

  /** Their rows were written: made, changed, or another presence. */
  async changed(representativeId: string): Promise<void> {
    const [profile] = await readProfiles(this.#options.database.db, representativeId);
    if (profile === undefined) return;
    this.#learn(profile);
    for (const listener of this.#peopleListeners) listener();
  }

  subscribe(listener: DeskListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Somebody has signed on, or can do something else than before. */
  whenPeopleChange(listener: () => void): () => void {
    this.#peopleListeners.add(listener);
    return () => this.#peopleListeners.delete(listener);
  }

  get(representativeId: string): RepresentativeRuntime | undefined {
    return this.#people.get(representativeId);
  }

  /** Everybody who is known here, signed on or not. */
  everybody() {
    return [...this.#people.values()].map(({ profile: { id, presence }, work }) => {
      return { id, presence, work };
    });
  }

  headcount(demand: RepresentativeDemand): Headcount {
    let [present, free, wrappingUp] = [0, 0, 0];
    for (const person of this.#people.values()) {
      if (!qualifies(person.profile, demand)) continue;
      present += 1;
      if (person.isFree && !person.isLeaving) free += 1;
      if (person.work === 'wrapUp') wrappingUp += 1;
    }
    return { present, free, wrappingUp };
  }

  /** Reserved for this engagement, from the invitation to the end of the wrap-up. */
  held(engagementId: string): readonly Held[] {
    return [...this.#people.values()]
      .filter(({ invitation }) => invitation?.engagementId === engagementId)
      .map(({ profile, work, lobbyId, mediaServerId, gatewayId, attemptId, isDealt }) => {
        const representativeId = profile.id;
        const leg = { lobbyId, mediaServerId, gatewayId };
        return { representativeId, work, ...leg, attemptId, isDealt };
      });
  }

  /**
   * Reserves up to `count` of those who are free, and invites them. Answers who was reserved; somebody
   * else may have been faster, so that there may be fewer. Throws when the store fails.
   */
  async reserve(
    demand: RepresentativeDemand,
    offer: Offer,
    count: number,
  ): Promise<readonly string[]> {
    if (this.#isStopping || count < 1) return [];
    const free = [...this.#people.values()]
      .filter((person) => person.isFree && !person.isLeaving)
      .filter(({ profile }) => offer.except?.has(profile.id) !== true)
      .filter(({ profile }) => this.#isReachable(offer, profile.id))
      .map(({ profile, freeSinceMs }) => ({ profile, freeSinceMs }));
    const chosen = inOrder(free, demand).slice(0, count);
    const { database, leaseName, fence, actor, clock, ids, invitationMs } = this.#options;
    const wrapUp = wrapUpOf(offer.rules);
    const made = chosen.map(({ profile }): [string, ReservationTerms] => {
      return [profile.id, { invitation: invitationOf(offer, ids.id(), invitationMs), wrapUp }];
    });
    const terms = new Map(made);
    const granted = await reserve(
      { database, leaseName, fence, actor, nowMs: clock.now() },
      chosen.map(({ profile }) => ({
        representativeId: profile.id,
        businessUnitId: profile.businessUnitId,
        engagementId: offer.engagementId,
        invitationId: terms.get(profile.id)?.invitation.id ?? '',
        attemptId: offer.attemptId,
        terms: JSON.stringify(terms.get(profile.id)),
      })),
    );
    for (const id of granted) {
      const person = this.#people.get(id);
      const agreed = terms.get(id);
      if (person === undefined || agreed === undefined) continue;
      person.invite({ type: 'desk.invite', ...agreed }, this.#gatewayFor(offer, person));
    }
    return [...granted];
  }

  /** Who has dialled in is where they are: of a call that is, or can be made, elsewhere they hear nothing. */
  #isReachable({ gatewayId, trunk }: Offer, representativeId: string): boolean {
    const place = this.#ways.placeOf(representativeId);
    if (place === undefined) return true;
    return (gatewayId ?? this.#options.gatewayFor(trunk, place)) === place;
  }

  /** Where they are already, if their calls can be made there. */
  #gatewayFor(offer: Offer, person: RepresentativeRuntime): string {
    const place = this.#ways.placeOf(person.profile.id);
    if (place !== undefined) return place;
    if (offer.gatewayId !== undefined) return offer.gatewayId;
    const home = offer.isOnePlace === true ? this.#placeOf(offer.engagementId) : null;
    return this.#options.gatewayFor(offer.trunk, home ?? person.gatewayId ?? undefined);
  }

  /** Where most of its representatives have their legs. */
  #placeOf(engagementId: string): string | null {
    const counts = new Map<string, number>();
    for (const { gatewayId } of this.held(engagementId)) {
      if (gatewayId !== null) counts.set(gatewayId, (counts.get(gatewayId) ?? 0) + 1);
    }
    const [most] = [...counts].sort(([, one], [, other]) => other - one);
    return most?.[0] ?? null;
  }

  /** Who qualifies, whatever they do. */
  qualified(demand: RepresentativeDemand, engagementId: string) {
    return [...this.#people.values()]
      .filter((person) => qualifies(person.profile, demand) && !person.isLeaving)
      .map((person) => ({
        id: person.profile.id,
        work: person.work,
        isMine: person.invitation?.engagementId === engagementId,
        freeSinceMs: person.freeSinceMs,
      }));
  }

  /** For whom a call is dialled, or who is on it. */
  whoHas(attemptId: string): string | undefined {
    return this.#of(attemptId)?.profile.id;
  }

  /** A call is dialled for one who waits in the lobby. False when they do not, or have one already. */
  assign(representativeId: string, attemptId: string): boolean {
    const person = this.#people.get(representativeId);
    if (person?.work !== 'reserved' || person.attemptId !== null) return false;
    person.assign(attemptId);
    return true;
  }

  /** It is this engagement's turn with all whom it still holds. True when that is news. */
  deal(engagementId: string): boolean {
    let isNews = false;
    for (const person of this.#people.values()) {
      if (person.invitation?.engagementId !== engagementId || person.isDealt) continue;
      person.isDealt = true;
      isNews = true;
    }
    return isNews;
  }

  /** Those who hold no call of this engagement are nobody's again. */
  release(engagementId: string, reason: ReleaseReason, most = Number.POSITIVE_INFINITY): number {
    const idle = this.held(engagementId).filter(
      ({ work, attemptId }) => attemptId === null && (work === 'reserved' || work === 'joining'),
    );
    const released = idle.slice(0, most);
    for (const { representativeId } of released) this.releaseOne(representativeId, reason);
    return released.length;
  }

  releaseOne(representativeId: string, reason: ReleaseReason): void {
    this.#people.get(representativeId)?.tell({ type: 'desk.release', reason });
  }

  accept(representativeId: string, invitationId: string): void {
    this.#answer(representativeId, invitationId, 'representative.accept');
  }

  reject(representativeId: string, invitationId: string): void {
    this.#answer(representativeId, invitationId, 'representative.reject');
  }

  /** Throws NOT_CHANGEABLE when they are not wrapping up. */
  wrapUpDone(representativeId: string): void {
    const person = this.#require(representativeId);
    if (person.work !== 'wrapUp') {
      throw new DialerError('NOT_CHANGEABLE', `there is no wrap-up to end: ${person.work}`);
    }
    person.tell({ type: 'representative.wrapUpDone' });
  }

  /** Everything they do is on disk. */
  async settled(): Promise<void> {
    await Promise.all([...this.#people.values()].map((person) => person.settled()));
  }

  /** Nobody is invited any more; those in the lobby are let go, those on a call finish it. */
  leave(): void {
    this.#isStopping = true;
    for (const person of this.#people.values()) {
      person.tell({ type: 'desk.leave', reason: 'shutdown' });
    }
  }

  stop(): void {
    for (const person of this.#people.values()) person.stop();
  }

  /** For every event of the gateway's. */
  onTelephony(event: TelephonyEvent): void {
    this.#ways.hear(event);
    if (event.type === 'lobby.ready' || event.type === 'lobby.left') {
      for (const person of this.#people.values()) person.onLobbyEvent(event);
      return;
    }
    if (event.type === 'gateway.present') {
      for (const person of this.#people.values()) person.onGatewayPresent(event.gatewayId);
      return;
    }
    if (!isAttemptEvent(event)) return;
    const { attemptId, type } = event;
    if (type === 'attempt.connected' && event.target === 'lobby') {
      this.#of(attemptId)?.tell({ type: 'call.connected', attemptId });
    }
    if (type === 'attempt.bridgeEnded') {
      // Passed on, or over: the customer is not theirs any more, while the call may go on.
      const person = this.#of(attemptId);
      if (person?.work === 'connected') person.tell({ type: 'call.ended', attemptId });
    }
    if (type === 'attempt.ended' || type === 'attempt.refused') this.attemptOver(attemptId);
  }

  /** Also when its gateway could say nothing of it any more. Said twice, it is over once. */
  attemptOver(attemptId: string): void {
    const person = this.#of(attemptId);
    if (person?.work === 'connected') person.tell({ type: 'call.ended', attemptId });
    else if (person?.work === 'reserved') person.assign(null); // kept for the next contact
  }

  /** With it went the legs that it had. Answers which. */
  gatewayLost(gatewayId: string): readonly string[] {
    return [...this.#people.values()].flatMap((person) => person.onGatewayLost(gatewayId) ?? []);
  }

  #learn(profile: RepresentativeProfile, left?: KeptReservation): void {
    const known = this.#people.get(profile.id);
    if (known === undefined) {
      this.#people.set(profile.id, new RepresentativeRuntime(this.#parts, profile, left));
      return;
    }
    known.profile = profile;
    if (this.#isStopping) return;
    if (profile.presence === OFFLINE) known.tell({ type: 'desk.leave', reason: 'signedOff' });
    else known.tell({ type: 'desk.return' });
  }

  #of(attemptId: string): RepresentativeRuntime | undefined {
    for (const person of this.#people.values()) if (person.attemptId === attemptId) return person;
    return undefined;
  }

  #answer(
    representativeId: string,
    invitationId: string,
    type: 'representative.accept' | 'representative.reject',
  ): void {
    const person = this.#require(representativeId);
    if (person.work !== 'invited' || person.invitation?.id !== invitationId) {
      throw new DialerError('NOT_CHANGEABLE', `invitation ${invitationId} is not open any more`);
    }
    person.tell({ type, invitationId });
  }

  #require(representativeId: string): RepresentativeRuntime {
    const person = this.#people.get(representativeId);
    if (person !== undefined) return person;
    throw new DialerError('NOT_FOUND', `there is no representative ${representativeId}`);
  }
}
