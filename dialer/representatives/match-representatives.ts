/** Who may take a call of an engagement, and in which order they are asked. Pure. */
import type { RepresentativeRules } from './representative-rules.schema.ts';
import { OFFLINE } from './representative-rules.schema.ts';

export interface RepresentativeProfile {
  readonly id: string;
  readonly businessUnitId: string;
  readonly name: string;
  readonly sipUri: string | null;
  readonly sipUser: string | null;
  /** They have a number and a PIN for the dial-in lobby. */
  readonly canDialIn: boolean;
  readonly queueIds: ReadonlySet<string>;
  /** Proficiency by skill. */
  readonly skills: ReadonlyMap<string, number>;
  readonly capacityUnits: number;
  readonly presence: string;
}

/** What an engagement wants of a representative. */
export interface RepresentativeDemand {
  readonly businessUnitId: string;
  readonly queueId: string;
  readonly skillIds: readonly string[];
  readonly rules: Pick<RepresentativeRules, 'skillMatching' | 'allowedPresences' | 'capacityUnits'>;
}

export interface Candidate {
  readonly profile: RepresentativeProfile;
  /** Since when they have had nothing to do; epoch ms. */
  readonly freeSinceMs: number;
}

/** Whether they count for this engagement at all, busy or not. */
export function qualifies(
  { businessUnitId, queueIds, skills, capacityUnits, presence }: RepresentativeProfile,
  { rules, ...demand }: RepresentativeDemand,
): boolean {
  return (
    businessUnitId === demand.businessUnitId &&
    queueIds.has(demand.queueId) &&
    presence !== OFFLINE &&
    rules.allowedPresences.includes(presence) &&
    capacityUnits >= rules.capacityUnits &&
    (rules.skillMatching !== 'exact' || demand.skillIds.every((id) => skills.has(id)))
  );
}

/** Those who qualify, best first: with `closest` by skills, then whoever has waited longest. */
export function inOrder(
  candidates: readonly Candidate[],
  demand: RepresentativeDemand,
): readonly Candidate[] {
  const qualified = candidates.filter(({ profile }) => qualifies(profile, demand));
  const isClosest = demand.rules.skillMatching === 'closest';
  return qualified.sort((one, other) => {
    const bySkill = isClosest ? closeness(other, demand) - closeness(one, demand) : 0;
    return (
      bySkill || one.freeSinceMs - other.freeSinceMs || (one.profile.id < other.profile.id ? -1 : 1)
    );
  });
}

/** Skills they have count first, how good they are at them second. */
function closeness({ profile }: Candidate, { skillIds }: RepresentativeDemand): number {
  const levels = skillIds.map((id) => profile.skills.get(id) ?? 0);
  const known = levels.filter((level) => level > 0).length;
  return known * 1_000 + levels.reduce((sum, level) => sum + level, 0);
}
