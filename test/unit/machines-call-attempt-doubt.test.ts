/** Goal: whatever the gateway fails to say, an attempt is dialled once and ends in bounded time. */
import fc from 'fast-check';
import t from 'tap';
import { emptyEvidence } from '../../machines/attempt-evidence.ts';
import { QUERIES_MAX } from '../../machines/call-attempt.events.ts';
import {
  AttemptUnderTest,
  body,
  endedBody,
  type EventBody,
} from '../support/attempt-under-test.ts';

const accepted = { accepted: true as const };

t.test('a dial without a reply is asked about and never dialled again', async (t) => {
  const attempt = new AttemptUnderTest();
  attempt.clock.advanceBy(2_000);
  t.same(attempt.ordered, ['dial', 'query']);
  attempt.clock.runAll();
  t.equal(attempt.ordered.filter((type) => type === 'dial').length, 1);
  t.equal(attempt.ordered.filter((type) => type === 'query').length, QUERIES_MAX);
  t.match(attempt.orders.at(-1), { type: 'attempt.cancel', reason: 'in_doubt' });
  t.match(attempt.output, { result: 'Unknown', subReason: 'recovered', row: 33 });
  t.equal(attempt.clock.now(), 2_000 + QUERIES_MAX * 5_000);
});

t.test('a gateway that falls silent in any state ends as Unknown, in bounded time', async (t) => {
  const silences: [string, (attempt: AttemptUnderTest) => void][] = [
    ['after the dial', () => undefined],
    ['after its reply', (attempt) => attempt.reply('attempt.dial')],
    ['after the INVITE', (attempt) => attempt.sent()],
    ['while ringing', (attempt) => attempt.sent().events('alerting')],
    ['after the answer', (attempt) => attempt.sent().events('answered')],
    ['while hanging up', (attempt) => attempt.sent().events('answered', 'played')],
  ];
  for (const [name, before] of silences) {
    const attempt = new AttemptUnderTest();
    before(attempt);
    attempt.clock.runAll(1_000);
    t.match(attempt.output, { result: 'Unknown', subReason: 'recovered' }, name);
    t.ok(attempt.clock.now() < 200_000, `${name}: ${attempt.clock.now()} ms`);
  }
  const cancelled = new AttemptUnderTest().sent();
  cancelled.cancel();
  cancelled.reply('attempt.cancel');
  cancelled.clock.runAll(1_000);
  t.match(cancelled.output, { result: 'Cancelled' }, 'what was asked for stands');
});

const found = [
  { phase: 'starting', state: '{dialing:accepted}', ordered: ['dial', 'query'] },
  { phase: 'sent', state: 'proceeding', ordered: ['dial', 'query'] },
  { phase: 'alerting', state: 'alerting', ordered: ['dial', 'query'] },
  { phase: 'answered', state: '{answered:playing}', ordered: ['dial', 'query', 'play'] },
] as const;

for (const { phase, state, ordered } of found) {
  t.test(`in doubt: a gateway that says ${phase} puts the attempt back to work`, async (t) => {
    const attempt = new AttemptUnderTest();
    attempt.lost();
    attempt.reply('attempt.query', { ...accepted, state: { attemptId: 'a1', fence: 7, phase } });
    t.equal(attempt.state, state);
    t.same(attempt.ordered, ordered);
  });
}

t.test('in doubt: a gateway that knows the end gives it', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.lost();
  const state = { attemptId: 'a1', fence: 7, phase: 'ended' as const, ended: endedBody(486) };
  attempt.reply('attempt.query', { ...accepted, state });
  t.match(attempt.output, { result: 'Busy', evidence: { inDoubt: true } });
});

t.test('in doubt: a gateway that remembers nothing proves nothing', async (t) => {
  const forgotten = new AttemptUnderTest().sent();
  forgotten.lost();
  const state = { attemptId: 'a1', fence: 7, phase: 'unknown' as const };
  forgotten.reply('attempt.query', { ...accepted, state });
  t.match(forgotten.output, { result: 'Unknown', subReason: 'recovered' });
  t.notOk(forgotten.ordered.includes('hangup'), 'no dialog is known');

  const answered = new AttemptUnderTest().sent();
  answered.events('answered');
  answered.lost();
  answered.reply('attempt.query', { ...accepted, state });
  t.match(answered.orders.at(-1), { type: 'attempt.hangup', dialogId: 'd1' });
  t.match(answered.output, { result: 'Unknown', subReason: 'recovered' });

  const refused = new AttemptUnderTest().sent();
  refused.lost();
  refused.refuse('attempt.query', 'UNKNOWN_ATTEMPT');
  t.match(refused.output, { result: 'Unknown', subReason: 'recovered' });
});

t.test('in doubt: a dial reply that comes late still counts', async (t) => {
  const late = new AttemptUnderTest();
  late.clock.advanceBy(2_000);
  late.reply('attempt.dial');
  t.equal(late.state, '{dialing:accepted}');
  const refused = new AttemptUnderTest();
  refused.clock.advanceBy(2_000);
  refused.refuse('attempt.dial', 'TOO_LATE');
  t.match(refused.output, { result: 'Expired', subReason: 'too_late', retryClass: 'untried' });
});

t.test('in doubt: repeated losses ask no faster than the interval', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  for (let loss = 0; loss < 20; loss += 1) attempt.lost();
  t.same(attempt.ordered, ['dial', 'query']);
  attempt.clock.advanceBy(5_000);
  t.same(attempt.ordered, ['dial', 'query', 'query']);
});

t.test('in doubt: a repeat of an old event is no sign of life', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('alerting');
  attempt.lost();
  attempt.event(body('alerting'), 2);
  t.equal(attempt.state, 'asking');
  attempt.event({ ...body('alerting') }, 3);
  t.equal(attempt.state, 'alerting');
});

t.test('in doubt: cancelled meanwhile, the answer is hung up when it becomes known', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.lost();
  attempt.cancel();
  attempt.event(body('answered'));
  t.equal(attempt.state, '{hangingUp:ordered}');
  attempt.ended(200, { answered: true, endedBy: 'dialer' });
  t.match(attempt.output, { result: 'Cancelled', warnings: ['answered_late'] });
});

t.test('in doubt after the answer: the person is not spoken to twice', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('answered');
  attempt.lost();
  attempt.cancel('shutdown');
  const state = { attemptId: 'a1', fence: 7, phase: 'answered' as const };
  attempt.reply('attempt.query', { ...accepted, state });
  t.same(attempt.ordered, ['dial', 'play', 'query', 'hangup']);
  t.match(attempt.orders.at(-1), { reason: 'shutdown' });
});

t.test('a stale fence ends our part in any state', async (t) => {
  const dialling = new AttemptUnderTest();
  dialling.refuse('attempt.dial', 'STALE_FENCE');
  t.match(dialling.output, { result: 'Unknown', subReason: 'stale_fence', retryClass: 'none' });
  const playing = new AttemptUnderTest().sent();
  playing.events('answered');
  playing.refuse('attempt.play', 'STALE_FENCE');
  t.equal(playing.state, 'ended');
  const asking = new AttemptUnderTest().sent();
  asking.lost();
  asking.refuse('attempt.query', 'STALE_FENCE');
  t.match(asking.output, { subReason: 'stale_fence' });
});

t.test('recovery dials nothing: it asks, and works on from what it learns', async (t) => {
  const evidence = { ...emptyEvidence(), sent: { seq: 1, callId: 'c1', trunk: 'lab' } };
  const ringing = new AttemptUnderTest({ recovery: { evidence, lastSeq: 1 } });
  t.same(ringing.ordered, ['query']);
  ringing.event(body('alerting'));
  t.equal(ringing.state, 'alerting');
  ringing.ended(486);
  t.match(ringing.output, { result: 'Busy', evidence: { sent: { seq: 1 }, alerting: { seq: 2 } } });

  const heardAnswer = { ...evidence, answered: { seq: 2, afterSentMs: 10 } };
  const answered = new AttemptUnderTest({ recovery: { evidence: heardAnswer, lastSeq: 2 } });
  const state = { attemptId: 'a1', fence: 7, phase: 'answered' as const };
  answered.reply('attempt.query', { ...accepted, state });
  t.same(answered.ordered, ['query', 'hangup']);

  const silent = new AttemptUnderTest({ recovery: { evidence, lastSeq: 1 } });
  silent.clock.runAll();
  t.match(silent.output, { result: 'Unknown', subReason: 'recovered' });
});

t.test('recovery makes nothing of a call before it has heard all that came before', async (t) => {
  const evidence = { ...emptyEvidence(), sent: { seq: 1, callId: 'c1', trunk: 'lab' } };
  const heard = { fence: 6, seq: 1 };
  const recovery = { evidence, lastSeq: 1, heard };
  const snapshot = { attemptId: 'a1', fence: 7, phase: 'answered' as const };
  const failsafe: EventBody = {
    ...{ type: 'attempt.connectFailed', connectId: null, reason: 'failsafe', detail: 'a test' },
  };

  for (const order of ['events first', 'reply first']) {
    const call = new AttemptUnderTest({ recovery });
    t.match(call.orders, [{ type: 'attempt.query', heard }]);
    const reply = (): void =>
      call.reply('attempt.query', { ...accepted, state: { ...snapshot, told: 3 } });
    if (order === 'reply first') {
      reply();
      t.equal(call.state, 'catchingUp', order);
    }
    call.events('alerting', 'answered');
    t.same(call.ordered, ['query'], `${order}: nobody is told twice`);
    call.event(failsafe);
    if (order === 'events first') reply();
    t.equal(call.state, '{answered:abandoned}', order);
    call.ended(200, { answered: true });
    t.match(call.output, { result: 'LiveAnswer', subReason: 'abandoned_by_system' }, order);
  }

  const ended = new AttemptUnderTest({ recovery });
  const state = { ...snapshot, phase: 'ended' as const, ended: endedBody(200), told: 4 };
  ended.reply('attempt.query', { ...accepted, state });
  ended.events('alerting', 'answered');
  ended.event(failsafe);
  t.equal(ended.state, 'catchingUp', 'the end is known, and waits for the whole account');
  ended.ended(200, { answered: true });
  t.match(ended.output, { subReason: 'abandoned_by_system' });

  const mute = new AttemptUnderTest({ recovery });
  mute.reply('attempt.query', { ...accepted, state });
  mute.clock.advanceBy(5_000);
  t.match(mute.output, { evidence: { ended: { endedBy: 'far' } } }, 'but not for ever');

  const cancelled = new AttemptUnderTest({ recovery });
  cancelled.reply('attempt.query', { ...accepted, state: { ...snapshot, told: 2 } });
  cancelled.cancel();
  cancelled.events('alerting', 'answered');
  t.same(cancelled.ordered, ['query', 'hangup'], 'what is asked for meanwhile is done');
});

const logs: { name: string; bodies: EventBody[] }[] = [
  { name: 'busy', bodies: [body('sent'), body('alerting'), endedBody(486)] },
  {
    name: 'played',
    bodies: [
      body('sent'),
      body('alerting'),
      body('answered'),
      body('played'),
      endedBody(200, { answered: true }),
    ],
  },
  {
    name: 'abandoned',
    bodies: [
      body('sent'),
      body('earlyMedia'),
      body('alerting'),
      body('answered'),
      endedBody(200, { answered: true }),
    ],
  },
];

t.test(
  'order and repetition of a gateway’s events do not change the Result (property)',
  async (t) => {
    for (const { name, bodies } of logs) {
      const numberedBodies = bodies.map((given, at) => ({ given, seq: at + 1 }));
      const run = (arrivals: typeof numberedBodies) => {
        const attempt = new AttemptUnderTest();
        attempt.reply('attempt.dial');
        for (const { given, seq } of arrivals) attempt.event(given, seq);
        const { result, subReason, row } = attempt.output;
        return `${row} ${result} ${subReason}`;
      };
      const expected = run(numberedBodies);
      const arrivals = fc
        .tuple(
          fc.shuffledSubarray(numberedBodies, { minLength: numberedBodies.length }),
          fc.array(fc.constantFrom(...numberedBodies), { maxLength: 4 }),
        )
        .map(([all, again]) => [...again, ...all]);
      fc.assert(
        fc.property(arrivals, (given) => run(given) === expected),
        { numRuns: 60 },
      );
      t.pass(`${name}: ${expected}`);
    }
  },
);

const anyStep = fc.oneof(
  fc
    .constantFrom('sent', 'alerting', 'earlyMedia', 'answered', 'played')
    .map((name) => (a: AttemptUnderTest) => a.event(body(name))),
  fc
    .constantFrom(486, 487, 200, null)
    .map((code) => (a: AttemptUnderTest) => a.ended(code, { answered: code === 200 })),
  fc.integer({ min: 0, max: 40_000 }).map((ms) => (a: AttemptUnderTest) => a.clock.advanceBy(ms)),
  fc
    .constantFrom('cancelled', 'dialer_recall', 'shutdown')
    .map((reason) => (a: AttemptUnderTest) => a.cancel(reason)),
  fc.constant((a: AttemptUnderTest) => a.lost()),
  fc.constant((a: AttemptUnderTest) => {
    const last = a.orders.at(-1);
    if (last !== undefined) a.reply(last.type);
  }),
  fc.constant((a: AttemptUnderTest) => {
    const last = a.orders.at(-1);
    if (last !== undefined) a.refuse(last.type, 'BAD_STATE');
  }),
);

t.test(
  'whatever happens, there is one dial, one Result, and an end in bounded time (property)',
  async (t) => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25 }), (given) => {
        const attempt = new AttemptUnderTest();
        let outputs = 0;
        attempt.actor.subscribe({ complete: () => (outputs += 1) });
        for (const step of given) step(attempt);
        attempt.clock.runAll(2_000);
        const dials = attempt.ordered.filter((type) => type === 'dial').length;
        const numbers = attempt.orders.map(({ seq }) => seq);
        const isCounted = numbers.every((seq, at) => seq === at + 1);
        return dials === 1 && outputs === 1 && isCounted && attempt.output.attemptId === 'a1';
      }),
      { numRuns: 300 },
    );
    t.pass();
  },
);
