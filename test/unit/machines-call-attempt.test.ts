/** Goal: every race of a call attempt ends in the one Result that is true, and in time. */
import t from 'tap';
import { createActor, initialTransition, transition, type SnapshotFrom } from 'xstate';
import type { CallAttemptEvent } from '../../machines/call-attempt.events.ts';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import {
  ATTEMPT_INPUT,
  AttemptUnderTest,
  body,
  endedBody,
  type EventBody,
} from '../support/attempt-under-test.ts';

/** Steps of the pure transition function: no actor runs, no time passes. */
function steps(...events: CallAttemptEvent[]) {
  let [snapshot, actions] = initialTransition(callAttemptMachine, ATTEMPT_INPUT);
  const ordered: unknown[] = actions.map(({ type }) => type);
  for (const event of events) {
    [snapshot, actions] = transition(callAttemptMachine, snapshot, event);
    ordered.push(...actions.map(({ type }) => type));
  }
  return { snapshot, ordered };
}

function numbered(...bodies: EventBody[]): CallAttemptEvent[] {
  return bodies.map((given, at) => ({ ...given, attemptId: 'a1', fence: 7, seq: at + 1, atMs: 0 }));
}

function stateOf(snapshot: SnapshotFrom<typeof callAttemptMachine>): string {
  return JSON.stringify(snapshot.value).replaceAll('"', '');
}

t.test('pure: an attempt climbs from dialing to its end', async (t) => {
  const all = numbered(
    body('sent'),
    body('alerting'),
    body('answered'),
    body('played'),
    endedBody(200, { answered: true, endedBy: 'dialer' }),
  );
  const states = ['{dialing:ordered}', 'proceeding', 'alerting', '{answered:playing}'];
  states.push('{hangingUp:ordered}', 'ended');
  for (const [count, state] of states.entries()) {
    t.equal(stateOf(steps(...all.slice(0, count)).snapshot), state);
  }
  const { snapshot } = steps(...all);
  t.equal(snapshot.status, 'done');
  t.match(snapshot.output, { result: 'Undetermined', subReason: 'not_classified', row: 11 });
});

t.test('pure: a second 180 sets no timer', async (t) => {
  const [sent, first, second] = numbered(body('sent'), body('alerting'), body('alerting'));
  const once = steps(...[sent, first].filter((event) => event !== undefined));
  t.ok(once.ordered.includes('xstate.raise'), 'the first sets the ring timer');
  if (second === undefined) throw new Error('unreachable');
  const [after, actions] = transition(callAttemptMachine, once.snapshot, second);
  t.equal(stateOf(after), 'alerting');
  t.same(
    actions.map(({ type }) => type).filter((type) => type.startsWith('xstate.')),
    [],
  );
});

t.test('a machine that was given no telephony stops with an error', async (t) => {
  const actor = createActor(callAttemptMachine, { input: ATTEMPT_INPUT });
  const failed = new Promise((resolve) => actor.subscribe({ error: resolve }));
  actor.start();
  t.match(await failed, { message: 'effect not provided: callAttempt.telephony' });
});

t.test('an ordinary attempt dials, plays and hangs up, in numbered commands', async (t) => {
  const attempt = new AttemptUnderTest();
  attempt.sent();
  attempt.events('alerting', 'answered');
  t.equal(attempt.state, '{answered:playing}');
  attempt.reply('attempt.play');
  attempt.events('played');
  attempt.reply('attempt.hangup');
  attempt.ended(200, { answered: true, endedBy: 'dialer', talkMs: 3_100 });
  t.same(attempt.ordered, ['dial', 'play', 'hangup']);
  t.same(
    attempt.orders.map(({ seq, fence, attemptId }) => ({ seq, fence, attemptId })),
    [1, 2, 3].map((seq) => ({ seq, fence: 7, attemptId: 'a1' })),
  );
  t.match(attempt.orders[0], { destination: '+15555550100', notAfterMs: 60_000, gatewayId: 'g1' });
  t.match(attempt.orders[1], { playId: 'afterAnswer', prompts: ['greeting'] });
  t.match(attempt.orders[2], { reason: 'completed' });
  t.match(attempt.output, { attemptId: 'a1', result: 'Undetermined', warnings: [] });
  t.equal(attempt.clock.pending, 0, 'no timer is left behind');
});

t.test('with nothing to say, whoever answers is hung up at once', async (t) => {
  const attempt = new AttemptUnderTest({ afterAnswer: { prompts: [] } }).sent();
  attempt.events('answered');
  t.same(attempt.ordered, ['dial', 'hangup']);
});

const endings = [
  { name: 'busy', status: 486, more: {}, expected: 'Busy' },
  { name: 'no such number', status: 404, more: {}, expected: 'InvalidAddress' },
  {
    name: 'Q.850 17 beside a 480',
    status: 480,
    more: { q850: [{ cause: 17, text: null }] },
    expected: 'Busy',
  },
  {
    name: '200 without SDP',
    status: 200,
    more: { endedBy: 'gateway' as const },
    expected: 'CallFailed',
  },
  {
    name: 'silent peer',
    status: 408,
    more: { sip: { statusCode: 408, reasonPhrase: null, origin: 'stack' as const } },
    expected: 'CallFailed',
  },
];

for (const { name, status, more, expected } of endings) {
  t.test(
    `[OUT-05] ${name} ends an attempt as ${expected} in any state before the answer`,
    async (t) => {
      for (const before of [[], ['sent'], ['sent', 'alerting'], ['sent', 'earlyMedia']] as const) {
        const attempt = new AttemptUnderTest();
        attempt.reply('attempt.dial');
        attempt.events(...before);
        attempt.ended(status, more);
        t.equal(attempt.output.result, expected, `after ${before.join(', ') || 'nothing'}`);
        t.same(attempt.ordered, ['dial']);
      }
    },
  );
}

t.test(
  '[OUT-05] the ring timer runs from the first 180, and a second one does not restart it',
  async (t) => {
    const attempt = new AttemptUnderTest().sent();
    attempt.clock.advanceBy(5_000);
    attempt.events('alerting');
    attempt.clock.advanceBy(20_000);
    attempt.events('alerting');
    attempt.events('earlyMedia');
    attempt.clock.advanceBy(9_999);
    t.equal(attempt.state, 'alerting');
    attempt.clock.advanceBy(1);
    t.match(attempt.orders.at(-1), { type: 'attempt.cancel', reason: 'ring_timeout' });
    attempt.ended(487, { cancelReason: 'ring_timeout', endedBy: 'dialer' });
    t.match(attempt.output, { result: 'NoAnswer', subReason: 'ring_timeout', warnings: [] });
  },
);

t.test('183 with early media starts the ring timer as 180 does', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('earlyMedia');
  attempt.clock.advanceBy(30_000);
  t.match(attempt.orders.at(-1), { type: 'attempt.cancel', reason: 'ring_timeout' });
});

t.test('without a sign of ringing the set-up timer gives up', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.clock.advanceBy(19_999);
  t.equal(attempt.state, 'proceeding');
  attempt.clock.advanceBy(1);
  t.match(attempt.orders.at(-1), { type: 'attempt.cancel', reason: 'setup_timeout' });
  attempt.reply('attempt.cancel');
  attempt.ended(487, { endedBy: 'dialer' });
  t.match(attempt.output, { result: 'NoAnswer', subReason: 'no_response' });
});

t.test('[OUT-06] a trunk that never answers at all is CallFailed', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.clock.advanceBy(20_000);
  attempt.reply('attempt.cancel');
  attempt.clock.advanceBy(12_000);
  attempt.ended(408, { sip: { statusCode: 408, reasonPhrase: null, origin: 'stack' } });
  t.match(attempt.output, { result: 'CallFailed', subReason: 'trunk_timeout', row: 32 });
});

t.test('CANCEL crossing 200: the answer is hung up, the Result stays', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('alerting');
  attempt.clock.advanceBy(30_000);
  attempt.events('answered');
  t.equal(attempt.state, '{hangingUp:ordered}');
  t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'cancelled' });
  attempt.ended(200, { answered: true, cancelReason: 'ring_timeout', endedBy: 'dialer' });
  t.match(attempt.output, {
    result: 'NoAnswer',
    subReason: 'ring_timeout',
    warnings: ['answered_late'],
  });
  t.notOk(attempt.ordered.includes('play'), 'nobody is spoken to');
});

t.test('answer after the ring time-out, known from the end alone', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('alerting');
  attempt.clock.advanceBy(30_000);
  attempt.reply('attempt.cancel');
  attempt.ended(200, { answered: true, endedBy: 'gateway' });
  t.match(attempt.output, { result: 'NoAnswer', warnings: ['answered_late'] });
});

t.test('an answer in the same instant as the ring time-out: whichever comes first', async (t) => {
  const answeredFirst = new AttemptUnderTest().sent();
  answeredFirst.clock.setTimeout(() => answeredFirst.events('answered'), 30_000);
  answeredFirst.events('alerting');
  answeredFirst.clock.advanceBy(30_000);
  t.equal(answeredFirst.state, '{answered:playing}');

  const timerFirst = new AttemptUnderTest().sent();
  timerFirst.events('alerting');
  timerFirst.clock.setTimeout(() => timerFirst.events('answered'), 30_000);
  timerFirst.clock.advanceBy(30_000);
  t.equal(timerFirst.state, '{hangingUp:ordered}');
});

t.test('hang-up while the endpoint is being made: no INVITE, nothing was attempted', async (t) => {
  const attempt = new AttemptUnderTest();
  attempt.reply('attempt.dial');
  attempt.clock.advanceBy(500);
  attempt.cancel();
  t.same(attempt.ordered, ['dial', 'cancel']);
  attempt.reply('attempt.cancel');
  attempt.ended(null, { invites: 0, endedBy: 'dialer', cancelReason: 'cancelled' });
  t.match(attempt.output, { result: 'Cancelled', subReason: 'cancelled', row: 1 });
});

t.test('cancel before the INVITE is known, crossing it', async (t) => {
  const attempt = new AttemptUnderTest();
  attempt.cancel();
  attempt.reply('attempt.dial');
  attempt.events('sent', 'alerting');
  t.equal(attempt.state, '{cancelling:ordered}');
  attempt.ended(487, { endedBy: 'dialer', cancelReason: 'cancelled' });
  t.match(attempt.output, { result: 'Cancelled', subReason: 'cancelled_ringing', row: 2 });
});

t.test('cancel crossing a refusal, by reply or by event', async (t) => {
  const byReply = new AttemptUnderTest();
  byReply.cancel();
  byReply.refuse('attempt.dial', 'TRUNK_RATE_LIMITED');
  t.match(byReply.output, { result: 'Cancelled', subReason: 'cancelled', retryClass: 'none' });

  const byEvent = new AttemptUnderTest();
  byEvent.reply('attempt.dial');
  byEvent.cancel('dialer_recall');
  byEvent.event({ type: 'attempt.refused', code: 'TRUNK_CHANNELS_EXHAUSTED', detail: '' });
  t.match(byEvent.output, { result: 'Cancelled', retryClass: 'untried' });
});

t.test('the first reason to give up stays, a second cancel orders nothing', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('alerting');
  attempt.cancel('dialer_recall');
  attempt.cancel('cancelled');
  t.same(attempt.ordered, ['dial', 'cancel']);
  attempt.ended(487, { endedBy: 'dialer' });
  t.match(attempt.output, { result: 'NoAnswer', subReason: 'dialer_recall' });
});

t.test('cancel after the answer is a hang-up, and the Result is that of an answer', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('answered');
  attempt.cancel('shutdown');
  t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'shutdown' });
  attempt.ended(200, { answered: true, endedBy: 'dialer' });
  t.match(attempt.output, { result: 'Undetermined', subReason: 'not_classified' });
});

t.test('BYE before ACK: answered and ended by the far end at once', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('answered');
  attempt.ended(200, { answered: true, talkMs: 0 });
  t.match(attempt.output, { result: 'Undetermined', subReason: 'abandoned_by_customer', row: 7 });
});

t.test('the customer hangs up in the middle of the prompt', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('alerting', 'answered');
  attempt.event({
    type: 'attempt.played',
    playId: 'afterAnswer',
    status: 'stopped',
    playedMs: 400,
  });
  attempt.ended(200, { answered: true, talkMs: 450 });
  t.match(attempt.output, { result: 'Undetermined', subReason: 'abandoned_by_customer' });
});

t.test('an end without an answer heard before it, and an answer before any INVITE', async (t) => {
  const early = new AttemptUnderTest();
  early.reply('attempt.dial');
  early.ended(486);
  t.equal(early.output.result, 'Busy');

  const skipped = new AttemptUnderTest();
  skipped.events('answered');
  t.equal(skipped.state, '{answered:playing}', 'a gateway may be ahead of its own reply');
});

t.test('180 after 200 is evidence of nothing new and changes no state', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('answered', 'alerting');
  t.equal(attempt.state, '{answered:playing}');
  attempt.clock.advanceBy(14_999);
  t.equal(attempt.state, '{answered:playing}', 'and sets no ring timer');
  attempt.clock.advanceBy(1);
  t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'limit' });
});

t.test('a prompt that is missing or refused hangs up and is told', async (t) => {
  const missing = new AttemptUnderTest().sent();
  missing.events('answered');
  missing.event({ type: 'attempt.played', playId: 'afterAnswer', status: 'notFound', playedMs: 0 });
  t.match(missing.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
  missing.ended(200, { answered: true, endedBy: 'dialer' });
  t.match(missing.output.warnings, ['prompt_failed']);

  const refused = new AttemptUnderTest().sent();
  refused.events('answered');
  refused.refuse('attempt.play', 'BAD_STATE');
  t.match(refused.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
});

t.test('repeated events count once, those of another fence or attempt not at all', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.event(body('alerting'), 2);
  attempt.event(body('answered'), 3, 6);
  attempt.event(body('answered'), 3, 8);
  t.equal(attempt.state, 'alerting');
  attempt.event(body('answered'), 3);
  attempt.event(body('answered'), 3);
  attempt.event(body('sent'), 1);
  attempt.event({ type: 'attempt.dtmf', digit: '1', durationMs: 90, source: 'rtp' }, 4);
  attempt.event({ type: 'attempt.dtmf', digit: '1', durationMs: 90, source: 'rtp' }, 4);
  t.same(attempt.ordered, ['dial', 'play']);
  attempt.ended(200, { answered: true });
  t.equal(attempt.output.evidence.digits.length, 1);
});

t.test('an end that overtook the played event waits for it, and is final once', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.events('answered');
  const end = endedBody(200, { answered: true, talkMs: 3_000 });
  attempt.event(end, 4);
  t.equal(attempt.state, 'settling');
  attempt.event(end, 4);
  attempt.cancel();
  attempt.lost();
  t.equal(attempt.state, 'settling', 'a repeat, a cancel or a loss changes nothing now');
  attempt.event(body('played'), 3);
  t.match(attempt.output, { result: 'Undetermined', subReason: 'not_classified' });
  attempt.event(end, 4);
  attempt.event(body('played'), 5);
  t.equal(attempt.state, 'ended');
});

t.test('an event that never comes holds the Result up for one second only', async (t) => {
  const attempt = new AttemptUnderTest().sent();
  attempt.event(endedBody(486), 3);
  attempt.clock.advanceBy(999);
  t.equal(attempt.state, 'settling');
  attempt.clock.advanceBy(1);
  t.equal(attempt.output.result, 'Busy');
});
