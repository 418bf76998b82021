/** Several trunks under one name: which of them a call is offered, in which order. */
import type { Trunk } from './trunk.ts';

export interface GroupMember {
  readonly trunk: Trunk;
  /** Lower ones are tried first. */
  readonly priority: number;
  /** Share of the calls among members of one priority; 0 only when no other can take it. */
  readonly weight: number;
}

export class TrunkGroup {
  readonly name: string;
  readonly members: readonly GroupMember[];

  constructor(name: string, members: readonly GroupMember[]) {
    this.name = name;
    this.members = members;
  }

  /** By priority, and within one priority by lot, weighted. `random`: at least 0, below 1. */
  inOrder(random: () => number): Trunk[] {
    // With key = -ln(u) / weight the smallest key is a weighted draw, and so is the next of the rest
    // (Efraimidis and Spirakis, 2006): one sort, and no weight is counted twice.
    const keyed = this.members.map((member) => {
      const lot = -Math.log(1 - random());
      return { member, key: member.weight > 0 ? lot / member.weight : Number.POSITIVE_INFINITY };
    });
    keyed.sort((one, other) => {
      const byPriority = one.member.priority - other.member.priority;
      if (byPriority !== 0 || one.key === other.key) return byPriority;
      return one.key < other.key ? -1 : 1;
    });
    return keyed.map(({ member }) => member.trunk);
  }
}
