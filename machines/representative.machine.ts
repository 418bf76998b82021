/**
 * One representative: invited, in the lobby, on a call, wrapping up, free again (spec I.1). Their phone
 * leg is held over many calls; who may reserve them, and whether they are reserved already, is decided
 * by the desk's durable row before `desk.invite` comes.
 */
import { assign, sendTo, setup } from 'xstate';
import type {
  Invitation,
  ReleaseReason,
  RepresentativeContext,
  RepresentativeEvent,
  RepresentativeInput,
  RepresentativeOrder,
  RepresentativeWork,
  WrapUpBlock,
} from './representative.events.ts';
import { unprovided } from './unprovided.ts';

/** Names the behaviour that its golden logs hold; see docs/architecture.md. */
export const REPRESENTATIVE_VERSION = 1;

const MINUTE_MS = 60_000;

interface Invited {
  readonly invitation: Invitation;
  readonly wrapUp: WrapUpBlock;
}

const representativeSetup = setup({
  types: {} as {
    context: RepresentativeContext;
    events: RepresentativeEvent;
    input: RepresentativeInput;
  },
  actors: {
    desk: unprovided<RepresentativeOrder, { representativeId: string }>('representative.desk'),
  },
  actions: {
    noteInvitation: assign((_, { invitation, wrapUp }: Invited) => ({
      ...{ invitation, wrapUp, releaseReason: null, wrappedUpMs: 0 },
    })),
    noteCall: assign((_, { attemptId }: { attemptId: string }) => ({ attemptId })),
    noteRelease: assign((_, { reason }: { reason: ReleaseReason }) => ({ releaseReason: reason })),
    noteFree: assign({ invitation: null, attemptId: null }),
    noteLeaving: assign({ isLeaving: true }),
    noteReturn: assign({ isLeaving: false }),
    noteLobbyOpening: assign({ lobby: 'opening' }),
    noteLobbyOpen: assign({ lobby: 'open' }),
    noteLobbyClosed: assign({ lobby: 'closed' }),
    openLobby: sendTo('desk', { type: 'desk.openLobby' } satisfies RepresentativeOrder),
    closeLobby: sendTo(
      'desk',
      (_, { reason }: { reason: 'released' | 'idle' | 'shutdown' }): RepresentativeOrder => ({
        type: 'desk.closeLobby',
        reason,
      }),
    ),
    tell: sendTo(
      'desk',
      ({ context }, { work }: { work: RepresentativeWork }): RepresentativeOrder => ({
        type: 'desk.entered',
        work,
        reason: context.releaseReason,
      }),
    ),
  },
  guards: {
    isOwnInvitation: ({ context }, { invitationId }: { invitationId: string }) =>
      context.invitation?.id === invitationId,
    isAutoAccepted: ({ context }) => context.invitation?.isAutoAccepted === true,
    isLobbyOpen: ({ context }) => context.lobby === 'open',
    isLeaving: ({ context }) => context.isLeaving,
    mustLeaveLobby: ({ context }) => context.isLeaving && context.lobby !== 'closed',
    isOwnCall: ({ context }, { attemptId }: { attemptId: string }) =>
      context.attemptId === attemptId,
    beginsAt: ({ context }, { work }: { work: RepresentativeWork }) => context.beginsAt === work,
    isNeverBlocked: ({ context }) => context.wrapUp.kind === 'never',
    isBlockedForATime: ({ context }) => context.wrapUp.kind === 'minutes',
  },
  delays: {
    invitationTime: ({ context }) => context.invitation?.timeoutMs ?? 0,
    lobbyOpenWait: ({ context }) => context.lobbyOpenMs,
    lobbyIdle: ({ context }) => context.invitation?.idleMs ?? context.lobbyIdleMs,
    lobbyKeep: ({ context }) => context.lobbyKeepMs,
    wrapUpTime: ({ context: { wrapUp, wrappedUpMs } }) =>
      wrapUp.kind === 'minutes' ? Math.max(0, wrapUp.minutes * MINUTE_MS - wrappedUpMs) : 0,
  },
});

const ofInvitation = ({ event }: { event: { invitationId: string } }) => ({
  invitationId: event.invitationId,
});
const ofCall = ({ event }: { event: { attemptId: string } }) => ({ attemptId: event.attemptId });

const release = (reason: ReleaseReason) =>
  ({
    actions: { type: 'noteRelease', params: { reason } },
    target: '#representative.free',
  }) as const;
const releaseAsked = {
  actions: {
    type: 'noteRelease',
    params: ({ event }: { event: { reason: ReleaseReason } }) => ({ reason: event.reason }),
  },
  target: '#representative.free',
} as const;
const tell = (work: RepresentativeWork) => ({ type: 'tell', params: { work } }) as const;

const beginningAt = (work: RepresentativeWork) => ({ type: 'beginsAt', params: { work } }) as const;

export const representativeMachine = representativeSetup.createMachine({
  id: 'representative',
  context: ({ input: { inHand, ...input } }) => ({
    ...input,
    beginsAt: inHand?.work ?? null,
    invitation: inHand?.invitation ?? null,
    lobby: inHand?.hasLobby === true ? 'open' : 'closed',
    attemptId: inHand?.attemptId ?? null,
    wrapUp: inHand?.wrapUp ?? { kind: 'always' },
    wrappedUpMs: inHand?.wrappedUpMs ?? 0,
    isLeaving: inHand?.isLeaving ?? false,
    releaseReason: null,
  }),
  invoke: {
    id: 'desk',
    src: 'desk',
    input: ({ context }) => ({ representativeId: context.representativeId }),
  },
  initial: 'beginning',
  on: {
    'lobby.ready': { actions: 'noteLobbyOpen' },
    'lobby.left': { actions: 'noteLobbyClosed' },
    'desk.leave': { actions: 'noteLeaving' },
    'desk.return': { actions: 'noteReturn' },
  },
  states: {
    // Free, or at what another process left them at.
    beginning: {
      always: [
        { guard: beginningAt('reserved'), target: 'reserved' },
        { guard: beginningAt('connected'), target: 'connected' },
        { guard: beginningAt('wrapUp'), target: 'wrapUp' },
        { target: 'free' },
      ],
    },

    free: {
      entry: ['noteFree', tell('free')],
      initial: 'deciding',
      on: {
        'desk.invite': {
          actions: {
            type: 'noteInvitation',
            params: ({ event }) => ({ invitation: event.invitation, wrapUp: event.wrapUp }),
          },
          target: 'invited',
        },
        // A phone that answers when nobody waits for it any more.
        'lobby.ready': { actions: 'noteLobbyOpen', target: '.deciding' },
        'desk.leave': { actions: 'noteLeaving', target: '.deciding' },
      },
      states: {
        deciding: {
          always: [
            { guard: 'mustLeaveLobby', target: 'closing' },
            { guard: 'isLobbyOpen', target: 'keeping' },
            { target: 'alone' },
          ],
        },
        // Their next call may be a moment away: the phone is not rung for each.
        keeping: { after: { lobbyKeep: 'closing' } },
        closing: {
          // Closed from here on: whoever reserves them now has their phone rung again.
          entry: ['noteLobbyClosed', { type: 'closeLobby', params: { reason: 'released' } }],
          always: 'alone',
        },
        alone: {},
      },
    },

    invited: {
      entry: tell('invited'),
      always: { guard: 'isAutoAccepted', target: 'joining' },
      on: {
        'representative.accept': {
          guard: { type: 'isOwnInvitation', params: ofInvitation },
          target: 'joining',
        },
        'representative.reject': {
          guard: { type: 'isOwnInvitation', params: ofInvitation },
          ...release('rejected'),
        },
        'desk.release': releaseAsked,
        'desk.leave': {
          actions: ['noteLeaving', { type: 'noteRelease', params: { reason: 'signedOff' } }],
          target: 'free',
        },
      },
      after: { invitationTime: release('notAnswered') },
    },

    joining: {
      entry: [tell('joining')],
      initial: 'deciding',
      states: {
        deciding: {
          always: [
            { guard: 'isLobbyOpen', target: '#representative.reserved' },
            { target: 'calling' },
          ],
        },
        calling: { entry: ['noteLobbyOpening', 'openLobby'] },
      },
      on: {
        'lobby.ready': { actions: 'noteLobbyOpen', target: 'reserved' },
        'lobby.left': {
          actions: ['noteLobbyClosed', { type: 'noteRelease', params: { reason: 'lobbyFailed' } }],
          target: 'free',
        },
        'desk.release': {
          actions: [releaseAsked.actions, { type: 'closeLobby', params: { reason: 'released' } }],
          target: 'free',
        },
      },
      after: {
        lobbyOpenWait: {
          actions: [
            { type: 'noteRelease', params: { reason: 'lobbyFailed' } },
            { type: 'closeLobby', params: { reason: 'released' } },
            'noteLobbyClosed',
          ],
          target: 'free',
        },
      },
    },

    reserved: {
      entry: tell('reserved'),
      always: {
        guard: 'isLeaving',
        actions: { type: 'noteRelease', params: { reason: 'signedOff' } },
        target: 'free',
      },
      on: {
        'call.connected': { actions: { type: 'noteCall', params: ofCall }, target: 'connected' },
        'lobby.left': {
          actions: ['noteLobbyClosed', { type: 'noteRelease', params: { reason: 'lobbyLost' } }],
          target: 'free',
        },
        'desk.release': releaseAsked,
      },
      after: { lobbyIdle: release('idle') },
    },

    // Their leg may be lost while they talk; the end of the call comes by itself then.
    connected: {
      entry: tell('connected'),
      on: {
        'call.ended': {
          guard: { type: 'isOwnCall', params: ofCall },
          actions: { type: 'noteRelease', params: { reason: 'callOver' } },
          target: 'wrapUp',
        },
      },
    },

    wrapUp: {
      entry: tell('wrapUp'),
      on: { 'representative.wrapUpDone': 'free' },
      initial: 'deciding',
      states: {
        deciding: {
          always: [
            { guard: 'isNeverBlocked', target: '#representative.free' },
            { guard: 'isBlockedForATime', target: 'timed' },
            { target: 'untilDone' },
          ],
        },
        timed: { after: { wrapUpTime: '#representative.free' } },
        untilDone: {},
      },
    },
  },
});
