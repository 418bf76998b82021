/** Goal: whoever answers a rep-led call is treated as what they are, and a machine reaches nobody. */
import fc from 'fast-check';
import t from 'tap';
import type { CallAttemptInput } from '../../machines/call-attempt.events.ts';
import type { AnswerVerdict, EarlyMediaVerdict } from '../../machines/telephony-events.ts';
import { EARLY_MEDIA_VERDICTS } from '../../machines/telephony-events.ts';
import { ATTEMPT_INPUT, AttemptUnderTest, type EventBody } from '../support/attempt-under-test.ts';

const MESSAGE = ['say:en:Please call us back.'];
const byUs = { answered: true, endedBy: 'dialer' as const };
const byFar = { answered: true, endedBy: 'far' as const };
const byGateway = { answered: true, endedBy: 'gateway' as const };

const DETECTED = {
  ...ATTEMPT_INPUT.dial,
  detection: { mode: 'beforeConnect' as const, limitMs: 2_000, initialSilenceMs: 2_500 },
  failsafe: {
    ...{ clockFrom: 'answer' as const, connectWithinMs: 6_000, ceilingAfterAnswerMs: 6_000 },
    ...{ promptId: 'say:en:Nobody is free.', optOutDigits: '9' },
  },
  lobbyId: 'l1',
};

/** In preview nothing is detected. */
const UNDETECTED = { ...ATTEMPT_INPUT.dial, lobbyId: 'l1' };

type RepLed = Extract<CallAttemptInput['afterAnswer'], { representative: unknown }>;

function repLed(more: Partial<RepLed> = {}, input: Partial<CallAttemptInput> = {}) {
  const afterAnswer: RepLed = {
    representative: { lobbyId: 'l1' },
    machine: { action: 'hangup' },
    ...more,
  };
  const attempt = new AttemptUnderTest({ dial: DETECTED, afterAnswer, ...input }).sent();
  attempt.events('alerting');
  return attempt;
}

function answered(more: Partial<RepLed> = {}): AttemptUnderTest {
  const attempt = repLed(more);
  attempt.events('answered');
  return attempt;
}

const classified = (verdict: AnswerVerdict, evidence = {}): EventBody => ({
  type: 'attempt.classified',
  ...{ verdict, humanProbability: 0.5, afterAnswerMs: 900, evidence },
});
const connected = (connectId = 'afterAnswer'): EventBody => ({
  type: 'attempt.connected',
  ...{ connectId, target: 'lobby', afterAnswerMs: 1_000, afterGreetingEndMs: 100 },
});
const connectFailed = (
  reason: 'failsafe' | 'target_gone',
  connectId: string | null = 'afterAnswer',
): EventBody => ({ type: 'attempt.connectFailed', connectId, reason, detail: 'by the test' });
const bridgeEnded = (
  endedBy: 'far' | 'target' | 'dialer' | 'switch',
  connectId = 'afterAnswer',
): EventBody => ({ type: 'attempt.bridgeEnded', connectId, endedBy, bridgedMs: 5_000 });
const played = (status: 'done' | 'stopped' | 'notFound'): EventBody => ({
  type: 'attempt.played',
  ...{ playId: 'message', status, playedMs: 4_000 },
});
const earlyMedia = (verdict: EarlyMediaVerdict | null): EventBody => ({
  type: 'attempt.earlyMedia',
  ...{ statusCode: 183, afterSentMs: 900, verdict },
});

function talking(): AttemptUnderTest {
  const attempt = answered();
  attempt.event(classified('human'));
  attempt.reply('attempt.connect');
  attempt.event(connected());
  return attempt;
}

t.test('[DM-21] the verdict is waited for, and a person is joined with the lobby', async (t) => {
  const attempt = answered();
  t.equal(attempt.state, '{answered:classifying}');
  t.same(attempt.ordered, ['dial'], 'nothing is done with whoever it may be');
  attempt.event(classified('human', { speechStartMs: 412.4 }));
  t.match(attempt.orders.at(-1), {
    type: 'attempt.connect',
    connectId: 'afterAnswer',
    target: { kind: 'lobby', lobbyId: 'l1' },
  });
  attempt.reply('attempt.connect');
  attempt.event(connected());
  t.equal(attempt.state, '{answered:talking}');
  attempt.event(bridgeEnded('target'));
  t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'completed' });
  attempt.ended(200, byUs);
  t.match(attempt.output, {
    ...{ result: 'LiveAnswer', subReason: null, row: 5 },
    evidence: { classified: { verdict: 'human', speechStartMs: 412 } },
  });
  t.equal(attempt.clock.pending, 0, 'no timer is left behind');
});

const unbridged = [
  { verdict: 'machine', row: 9, result: 'AnsweringMachineHangup', ids: '[DM-21] [DM-26]' },
  { verdict: 'fax', row: 10, result: 'NotAHandset', ids: '[OUT-04]' },
  { verdict: 'sit', row: 10, result: 'NotAHandset', ids: '[OUT-04]' },
  { verdict: 'silence', row: 11, result: 'Undetermined', ids: '[OUT-03]' },
] as const;
for (const { verdict, row, result, ids } of unbridged) {
  t.test(`${ids} ${verdict}: hung up without a sound, as ${result}`, async (t) => {
    const attempt = answered();
    attempt.event(classified(verdict));
    t.same(attempt.ordered, ['dial', 'hangup']);
    attempt.reply('attempt.hangup');
    attempt.ended(200, byUs);
    t.match(attempt.output, { result, row });
  });
}

t.test('[DM-21] undecided is a person, and so is a gateway without a verdict', async (t) => {
  const undecided = answered();
  undecided.event(classified('unknown'));
  t.equal(undecided.state, '{answered:{joining:ordered}}');
  const silent = answered();
  silent.clock.advanceTo(2_500 + 2_000 + 4_000 - 1);
  t.equal(silent.state, '{answered:classifying}');
  silent.clock.advanceTo(2_500 + 2_000 + 4_000);
  t.equal(silent.state, '{answered:{joining:ordered}}');
  silent.event(classified('machine'));
  t.equal(silent.state, '{hangingUp:ordered}', 'a late verdict still keeps a machine away');
});

t.test(
  '[DM-27] the text follows the greeting of a machine, whole, and then we hang up',
  async (t) => {
    const attempt = answered({ machine: { action: 'leaveMessage', prompts: MESSAGE } });
    attempt.event(classified('machine'));
    t.match(attempt.orders.at(-1), {
      ...{ type: 'attempt.play', playId: 'message', when: 'afterGreeting', prompts: MESSAGE },
    });
    attempt.reply('attempt.play');
    attempt.clock.advanceTo(60_000);
    t.equal(attempt.state, '{answered:leavingMessage}', 'a long greeting is waited for');
    attempt.event(played('done'));
    t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'completed' });
    attempt.ended(200, byUs);
    t.match(attempt.output, { result: 'AnsweringMachine', row: 8 });
  },
);

t.test('a message that could not be left is no message', async (t) => {
  const plan = { machine: { action: 'leaveMessage' as const, prompts: MESSAGE } };
  const missing = answered(plan);
  missing.event(classified('machine'));
  missing.event(played('notFound'));
  t.match(missing.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
  missing.ended(200, byUs);
  t.match(missing.output, { result: 'AnsweringMachineHangup', warnings: ['prompt_failed'] });
  const refused = answered(plan);
  refused.event(classified('machine'));
  refused.refuse('attempt.play', 'BAD_STATE');
  t.match(refused.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
  const endless = answered(plan);
  endless.event(classified('machine'));
  endless.reply('attempt.play');
  endless.clock.advanceTo(90_000 + ATTEMPT_INPUT.playTimeoutMs);
  t.match(endless.orders.at(-1), { type: 'attempt.hangup', reason: 'limit' });
});

t.test(
  '[DM-31] [DM-33] nobody in time: the gateway’s clock ends the call, and it is told',
  async (t) => {
    const attempt = answered({ representative: { lobbyId: null } });
    attempt.event(classified('human'));
    t.equal(attempt.state, '{answered:reaching}');
    attempt.event(connectFailed('failsafe', null));
    t.equal(attempt.state, '{answered:abandoned}');
    attempt.lobby('l2');
    t.same(attempt.ordered, ['dial'], 'the message is being said: nobody is connected any more');
    attempt.ended(200, byGateway);
    t.match(attempt.output, {
      ...{ result: 'LiveAnswer', subReason: 'abandoned_by_system', row: 6 },
      evidence: { waitExceeded: true },
    });
  },
);

t.test(
  '[DM-31] the clock runs out while they are being joined, or during the verdict',
  async (t) => {
    const joining = answered();
    joining.event(classified('human'));
    joining.event(connectFailed('failsafe'));
    const listening = answered();
    listening.event(connectFailed('failsafe', null));
    for (const attempt of [joining, listening]) {
      t.equal(attempt.state, '{answered:abandoned}');
      attempt.ended(200, byFar);
      t.match(attempt.output, { subReason: 'abandoned_by_system' });
    }
  },
);

t.test('[DM-31] a gateway whose clock does not act leaves nobody waiting', async (t) => {
  const attempt = answered({ representative: { lobbyId: null } });
  attempt.event(classified('unknown'));
  attempt.clock.advanceTo(6_000 + 5_000);
  t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'no_connect' });
  attempt.ended(200, byUs);
  t.match(attempt.output, { result: 'LiveAnswer', subReason: 'abandoned_by_system' });
  const silent = answered();
  silent.event(connectFailed('failsafe', null));
  silent.clock.advanceTo(240_000);
  t.match(silent.orders.at(-1), { type: 'attempt.hangup', reason: 'no_connect' });
});

t.test('[DM-33] a customer who hangs up first was not abandoned by us', async (t) => {
  for (const verdict of [undefined, 'human', 'unknown'] as const) {
    const attempt = answered({ representative: { lobbyId: null } });
    if (verdict !== undefined) attempt.event(classified(verdict));
    attempt.ended(200, byFar);
    const expected =
      verdict === 'unknown'
        ? { result: 'Undetermined' }
        : { result: 'Undetermined', subReason: 'abandoned_by_customer' };
    t.match(attempt.output, { ...expected, evidence: { waitExceeded: false } }, verdict ?? 'none');
  }
});

t.test('a representative who is found while the person waits is joined at once', async (t) => {
  const attempt = answered({ representative: { lobbyId: null } });
  attempt.event(classified('human'));
  attempt.lobby('l7');
  t.match(attempt.orders.at(-1), { type: 'attempt.connect', target: { lobbyId: 'l7' } });
});

t.test('a representative who is lost is replaced, and the clock goes on', async (t) => {
  const attempt = answered();
  attempt.event(classified('human'));
  attempt.reply('attempt.connect');
  attempt.event(connectFailed('target_gone'));
  t.equal(attempt.state, '{answered:reaching}');
  attempt.lobby('l2');
  t.match(attempt.orders.at(-1), {
    ...{ type: 'attempt.connect', connectId: 'afterAnswer-2', target: { lobbyId: 'l2' } },
  });
  attempt.refuse('attempt.connect', 'LOBBY_GONE');
  t.equal(attempt.state, '{answered:reaching}');
  attempt.lobby('l3');
  attempt.event(connected('afterAnswer-2'));
  t.equal(attempt.state, '{answered:{joining:ordered}}', 'an older connect is no connect');
  attempt.event(connected('afterAnswer-3'));
  attempt.event(bridgeEnded('target', 'afterAnswer'));
  t.equal(attempt.state, '{answered:talking}', 'nor is its end an end');
});

t.test('recalled before the answer it is taken back, after it the person waits', async (t) => {
  const ringing = repLed();
  ringing.recall();
  t.match(ringing.orders.at(-1), { type: 'attempt.cancel', reason: 'dialer_recall' });
  ringing.ended(487, { endedBy: 'dialer', cancelReason: 'dialer_recall' });
  t.match(ringing.output, { result: 'NoAnswer', subReason: 'dialer_recall' });
  const heard = answered();
  heard.recall();
  heard.event(classified('human'));
  t.equal(heard.state, '{answered:reaching}');
});

t.test('a customer who was passed on goes on with somebody else', async (t) => {
  const attempt = talking();
  attempt.event(bridgeEnded('dialer'));
  attempt.event({ type: 'attempt.transferred', transferId: 't1' });
  t.equal(attempt.state, '{answered:passedOn}');
  t.same(attempt.ordered, ['dial', 'connect'], 'and is not hung up on');
  attempt.ended(200, byFar);
  t.match(attempt.output, { result: 'LiveAnswer' });
  const failed = talking();
  failed.event(bridgeEnded('dialer'));
  failed.event({
    ...{ type: 'attempt.transferFailed', transferId: 't1', reason: 'timeout' },
    ...{ statusCode: null, detail: 'by the test' },
  });
  t.equal(failed.state, '{answered:reaching}', 'the blind transfer failed: another is found');
});

t.test('the representative’s phone passes the customer on, and only while they talk', async (t) => {
  const passOn = (attempt: AttemptUnderTest) =>
    attempt.actor.send({
      ...{ type: 'dialer.transfer', transferId: 't1', destination: '+31201230000' },
    });
  const attempt = talking();
  passOn(attempt);
  t.match(attempt.orders.at(-1), {
    ...{ type: 'attempt.transfer', transferId: 't1', mode: 'blind', destination: '+31201230000' },
  });
  attempt.refuse('attempt.transfer', 'BAD_STATE');
  t.equal(attempt.state, '{answered:talking}', 'refused, they talk on');
  const waiting = answered();
  passOn(waiting);
  waiting.event(classified('human'));
  passOn(waiting);
  t.notOk(waiting.ordered.includes('transfer'), 'nobody is there to be passed on by');
});

t.test(
  '[WS-03] what the workstream says of recording is ordered when they are joined',
  async (t) => {
    const recording = { recordingId: 'r1', channels: 'stereo' as const, lengthMaxMs: 600_000 };
    const attempt = repLed({}, { recording });
    attempt.events('answered');
    attempt.event(classified('human'));
    t.same(attempt.ordered, ['dial', 'connect'], 'not before');
    attempt.event(connected());
    t.match(attempt.orders.at(-1), { type: 'recording.start', ...recording });
    attempt.refuse('recording.start', 'BAD_STATE');
    t.equal(attempt.state, '{answered:talking}', 'a recording that fails ends no call');
    t.notOk(talking().ordered.includes('recording.start'));
  },
);

const early = [
  { verdict: 'busy', row: 13, result: 'Busy' },
  { verdict: 'sit_vacant', row: 14, result: 'InvalidAddress' },
  { verdict: 'voicemail', row: 15, result: 'AnsweringMachine' },
  { verdict: 'reorder', row: 16, result: 'CallFailed' },
  { verdict: 'sit_no_circuit', row: 16, result: 'CallFailed' },
] as const;
for (const { verdict, row, result } of early) {
  t.test(`early media: ${verdict} ends the attempt at once, as ${result}`, async (t) => {
    for (const before of [[], ['alerting'], ['earlyMedia']] as const) {
      const attempt = new AttemptUnderTest().sent();
      attempt.events(...before);
      attempt.event(earlyMedia(verdict));
      t.match(attempt.orders.at(-1), { type: 'attempt.cancel', reason: 'early_media' });
      attempt.reply('attempt.cancel');
      attempt.ended(487, { endedBy: 'dialer', cancelReason: 'early_media' });
      t.match(attempt.output, { result, row, warnings: [] }, before.join());
    }
    const crossed = new AttemptUnderTest().sent();
    crossed.event(earlyMedia(verdict));
    crossed.events('answered');
    crossed.ended(200, byUs);
    t.match(crossed.output, { result, row, warnings: ['answered_late'] });
  });
}

t.test('early media: ringback and the unrecognised are waited through', async (t) => {
  for (const verdict of ['ringback', 'other', null] as const) {
    const attempt = new AttemptUnderTest().sent();
    attempt.event(earlyMedia(verdict));
    t.equal(attempt.state, 'alerting');
  }
});

t.test(
  '[OUT-08] [OUT-09] preview: joined before the answer, never classified, CallEnded',
  async (t) => {
    const attempt = repLed({}, { dial: UNDETECTED, preview: true });
    t.match(attempt.orders.at(-1), { type: 'attempt.connect', target: { lobbyId: 'l1' } });
    attempt.reply('attempt.connect');
    attempt.event(connected());
    attempt.event(earlyMedia('voicemail'));
    t.equal(attempt.state, 'alerting', 'the representative hears it, and decides');
    attempt.events('answered');
    t.equal(attempt.state, '{answered:talking}');
    for (const verdict of ['machine', 'fax', 'sit'] as const) attempt.event(classified(verdict));
    t.equal(attempt.state, '{answered:talking}');
    attempt.event(bridgeEnded('target'));
    attempt.ended(200, byUs);
    t.match(attempt.output, { result: 'CallEnded', row: 5 });
  },
);

t.test(
  '[OUT-08] preview: one who could not be joined while it rang is joined at the answer',
  async (t) => {
    const attempt = repLed({}, { dial: UNDETECTED, preview: true });
    attempt.refuse('attempt.connect', 'BAD_STATE');
    attempt.events('answered');
    t.match(attempt.orders.at(-1), { type: 'attempt.connect', connectId: 'afterAnswer-2' });
    const pending = repLed({}, { dial: UNDETECTED, preview: true });
    pending.events('answered');
    t.equal(pending.state, '{answered:{joining:accepted}}');
    pending.event(connected());
    t.equal(pending.state, '{answered:talking}');
  },
);

t.test('taken over while they talk, they talk on', async (t) => {
  const attempt = talking();
  attempt.lost();
  const state = { attemptId: 'a1', fence: ATTEMPT_INPUT.fence, phase: 'answered' as const };
  attempt.reply('attempt.query', { accepted: true, state: { ...state, connected: true } });
  t.equal(attempt.state, '{answered:talking}');
});

t.test(
  '[DM-21] whatever comes in whatever order, no lobby hears a machine (property)',
  async (t) => {
    const events: fc.Arbitrary<(attempt: AttemptUnderTest) => void> = fc.oneof(
      fc
        .constantFrom<AnswerVerdict>('machine', 'fax', 'sit')
        .map((verdict) => (attempt: AttemptUnderTest) => attempt.event(classified(verdict))),
      fc
        .constantFrom(...EARLY_MEDIA_VERDICTS)
        .map((verdict) => (attempt: AttemptUnderTest) => attempt.event(earlyMedia(verdict))),
      fc.constantFrom(
        (attempt: AttemptUnderTest) => attempt.events('answered'),
        (attempt: AttemptUnderTest) => attempt.lobby('l2'),
        (attempt: AttemptUnderTest) => attempt.recall(),
        (attempt: AttemptUnderTest) => attempt.event(played('done')),
      ),
    );
    fc.assert(
      fc.property(fc.array(events, { maxLength: 8 }), fc.boolean(), (told, leaves) => {
        const machine = leaves
          ? ({ action: 'leaveMessage', prompts: MESSAGE } as const)
          : ({ action: 'hangup' } as const);
        const attempt = repLed({ machine });
        for (const tell of told) tell(attempt);
        return !attempt.ordered.includes('connect');
      }),
      { numRuns: 500 },
    );
    t.pass();
  },
);
