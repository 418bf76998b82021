/**
 * The pacer of a preview engagement (spec B.2): one contact for each representative whom its share of
 * the queue gives it, and none while it is suspended or the queue is closed. It never counts calls:
 * each is an offer that somebody has accepted.
 */
import { assign, sendTo, setup } from 'xstate';
import type {
  PreviewOrder,
  PreviewPacerContext,
  PreviewPacerEvent,
  PreviewPacerInput,
} from './preview-pacer.events.ts';
import { unprovided } from './unprovided.ts';

/** Names the behaviour that its golden logs hold; see docs/architecture.md. */
export const PREVIEW_PACER_VERSION = 1;

const previewPacerSetup = setup({
  types: {} as {
    context: PreviewPacerContext;
    events: PreviewPacerEvent;
    input: PreviewPacerInput;
  },
  actors: { starter: unprovided<PreviewOrder, { engagementId: string }>('previewPacer.starter') },
  actions: {
    noteAllotment: assign(({ context }, { representatives }: { representatives: number }) => ({
      allotted: Math.min(representatives, context.claimSizeMax),
      hasNews: false,
    })),
    noteNews: assign({ hasNews: true }),
    askForOffers: sendTo('starter', ({ context }): PreviewOrder => ({
      type: 'pacer.offer',
      representatives: context.allotted,
    })),
    askForShare: sendTo('starter', { type: 'pacer.askForShare' } satisfies PreviewOrder),
    noteOpen: assign({ isOpen: true }),
    noteClosed: assign({ isOpen: false }),
    noteSuspension: assign(({ event }) =>
      event.type === 'engagement.suspended' ? { suspension: event.suspension } : {},
    ),
    noteResumption: assign({ suspension: null }),
  },
  guards: {
    mayOffer: ({ context }, { representatives }: { representatives: number }) =>
      context.suspension === null && context.isOpen && representatives > 0,
    hasMore: ({ context }, { made }: { made: number }) => made > 0 || context.hasNews,
  },
  delays: { storeRetry: ({ context }) => context.storeRetryMs },
});

const allotted = ({ event }: { event: { representatives: number } }) => ({
  representatives: event.representatives,
});

export const previewPacerMachine = previewPacerSetup.createMachine({
  id: 'previewPacer',
  context: ({ input: { suspended, ...input } }) => ({
    ...input,
    suspension: suspended,
    allotted: 0,
    hasNews: false,
  }),
  invoke: {
    id: 'starter',
    src: 'starter',
    input: ({ context }) => ({ engagementId: context.engagementId }),
  },
  initial: 'waiting',
  on: {
    'queue.opened': { actions: ['noteOpen', 'askForShare'] },
    'queue.closed': { actions: 'noteClosed' },
    'engagement.suspended': { actions: 'noteSuspension' },
    'engagement.resumed': { actions: ['noteResumption', 'askForShare'] },
    'pacer.stop': '.stopped',
  },
  states: {
    waiting: {
      on: {
        'pacer.allotted': {
          guard: { type: 'mayOffer', params: allotted },
          actions: { type: 'noteAllotment', params: allotted },
          target: 'offering',
        },
      },
    },
    // One at a time: what is offered is on disk before more is. A share told meanwhile counts those
    // who are being invited now, so it is asked for anew.
    offering: {
      entry: 'askForOffers',
      on: {
        'pacer.allotted': { actions: 'noteNews' },
        'starter.offered': [
          {
            guard: { type: 'hasMore', params: ({ event }) => ({ made: event.made }) },
            actions: 'askForShare',
            target: 'waiting',
          },
          { target: 'waiting' },
        ],
        'starter.failed': 'backingOff',
      },
    },
    backingOff: { after: { storeRetry: { actions: 'askForShare', target: 'waiting' } } },
    stopped: { type: 'final' },
  },
});
