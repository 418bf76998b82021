/** What happens in a running dialer, for those beside it: progress lines, live views, metrics. */
import type { Result, SubReason } from '../machines/result.ts';
import type { FinishReason, PostponeReason } from './eligibility/eligibility.ts';
import type { PacerDecision } from './pacing/pacer-events.ts';
import type { PreviewEnd } from './preview/preview-offer.ts';
import type { ThrottleStep } from './throttle/throttle-step.ts';
import type { Suspension } from './engagements/suspend-engagement.ts';

interface OfTask {
  readonly businessUnitId: string;
  readonly engagementId: string;
  readonly taskId: string;
}

export type DialerNews =
  | (OfTask & {
      readonly type: 'attempt.started';
      readonly attemptId: string;
      readonly deliveryId: string;
    })
  | (OfTask & {
      readonly type: 'attempt.recorded';
      readonly attemptId: string;
      readonly deliveryId: string;
      readonly result: Result;
      readonly subReason: SubReason | null;
      /** A person was with nobody within the wait of the engagement. */
      readonly waitExceeded: boolean;
    })
  /** Ready tasks were looked at, and those to be dialled now are on disk. */
  | {
      readonly type: 'claim.made';
      readonly engagementId: string;
      readonly limiter: ClaimLimiter;
      readonly started: number;
      readonly tookMs: number;
      /** Tasks that were not started although it was their turn, by why. */
      readonly passedOver: readonly PassedOver[];
    }
  /** A pacer was asked how many calls to start: what it said, and why not more. */
  | {
      readonly type: 'pacing.decided';
      readonly engagementId: string;
      readonly decision: PacerDecision;
    }
  /** A contact is shown to nobody any more: a call came of it, or why none did. */
  | {
      readonly type: 'preview.ended';
      readonly engagementId: string;
      readonly as: PreviewEnd;
    }
  | {
      readonly type: 'engagement.throttled';
      readonly engagementId: string;
      readonly step: ThrottleStep;
    }
  /** Out of the actors' hands. `broken`: quarantined after a defect. */
  | (OfTask & {
      readonly type: 'task.left';
      readonly left: 'waiting' | 'final' | 'notClaimed' | 'broken';
    })
  | {
      readonly type: 'engagement.suspended';
      readonly engagementId: string;
      readonly suspension: Suspension;
    }
  | { readonly type: 'engagement.resumed'; readonly engagementId: string };

export type NewsOf<T extends DialerNews['type']> = Extract<DialerNews, { type: T }>;

/** What kept more from being started: the engagement's cap, the trunk, the list, the queue's hours. */
export type ClaimLimiter = 'cap' | 'trunk' | 'list' | 'queue';

export interface PassedOver {
  readonly outcome: 'postponed' | 'finished';
  readonly reason: PostponeReason | FinishReason;
}

export type NewsListener = (news: DialerNews) => void;

/** Listeners are called in the order of subscription, and must not throw. */
export class NewsFeed {
  readonly #listeners = new Set<NewsListener>();

  subscribe(listener: NewsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(news: DialerNews): void {
    for (const listener of this.#listeners) listener(news);
  }
}
