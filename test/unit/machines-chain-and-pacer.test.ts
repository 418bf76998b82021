/** Goal: a chain records before it goes on, a pacer never asks for more than its cap leaves. */
import fc from 'fast-check';
import t from 'tap';
import { createActor, fromCallback, initialTransition, transition } from 'xstate';
import type { AttemptOrder } from '../../machines/call-attempt.events.ts';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import type {
  ChainNext,
  ChainOrder,
  ChainStart,
  ContactChainEvent,
} from '../../machines/contact-chain.events.ts';
import { contactChainMachine } from '../../machines/contact-chain.machine.ts';
import { copilotDemand } from '../../machines/copilot-demand.ts';
import type {
  CopilotPacerEvent,
  CopilotPacerInput,
  PacerOrder,
} from '../../machines/copilot-pacer.events.ts';
import { copilotPacerMachine } from '../../machines/copilot-pacer.machine.ts';
import type { TelephonyInput } from '../../machines/telephony-input.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';
import { ATTEMPT_INPUT, endedBody } from '../support/attempt-under-test.ts';

const startOf = (attemptId: string): ChainStart => ({
  deliveryId: `delivery-${attemptId}`,
  attempt: { ...ATTEMPT_INPUT, attemptId },
});
const STORE_RETRY_MS = 1_000;

/** A chain on a virtual clock; its store and its gateway are played by the test. */
class ChainUnderTest {
  readonly clock = new VirtualClock();
  readonly asked: ChainOrder[] = [];
  readonly commands: AttemptOrder[] = [];
  readonly actor;
  #answer: (event: ContactChainEvent) => void = () => undefined;
  #busy: () => void = () => undefined;

  constructor() {
    const store = fromCallback<ChainOrder, { taskId: string }>(({ receive, sendBack }) => {
      receive((order) => this.asked.push(order));
      this.#answer = sendBack;
    });
    const telephony = fromCallback<AttemptOrder, TelephonyInput>(
      ({ input: { attemptId, fence }, receive, sendBack }) => {
        receive((order) => {
          this.commands.push(order);
          sendBack({
            ...{ type: 'telephony.reply', command: order.type, seq: order.seq },
            reply: { accepted: true },
          });
        });
        this.#busy = () =>
          sendBack({ ...endedBody(486), attemptId, fence, seq: 1, atMs: this.clock.now() });
      },
    );
    const callAttempt = callAttemptMachine.provide({ actors: { telephony } });
    const machine = contactChainMachine.provide({ actors: { store, callAttempt } });
    const input = { taskId: 't1', start: startOf('a1'), storeRetryMs: STORE_RETRY_MS };
    this.actor = createActor(machine, { clock: this.clock, input });
    this.actor.start();
  }

  get state(): unknown {
    return this.actor.getSnapshot().value;
  }

  /** The far end is busy: the attempt in flight ends. */
  busy(): void {
    this.#busy();
  }

  answers(event: ContactChainEvent): void {
    this.#answer(event);
  }

  recorded(next: ChainNext): void {
    this.answers({ type: 'store.recorded', next });
  }

  cancel(): void {
    this.actor.send({ type: 'chain.cancel', reason: 'cancelled' });
  }
}

t.test('a chain begins with an attempt, and asks its store for nothing', async (t) => {
  const input = { taskId: 't1', start: startOf('a1'), storeRetryMs: STORE_RETRY_MS };
  const [state] = initialTransition(contactChainMachine, input);
  t.equal(state.value, 'attempting');
  t.match(state.context, { attempts: 1, ended: null, givenUp: null });
});

const fates: readonly { name: string; next: ChainNext; state: string; left?: string }[] = [
  { name: 'goes on to claim the next number', next: { kind: 'goOn' }, state: 'claiming' },
  {
    name: 'leaves to wait',
    next: { kind: 'wait', dueAtMs: 5 },
    state: 'waiting',
    left: 'waiting',
  },
  {
    name: 'leaves when it is done',
    next: { kind: 'finish', status: 'Complete' },
    state: 'finished',
    left: 'final',
  },
];

for (const { name, next, state, left } of fates) {
  t.test(`after a record a chain ${name}`, async (t) => {
    const chain = new ChainUnderTest();
    chain.busy();
    t.equal(chain.state, 'recording');
    t.match(chain.asked, [
      {
        type: 'chain.record',
        attemptId: 'a1',
        deliveryId: 'delivery-a1',
        attempt: { result: 'Busy' },
      },
    ]);
    chain.recorded(next);
    t.equal(chain.state, state);
    t.equal(chain.actor.getSnapshot().output?.left, left);
  });
}

t.test('a chain dials the next number only once it is claimed', async (t) => {
  const chain = new ChainUnderTest();
  chain.busy();
  chain.recorded({ kind: 'goOn' });
  t.equal(chain.commands.length, 1);
  chain.answers({ type: 'store.claimed', start: startOf('a2') });
  t.match(chain.commands.at(-1), { type: 'attempt.dial', attemptId: 'a2' });
  chain.busy();
  chain.recorded({ kind: 'finish', status: 'Complete' });
  t.match(chain.actor.getSnapshot().output, { attempts: 2, left: 'final', taskId: 't1' });
});

t.test('a chain whose next number may not be started leaves it to the store', async (t) => {
  const chain = new ChainUnderTest();
  chain.busy();
  chain.recorded({ kind: 'goOn' });
  chain.answers({ type: 'store.notClaimed' });
  t.match(chain.actor.getSnapshot().output, { left: 'notClaimed', attempts: 1 });
});

t.test('a store that fails is asked again, with the same words, until it answers', async (t) => {
  const chain = new ChainUnderTest();
  chain.busy();
  for (let failures = 1; failures <= 20; failures += 1) {
    chain.answers({ type: 'store.failed', detail: 'disk full' });
    chain.clock.advanceBy(STORE_RETRY_MS - 1);
    t.equal(chain.asked.length, failures);
    chain.clock.advanceBy(1);
    t.strictSame(chain.asked.at(-1), chain.asked[0]);
  }
  chain.recorded({ kind: 'goOn' });
  chain.answers({ type: 'store.failed', detail: 'disk full' });
  chain.clock.advanceBy(STORE_RETRY_MS);
  t.equal(chain.asked.filter(({ type }) => type === 'chain.claimNext').length, 2);
  t.equal(chain.actor.getSnapshot().context.storeFailures, 21);
});

t.test('a cancel gives up the attempt in flight; its end is recorded all the same', async (t) => {
  const chain = new ChainUnderTest();
  chain.cancel();
  t.match(chain.commands.at(-1), { type: 'attempt.cancel', reason: 'cancelled' });
  chain.busy();
  t.match(chain.asked, [{ type: 'chain.record', attempt: { result: 'Cancelled' } }]);
});

t.test('a cancel that comes while a start is being claimed: it is taken back', async (t) => {
  const chain = new ChainUnderTest();
  chain.busy();
  chain.cancel();
  chain.recorded({ kind: 'goOn' });
  chain.answers({ type: 'store.claimed', start: startOf('a2') });
  t.match(chain.asked.at(-1), {
    ...{ type: 'chain.takeBack', attemptId: 'a2', deliveryId: 'delivery-a2', reason: 'cancelled' },
  });
  t.equal(chain.commands.length, 1, 'the gateway never hears of it');
  chain.answers({ type: 'store.failed', detail: 'busy' });
  chain.clock.advanceBy(STORE_RETRY_MS);
  t.equal(chain.asked.filter(({ type }) => type === 'chain.takeBack').length, 2);
  chain.recorded({ kind: 'finish', status: 'Cancelled' });
  t.equal(chain.actor.getSnapshot().output?.left, 'final');
});

t.test('an answer of the store that comes late or twice changes nothing', async (t) => {
  const chain = new ChainUnderTest();
  chain.answers({ type: 'store.claimed', start: startOf('a9') });
  chain.recorded({ kind: 'finish', status: 'Complete' });
  t.equal(chain.state, 'attempting');
  chain.busy();
  chain.answers({ type: 'store.notClaimed' });
  t.equal(chain.state, 'recording');
});

t.test('an attempt that throws ends its chain with the error', async (t) => {
  const broken = fromCallback<AttemptOrder, TelephonyInput>(() => {
    throw new Error('no telephony today');
  });
  const store = fromCallback<ChainOrder, { taskId: string }>(() => undefined);
  const callAttempt = callAttemptMachine.provide({ actors: { telephony: broken } });
  const actor = createActor(contactChainMachine.provide({ actors: { store, callAttempt } }), {
    clock: new VirtualClock(),
    input: { taskId: 't1', start: startOf('a1'), storeRetryMs: STORE_RETRY_MS },
  });
  const errors: unknown[] = [];
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.start();
  t.match(errors, [{ message: 'no telephony today' }]);
  t.equal(actor.getSnapshot().status, 'error');
});

const PACER_INPUT: CopilotPacerInput = {
  engagementId: 'e1',
  maxConcurrentCalls: 5,
  claimSizeMax: 3,
  inFlight: 0,
  suspended: null,
  isOpen: true,
  storeRetryMs: 1_000,
  idleRecheckMs: 60_000,
};

class PacerUnderTest {
  readonly clock = new VirtualClock();
  readonly asked: number[] = [];
  readonly actor;
  #answer: (event: CopilotPacerEvent) => void = () => undefined;

  constructor(input: Partial<CopilotPacerInput> = {}) {
    const starter = fromCallback<PacerOrder, { engagementId: string }>(({ receive, sendBack }) => {
      receive(({ starts }) => this.asked.push(starts));
      this.#answer = sendBack;
    });
    const machine = copilotPacerMachine.provide({ actors: { starter } });
    const given = { ...PACER_INPUT, ...input };
    this.actor = createActor(machine, { clock: this.clock, input: given });
    this.actor.start();
  }

  get state(): unknown {
    return this.actor.getSnapshot().value;
  }

  send(...events: CopilotPacerEvent[]): void {
    for (const event of events) this.actor.send(event);
  }

  claimed(started: number, moreReady = true): void {
    this.#answer({ type: 'starter.claimed', started, moreReady });
  }

  failed(): void {
    this.#answer({ type: 'starter.failed', detail: 'disk full' });
  }
}

t.test('[DM-01] a pacer asks for what its cap leaves, one claim at a time', async (t) => {
  const pacer = new PacerUnderTest();
  t.strictSame(pacer.asked, [3]);
  pacer.send({ type: 'tasks.ready' });
  t.strictSame(pacer.asked, [3], 'nothing while a claim is under way');
  pacer.claimed(3);
  pacer.claimed(2);
  t.strictSame(pacer.asked, [3, 2], 'the cap is reached');
  pacer.send({ type: 'call.ended' });
  t.strictSame(pacer.asked, [3, 2, 1]);
});

t.test('a pacer that found nothing waits for news, or looks again by itself', async (t) => {
  const pacer = new PacerUnderTest();
  pacer.claimed(0, false);
  t.strictSame(pacer.asked, [3]);
  pacer.send({ type: 'call.ended' });
  t.strictSame(pacer.asked, [3], 'a free place is no news of a task');
  pacer.clock.advanceBy(60_000);
  t.strictSame(pacer.asked, [3, 3]);
  pacer.claimed(0, false);
  pacer.send({ type: 'tasks.ready' });
  t.strictSame(pacer.asked, [3, 3, 3]);
});

t.test('news that comes while a claim is under way is not lost', async (t) => {
  const pacer = new PacerUnderTest();
  pacer.send({ type: 'tasks.ready' });
  pacer.claimed(0, false);
  t.strictSame(pacer.asked, [3, 3]);
});

t.test('[DM-43] a suspended pacer asks for nothing, a resumed one at once', async (t) => {
  const pacer = new PacerUnderTest();
  pacer.claimed(1);
  const suspension = { type: 'botFailure', reason: 'it broke' } as const;
  pacer.send({ type: 'engagement.suspended', suspension });
  pacer.claimed(0);
  const asked = pacer.asked.length;
  pacer.send({ type: 'tasks.ready' }, { type: 'call.ended' }, { type: 'queue.opened' });
  pacer.clock.advanceBy(600_000);
  t.equal(pacer.asked.length, asked);
  pacer.send({ type: 'engagement.resumed' });
  t.equal(pacer.asked.length, asked + 1);
});

t.test('[DM-03] a pacer whose queue is closed asks for nothing until it opens', async (t) => {
  const pacer = new PacerUnderTest({ isOpen: false });
  pacer.send({ type: 'tasks.ready' });
  t.strictSame(pacer.asked, []);
  pacer.send({ type: 'queue.opened' });
  t.strictSame(pacer.asked, [3]);
});

t.test('a pacer whose store failed pauses, and asks again', async (t) => {
  const pacer = new PacerUnderTest();
  pacer.failed();
  t.equal(pacer.state, 'backingOff');
  pacer.clock.advanceBy(999);
  t.strictSame(pacer.asked, [3]);
  pacer.clock.advanceBy(1);
  t.strictSame(pacer.asked, [3, 3]);
});

t.test('a cap that is lowered under what is in flight waits until it fits', async (t) => {
  const pacer = new PacerUnderTest({ claimSizeMax: 10 });
  pacer.claimed(5);
  pacer.send({ type: 'engagement.capChanged', maxConcurrentCalls: 2 });
  for (let ended = 0; ended < 3; ended += 1) pacer.send({ type: 'call.ended' });
  t.strictSame(pacer.asked, [5]);
  pacer.send({ type: 'call.ended' });
  t.strictSame(pacer.asked, [5, 1]);
});

t.test('a pacer that was stopped is done, also in the middle of a claim', async (t) => {
  const [claiming] = initialTransition(copilotPacerMachine, PACER_INPUT);
  t.equal(claiming.value, 'claiming');
  const [stopped] = transition(copilotPacerMachine, claiming, { type: 'pacer.stop' });
  t.equal(stopped.status, 'done');
});

t.test('[DM-01] the demand never passes the cap, and is never negative (property)', async (t) => {
  const inputs = fc.record({
    maxConcurrentCalls: fc.integer({ min: 1, max: 500 }),
    inFlight: fc.integer({ min: 0, max: 600 }),
    claiming: fc.integer({ min: 0, max: 100 }),
    claimSizeMax: fc.integer({ min: 1, max: 500 }),
  });
  fc.assert(
    fc.property(inputs, (input) => {
      const demand = copilotDemand(input);
      const { inFlight, claiming, maxConcurrentCalls, claimSizeMax } = input;
      const fits = demand === 0 || inFlight + claiming + demand <= maxConcurrentCalls;
      return demand >= 0 && demand <= claimSizeMax && fits;
    }),
  );
  t.pass();
});
