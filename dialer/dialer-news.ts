/** What happens in a running dialer, for those beside it: progress lines, live views, metrics. */
import type { Result, SubReason } from '../machines/result.ts';
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
    })
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
