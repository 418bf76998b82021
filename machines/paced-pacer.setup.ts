/** What the progressive and the predictive pacer have in common: all but the answer to "how many?". */
import { assign, enqueueActions, sendTo, setup } from 'xstate';
import type {
  PacedDemand,
  PacedOrder,
  PacedPacerContext,
  PacedPacerEvent,
  PacedPacerInput,
} from './paced-pacer.events.ts';
import { unprovided } from './unprovided.ts';

const NOTHING: PacedDemand = { starts: 0, recall: [] };

const pacedPacerSetup = setup({
  types: {} as {
    context: PacedPacerContext;
    events: PacedPacerEvent;
    input: PacedPacerInput;
  },
  actors: { starter: unprovided<PacedOrder, { engagementId: string }>('pacedPacer.starter') },
  actions: {
    weigh: assign(({ context }) => {
      const { starts, recall } = context.demand();
      return { asked: { recall, starts: Math.min(starts, context.claimSizeMax) } };
    }),
    forget: assign({ asked: NOTHING }),
    askForStarts: sendTo('starter', ({ context }): PacedOrder => ({
      type: 'pacer.claim',
      starts: context.asked.starts,
    })),
    askForRecall: enqueueActions(({ context, enqueue }) => {
      const { recall: attempts } = context.asked;
      if (attempts.length > 0) enqueue.sendTo('starter', { type: 'pacer.recall', attempts });
    }),
    noteOpen: assign({ isOpen: true }),
    noteClosed: assign({ isOpen: false }),
    noteSuspension: assign(({ event }) =>
      event.type === 'engagement.suspended' ? { suspension: event.suspension } : {},
    ),
    noteResumption: assign({ suspension: null }),
  },
  guards: {
    isDialing: ({ context }) => context.suspension === null && context.isOpen,
    mayStart: ({ context }) =>
      context.suspension === null && context.isOpen && context.asked.starts > 0,
    foundNothing: (_, { started }: { started: number }) => started === 0,
  },
  delays: {
    storeRetry: ({ context }) => context.storeRetryMs,
    tick: ({ context }) => context.tickMs,
    emptyRest: ({ context }) => context.emptyRestMs,
  },
});

/**
 * Weighs on every piece of news and on every tick. What rings too much is taken back also while nothing
 * may start. One claim at a time: what is asked for is on disk before more is asked for.
 */
export function pacedPacer(id: 'progressivePacer' | 'predictivePacer') {
  return pacedPacerSetup.createMachine({
    id,
    context: ({ input: { suspended, ...input } }) => ({
      ...input,
      suspension: suspended,
      asked: NOTHING,
    }),
    invoke: {
      id: 'starter',
      src: 'starter',
      input: ({ context }) => ({ engagementId: context.engagementId }),
    },
    initial: 'weighing',
    on: {
      'queue.opened': { actions: 'noteOpen' },
      'queue.closed': { actions: 'noteClosed' },
      'engagement.suspended': { actions: 'noteSuspension' },
      'engagement.resumed': { actions: 'noteResumption' },
      'pacer.stop': '.stopped',
    },
    states: {
      weighing: {
        entry: ['weigh', 'askForRecall'],
        always: [{ guard: 'mayStart', target: 'claiming' }, { target: 'waiting' }],
      },
      waiting: {
        on: {
          'pacer.news': 'weighing',
          'call.ended': 'weighing',
          'tasks.ready': 'weighing',
          'queue.opened': { actions: 'noteOpen', target: 'weighing' },
          'engagement.resumed': { actions: 'noteResumption', target: 'weighing' },
        },
        // What may not dial is told when it may.
        after: { tick: { guard: 'isDialing', target: 'weighing' } },
      },
      claiming: {
        entry: 'askForStarts',
        on: {
          'starter.claimed': [
            {
              guard: {
                type: 'foundNothing',
                params: ({ event }) => ({ started: event.started }),
              },
              actions: 'forget',
              target: 'resting',
            },
            { actions: 'forget', target: 'weighing' },
          ],
          'starter.failed': { actions: 'forget', target: 'backingOff' },
        },
      },
      // Nothing is ready: to ask four times a second would find that out four times a second.
      resting: {
        on: {
          'tasks.ready': 'weighing',
          'queue.opened': { actions: 'noteOpen', target: 'weighing' },
          'engagement.resumed': { actions: 'noteResumption', target: 'weighing' },
        },
        after: { emptyRest: 'weighing' },
      },
      backingOff: { after: { storeRetry: 'weighing' } },
      stopped: { type: 'final' },
    },
  });
}
