/**
 * The pacer of one running Copilot engagement: keeps the calls in flight at the cap while the queue
 * is open and nobody has suspended it. It asks for starts and counts them; which task is started,
 * and whether it may be, is decided by the store.
 */
import { assign, sendTo, setup } from 'xstate';
import { copilotDemand } from './copilot-demand.ts';
import type {
  CopilotPacerContext,
  CopilotPacerEvent,
  CopilotPacerInput,
  PacerOrder,
  SuspensionType,
} from './copilot-pacer.events.ts';
import { unprovided } from './unprovided.ts';

/** Names the behaviour that its golden logs hold; see docs/architecture.md. */
export const COPILOT_PACER_VERSION = 1;

interface Claimed {
  readonly started: number;
  readonly moreReady: boolean;
}

const copilotPacerSetup = setup({
  types: {} as {
    context: CopilotPacerContext;
    events: CopilotPacerEvent;
    input: CopilotPacerInput;
  },
  actors: { starter: unprovided<PacerOrder, { engagementId: string }>('copilotPacer.starter') },
  actions: {
    noteNews: assign({ hasNews: true }),
    noteClaim: assign(({ context }) => ({ claiming: copilotDemand(context), hasNews: false })),
    askForStarts: sendTo('starter', ({ context }): PacerOrder => ({
      type: 'pacer.claim',
      starts: context.claiming,
    })),
    noteClaimed: assign(({ context }, { started, moreReady }: Claimed) => ({
      claiming: 0,
      inFlight: context.inFlight + started,
      hasNews: context.hasNews || moreReady,
    })),
    noteFailed: assign({ claiming: 0, hasNews: true }),
    noteEnd: assign(({ context }) => ({ inFlight: Math.max(0, context.inFlight - 1) })),
    noteCap: assign((_, { maxConcurrentCalls }: { maxConcurrentCalls: number }) => ({
      maxConcurrentCalls,
    })),
    noteOpen: assign({ isOpen: true, hasNews: true }),
    noteClosed: assign({ isOpen: false }),
    noteSuspension: assign(
      (_, { suspension }: { suspension: { type: SuspensionType; reason: string } }) => ({
        suspension,
      }),
    ),
    noteResumption: assign({ suspension: null, hasNews: true }),
  },
  guards: {
    mayStart: ({ context }) =>
      context.suspension === null &&
      context.isOpen &&
      context.hasNews &&
      copilotDemand(context) > 0,
  },
  delays: {
    storeRetry: ({ context }) => context.storeRetryMs,
    idleRecheck: ({ context }) => context.idleRecheckMs,
  },
});

export const copilotPacerMachine = copilotPacerSetup.createMachine({
  id: 'copilotPacer',
  context: ({ input: { suspended, ...input } }) => ({
    ...input,
    suspension: suspended,
    claiming: 0,
    hasNews: true,
  }),
  invoke: {
    id: 'starter',
    src: 'starter',
    input: ({ context }) => ({ engagementId: context.engagementId }),
  },
  initial: 'idle',
  // Counts and facts are the same in every state; what they lead to is the states' business.
  on: {
    'call.ended': { actions: 'noteEnd' },
    'tasks.ready': { actions: 'noteNews' },
    'queue.opened': { actions: 'noteOpen' },
    'queue.closed': { actions: 'noteClosed' },
    'engagement.suspended': {
      actions: {
        type: 'noteSuspension',
        params: ({ event }) => ({ suspension: event.suspension }),
      },
    },
    'engagement.resumed': { actions: 'noteResumption' },
    'engagement.capChanged': {
      actions: {
        type: 'noteCap',
        params: ({ event }) => ({ maxConcurrentCalls: event.maxConcurrentCalls }),
      },
    },
    'pacer.stop': '.stopped',
  },
  states: {
    idle: {
      always: { guard: 'mayStart', target: 'claiming' },
      // Nothing lost: a task that became ready unannounced is found here.
      after: { idleRecheck: { actions: 'noteNews', target: 'idle', reenter: true } },
    },
    // One claim at a time. A suspension that comes meanwhile is the store's to see as well.
    claiming: {
      entry: ['noteClaim', 'askForStarts'],
      on: {
        'starter.claimed': {
          actions: { type: 'noteClaimed', params: ({ event }) => event },
          target: 'idle',
        },
        'starter.failed': { actions: 'noteFailed', target: 'backingOff' },
      },
    },
    backingOff: { after: { storeRetry: 'idle' } },
    stopped: { type: 'final' },
  },
});
