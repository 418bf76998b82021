/**
 * Shares out the representatives of each queue and skill set among the engagements that compete for
 * them, whenever somebody becomes free, is wanted, or is wanted more by another.
 */
import type { DialerClock } from '../clock.ts';
import {
  allotRepresentatives,
  competitionKey,
  heldMaxOf,
  type Allotment,
  type Competitor,
} from '../competition/allot-representatives.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import type { RepresentativeDemand } from './match-representatives.ts';
import type { Offer } from './offer.ts';
import type { Held, RepresentativeDesk } from './representative-desk.ts';

/** An engagement for which representatives are reserved before, or while, it dials. */
export interface Sharer {
  readonly engagementId: string;
  readonly priority: number;
  readonly demand: RepresentativeDemand;
  readonly offer: Offer;
  /** Of the queue’s representatives, so many percent at a time. */
  readonly allotmentPercent: number;
  /** Its calls are not each dialled for one representative. */
  readonly sharesIdle: boolean;
  /** Running, and its queue is open. */
  readonly isDialing: boolean;
  readonly ringing: number;
  /** It may dial for those whom it was left. */
  readonly onDealt: () => void;
  /** Preview: contacts that are held, and in search of somebody. */
  readonly seeking?: number;
  /** Preview: each is shown a contact of their own, so it reserves them itself. */
  readonly onAllotted?: (representatives: number) => void;
}

export interface SharesParts {
  readonly desk: RepresentativeDesk;
  readonly database: OpenDatabase;
  readonly clock: DialerClock;
  readonly work: WorkInHand;
  readonly log: DialerLog;
  /** What nobody told of is seen after this, ms. */
  readonly recheckMs: number;
}

/** One engagement at the last deal: what it could use, and what it has. */
export type CompetitorStanding = Pick<
  Competitor,
  'engagementId' | 'priority' | 'pending' | 'idle' | 'busy' | 'heldMax'
>;

export class RepresentativeShares {
  readonly #parts: SharesParts;
  readonly #sharers = new Map<string, () => Sharer>();
  readonly #lastDealt = new Map<string, CompetitorStanding>();
  /** Whose turn was last: by competition, and in it by class. */
  readonly #turns = new Map<string, Map<number, string>>();
  readonly #unsubscribe: () => void;
  #isDealing = false;
  #isWanted = false;
  #isStopped = false;
  #timer: unknown;

  constructor(parts: SharesParts) {
    this.#parts = parts;
    const ends = [
      parts.desk.whenPeopleChange(() => this.wake()),
      parts.desk.subscribe(({ work }) => {
        if (work === 'free' || work === 'reserved') this.wake();
      }),
    ];
    this.#unsubscribe = () => {
      for (const end of ends) end();
    };
  }

  /** Asked anew at every deal. */
  join(engagementId: string, sharer: () => Sharer): void {
    this.#sharers.set(engagementId, sharer);
    this.wake();
  }

  leave(engagementId: string): void {
    this.#sharers.delete(engagementId);
    this.#lastDealt.delete(engagementId);
  }

  /** Everybody who competes, as they stood when representatives were shared out last. */
  get standings(): readonly CompetitorStanding[] {
    return [...this.#lastDealt.values()];
  }

  /** It has had its turn: an equal goes first now. */
  served(engagementId: string): void {
    const sharer = this.#sharers.get(engagementId)?.();
    if (sharer !== undefined) this.#turnsOf(sharer).set(sharer.priority, engagementId);
  }

  /** Somebody is free, or wanted. Many calls in one turn are one deal. */
  wake(): void {
    if (this.#isStopped || this.#sharers.size === 0) return;
    this.#isWanted = true;
    if (this.#isDealing) return;
    this.#isDealing = true;
    this.#parts.work.run(() => this.#dealUntilQuiet());
  }

  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#parts.clock.clearTimeout(this.#timer);
  }

  async #dealUntilQuiet(): Promise<void> {
    const { clock, log, recheckMs } = this.#parts;
    clock.clearTimeout(this.#timer);
    try {
      while (this.#isWanted && !this.#isStopped) {
        this.#isWanted = false;
        await this.#deal();
      }
    } catch (error) {
      log.warn({ error }, 'representatives could not be shared out, and are again soon');
    } finally {
      this.#isDealing = false;
      if (!this.#isStopped) this.#timer = clock.setTimeout(() => this.wake(), recheckMs);
    }
  }

  async #deal(): Promise<void> {
    const groups = new Map<string, Sharer[]>();
    const pending = await this.#pending();
    for (const sharerOf of this.#sharers.values()) {
      const sharer = sharerOf();
      const key = keyOf(sharer);
      groups.set(key, [...(groups.get(key) ?? []), sharer]);
    }
    for (const [key, sharers] of groups) {
      const competitors = sharers.map((one) => this.#competitor(one, pending));
      for (const one of competitors) this.#lastDealt.set(one.engagementId, one);
      const free = Math.max(
        ...sharers.map(({ demand }) => this.#parts.desk.headcount(demand).free),
      );
      const allotted = allotRepresentatives(competitors, free, this.#turns.get(key) ?? new Map());
      for (const allotment of allotted) this.#release(allotment);
      for (const { engagementId, onDealt } of sharers) {
        if (this.#parts.desk.deal(engagementId)) onDealt();
      }
      // From the highest class on: when somebody is faster than we are, the lowest has the loss.
      const order = [...sharers].sort((one, other) => one.priority - other.priority);
      for (const sharer of order) await this.#reserve(sharer, allotted);
    }
  }

  /** Deliveries that could start now, by engagement, as the store counts them. */
  async #pending(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#parts.database.db
      .selectFrom('engagements')
      .select(['id', 'tasks_ready'])
      .where('id', 'in', [...this.#sharers.keys()])
      .execute();
    return new Map(rows.map(({ id, tasks_ready: ready }) => [id, ready]));
  }

  #competitor(sharer: Sharer, pending: ReadonlyMap<string, number>): Competitor {
    const { engagementId, priority, demand, allotmentPercent, sharesIdle, ringing } = sharer;
    const { desk } = this.#parts;
    const held = desk.held(engagementId);
    // Whoever has a contact before them is not idle, nor let go for anybody else's turn.
    const isIdle = ({ work, attemptId }: Held): boolean =>
      attemptId === null && work !== 'connected' && work !== 'wrapUp';
    const idle = sharer.onAllotted === undefined ? held.filter(isIdle).length : 0;
    const ready = (pending.get(engagementId) ?? 0) + (sharer.seeking ?? 0);
    return {
      ...{ engagementId, priority, idle, sharesIdle },
      busy: held.length - idle,
      ringing: sharer.isDialing || ringing > 0 ? ringing : 0,
      pending: sharer.isDialing ? ready : 0,
      heldMax: heldMaxOf(desk.headcount(demand).present, allotmentPercent),
    };
  }

  #release({ engagementId, release }: Allotment): void {
    if (release < 1) return;
    const isDialing = this.#sharers.get(engagementId)?.().isDialing === true;
    this.#parts.desk.release(engagementId, isDialing ? 'nothingToDial' : 'suspended', release);
  }

  async #reserve(sharer: Sharer, allotted: readonly Allotment[]): Promise<void> {
    const { engagementId, demand, offer, sharesIdle } = sharer;
    const { reserve = 0 } = allotted.find((one) => one.engagementId === engagementId) ?? {};
    if (reserve < 1) return;
    if (sharer.onAllotted !== undefined) {
      sharer.onAllotted(reserve);
      return;
    }
    const reserved = await this.#parts.desk.reserve(demand, offer, reserve);
    if (sharesIdle && reserved.length > 0) this.served(engagementId);
  }

  #turnsOf(sharer: Sharer): Map<number, string> {
    const key = keyOf(sharer);
    const known = this.#turns.get(key);
    if (known !== undefined) return known;
    const turns = new Map<number, string>();
    this.#turns.set(key, turns);
    return turns;
  }
}

function keyOf({ demand }: Sharer): string {
  return competitionKey(demand.queueId, demand.skillIds);
}
