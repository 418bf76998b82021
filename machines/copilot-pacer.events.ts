/** What the Copilot pacer is told, asks of its starter, knows. It holds counts, not references. */

/** Why nothing is started, for people and for the log. */
export type SuspensionType =
  'botFailure' | 'adminAction' | 'apiAction' | 'exceededCustomerWaitThreshold';

export interface CopilotPacerInput {
  readonly engagementId: string;
  /** Calls in flight at one moment, 1 to 500. */
  readonly maxConcurrentCalls: number;
  /** Starts asked for in one go, so that one engagement never fills a transaction. */
  readonly claimSizeMax: number;
  /** Chains in work when this pacer was started. One keeps its place from number to number. */
  readonly inFlight: number;
  readonly suspended: { readonly type: SuspensionType; readonly reason: string } | null;
  /** Whether the queue is open now, or need not be. */
  readonly isOpen: boolean;
  /** Pause before asking again after the store failed, ms. */
  readonly storeRetryMs: number;
  /** Pause before looking again when nothing was ready, ms: a backstop to `tasks.ready`. */
  readonly idleRecheckMs: number;
}

export interface CopilotPacerContext extends Omit<CopilotPacerInput, 'suspended'> {
  readonly suspension: CopilotPacerInput['suspended'];
  /** Starts asked for and not answered yet. */
  readonly claiming: number;
  /** Said so since the last claim: there may be more to find. */
  readonly hasNews: boolean;
}

/** Asked of the injected `starter`; answered by `starter.claimed` or `starter.failed`. */
export interface PacerOrder {
  readonly type: 'pacer.claim';
  readonly starts: number;
}

export type CopilotPacerEvent =
  /** `started` chains are now in flight; `moreReady` says that the head was not the last. */
  | { readonly type: 'starter.claimed'; readonly started: number; readonly moreReady: boolean }
  | { readonly type: 'starter.failed'; readonly detail: string }
  /** A chain has left, or its call was handed over: its place is free. */
  | { readonly type: 'call.ended' }
  /** Something may have become ready. */
  | { readonly type: 'tasks.ready' }
  | { readonly type: 'queue.opened' }
  | { readonly type: 'queue.closed' }
  | {
      readonly type: 'engagement.suspended';
      readonly suspension: { readonly type: SuspensionType; readonly reason: string };
    }
  | { readonly type: 'engagement.resumed' }
  | { readonly type: 'engagement.capChanged'; readonly maxConcurrentCalls: number }
  /** Ends the pacer: nothing more is started; calls in flight end by themselves. */
  | { readonly type: 'pacer.stop' };
