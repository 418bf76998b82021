/**
 * The gateways that a dialer knows, by what they announce. Pure: time is handed in, monotonic ms.
 */
import type { GatewayCapacity, TrunkState } from '../machines/gateway-events.ts';
import type { Announcement } from './bus-messages.ts';

export interface KnownGateway {
  readonly announcement: Announcement;
  readonly heardAtMs: number;
}

export type RosterChange =
  | { readonly change: 'present'; readonly gateway: Announcement }
  /** Whoever waits for it waits in vain. `epoch` is the life that is over. */
  | { readonly change: 'lost'; readonly gateway: Announcement; readonly why: string }
  | { readonly change: 'trunk'; readonly state: TrunkState }
  | { readonly change: 'capacity'; readonly capacity: GatewayCapacity };

export class GatewayRoster {
  readonly #known = new Map<string, KnownGateway>();
  /** Of lives that are over: a late announcement does not bring them back. */
  readonly #over = new Set<string>();

  get present(): readonly Announcement[] {
    return [...this.#known.values()].map(({ announcement }) => announcement);
  }

  get(gatewayId: string): Announcement | undefined {
    return this.#known.get(gatewayId)?.announcement;
  }

  hear(announcement: Announcement, nowMs: number): readonly RosterChange[] {
    const { gatewayId, epoch, state } = announcement;
    const life = `${gatewayId} ${epoch}`;
    if (this.#over.has(life)) return [];
    const before = this.#known.get(gatewayId)?.announcement;
    const changes: RosterChange[] = [];
    if (before !== undefined && before.epoch !== epoch) {
      changes.push(...this.#lose(before, 'it was started again'));
    }
    if (state === 'gone') {
      if (before?.epoch === epoch) changes.push(...this.#lose(before, 'it has stopped'));
      else this.#end(life);
      return changes;
    }
    const isNew = before?.epoch !== epoch;
    this.#known.set(gatewayId, { announcement, heardAtMs: nowMs });
    if (isNew) changes.push({ change: 'present', gateway: announcement });
    changes.push(...this.#news(isNew ? undefined : before, announcement));
    return changes;
  }

  /**
   * Loses those that were silent since `limitMs` before now. `listeningSinceMs`: nothing could be
   * heard before, so no silence counts from earlier.
   */
  expire(nowMs: number, limitMs: number, listeningSinceMs: number): readonly RosterChange[] {
    return [...this.#known.values()].flatMap(({ announcement, heardAtMs }) => {
      const silentMs = nowMs - Math.max(heardAtMs, listeningSinceMs);
      if (silentMs < limitMs) return [];
      return this.#lose(announcement, `it was silent for ${Math.round(silentMs)} ms`);
    });
  }

  /** Of those that take dials for the trunk: the preferred one, else that with most room. */
  choose(
    trunk: string,
    openAt: (gatewayId: string) => number,
    preferred?: string,
  ): string | undefined {
    let best: { readonly gatewayId: string; readonly free: number } | undefined;
    for (const { gatewayId, state, trunks, trunkStates, capacity } of this.present) {
      if (state !== 'present' || !trunks.includes(trunk)) continue;
      if (trunkStates.some((known) => known.trunk === trunk && isUnusable(known))) continue;
      if (gatewayId === preferred) return gatewayId;
      const inFlight = Math.max(openAt(gatewayId), capacity?.attemptsInFlight ?? 0);
      const free = (capacity?.attemptsMax ?? 1) - inFlight;
      if (best === undefined || free > best.free) best = { gatewayId, free };
    }
    return best?.gatewayId;
  }

  /** A gateway on the same switch as one that is gone can end its calls, and knows nothing of them. */
  onSameSwitch(switchAddress: string): Announcement | undefined {
    return this.present.find((gateway) => gateway.switchAddress === switchAddress);
  }

  #lose(gateway: Announcement, why: string): readonly RosterChange[] {
    this.#known.delete(gateway.gatewayId);
    this.#end(`${gateway.gatewayId} ${gateway.epoch}`, why);
    return [{ change: 'lost', gateway, why }];
  }

  /** One that was only silent may come back; one that ended does not. */
  #end(life: string, why = ''): void {
    if (why.startsWith('it was silent')) return;
    this.#over.add(life);
    if (this.#over.size <= LIVES_KEPT) return;
    const [oldest] = this.#over;
    if (oldest !== undefined) this.#over.delete(oldest);
  }

  /** What it says of itself is the whole of it; told is what is newer than before. */
  #news(before: Announcement | undefined, now: Announcement): readonly RosterChange[] {
    const newest = Math.max(
      before?.capacity?.seq ?? 0,
      ...(before?.trunkStates ?? []).map(({ seq }) => seq),
    );
    const states = now.trunkStates.filter(
      ({ seq, trunk, state }) =>
        seq > newest && (state !== 'down' || !this.#worksElsewhere(now.gatewayId, trunk)),
    );
    const changes = states.map((state): RosterChange => ({ change: 'trunk', state }));
    const { capacity } = now;
    if (capacity !== null && capacity.seq > newest) changes.push({ change: 'capacity', capacity });
    return changes;
  }

  /** A trunk that one gateway finds down, or may not use, is not closed while another one can use it. */
  #worksElsewhere(gatewayId: string, trunk: string): boolean {
    return this.present.some(
      (other) =>
        other.gatewayId !== gatewayId &&
        other.trunks.includes(trunk) &&
        !other.trunkStates.some((known) => known.trunk === trunk && isUnusable(known)),
    );
  }
}

const LIVES_KEPT = 1_000;

function isUnusable({ state }: Pick<TrunkState, 'state'>): boolean {
  return state === 'down' || state === 'suspended';
}
