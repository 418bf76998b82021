/**
 * Who gets the representatives of one queue and skill set (spec C.1): strict priority between classes,
 * turns within a class. Pure: the same facts give the same answer.
 */

export interface Competitor {
  readonly engagementId: string;
  /** 1 critical, 2 high, 3 normal. */
  readonly priority: number;
  /** Deliveries that could start now: inside their window, not quiet, under their limits. */
  readonly pending: number;
  /** Reserved for it, and without a call. */
  readonly idle: number;
  /** Reserved for it and on a call, being dialled for, or wrapping up. */
  readonly busy: number;
  /** Its share of the queue: so many it may hold at a time. */
  readonly heldMax: number;
  /**
   * Its calls are not each dialled for one representative (predictive): those who wait may be needed by
   * what rings, and are not taken away for somebody else's turn.
   */
  readonly sharesIdle: boolean;
  /** Calls in flight that a person may still answer. */
  readonly ringing: number;
}

export interface Allotment {
  readonly engagementId: string;
  /** How many more to reserve. */
  readonly reserve: number;
  /** How many of its idle ones to let go. */
  readonly release: number;
}

/** Whose turn was last, by class; another engagement goes first next time. */
export type Turns = ReadonlyMap<number, string>;

/** `free`: nobody's, and right for this queue and these skills. */
export function allotRepresentatives(
  competitors: readonly Competitor[],
  free: number,
  turns: Turns,
): readonly Allotment[] {
  const targets = new Map(competitors.map((one) => [one.engagementId, kept(one)]));
  let pool = free + competitors.reduce((sum, one) => sum + Math.max(0, one.idle - kept(one)), 0);
  for (const ring of classesOf(competitors, turns)) {
    let served = true;
    while (pool > 0 && served) {
      served = false;
      for (const one of ring) {
        const target = targets.get(one.engagementId) ?? 0;
        if (pool < 1 || target >= wanted(one)) continue;
        targets.set(one.engagementId, target + 1);
        pool -= 1;
        served = true;
      }
    }
  }
  return competitors.map((one) => {
    const target = targets.get(one.engagementId) ?? 0;
    return {
      engagementId: one.engagementId,
      reserve: Math.max(0, target - one.idle),
      release: Math.max(0, one.idle - target),
    };
  });
}

/** Not to be taken away, whoever wants them: a person may answer at any moment. */
function kept({ sharesIdle, idle, ringing }: Competitor): number {
  return sharesIdle ? Math.min(idle, ringing) : 0;
}

function wanted(one: Competitor): number {
  return Math.max(kept(one), Math.min(one.pending, one.heldMax - one.busy));
}

/** Classes from the highest; in each, whoever comes after the last turn goes first. */
function classesOf(
  competitors: readonly Competitor[],
  turns: Turns,
): readonly (readonly Competitor[])[] {
  const priorities = [...new Set(competitors.map(({ priority }) => priority))].sort();
  return priorities.map((priority) => {
    const ring = competitors
      .filter((one) => one.priority === priority)
      .sort((one, other) => (one.engagementId < other.engagementId ? -1 : 1));
    const last = turns.get(priority);
    const first = ring.findIndex(({ engagementId }) => last !== undefined && engagementId > last);
    return first < 1 ? ring : [...ring.slice(first), ...ring.slice(0, first)];
  });
}

/** Engagements compete where queue and skill set are the same, and nowhere else (ORD-11). */
export function competitionKey(queueId: string, skillIds: readonly string[]): string {
  return [queueId, ...[...skillIds].sort()].join(' ');
}

/** Of so many of the queue, how many an engagement may hold at a time: at least one. */
export function heldMaxOf(queueSize: number, allotmentPercent: number): number {
  if (queueSize < 1) return 0;
  return Math.max(1, Math.floor((queueSize * allotmentPercent) / 100));
}
