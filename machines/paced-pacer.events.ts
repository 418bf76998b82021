/**
 * What the pacers of progressive and predictive engagements are told, ask for, and know. How many calls
 * to start is asked of pure functions; the machine decides when they are asked, and asks one thing at a
 * time.
 */
import type { CopilotPacerEvent, SuspensionType } from './copilot-pacer.events.ts';

export interface PacedDemand {
  /** Calls to start now; 0 or more. */
  readonly starts: number;
  /** Attempts to take back: too many may answer. */
  readonly recall: readonly string[];
}

export interface PacedPacerInput {
  readonly engagementId: string;
  /** Starts asked for in one go, so that one engagement never fills a transaction. */
  readonly claimSizeMax: number;
  readonly suspended: { readonly type: SuspensionType; readonly reason: string } | null;
  /** Whether the queue is open now. */
  readonly isOpen: boolean;
  /** Pause before asking again after the store failed, ms. */
  readonly storeRetryMs: number;
  /** How often it is asked without any news, ms. */
  readonly tickMs: number;
  /** Pause after a claim that found nothing to start, ms: `tasks.ready` ends it early. */
  readonly emptyRestMs: number;
  /** How many now, given what has been asked for and not been answered yet. */
  readonly demand: () => PacedDemand;
}

export interface PacedPacerContext extends Omit<PacedPacerInput, 'suspended'> {
  readonly suspension: PacedPacerInput['suspended'];
  readonly asked: PacedDemand;
}

/** Asked of the injected `starter`; a claim is answered by `starter.claimed` or `starter.failed`. */
export type PacedOrder =
  | { readonly type: 'pacer.claim'; readonly starts: number }
  | { readonly type: 'pacer.recall'; readonly attempts: readonly string[] };

export type PacedPacerEvent =
  | Exclude<CopilotPacerEvent, { type: 'engagement.capChanged' }>
  /** Representatives or calls are not what they were. */
  | { readonly type: 'pacer.news' };
