/** What one offer of a contact to representatives is told, asks for, and knows (spec B.2). */

/** What happens between the acceptance and the INVITE. */
export type OfferDelay =
  /** The representative starts the call. */
  | { readonly kind: 'manual' }
  /** It starts by itself, unless it is started sooner, ms. */
  | { readonly kind: 'timer'; readonly ms: number }
  /** The telephony cannot hold a start back: accepting dials (DM-14). */
  | { readonly kind: 'direct' };

/** Why an offer is over without a call. */
export type OfferEnd =
  | 'cancelled' // by the representative: the task ends with it
  | 'kept' // by the representative, who wants it offered again
  | 'nobody' // there is nobody who has not declined it
  | 'windowOver' // the window ended before a call was started
  | 'withdrawn'; // suspended, closed, cancelled by others, or shut down

export interface PreviewOfferInput {
  readonly taskId: string;
  readonly delay: OfferDelay;
  /** To the end of the window in which the call may start, ms. */
  readonly windowMs: number;
  /** Pause before what could not be done now is tried again, ms. */
  readonly retryMs: number;
}

export interface PreviewOfferContext extends PreviewOfferInput {
  /** Who is shown it, or has accepted it. */
  readonly representativeId: string | null;
  /** Their phone leg is up: there is somebody to hear the call. */
  readonly isSeated: boolean;
  /** Somebody has accepted it at some time: its end is no `Terminated` (DM-16). */
  readonly wasAccepted: boolean;
  /** Of the number that the representative chose; null: the first in order. */
  readonly phoneType: string | null;
  /** The representative called it off while the start was being written. */
  readonly givenUp: { readonly keepTask: boolean } | null;
  readonly end: OfferEnd | null;
}

/** Asked of the injected `desk`, which owns the store, the representatives and the calls. */
export type PreviewOfferOrder =
  /** Accepted; with a timer it starts after so long, ms. */
  | { readonly type: 'offer.accepted'; readonly startsInMs: number | null }
  /** Answered by `dial.begun`, `dial.later` or `dial.refused`. */
  | { readonly type: 'offer.dial'; readonly phoneType: string | null }
  | { readonly type: 'offer.hangUp'; readonly keepTask: boolean }
  /** The representative is lost while it rings: nobody would be there for whoever answers. */
  | { readonly type: 'offer.recall' }
  /** Answered by `offer.closed` or `store.failed`. */
  | { readonly type: 'offer.close'; readonly end: OfferEnd; readonly wasAccepted: boolean };

export interface RepresentativeStart {
  readonly type: 'rep.start';
  readonly phoneType: string | null;
}

export type PreviewOfferEvent =
  | { readonly type: 'rep.invited'; readonly representativeId: string }
  | { readonly type: 'rep.accepted' }
  | { readonly type: 'rep.seated' }
  /** Declined, not answered, or lost: they are nobody's, or somebody else's. */
  | { readonly type: 'rep.left' }
  | RepresentativeStart
  | { readonly type: 'rep.cancel'; readonly keepTask: boolean }
  | { readonly type: 'desk.nobody' }
  | { readonly type: 'offer.withdraw' }
  | { readonly type: 'dial.begun' }
  | { readonly type: 'dial.later' }
  /** The store said otherwise; it has settled the task. */
  | { readonly type: 'dial.refused' }
  | { readonly type: 'call.answered' }
  | { readonly type: 'call.ended' }
  | { readonly type: 'offer.closed' }
  | { readonly type: 'store.failed' };
