/** A running dialer as it stands at a moment: read, never counted. */
import type { PacingStanding } from './pacing/pacing-standing.ts';
import type { CompetitorStanding } from './representatives/representative-shares.ts';

export interface DialerStanding {
  /** Of every engagement that is loaded. */
  readonly pacing: readonly PacingStanding[];
  /** Of those for whom representatives are shared out. */
  readonly competition: readonly CompetitorStanding[];
  /** People whom an AI agent has passed on, and who are with nobody yet. */
  readonly escalationsOpen: number;
}
