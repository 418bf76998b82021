/** What the pacer of a preview engagement is told, asks for, and knows. */
import type { SuspensionType } from './copilot-pacer.events.ts';

export interface PreviewPacerInput {
  readonly engagementId: string;
  /** Contacts offered in one go, so that one engagement never fills a transaction. */
  readonly claimSizeMax: number;
  readonly suspended: { readonly type: SuspensionType; readonly reason: string } | null;
  /** Whether the queue is open now. */
  readonly isOpen: boolean;
  /** Pause before asking again after the store failed, ms. */
  readonly storeRetryMs: number;
}

export interface PreviewPacerContext extends Omit<PreviewPacerInput, 'suspended'> {
  readonly suspension: PreviewPacerInput['suspended'];
  /** Representatives who may be shown a contact each. */
  readonly allotted: number;
  /** Representatives were allotted while others were being offered contacts. */
  readonly hasNews: boolean;
}

/** Asked of the injected `starter`; an offer is answered by `starter.offered` or `starter.failed`. */
export type PreviewOrder =
  | { readonly type: 'pacer.offer'; readonly representatives: number }
  /** Who may be had now is to be looked at again. */
  | { readonly type: 'pacer.askForShare' };

export type PreviewPacerEvent =
  /** The share of those who are free, among all who compete for them. */
  | { readonly type: 'pacer.allotted'; readonly representatives: number }
  /** `made`: contacts that left the list, by an offer or since nobody may be asked for them now. */
  | { readonly type: 'starter.offered'; readonly made: number }
  | { readonly type: 'starter.failed'; readonly detail: string }
  | { readonly type: 'queue.opened' }
  | { readonly type: 'queue.closed' }
  | {
      readonly type: 'engagement.suspended';
      readonly suspension: { readonly type: SuspensionType; readonly reason: string };
    }
  | { readonly type: 'engagement.resumed' }
  | { readonly type: 'pacer.stop' };
