/** How the pacing of one engagement stands at a moment, for those who watch it. */
import type { StopRule } from '../engagements/answering.schema.ts';
import type { WindowStanding } from './abandonment-budget.ts';
import type { PacerDecision } from './pacer-events.ts';

/** Those who qualify for an engagement, counted once each. */
export interface QualifiedRepresentatives {
  /** Nobody's. */
  readonly free: number;
  /** Reserved for this engagement, from the invitation to the end of the wrap-up. */
  readonly held: number;
  /** At work for another engagement. */
  readonly elsewhere: number;
}

export interface PacingStanding {
  readonly engagementId: string;
  /** Running, and its queue is open. */
  readonly isDialing: boolean;
  /** Calls that it wanted in flight when it last weighed; null: preview counts offers. */
  readonly callsTarget: number | null;
  /** The last decision; null: its mode makes none, or it may not dial. */
  readonly decision: PacerDecision | null;
  /** Legal windows of abandonment; none where nobody can be abandoned by pacing. */
  readonly windows: readonly WindowStanding[];
  /** Share of what it might dial that its throttle leaves, above 0 and at most 1. */
  readonly throttleFactor: number;
  /** Null: it has none. */
  readonly stopRule: StopRule | null;
  readonly representatives: QualifiedRepresentatives;
  /** With which its workstream takes them. */
  readonly presences: readonly string[];
  /** Contacts that are shown to representatives, by state; undefined: not preview. */
  readonly offers: Readonly<Record<string, number>> | undefined;
}
