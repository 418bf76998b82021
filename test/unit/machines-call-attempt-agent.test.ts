/** Goal: an attempt that an AI agent takes over ends in the right Result, whatever the agent does. */
import t from 'tap';
import { initialTransition, transition } from 'xstate';
import type { CallAttemptEvent } from '../../machines/call-attempt.events.ts';
import { callAttemptMachine } from '../../machines/call-attempt.machine.ts';
import { emptyEvidence } from '../../machines/attempt-evidence.ts';
import type { AiAgentFailure } from '../../machines/connect-events.ts';
import type { AiAgentTarget } from '../../machines/telephony-commands.ts';
import type { AnswerVerdict } from '../../machines/telephony-events.ts';
import {
  ATTEMPT_INPUT,
  AttemptUnderTest,
  body,
  endedBody,
  type EventBody,
} from '../support/attempt-under-test.ts';

const AGENT: AiAgentTarget = {
  kind: 'aiAgent',
  sipUri: 'sip:agent@192.0.2.7',
  contextUrl: 'http://127.0.0.1:1/ai/s',
  contextToken: 'a-token',
  setupTimeoutMs: 6_000,
};

const connected = (connectId = 'afterAnswer'): EventBody => ({
  type: 'attempt.connected',
  ...{ connectId, target: 'aiAgent', afterAnswerMs: 400, afterGreetingEndMs: null },
});
const failed = (reason: AiAgentFailure = 'lost'): EventBody => ({
  type: 'aiAgent.failed',
  ...{ reason, statusCode: reason === 'setup' ? 503 : null, detail: 'by the test' },
});
const connectFailed: EventBody = {
  type: 'attempt.connectFailed',
  ...{ connectId: 'afterAnswer', reason: 'target_refused', detail: 'by the test' },
};
const bridgeEnded = (endedBy: 'far' | 'target' | 'dialer' | 'switch'): EventBody => ({
  type: 'attempt.bridgeEnded',
  ...{ connectId: 'afterAnswer', endedBy, bridgedMs: 5_000 },
});
const escalated: EventBody = {
  type: 'aiAgent.escalated',
  ...{ by: 'refer', referTo: 'sip:queue@example.org', attributes: {} },
};

const byUs = { answered: true, endedBy: 'dialer' as const };
const byFar = { answered: true, endedBy: 'far' as const };

/** Answered, and the gateway was told to connect the agent. */
function answered(fallbackPrompts: string[] = []): AttemptUnderTest {
  const attempt = new AttemptUnderTest({ afterAnswer: { aiAgent: AGENT, fallbackPrompts } }).sent();
  attempt.events('alerting', 'answered');
  return attempt;
}

/** And both hear each other. */
function talking(fallbackPrompts: string[] = []): AttemptUnderTest {
  const attempt = answered(fallbackPrompts);
  attempt.reply('attempt.connect');
  attempt.event(connected());
  return attempt;
}

t.test('pure: answered, connecting, connected, the agent leaves, hanging up', async (t) => {
  const bodies = [body('sent'), body('answered'), connected(), bridgeEnded('target')];
  const events: CallAttemptEvent[] = [...bodies, endedBody(200, byUs)].map((given, at) => ({
    ...{ ...given, attemptId: 'a1', fence: 7, seq: at + 1, atMs: 0 },
  }));
  const input = { ...ATTEMPT_INPUT, afterAnswer: { aiAgent: AGENT, fallbackPrompts: [] } };
  let [snapshot] = initialTransition(callAttemptMachine, input);
  const states: unknown[] = [];
  for (const event of events) {
    [snapshot] = transition(callAttemptMachine, snapshot, event);
    states.push(snapshot.value);
  }
  t.same(states, [
    'proceeding',
    { answered: { connecting: 'ordered' } },
    { answered: 'connected' },
    { hangingUp: 'ordered' },
    'ended',
  ]);
  t.match(snapshot.output, { result: 'LiveAnswer', row: 5 });
});

t.test('[DM-02] the answer connects the agent at once, with its context', async (t) => {
  const attempt = answered();
  t.equal(attempt.state, '{answered:{connecting:ordered}}');
  t.match(attempt.orders.at(-1), {
    ...{ type: 'attempt.connect', connectId: 'afterAnswer', seq: 2, fence: 7, target: AGENT },
  });
});

const ends = [
  { name: 'the agent hangs up', by: 'target', end: byUs, orders: ['dial', 'connect', 'hangup'] },
  { name: 'the customer hangs up', by: 'far', end: byFar, orders: ['dial', 'connect'] },
] as const;
for (const { name, by, end, orders } of ends) {
  t.test(`LiveAnswer: they talk, then ${name}`, async (t) => {
    const attempt = talking();
    attempt.event(bridgeEnded(by));
    attempt.ended(200, end);
    t.same(attempt.ordered, orders);
    t.match(attempt.output, { result: 'LiveAnswer', subReason: null, retryClass: 'connected' });
    t.equal(attempt.clock.pending, 0, 'no timer is left behind');
  });
}

t.test('an agent that asked for a human and leaves: nobody could be connected', async (t) => {
  const attempt = talking();
  attempt.event(escalated);
  t.equal(attempt.state, '{answered:connected}', 'the agent keeps the customer meanwhile');
  attempt.event(bridgeEnded('target'));
  t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'no_connect' });
  attempt.ended(200, byUs);
  t.match(attempt.output, { result: 'LiveAnswer', evidence: { escalated: { seq: 5 } } });
});

t.test('[OUT-07] a failure while they talk is BotFailed, and the customer is let go', async (t) => {
  for (const reason of ['media', 'protocol', 'lost'] as const) {
    const attempt = talking();
    attempt.event(failed(reason));
    attempt.event(bridgeEnded('target'));
    t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
    t.same(attempt.ordered, ['dial', 'connect', 'hangup'], 'once');
    attempt.ended(200, byUs);
    t.match(attempt.output, { result: 'BotFailed', subReason: `agent_${reason}`, row: 12 });
  }
});

t.test('an agent that cannot be set up is BotFailed, whichever event is first', async (t) => {
  for (const events of [
    [failed('setup'), connectFailed],
    [connectFailed, failed('setup')],
  ]) {
    const attempt = answered();
    attempt.reply('attempt.connect');
    for (const event of events) attempt.event(event);
    t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
    attempt.ended(200, byUs);
    t.match(attempt.output, { result: 'BotFailed', subReason: 'agent_setup' });
  }
});

t.test('with a fallback the customer hears it before the hang-up', async (t) => {
  const attempt = talking(['sorry']);
  attempt.event(failed());
  t.match(attempt.orders.at(-1), { type: 'attempt.play', playId: 'fallback', prompts: ['sorry'] });
  attempt.reply('attempt.play');
  attempt.event({ type: 'attempt.played', playId: 'fallback', status: 'done', playedMs: 900 });
  t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
  attempt.ended(200, byUs);
  t.match(attempt.output, { result: 'BotFailed', subReason: 'agent_lost' }, 'not a played message');
});

t.test('a fallback that is refused, or never ends, keeps nobody on the line', async (t) => {
  const refused = talking(['sorry']);
  refused.event(failed());
  refused.refuse('attempt.play', 'BAD_STATE');
  t.match(refused.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
  const endless = talking(['sorry']);
  endless.event(failed());
  endless.reply('attempt.play');
  endless.clock.advanceBy(ATTEMPT_INPUT.playTimeoutMs);
  t.match(endless.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
});

t.test('the customer hangs up while the agent rings: abandoned by the customer', async (t) => {
  const attempt = answered();
  attempt.reply('attempt.connect');
  attempt.ended(200, byFar);
  t.match(attempt.output, { result: 'Undetermined', subReason: 'abandoned_by_customer', row: 7 });
  t.same(attempt.ordered, ['dial', 'connect']);
});

t.test('given up while the agent rings, or while they talk: hung up', async (t) => {
  for (const attempt of [answered(), talking()]) {
    attempt.cancel();
    t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'cancelled' });
    attempt.event(escalated);
    attempt.event(connected());
    t.same(attempt.ordered, ['dial', 'connect', 'hangup'], 'what crosses it changes nothing');
  }
});

t.test('another connect and a repeated event are none of its business', async (t) => {
  const attempt = answered();
  attempt.event(connected('later'));
  t.equal(attempt.state, '{answered:{connecting:ordered}}');
  attempt.event(connected());
  attempt.event(failed('setup'), 3);
  t.equal(attempt.state, '{answered:connected}', 'number 3 was heard before');
});

t.test('a refused connect hangs up', async (t) => {
  const attempt = answered();
  attempt.refuse('attempt.connect', 'BAD_STATE');
  t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'failed' });
});

t.test('a gateway that says no more while it connects is asked, in time', async (t) => {
  const attempt = answered();
  attempt.reply('attempt.connect');
  attempt.clock.advanceBy(AGENT.setupTimeoutMs + 5_000);
  t.equal(attempt.state, 'asking');
  attempt.reply('attempt.query', {
    accepted: true,
    state: { attemptId: 'a1', fence: 7, phase: 'answered' },
  });
  t.match(attempt.orders.at(-1), { type: 'attempt.hangup' }, 'nobody is with the customer');
});

t.test('in doubt while they talk: left alone as long as the gateway says so', async (t) => {
  const attempt = talking();
  attempt.lost();
  t.equal(attempt.state, 'asking');
  attempt.reply('attempt.query', {
    accepted: true,
    state: { attemptId: 'a1', fence: 7, phase: 'answered', connected: true },
  });
  t.equal(attempt.state, '{answered:connected}');
  attempt.event(bridgeEnded('target'));
  attempt.ended(200, byUs);
  t.equal(attempt.output.result, 'LiveAnswer');
});

t.test('after a crash a call that is connected goes on; another is hung up', async (t) => {
  const engaged = { seq: 4, with: 'aiAgent' as const };
  const heard = { ...emptyEvidence(), answered: { seq: 3, afterSentMs: 100 }, engaged };
  for (const isThere of [true, false]) {
    const attempt = new AttemptUnderTest({
      afterAnswer: { aiAgent: AGENT, fallbackPrompts: [] },
      recovery: { evidence: heard, lastSeq: 4 },
    });
    const state = { attemptId: 'a1', fence: 7, phase: 'answered' as const };
    attempt.reply('attempt.query', {
      accepted: true,
      state: isThere ? { ...state, connected: true } : state,
    });
    t.equal(attempt.state, isThere ? '{answered:connected}' : '{hangingUp:ordered}');
    attempt.ended(200, byFar);
    t.equal(attempt.output.result, 'LiveAnswer');
  }
});

t.test('a call that is never ended is asked about after its greatest length', async (t) => {
  const attempt = talking();
  attempt.clock.advanceBy(ATTEMPT_INPUT.dial.callLengthMaxMs + 36_000);
  t.equal(attempt.state, 'asking');
});

const DETECTED = {
  ...ATTEMPT_INPUT.dial,
  detection: { mode: 'alongside' as const, limitMs: 3_000, initialSilenceMs: 2_500 },
};
const classified = (verdict: AnswerVerdict): EventBody => ({
  type: 'attempt.classified',
  ...{ verdict, humanProbability: 0.5, afterAnswerMs: 900, evidence: {} },
});
const returned = (attributes: Record<string, string>): EventBody => ({
  type: 'aiAgent.returned',
  by: 'info',
  attributes,
});

/** The agent talks while somebody listens to who answered. */
function overheard(action: 'hangup' | 'continue'): AttemptUnderTest {
  const afterAnswer = { aiAgent: AGENT, fallbackPrompts: [], machine: { action } };
  const attempt = new AttemptUnderTest({ dial: DETECTED, afterAnswer }).sent();
  attempt.events('answered');
  t.equal(attempt.state, '{answered:{connecting:ordered}}', 'the agent is not kept waiting');
  return attempt;
}

const overheardEnds = [
  { verdict: 'machine', result: 'AnsweringMachineHangup' },
  { verdict: 'fax', result: 'NotAHandset' },
  { verdict: 'sit', result: 'NotAHandset' },
] as const;
for (const { verdict, result } of overheardEnds) {
  t.test(`[DM-30] ${verdict} heard beside the agent ends the call as ${result}`, async (t) => {
    for (const isConnected of [false, true]) {
      const attempt = overheard('hangup');
      if (isConnected) attempt.event(connected());
      attempt.event(classified(verdict));
      t.match(attempt.orders.at(-1), { type: 'attempt.hangup', reason: 'completed' });
      attempt.ended(200, byUs);
      t.match(attempt.output, { result, evidence: { classified: { verdict } } });
    }
  });
}

t.test('[DM-30] people, silence and the undecided are the agent’s', async (t) => {
  for (const verdict of ['human', 'silence', 'unknown'] as const) {
    const attempt = overheard('hangup');
    attempt.event(connected());
    attempt.event(classified(verdict));
    t.equal(attempt.state, '{answered:connected}');
    attempt.event(bridgeEnded('target'));
    attempt.ended(200, byUs);
    t.match(attempt.output, { result: 'LiveAnswer' }, verdict);
  }
});

t.test('[DM-30] the agent’s own word on who answered decides, whatever was heard', async (t) => {
  const cases = [
    [{ answeredBy: 'voicemail' }, 'AnsweringMachineHangup'],
    [{ answeredBy: 'Machine', messageLeft: 'true' }, 'AnsweringMachine'],
    [{ answeredBy: 'fax' }, 'NotAHandset'],
    [{ answeredBy: 'human' }, 'LiveAnswer'],
    [{ answeredBy: 'silence' }, 'Undetermined'],
    [{ mood: 'good' }, 'AnsweringMachineHangup'],
  ] as const;
  for (const [attributes, result] of cases) {
    const attempt = overheard('continue');
    attempt.event(connected());
    attempt.event(classified('machine'));
    t.equal(attempt.state, '{answered:connected}', 'the agent goes on');
    attempt.event(returned(attributes));
    attempt.event(bridgeEnded('target'));
    attempt.ended(200, byUs);
    t.equal(attempt.output.result, result, JSON.stringify(attributes));
  }
  const told = overheard('hangup');
  told.event(connected());
  told.event(returned({ answeredBy: 'person' }));
  told.event(classified('machine'));
  t.equal(told.state, '{answered:connected}', 'an agent that knows better keeps the call');
});

t.test(
  'an agent that asked for a human gives way to the representative who is there',
  async (t) => {
    const attempt = talking();
    attempt.event(escalated);
    attempt.lobby('l1');
    t.match(attempt.orders.at(-1), {
      ...{ type: 'attempt.connect', connectId: 'afterAnswer-2' },
      target: { kind: 'lobby', lobbyId: 'l1' },
    });
    attempt.refuse('attempt.connect', 'BAD_STATE');
    t.equal(attempt.state, '{answered:connected}', 'the agent keeps the customer meanwhile');
    attempt.event(bridgeEnded('target'));
    t.match(attempt.orders.at(-1), { type: 'attempt.connect', connectId: 'afterAnswer-3' });
    attempt.reply('attempt.connect');
    attempt.event({
      ...{ type: 'attempt.connected', connectId: 'afterAnswer-3', target: 'lobby' },
      ...{ afterAnswerMs: 9_000, afterGreetingEndMs: null },
    });
    t.equal(attempt.state, '{answered:talking}');
    attempt.ended(200, byFar);
    t.match(attempt.output, { result: 'LiveAnswer', evidence: { engaged: { with: 'lobby' } } });
  },
);

t.test('[WS-03] a call of an agent is recorded when the workstream says so', async (t) => {
  const recording = { recordingId: 'r1', channels: 'stereo' as const, lengthMaxMs: 600_000 };
  const input = { recording, afterAnswer: { aiAgent: AGENT, fallbackPrompts: [] } };
  const attempt = new AttemptUnderTest(input).sent();
  attempt.events('answered');
  t.same(attempt.ordered, ['dial', 'connect']);
  attempt.event(connected());
  t.match(attempt.orders.at(-1), { type: 'recording.start', ...recording });
});

t.test(
  '[DM-30] what the agent says by POST is its word as well, and the last word stands',
  async (t) => {
    const post = (verdict: AnswerVerdict, messageLeft = false) =>
      ({ type: 'dialer.agentVerdict', verdict, messageLeft }) as const;
    const cases: [said: (attempt: AttemptUnderTest) => void, outcome: [string, string | null]][] = [
      [(attempt) => attempt.actor.send(post('machine')), ['AnsweringMachineHangup', null]],
      [(attempt) => attempt.actor.send(post('machine', true)), ['AnsweringMachine', null]],
      [(attempt) => attempt.actor.send(post('silence')), ['Undetermined', 'no_speech']],
      [(attempt) => attempt.actor.send(post('fax')), ['NotAHandset', 'fax']],
      [
        (attempt) => {
          attempt.event(returned({ answeredBy: 'machine' }));
          attempt.actor.send(post('human'));
        },
        ['LiveAnswer', null],
      ],
      [
        (attempt) => {
          attempt.actor.send(post('human'));
          attempt.event(returned({ answeredBy: 'machine' }));
        },
        ['AnsweringMachineHangup', null],
      ],
    ];
    for (const [said, [result, subReason]] of cases) {
      const attempt = talking();
      said(attempt);
      attempt.event(bridgeEnded('target'));
      attempt.ended(200, byUs);
      t.match(attempt.output, { result, subReason });
    }
  },
);

t.test(
  '[DM-19] a representative who does not come about: the agent keeps the customer',
  async (t) => {
    const attempt = talking();
    attempt.event(escalated);
    attempt.lobby('l1');
    t.match(attempt.orders.at(-1), { connectId: 'afterAnswer-2', target: { kind: 'lobby' } });
    attempt.reply('attempt.connect');
    attempt.event({
      type: 'attempt.connectFailed',
      ...{ connectId: 'afterAnswer-2', reason: 'target_gone', detail: 'by the test' },
    });
    t.equal(attempt.state, '{answered:connected}');
    attempt.lobby('l2');
    attempt.reply('attempt.connect');
    attempt.event(bridgeEnded('dialer'));
    attempt.event({
      type: 'attempt.connected',
      ...{ connectId: 'afterAnswer-3', target: 'lobby' },
      ...{ afterAnswerMs: 9_000, afterGreetingEndMs: null },
    });
    t.equal(attempt.state, '{answered:talking}', 'the next one has them, and nobody hangs up');
  },
);
