/**
 * One delivery task while it is being worked: attempt, record, next number, until it has to wait or
 * is done. A root actor of its own; what only waits is a row in the store and no actor.
 *
 * The store decides what comes next, inside the transaction that records the end of an attempt: this
 * machine never dials what has not been claimed there. A store that fails is asked again for ever,
 * because the end of a call that is known must not be lost.
 */
import { assign, sendTo, setup } from 'xstate';
import type { CallAttemptOutput } from './call-attempt.events.ts';
import { callAttemptMachine } from './call-attempt.machine.ts';
import type {
  ChainNext,
  ChainOrder,
  ChainStart,
  ContactChainContext,
  ContactChainEvent,
  ContactChainInput,
  ContactChainOutput,
} from './contact-chain.events.ts';
import { unprovided } from './unprovided.ts';

/** Logged with every event, so that a log can be replayed on the machine that made it. */
export const CONTACT_CHAIN_VERSION = 1;

const contactChainSetup = setup({
  types: {} as {
    context: ContactChainContext;
    events: ContactChainEvent;
    input: ContactChainInput;
    output: ContactChainOutput;
  },
  actors: {
    callAttempt: callAttemptMachine,
    store: unprovided<ChainOrder, { taskId: string }>('contactChain.store'),
  },
  actions: {
    noteEnd: assign((_, { ended }: { ended: CallAttemptOutput }) => ({ ended })),
    noteStart: assign(({ context }, { start }: { start: ChainStart }) => ({
      start,
      ended: null,
      attempts: context.attempts + 1,
    })),
    noteFailure: assign(({ context }) => ({ storeFailures: context.storeFailures + 1 })),
    noteStop: assign({ isStopping: true }),
    askToRecord: sendTo('store', ({ context }): ChainOrder => recordOf(context)),
    askForNext: sendTo('store', { type: 'chain.claimNext' } satisfies ChainOrder),
    cancelAttempt: sendTo(
      'callAttempt',
      (_, { reason }: { reason: 'cancelled' | 'dialer_recall' | 'shutdown' }) => ({
        type: 'dialer.cancel',
        reason,
      }),
    ),
  },
  guards: {
    goesOn: (_, { next }: { next: ChainNext }) => next.kind === 'goOn',
    waits: (_, { next }: { next: ChainNext }) => next.kind === 'wait',
    isStopping: ({ context }) => context.isStopping,
  },
  delays: { storeRetry: ({ context }) => context.storeRetryMs, atOnce: 0 },
});

const nextOf = ({ event }: { event: { next: ChainNext } }): { next: ChainNext } => ({
  next: event.next,
});

export const contactChainMachine = contactChainSetup.createMachine({
  id: 'contactChain',
  context: ({ input }) => ({
    ...input,
    attempts: 1,
    ended: null,
    storeFailures: 0,
    isStopping: false,
  }),
  output: ({ context, event }) => ({
    taskId: context.taskId,
    attempts: context.attempts,
    left: leftBy((event as { output?: unknown }).output),
  }),
  invoke: { id: 'store', src: 'store', input: ({ context }) => ({ taskId: context.taskId }) },
  initial: 'attempting',
  states: {
    attempting: {
      invoke: {
        id: 'callAttempt',
        src: 'callAttempt',
        input: ({ context }) => context.start.attempt,
        onDone: {
          target: 'recording',
          actions: { type: 'noteEnd', params: ({ event }) => ({ ended: event.output }) },
        },
      },
      on: {
        'chain.cancel': {
          actions: [
            'noteStop',
            { type: 'cancelAttempt', params: ({ event }) => ({ reason: event.reason }) },
          ],
        },
      },
      // Claimed while the process was being stopped: taken back before the INVITE, if there is time.
      after: {
        atOnce: {
          guard: 'isStopping',
          actions: { type: 'cancelAttempt', params: { reason: 'shutdown' } },
        },
      },
    },

    // The end is known here and nowhere else yet: nothing but a written record leads on.
    recording: {
      entry: 'askToRecord',
      on: {
        'store.recorded': [
          { guard: { type: 'waits', params: nextOf }, target: 'waiting' },
          { guard: 'isStopping', target: 'stopped' },
          { guard: { type: 'goesOn', params: nextOf }, target: 'claiming' },
          { target: 'finished' },
        ],
        'store.failed': { actions: 'noteFailure', target: 'recordingAgain' },
        'chain.cancel': { actions: 'noteStop' },
      },
    },
    recordingAgain: {
      after: { storeRetry: 'recording' },
      on: { 'chain.cancel': { actions: 'noteStop' } },
    },

    // Another number of the same task, at once: the same checks as for a first one.
    claiming: {
      entry: 'askForNext',
      on: {
        'store.claimed': {
          actions: { type: 'noteStart', params: ({ event }) => ({ start: event.start }) },
          target: 'attempting',
        },
        'store.notClaimed': 'notClaimed',
        'store.failed': { actions: 'noteFailure', target: 'claimingAgain' },
        'chain.cancel': { actions: 'noteStop' },
      },
    },
    claimingAgain: {
      after: { storeRetry: 'claiming' },
      on: { 'chain.cancel': { actions: 'noteStop', target: 'stopped' } },
    },

    waiting: { type: 'final', output: 'waiting' },
    finished: { type: 'final', output: 'final' },
    notClaimed: { type: 'final', output: 'notClaimed' },
    /** The process is stopping between two numbers: the task is `working`, and recovered as such. */
    stopped: { type: 'final', output: 'stopped' },
  },
});

function recordOf({ start, ended }: ContactChainContext): ChainOrder {
  if (ended === null) throw new Error('an attempt is recorded before it ended');
  const { attemptId } = start.attempt;
  return { type: 'chain.record', deliveryId: start.deliveryId, attemptId, attempt: ended };
}

function leftBy(output: unknown): ContactChainOutput['left'] {
  if (output === 'waiting' || output === 'final' || output === 'stopped') return output;
  return 'notClaimed';
}
