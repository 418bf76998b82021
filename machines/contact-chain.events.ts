/** What the contact chain machine is told, asks of its store, knows and answers. */
import type {
  CallAttemptInput,
  CallAttemptOutput,
  DialerAgentVerdict,
  DialerCancel,
  DialerConnectLobby,
  DialerRecall,
  DialerTransfer,
} from './call-attempt.events.ts';

/** One start that the store has claimed: on disk, and so allowed to be dialled. */
export interface ChainStart {
  readonly deliveryId: string;
  readonly attempt: CallAttemptInput;
}

/** What the store says of the task once an attempt's end is written. */
export type ChainNext =
  | { readonly kind: 'goOn' }
  | { readonly kind: 'wait'; readonly dueAtMs: number }
  | { readonly kind: 'finish'; readonly status: string };

/** Asked of the injected `store` actor; every order is answered by one `store.*` event. */
export type ChainOrder =
  | {
      readonly type: 'chain.record';
      readonly deliveryId: string;
      readonly attemptId: string;
      readonly attempt: CallAttemptOutput;
    }
  /** The next number of the same task, with full eligibility. */
  | { readonly type: 'chain.claimNext' }
  /** A claimed start that is not dialled after all: recorded as one of which no INVITE left. */
  | {
      readonly type: 'chain.takeBack';
      readonly deliveryId: string;
      readonly attemptId: string;
      readonly reason: DialerCancel['reason'];
    };

export type ContactChainEvent =
  | { readonly type: 'store.recorded'; readonly next: ChainNext }
  | { readonly type: 'store.claimed'; readonly start: ChainStart }
  /** Nothing to start now: the task was postponed or finished, or is no longer ours. */
  | { readonly type: 'store.notClaimed' }
  /** The store could not do it; nothing was written. */
  | { readonly type: 'store.failed'; readonly detail: string }
  /** Gives up the attempt in flight; whether the task goes on is the store's to say. */
  | { readonly type: 'chain.cancel'; readonly reason: DialerCancel['reason'] }
  /** For the attempt in flight, and for no other: one that has ended needs no representative. */
  | {
      readonly type: 'chain.tell';
      readonly attemptId: string;
      readonly order: DialerAgentVerdict | DialerConnectLobby | DialerRecall | DialerTransfer;
    };

export interface ContactChainInput {
  readonly taskId: string;
  readonly start: ChainStart;
  /** Pause before a store that failed is asked again, ms. */
  readonly storeRetryMs: number;
}

export interface ContactChainContext extends ContactChainInput {
  /** Attempts made while this actor lived. */
  readonly attempts: number;
  readonly ended: CallAttemptOutput | null;
  readonly storeFailures: number;
  readonly givenUp: DialerCancel['reason'] | null;
}

export interface ContactChainOutput {
  readonly taskId: string;
  readonly attempts: number;
  /** How it left this actor's hands. */
  readonly left: 'waiting' | 'final' | 'notClaimed';
}
