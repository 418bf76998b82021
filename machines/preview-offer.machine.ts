/**
 * One contact that is offered to representatives, one after the other, until one of them dials it or its
 * window ends (spec B.2). No call exists before an acceptance: the only way to `offer.dial` leads
 * through `accepted`. The task is held by whoever runs this, and is given back at the end unless a call
 * was made of it.
 */
import { assign, enqueueActions, sendTo, setup } from 'xstate';
import type {
  OfferEnd,
  PreviewOfferContext,
  PreviewOfferEvent,
  PreviewOfferInput,
  PreviewOfferOrder,
} from './preview-offer.events.ts';
import { unprovided } from './unprovided.ts';

/** Names the behaviour that its golden logs hold; see docs/architecture.md. */
export const PREVIEW_OFFER_VERSION = 1;

/** A longer wait is looked at again before: timers end at 24.8 days. */
const WINDOW_LOOK_MS = 86_400_000;

const previewOfferSetup = setup({
  types: {} as {
    context: PreviewOfferContext;
    events: PreviewOfferEvent;
    input: PreviewOfferInput;
  },
  actors: { desk: unprovided<PreviewOfferOrder, { taskId: string }>('previewOffer.desk') },
  actions: {
    noteInvited: assign((_, { representativeId }: { representativeId: string }) => ({
      representativeId,
      isSeated: false,
    })),
    noteLeft: assign({ representativeId: null, isSeated: false, phoneType: null }),
    noteSeated: assign({ isSeated: true }),
    noteChoice: assign((_, { phoneType }: { phoneType: string | null }) => ({ phoneType })),
    noteGivenUp: assign((_, { keepTask }: { keepTask: boolean }) => ({ givenUp: { keepTask } })),
    endGivenUp: assign(({ context }) => ({
      end: context.givenUp?.keepTask === true ? ('kept' as const) : ('cancelled' as const),
    })),
    noteEnd: assign((_, { end }: { end: OfferEnd }) => ({ end })),
    accept: enqueueActions(({ context: { delay }, enqueue }) => {
      enqueue.assign({ wasAccepted: true });
      const startsInMs = delay.kind === 'timer' ? delay.ms : null;
      enqueue.sendTo('desk', { type: 'offer.accepted', startsInMs });
    }),
    dial: sendTo('desk', ({ context }): PreviewOfferOrder => ({
      type: 'offer.dial',
      phoneType: context.phoneType,
    })),
    hangUp: sendTo('desk', (_, { keepTask }: { keepTask: boolean }): PreviewOfferOrder => ({
      type: 'offer.hangUp',
      keepTask,
    })),
    hangUpGivenUp: enqueueActions(({ context: { givenUp, representativeId }, enqueue }) => {
      if (givenUp !== null) enqueue.sendTo('desk', { type: 'offer.hangUp', ...givenUp });
      else if (representativeId === null) enqueue.sendTo('desk', { type: 'offer.recall' });
    }),
    recall: sendTo('desk', { type: 'offer.recall' } satisfies PreviewOfferOrder),
    close: sendTo('desk', ({ context }): PreviewOfferOrder => ({
      type: 'offer.close',
      end: context.end ?? 'withdrawn',
      wasAccepted: context.wasAccepted,
    })),
  },
  guards: {
    isDirect: ({ context }) => context.delay.kind === 'direct',
    isTimed: ({ context }) => context.delay.kind === 'timer',
    isSeated: ({ context }) => context.isSeated,
    isAlone: ({ context }) => context.representativeId === null,
    isGivenUp: ({ context }) => context.givenUp !== null,
  },
  delays: {
    callDelay: ({ context: { delay } }) => (delay.kind === 'timer' ? delay.ms : 0),
    windowOver: ({ context }) => Math.min(context.windowMs, WINDOW_LOOK_MS),
    retry: ({ context }) => context.retryMs,
  },
});

const closeAs = (end: OfferEnd) =>
  ({ actions: { type: 'noteEnd', params: { end } }, target: '#previewOffer.closing' }) as const;
const callOff = {
  actions: {
    type: 'noteEnd',
    params: ({ event }: { event: { keepTask: boolean } }) => ({
      end: event.keepTask ? ('kept' as const) : ('cancelled' as const),
    }),
  },
  target: '#previewOffer.closing',
} as const;
const hangUp = {
  actions: {
    type: 'hangUp',
    params: ({ event }: { event: { keepTask: boolean } }) => ({ keepTask: event.keepTask }),
  },
} as const;
const seekAnother = { actions: 'noteLeft', target: '#previewOffer.open.seeking' } as const;
const start = {
  actions: {
    type: 'noteChoice',
    params: ({ event }: { event: { phoneType: string | null } }) => ({
      phoneType: event.phoneType,
    }),
  },
  target: '.starting',
} as const;

export const previewOfferMachine = previewOfferSetup.createMachine({
  id: 'previewOffer',
  context: ({ input }) => ({
    ...input,
    representativeId: null,
    isSeated: false,
    wasAccepted: false,
    phoneType: null,
    givenUp: null,
    end: null,
  }),
  invoke: { id: 'desk', src: 'desk', input: ({ context }) => ({ taskId: context.taskId }) },
  initial: 'open',
  states: {
    open: {
      initial: 'seeking',
      on: { 'offer.withdraw': closeAs('withdrawn') },
      after: { windowOver: closeAs('windowOver') },
      states: {
        seeking: {
          on: {
            'rep.invited': {
              actions: {
                type: 'noteInvited',
                params: ({ event }) => ({ representativeId: event.representativeId }),
              },
              target: 'invited',
            },
            'desk.nobody': closeAs('nobody'),
          },
        },
        invited: { on: { 'rep.accepted': 'accepted', 'rep.left': seekAnother } },
        accepted: {
          entry: 'accept',
          initial: 'deciding',
          on: {
            'rep.seated': { actions: 'noteSeated' },
            'rep.left': seekAnother,
            'rep.start': start,
            'rep.cancel': callOff,
          },
          states: {
            deciding: {
              always: [
                { guard: 'isDirect', target: 'starting' },
                { guard: 'isTimed', target: 'counting' },
                { target: 'deliberating' },
              ],
            },
            counting: { after: { callDelay: 'starting' } },
            deliberating: {},
            // Nobody is dialled for a representative whose phone is not answered yet.
            starting: {
              on: { 'rep.start': {} },
              always: { guard: 'isSeated', target: '#previewOffer.dialing' },
            },
          },
        },
      },
    },

    // Whether it may be dialled at this moment is the store's to say; the window too.
    dialing: {
      initial: 'ordered',
      states: {
        ordered: {
          entry: 'dial',
          on: {
            'dial.begun': { actions: 'hangUpGivenUp', target: '#previewOffer.ringing' },
            'dial.later': 'postponed',
            'dial.refused': '#previewOffer.done',
            'rep.cancel': {
              actions: {
                type: 'noteGivenUp',
                params: ({ event }) => ({ keepTask: event.keepTask }),
              },
            },
            'rep.left': { actions: 'noteLeft' },
            // Should it have been claimed before, its call is ended; else it is given back.
            'offer.withdraw': { actions: { type: 'noteGivenUp', params: { keepTask: true } } },
          },
        },
        // No channel is free, or the store failed.
        postponed: {
          always: [
            { guard: 'isAlone', ...closeAs('withdrawn') },
            { guard: 'isGivenUp', actions: 'endGivenUp', target: '#previewOffer.closing' },
          ],
          on: {
            'rep.cancel': callOff,
            'rep.left': closeAs('withdrawn'),
            'offer.withdraw': closeAs('withdrawn'),
          },
          after: { retry: 'ordered' },
        },
      },
    },

    ringing: {
      on: {
        'rep.cancel': hangUp,
        'rep.left': { actions: ['noteLeft', 'recall'] },
        'call.answered': 'talking',
        'call.ended': 'done',
      },
    },
    // Who hangs up now does it on the phone, or talks on.
    talking: { on: { 'call.ended': 'done' } },

    closing: {
      entry: 'close',
      on: { 'offer.closed': 'done', 'store.failed': 'closingAgain' },
    },
    closingAgain: { after: { retry: 'closing' } },
    done: { type: 'final' },
  },
});
