/**
 * One delivery task while it is being worked: attempt, record, next number, until it has to wait or
 * is done. A root actor of its own; what only waits is a row in the store and no actor.
 *
 * The store decides what comes next, inside the transaction that records the end of an attempt: this
 * machine never dials what has not been claimed there. A store that fails is asked again for ever,
 * because the end of a call that is known must not be lost.
 */
import assert from 'node:assert/strict';
import { assign, sendTo, setup } from 'xstate';
import type { CallAttemptOutput, DialerCancel } from './call-attempt.events.ts';
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

type Reason = DialerCancel['reason'];
type Told = Extract<ContactChainEvent, { type: 'chain.tell' }>;

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
    noteCancel: assign(({ context }, { reason }: { reason: Reason }) => ({
      givenUp: context.givenUp ?? reason,
    })),
    cancelAttempt: sendTo('callAttempt', (_, { reason }: { reason: Reason }) => ({
      type: 'dialer.cancel',
      reason,
    })),
    tellAttempt: sendTo('callAttempt', (_, { order }: { order: Told['order'] }) => order),
    askToRecord: sendTo('store', ({ context }) => recordOf(context)),
    askForNext: sendTo('store', { type: 'chain.claimNext' } satisfies ChainOrder),
    askToTakeBack: sendTo('store', ({ context }) => takeBackOf(context)),
  },
  guards: {
    goesOn: (_, { next }: { next: ChainNext }) => next.kind === 'goOn',
    waits: (_, { next }: { next: ChainNext }) => next.kind === 'wait',
    isGivenUp: ({ context }) => context.givenUp !== null,
    isInFlight: ({ context }, { attemptId }: { attemptId: string }) =>
      context.start.attempt.attemptId === attemptId,
  },
  delays: { storeRetry: ({ context }) => context.storeRetryMs },
});

const nextOf = ({ event }: { event: { next: ChainNext } }): { next: ChainNext } => ({
  next: event.next,
});

const noteCancel = {
  type: 'noteCancel',
  params: ({ event }: { event: { reason: Reason } }) => ({ reason: event.reason }),
} as const;

const noteStart = {
  type: 'noteStart',
  params: ({ event }: { event: { start: ChainStart } }) => ({ start: event.start }),
} as const;

/** What was recorded says where the task goes. */
const onRecorded = [
  { guard: { type: 'waits', params: nextOf }, target: '#contactChain.waiting' },
  { guard: { type: 'goesOn', params: nextOf }, target: '#contactChain.claiming' },
  { target: '#contactChain.finished' },
] as const;

export const contactChainMachine = contactChainSetup.createMachine({
  id: 'contactChain',
  context: ({ input }) => ({
    ...input,
    attempts: 1,
    ended: null,
    storeFailures: 0,
    givenUp: null,
  }),
  output: ({ context, event }) => ({
    taskId: context.taskId,
    attempts: context.attempts,
    left: leftBy((event as { output?: unknown }).output),
  }),
  invoke: { id: 'store', src: 'store', input: ({ context }) => ({ taskId: context.taskId }) },
  initial: 'attempting',
  // Between two attempts there is no call to give up: a start that is claimed now is taken back.
  on: { 'chain.cancel': { actions: noteCancel } },
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
            noteCancel,
            { type: 'cancelAttempt', params: ({ event }) => ({ reason: event.reason }) },
          ],
        },
        'chain.tell': {
          guard: { type: 'isInFlight', params: ({ event }) => event },
          actions: { type: 'tellAttempt', params: ({ event }) => event },
        },
      },
    },

    // The end is known here and nowhere else yet: nothing but a written record leads on.
    recording: {
      entry: 'askToRecord',
      on: {
        'store.recorded': onRecorded,
        'store.failed': { actions: 'noteFailure', target: 'recordingAgain' },
      },
    },
    recordingAgain: { after: { storeRetry: 'recording' } },

    // Another number of the same task, at once: the same checks as for a first one.
    claiming: {
      entry: 'askForNext',
      on: {
        'store.claimed': [
          { guard: 'isGivenUp', actions: noteStart, target: 'takingBack' },
          { actions: noteStart, target: 'attempting' },
        ],
        'store.notClaimed': 'notClaimed',
        'store.failed': { actions: 'noteFailure', target: 'claimingAgain' },
      },
    },
    claimingAgain: { after: { storeRetry: 'claiming' } },

    takingBack: {
      entry: 'askToTakeBack',
      on: {
        'store.recorded': onRecorded,
        'store.failed': { actions: 'noteFailure', target: 'takingBackAgain' },
      },
    },
    takingBackAgain: { after: { storeRetry: 'takingBack' } },

    waiting: { type: 'final', output: 'waiting' },
    finished: { type: 'final', output: 'final' },
    notClaimed: { type: 'final', output: 'notClaimed' },
  },
});

function recordOf({ start, ended }: ContactChainContext): ChainOrder {
  assert(ended !== null, 'an attempt is recorded before it ended');
  const { attemptId } = start.attempt;
  return { type: 'chain.record', deliveryId: start.deliveryId, attemptId, attempt: ended };
}

function takeBackOf({ start, givenUp }: ContactChainContext): ChainOrder {
  assert(givenUp !== null, 'a start is taken back that nobody gave up');
  const { attemptId } = start.attempt;
  return { type: 'chain.takeBack', deliveryId: start.deliveryId, attemptId, reason: givenUp };
}

function leftBy(output: unknown): ContactChainOutput['left'] {
  return output === 'waiting' || output === 'final' ? output : 'notClaimed';
}
