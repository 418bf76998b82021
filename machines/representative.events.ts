/** What a representative's machine is told, asks of its desk, and knows. */

export const INVITATION_KINDS = [
  'preDial', // a call will be dialled for them: they wait in the lobby
  'agentDial', // preview: one contact, to be taken or declined
  'escalation', // somebody is on the line with an AI agent, and wants a person
] as const;
export type InvitationKind = (typeof INVITATION_KINDS)[number];

export interface Invitation {
  readonly id: string;
  readonly kind: InvitationKind;
  readonly engagementId: string;
  /** Shown with the invitation and during the call (WS-13). */
  readonly engagementName: string;
  readonly engagementDescription: string;
  /** Which template the desktop shows it with (WS-05). */
  readonly template: string;
  /** Taken without being asked. */
  readonly isAutoAccepted: boolean;
  /** Shown to answered, ms: then it is offered to somebody else. */
  readonly timeoutMs: number;
  /** Reserved to released when nothing was bridged, ms. Default: as for everybody. */
  readonly idleMs?: number;
  /** The task or the call it is about, where there is one already. */
  readonly taskId: string | null;
  readonly attemptId: string | null;
}

/** How long a representative stays blocked for wrap-up (spec A.2). */
export type WrapUpBlock =
  | { readonly kind: 'always' } // until they say that they are done
  | { readonly kind: 'never' }
  | { readonly kind: 'minutes'; readonly minutes: number };

/** Why a reservation is over without a call. */
export const RELEASE_REASONS = [
  'rejected',
  'notAnswered', // nobody accepted within the invitation's time
  'withdrawn', // what they were invited for is gone
  'lobbyFailed', // their phone did not answer
  'lobbyLost', // their leg ended: hung up, or fell silent
  'idle', // nothing was bridged for too long
  'nothingToDial',
  'signedOff',
  'suspended',
  'callOver',
  'shutdown',
] as const;
export type ReleaseReason = (typeof RELEASE_REASONS)[number];

export type RepresentativeWork =
  'free' | 'invited' | 'joining' | 'reserved' | 'connected' | 'wrapUp';

/** What another process left them at, read from its row: they go on with it. */
export interface WorkInHand {
  /** `reserved`: in the lobby, with a call that is dialled for them. */
  readonly work: 'reserved' | 'connected' | 'wrapUp';
  readonly invitation: Invitation;
  readonly wrapUp: WrapUpBlock;
  readonly attemptId: string | null;
  /** Their leg is up, as far as is known. */
  readonly hasLobby: boolean;
  /** They have signed off meanwhile. */
  readonly isLeaving: boolean;
  /** Of their wrap-up so much is over, ms. */
  readonly wrappedUpMs: number;
}

export interface RepresentativeInput {
  readonly representativeId: string;
  readonly inHand?: WorkInHand;
  /** From reserved to released when nothing was bridged, ms. */
  readonly lobbyIdleMs: number;
  /** A free representative's leg is kept this long for the next reservation, ms. */
  readonly lobbyKeepMs: number;
  /** Beyond the phone's own ring limit, for the gateway's word on it, ms. */
  readonly lobbyOpenMs: number;
}

export interface RepresentativeContext extends Omit<RepresentativeInput, 'inHand'> {
  /** What they begin at; null: nothing. */
  readonly beginsAt: WorkInHand['work'] | null;
  readonly wrappedUpMs: number;
  readonly invitation: Invitation | null;
  readonly lobby: 'closed' | 'opening' | 'open';
  /** The call that they are bridged to. */
  readonly attemptId: string | null;
  readonly wrapUp: WrapUpBlock;
  /** Their leg is closed, and nothing new is taken, once the work at hand is over. */
  readonly isLeaving: boolean;
  readonly releaseReason: ReleaseReason | null;
}

/** Asked of the injected `desk`, which owns the store and the gateway. */
export type RepresentativeOrder =
  | { readonly type: 'desk.openLobby' }
  | { readonly type: 'desk.closeLobby'; readonly reason: 'released' | 'idle' | 'shutdown' }
  /** They are, from now on, at this work. With `free` comes why. */
  | {
      readonly type: 'desk.entered';
      readonly work: RepresentativeWork;
      readonly reason: ReleaseReason | null;
    };

export type RepresentativeEvent =
  | { readonly type: 'desk.invite'; readonly invitation: Invitation; readonly wrapUp: WrapUpBlock }
  | { readonly type: 'desk.release'; readonly reason: ReleaseReason }
  | { readonly type: 'desk.leave'; readonly reason: 'signedOff' | 'shutdown' }
  | { readonly type: 'desk.return' }
  | { readonly type: 'representative.accept'; readonly invitationId: string }
  | { readonly type: 'representative.reject'; readonly invitationId: string }
  | { readonly type: 'representative.wrapUpDone' }
  | { readonly type: 'lobby.ready' }
  | { readonly type: 'lobby.left' }
  | { readonly type: 'call.connected'; readonly attemptId: string }
  | { readonly type: 'call.ended'; readonly attemptId: string };
