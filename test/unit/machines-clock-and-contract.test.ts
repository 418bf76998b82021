/** Goal: time, numbering and the contract hold by themselves, before any machine leans on them. */
import fc from 'fast-check';
import t from 'tap';
import { Compile } from 'typebox/compile';
import { SimulatedClock, createActor, createMachine } from 'xstate';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import { NOTHING_SEEN, isUnseen, isWithoutGap, withSeen } from '../../machines/seen-sequence.ts';
import { TelephonyActors } from '../../machines/telephony-actor.ts';
import {
  TELEPHONY_COMMANDS,
  TelephonyCommandSchema,
  type TelephonyCommand,
} from '../../machines/telephony-commands.ts';
import {
  TELEPHONY_EVENTS,
  TelephonyEventSchema,
  type TelephonyEvent,
} from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';
import { ATTEMPT_INPUT, body, endedBody } from '../support/attempt-under-test.ts';

t.test('VirtualClock: earliest first, ties in the order they were set', async (t) => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  const at = (name: string, delayMs: number) =>
    clock.setTimeout(() => fired.push(`${name}@${clock.now()}`), delayMs);
  at('c', 30);
  at('a1', 10);
  at('a2', 10);
  at('z', 0);
  at('past', -5);
  clock.advanceTo(10);
  t.same(fired, ['z@0', 'past@0', 'a1@10', 'a2@10']);
  t.equal(clock.nextDueMs, 30);
  clock.advanceBy(100);
  t.same(fired.at(-1), 'c@30');
  t.equal(clock.now(), 110);
});

t.test(
  'VirtualClock: a timer set by a timer counts from the firing, not from the step',
  async (t) => {
    const chain = createMachine({
      initial: 'a',
      states: {
        a: { after: { 100: 'b' } },
        b: { after: { 50: 'c' } },
        c: { after: { 50: 'd' } },
        d: {},
      },
    });
    const clock = new VirtualClock();
    const ours = createActor(chain, { clock }).start();
    clock.advanceTo(1_000);
    t.equal(ours.getSnapshot().value, 'd');

    const simulated = new SimulatedClock();
    const theirs = createActor(chain, { clock: simulated }).start();
    simulated.increment(1_000);
    t.equal(theirs.getSnapshot().value, 'b', 'why SimulatedClock is not used (docs/adr/0002)');
  },
);

t.test(
  'VirtualClock: a cancelled timer never fires, and cancelling is safe at any time',
  async (t) => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const first = clock.setTimeout(() => fired.push(1), 10);
    const second = clock.setTimeout(() => fired.push(2), 10);
    clock.setTimeout(() => clock.clearTimeout(second), 5);
    clock.clearTimeout(99);
    clock.runAll();
    t.same(fired, [1]);
    clock.clearTimeout(first);
    t.equal(clock.pending, 0);
    t.equal(clock.nextDueMs, undefined);
  },
);

t.test('VirtualClock: time does not run backwards, nor for ever', async (t) => {
  const clock = new VirtualClock();
  clock.advanceTo(100);
  t.throws(() => clock.advanceTo(99), /backwards/);
  t.throws(() => clock.setTimeout(() => undefined, Number.NaN), /finite/);
  const again = () => {
    clock.setTimeout(again, 0);
  };
  again();
  t.throws(() => clock.advanceBy(1, 1_000), /more than 1000 firings/);
  t.throws(() => clock.runAll(1_000), /more than 1000 firings/);
});

t.test(
  'VirtualClock: fires as a sorted list would, whatever is set and cancelled (property)',
  async (t) => {
    const timers = fc.array(
      fc.record({ delayMs: fc.integer({ min: 0, max: 50 }), isCancelled: fc.boolean() }),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(timers, (given) => {
        const clock = new VirtualClock();
        const fired: number[] = [];
        const ids = given.map(({ delayMs }, at) => clock.setTimeout(() => fired.push(at), delayMs));
        for (const [at, { isCancelled }] of given.entries()) {
          if (isCancelled) clock.clearTimeout(ids[at] ?? 0);
        }
        clock.runAll();
        const expected = given
          .map(({ delayMs, isCancelled }, at) => ({ delayMs, isCancelled, at }))
          .filter(({ isCancelled }) => !isCancelled)
          .sort((a, b) => a.delayMs - b.delayMs || a.at - b.at)
          .map(({ at }) => at);
        return JSON.stringify(fired) === JSON.stringify(expected) && clock.pending === 0;
      }),
    );
    t.pass();
  },
);

t.test('numbers are seen once each, in any order, and gaps are known (property)', async (t) => {
  const arrivals = fc
    .integer({ min: 1, max: 30 })
    .chain((last) => fc.array(fc.integer({ min: 1, max: last }), { maxLength: 80 }));
  fc.assert(
    fc.property(arrivals, (given) => {
      let seen = NOTHING_SEEN;
      const known = new Set<number>();
      for (const seq of given) {
        if (isUnseen(seen, seq) === known.has(seq)) return false;
        seen = withSeen(seen, seq);
        known.add(seq);
      }
      return isWithoutGap(seen) === (known.size === Math.max(0, ...known));
    }),
  );
  t.pass();
});

t.test('a gap that is never filled does not make the memory grow', async (t) => {
  let seen = NOTHING_SEEN;
  for (let seq = 2; seq < 2_000; seq += 1) seen = withSeen(seen, seq);
  t.ok(seen.ahead.length <= 256);
  t.equal(isUnseen(seen, 1_999), false);
});

t.test('the contract holds every command and event by its own type', async (t) => {
  const commands = (
    'dial connect play sendDtmf hold unhold mute unmute transfer completeTransfer ' +
    'cancelTransfer cancel hangup query'
  ).split(' ');
  const events =
    'sent refused alerting earlyMedia answered classified greetingEnded beep connected ' +
    'connectFailed bridgeEnded dtmf optOut played holdChanged muteChanged transferAnswered ' +
    'transferred transferFailed ended';
  t.same(Object.keys(TELEPHONY_COMMANDS), [
    ...commands.map((name) => `attempt.${name}`),
    ...['start', 'stop', 'pause', 'resume'].map((name) => `recording.${name}`),
    ...['open', 'close', 'whisper', 'monitor', 'unmonitor'].map((name) => `lobby.${name}`),
  ]);
  t.same(Object.keys(TELEPHONY_EVENTS), [
    ...events.split(' ').map((name) => `attempt.${name}`),
    ...['failed', 'escalated', 'returned', 'firstUtterance'].map((name) => `aiAgent.${name}`),
    ...['started', 'ended', 'failed'].map((name) => `recording.${name}`),
    ...'ready left played dtmf referred monitoring monitorEnded'
      .split(' ')
      .map((name) => `lobby.${name}`),
    ...['trunk.state', 'gateway.capacity', 'gateway.present', 'gateway.lost'],
    ...['call', 'optOut', 'ended'].map((name) => `inbound.${name}`),
    ...['dialedIn', 'dialInRefused', 'dialInEnded'].map((name) => `representative.${name}`),
    ...['transcribed', 'transcriptionFailed'].map((name) => `recording.${name}`),
  ]);
  for (const [type, schema] of Object.entries({ ...TELEPHONY_COMMANDS, ...TELEPHONY_EVENTS })) {
    t.equal(schema.properties.type.const, type);
  }
});

const dial: TelephonyCommand = {
  type: 'attempt.dial',
  ...ATTEMPT_INPUT.dial,
  attemptId: 'a1',
  fence: 0,
  seq: 1,
  atMs: 0,
};

const commandCases = [
  { name: 'a whole dial', given: dial, isValid: true },
  { name: 'no fence', given: { ...dial, fence: undefined }, isValid: false },
  { name: 'numbers start at 1', given: { ...dial, seq: 0 }, isValid: false },
  { name: 'times are whole milliseconds', given: { ...dial, notAfterMs: 1.5 }, isValid: false },
  { name: 'unknown type', given: { ...dial, type: 'attempt.guess' }, isValid: false },
  {
    name: 'unknown reason',
    given: { type: 'attempt.cancel', attemptId: 'a1', fence: 0, seq: 2, atMs: 0, reason: 'bored' },
    isValid: false,
  },
];

t.test('commands and events are checked by the published schemas', async (t) => {
  const command = Compile(TelephonyCommandSchema);
  for (const { name, given, isValid } of commandCases) {
    t.equal(command.Check(JSON.parse(JSON.stringify(given))), isValid, name);
  }
  const event = Compile(TelephonyEventSchema);
  const end = { ...endedBody(486), attemptId: 'a1', fence: 0, seq: 3, atMs: 0 };
  t.ok(event.Check(end));
  t.notOk(event.Check({ ...end, endedBy: 'nobody' }));
});

class FakePort implements TelephonyPort {
  readonly sent: TelephonyCommand[] = [];
  answer: () => Promise<CommandReply> = async () => ({ accepted: true });
  #listener: ((event: TelephonyEvent) => void) | undefined;

  async send(command: TelephonyCommand): Promise<CommandReply> {
    this.sent.push(command);
    return this.answer();
  }

  subscribe(listener: (event: TelephonyEvent) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }

  emit(event: TelephonyEvent): void {
    this.#listener?.(event);
  }
}

t.test('attempts share one subscription and hear only what is theirs', async (t) => {
  const port = new FakePort();
  const actors = new TelephonyActors(port, () => 1_234);
  const machine = callAttemptMachine.provide({ actors: { telephony: actors.logic } });
  const clock = new VirtualClock();
  const [a, b] = ['a', 'b'].map((attemptId) =>
    createActor(machine, { clock, input: { ...ATTEMPT_INPUT, attemptId } }).start(),
  );
  t.same(
    port.sent.map(({ type, seq, atMs }) => ({ type, seq, atMs })),
    [
      { type: 'attempt.dial', seq: 1, atMs: 1_234 },
      { type: 'attempt.dial', seq: 1, atMs: 1_234 },
    ],
  );
  t.equal(actors.open, 2);
  port.emit({ ...body('sent'), attemptId: 'a', fence: 7, seq: 1, atMs: 0 });
  port.emit({ ...endedBody(486), attemptId: 'a', fence: 7, seq: 2, atMs: 0 });
  port.emit({ ...endedBody(404), attemptId: 'nobody', fence: 7, seq: 1, atMs: 0 });
  t.match(a?.getSnapshot(), { status: 'done', output: { result: 'Busy', attemptId: 'a' } });
  t.equal(b?.getSnapshot().status, 'active');
  t.equal(actors.open, 1, 'an attempt that has ended is forgotten');
  actors.close();
  port.emit({ ...endedBody(486), attemptId: 'b', fence: 7, seq: 1, atMs: 0 });
  t.equal(b?.getSnapshot().status, 'active');
});

t.test('a port that refuses, and one that breaks, are told to the attempt', async (t) => {
  const port = new FakePort();
  const actors = new TelephonyActors(port, () => 0);
  const machine = callAttemptMachine.provide({ actors: { telephony: actors.logic } });
  const start = (attemptId: string) =>
    createActor(machine, {
      clock: new VirtualClock(),
      input: { ...ATTEMPT_INPUT, attemptId },
    }).start();

  port.answer = async () => ({ accepted: false, code: 'UNKNOWN_TRUNK', detail: 'no such trunk' });
  const refused = start('refused');
  await new Promise((resolve) => refused.subscribe({ complete: () => resolve(undefined) }));
  t.match(refused.getSnapshot().output, { result: 'Error', subReason: 'config' });

  port.answer = async () => Promise.reject(new Error('the line is down'));
  const broken = start('broken');
  await new Promise<void>((resolve) =>
    broken.subscribe(({ value }) => {
      if (value === 'asking') resolve();
    }),
  );
  t.same(port.sent.filter(({ type }) => type === 'attempt.query').length, 1);
  broken.stop();
  t.equal(actors.open, 0);
});
